"""The table of keys in Python: for builds without a compiler. ``native.c`` has the same interface.

A key is ``bytes``, a value any object but an integer or None. An expire time is unix milliseconds; ``NEVER`` is none.
A stamp is what a ``Clock`` notes of a key's uses (``plain_clock.py``).

A walk goes through the table in the order of the keys' positions, which are hashes and never change. Its cursor is the
least position that it has not seen yet: 0 at the beginning, and again at the end. So a key that is there from the
beginning of a walk to its end is returned, whatever is put and removed in between.
"""

from collections.abc import Callable, Collection
from itertools import islice
from sys import getsizeof
from typing import Final

from gossamer.cluster.slots import key_slot
from gossamer.node.store.order import END, Order, position
from gossamer.node.store.plain_clock import Clock

__all__ = [
    "EXPIRY",
    "KEEP",
    "NEVER",
    "OVERHEAD",
    "WHOLE",
    "Clock",
    "Table",
    "Value",
    "route",
    "seed",
    "use_huge_pages",
]

Value = object

NEVER: Final = -1
KEEP: Final = -2
"""Of a put: the key expires when it did before, and this is no use of it."""

ENTRY: Final = 40
"""A dictionary's entry: hash, key and value of 8 bytes each, an index, and the room it keeps free."""
OVERHEAD: Final = 2 * getsizeof(b"") + 2 * ENTRY
"""Bytes of a key with a string, beside their lengths. Its stamp is an entry of its own; the number itself is shared by
all that were used at the time."""
EXPIRY: Final = ENTRY + 32
"""Bytes of an expire time, which is an integer in a dictionary of its own."""

WHOLE: Final = 4096
"""A walk of items takes so many at once: that is quicker than to order them, and no more than a millisecond."""


