"""A part of a database: the keys of a run of hash slots, in dictionaries of their own.

Only ``part.py``, ``contents.py`` and ``database.py`` look inside (``tests/tidy/test_data.py``): a table of another make
may stand behind the same methods one day.
"""

from collections.abc import Collection
from typing import Final

from gossamer.node.engine.data.kinds import Value, copy_of, is_large, size_of
from gossamer.node.engine.data.tally import EXPIRE_ENTRY, OVERHEAD

NEVER: Final = -1
"""The key does not expire."""


class Part:
    """The keys of some slots, their values and their expire times."""

    __slots__ = ("_expires", "_values")

    def __init__(self) -> None:
        self._values: dict[bytes, Value] = {}
        self._expires: dict[bytes, int] | None = None
        """None while no key expires."""

    def __len__(self) -> int:
        return len(self._values)

    @property
    def volatile(self) -> int:
        """How many keys expire."""
        expires = self._expires
        return 0 if expires is None else len(expires)

    def get(self, key: bytes) -> Value | None:
        return self._values.get(key)

    def expire_time(self, key: bytes) -> int:
        expires = self._expires
        return NEVER if expires is None else expires.get(key, NEVER)

    def keys(self) -> Collection[bytes]:
        return self._values.keys()

    def copy(self) -> "Part":
        """The same keys with the same values, as they are now."""
        other = Part()
        other._values = {key: copy_of(value) for key, value in self._values.items()}
        if self._expires is not None:
            other._expires = self._expires.copy()
        return other

    def tables(self) -> tuple[dict[bytes, Value], dict[bytes, int]]:
        """Copies of what it holds: values, and the expire times of those that have one."""
        return self._values.copy(), {} if self._expires is None else self._expires.copy()

    def size(self) -> int:
        """Bytes of all keys and values."""
        size = len(self._values) * OVERHEAD + self.volatile * EXPIRE_ENTRY
        for key, value in self._values.items():
            size += len(key) + size_of(value)
        return size

    def pop(self) -> tuple[bytes, Value, int]:
        """Take out some key; its name, its value and the bytes that it took."""
        key, value = self._values.popitem()
        size = len(key) + size_of(value) + OVERHEAD
        if self._expires is not None and self._expires.pop(key, None) is not None:
            size += EXPIRE_ENTRY
        return key, value, size

    def free(self, most: int) -> list[Value]:
        """Let go of so many keys, of which nobody wants to know any more; the large values among them."""
        values, expires = self._values, self._expires
        large: list[Value] = []
        for _ in range(min(most, len(values))):
            key, value = values.popitem()
            if expires is not None:
                expires.pop(key, None)
            if not isinstance(value, bytes) and is_large(value):
                large.append(value)
        return large
