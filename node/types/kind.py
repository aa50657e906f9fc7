"""What a type of data is to everybody who handles values of any type: the base of all kinds.

A value may have millions of elements, and whoever goes through one does it in steps of about a millisecond. A step is a
call with the position ``at`` where it begins (0: at the beginning), which returns where the next one begins, or
``DONE``. Between two steps the value must stay as it is, so who takes more than one holds a ``copy`` of his own. A copy
must take no longer than a step itself: a large value shares what it is made of with its copies, and replaces what it
changes (``tests/unit/node/engine/data/bag.py`` shows one way).
"""

from sys import getsizeof
from typing import Final, TypeAlias

from mypy_extensions import mypyc_attr

Value: TypeAlias = object

STEP: Final = 1000
"""Elements in one step at most: about a millisecond's work."""

DONE: Final = -1
"""The position behind the last step."""

NEVER: Final = -1
"""The expire time of what does not expire."""

HEADER: Final = getsizeof(b"")


@mypyc_attr(allow_interpreted_subclasses=True)
class Kind:
    """A type of data. ``name``: as TYPE says it."""

    def __init__(self, name: bytes) -> None:
        self.name: bytes = name

    def encoding(self, value: Value) -> bytes:
        """As OBJECT ENCODING of Redis 7.0 says it."""
        raise NotImplementedError

    def references(self, value: Value) -> int:
        """As OBJECT REFCOUNT says it."""
        return 1

    def size(self, value: Value) -> int:
        """Bytes of its objects, as they are where the code is compiled: known at once, also of a large value.

        Of a string (``bytes``) the bytes alone: what it takes beside them counts as the table's.
        """
        raise NotImplementedError

    def length(self, value: Value) -> int:
        """How many elements it has; 0 means that the key is to be deleted."""
        raise NotImplementedError

    def effort(self, value: Value) -> int:
        """About how many pieces of memory Redis would have to free: 1 where it has the value in one."""
        return 1

    def soonest(self, value: Value) -> int:
        """No element of it expires before this (unix milliseconds); ``NEVER`` if none does."""
        return NEVER

    def expire(self, value: Value, now: int, most: int) -> list[bytes]:
        """Take out about ``most`` of the elements that are over at ``now``, or all; their names."""
        return []

    def copy(self, value: Value) -> Value:
        """Another value with the same contents, which no change of ``value`` reaches. It takes a step at most."""
        raise NotImplementedError

    def free(self, value: Value, most: int) -> int:
        """Let go of about ``most`` elements of a value that nobody uses any more; how many are left."""
        raise NotImplementedError