class Table:
    """Keys with their values, expire times and stamps."""

    __slots__ = ("_expires", "_order", "_stamps", "_values", "get")

    def __init__(self) -> None:
        self._values: dict[bytes, Value] = {}
        self._expires: dict[bytes, int] = {}
        self._stamps: dict[bytes, int] = {}
        self._order: Order | None = None
        """Of the walks that are under way."""
        self.get: Callable[[bytes], Value | None] = self._values.get
        """The value of a key, None if there is none. This is no use of it."""

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: bytes) -> bool:
        return key in self._values

    @property
    def expiring(self) -> int:
        """How many keys expire."""
        return len(self._expires)

    def expire(self, key: bytes) -> int:
        """When ``key`` expires, ``NEVER`` also if it is not there."""
        return self._expires.get(key, NEVER)

    def use(self, key: bytes, clock: Clock) -> Value | None:
        """As ``get``, and ``key`` is used now."""
        value = self._values.get(key)
        if value is not None:
            self._stamps[key] = clock.used(self._stamps[key]) if clock.lfu else clock.second
        return value

    def stamp(self, key: bytes) -> int:
        """What is noted of the uses of ``key``; -1 if it is not there."""
        return self._stamps.get(key, -1)

    def set_stamp(self, key: bytes, stamp: int) -> bool:
        """Note ``stamp`` for ``key``; False if it is not there."""
        if key not in self._values:
            return False
        self._stamps[key] = stamp
        return True

    def put(self, key: bytes, value: Value, at: int = NEVER, clock: Clock | None = None) -> Value | None:
        """Set ``key`` to ``value``, which expires ``at``, and is used now. Without a clock nobody notes that.

        What was there before: None if nothing was, the length of a string (``bytes``), else the object. MemoryError
        leaves the table as it was.
        """
        old = self._values.get(key)
        if old is None:
            self._put_new(key, value, at, clock)
            return None
        if at >= 0:
            self._expires[key] = at
        elif self._expires and at != KEEP:
            self._expires.pop(key, None)
        self._values[key] = value  # this and what follows replaces something, which takes no memory
        if clock is not None and at != KEEP:
            self._stamps[key] = clock.used(self._stamps[key]) if clock.lfu else clock.second
        return len(old) if isinstance(old, bytes) else old

    def _put_new(self, key: bytes, value: Value, at: int, clock: Clock | None) -> None:
        try:
            self._stamps[key] = 0 if clock is None else clock.fresh()
            if at >= 0:
                self._expires[key] = at
            self._values[key] = value
        except MemoryError:
            self.remove(key)
            raise

    def set_expire(self, key: bytes, at: int) -> bool:
        """``key`` expires ``at``, or ``NEVER``; False if it is not there."""
        if key not in self._values:
            return False
        if at >= 0:
            self._expires[key] = at
        else:
            self._expires.pop(key, None)
        return True

    def remove(self, key: bytes) -> Value | None:
        """Take ``key`` out; its value, None if it was not there."""
        self._expires.pop(key, None)
        self._stamps.pop(key, None)
        return self._values.pop(key, None)

    def drop(self, count: int) -> list[Value]:
        """Take out about so many keys, whichever; those of their values that are not strings."""
        objects: list[Value] = []
        for _ in range(min(count, len(self._values))):
            key, value = self._values.popitem()
            self._expires.pop(key, None)
            del self._stamps[key]
            if not isinstance(value, bytes):
                objects.append(value)
        return objects

    def position(self, key: bytes) -> int:
        """Where walks come across ``key``, whether or not it is there: at least 0, below ``1 << 49``."""
        return position(key)

    def keys(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Go on with a walk: its next cursor, and about ``count`` keys, perhaps none before the end."""
        return self._walk(self._values, cursor, count)

    def items(self, cursor: int, count: int) -> tuple[int, list[tuple[bytes, Value, int]]]:
        """As ``keys``, with the value and the expire time of each; perhaps thousands more than ``count``."""
        cursor, keys = self._walk(self._values, cursor, max(count, WHOLE))
        values, expires = self._values, self._expires
        return cursor, [(key, values[key], expires.get(key, NEVER)) for key in keys]

    def expiring_keys(self, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """As ``keys``, of those that expire."""
        return self._walk(self._expires, cursor, count)

    def random(self, number: int) -> bytes | None:
        """A key, each with about the same chance, by ``number`` from 0 below ``1 << 64``; None if there is none."""
        if not self._values:
            return None
        return next(islice(self._values, number % len(self._values), None))

    def sample(self, number: int, count: int, expiring: bool) -> list[tuple[bytes, int, int]]:
        """``count`` keys, or as many as there are, by ``number`` (see ``random``), with stamp and expire time of each.

        Each key has about the same chance, though not every set of keys: they stand at equal distances, in C side by
        side. ``expiring``: only those that expire.
        """
        present: Collection[bytes] = self._expires if expiring else self._values
        size = len(present)
        count = min(count, size)
        walk = iter(present)
        behind = 0
        found: list[tuple[bytes, int, int]] = []
        for place in sorted([(number + index * size // count) % size for index in range(count)]):
            key = next(islice(walk, place - behind, None))
            behind = place + 1
            found.append((key, self._stamps[key], self._expires.get(key, NEVER)))
        return found

    def used(self) -> int:
        """Bytes that the keys, the strings among the values and the table take; objects are not counted."""
        strings = sum([getsizeof(value) for value in self._values.values() if isinstance(value, bytes)])
        keys = sum([getsizeof(key) for key in self._values])
        dictionaries = getsizeof(self._values) + getsizeof(self._stamps) + getsizeof(self._expires)
        return strings + keys + dictionaries + 32 * len(self._expires)

    def _walk(self, present: Collection[bytes], cursor: int, count: int) -> tuple[int, list[bytes]]:
        if cursor == 0 and len(present) <= count:
            return 0, list(present)
        if cursor == 0 or self._order is None:
            self._order = Order(self._values)
        keys, cursor = self._order.take(cursor, count, present)
        if cursor == END:
            self._order = None
            return 0, keys
        return cursor, keys


def route(requests: list[list[bytes]] | list[bytes], tables: list[Table], shift: int) -> list[int]:
    """The slot of the key of each request, where its second word is one; -1 where it has no second word.

    A request may also be a key by itself.

    ``tables[slot >> shift]`` are those that the requests will look into: the one in C has the memory fetched that a
    look-up needs, of all requests side by side.
    """
    return [slot_of(request) for request in requests]


def slot_of(request: list[bytes] | bytes) -> int:
    if isinstance(request, bytes):
        return key_slot(request)
    return key_slot(request[1]) if len(request) > 1 else -1


def seed(key: bytes) -> None:
    """The key, 16 bytes, of the hash from which positions come; before there is any table. Here CRC-32 needs none."""
    assert len(key) == 16


def use_huge_pages(wanted: bool) -> None:
    """Whether tables ask the kernel for huge pages, from now on. These have no memory but the interpreter's."""
