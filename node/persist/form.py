"""How values are read from RDB and written to it, whatever their type.

A reader returns the value, or ``Elements`` for one that may have many: these are read one by one as their bytes come,
so that neither a large value nor a wait for its end holds the node.

A writer goes in steps. The first puts the number of the type, then ``key`` as it stands in the file (empty in DUMP
payloads), and begins with the value; the others go on with the value. It chooses the form by ``style.format``: a peer
may not know the newer ones.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from mypy_extensions import mypyc_attr

from gossamer.node.persist.codes import REDIS_10, Format
from gossamer.node.persist.source import Source
from gossamer.node.types.kind import STEP, Value

AT_ONCE: Final = 64
"""Elements that are read at once, at most."""
STEP_BYTES: Final = 1 << 16
"""A step ends behind so many: an element of a list's form is a node of perhaps thousands."""


class Style:
    """How to write: for whom, and whether long strings are compressed."""

    def __init__(self, target: Format = REDIS_10, compress: bool = False) -> None:
        self.format: Format = target
        self.compress: bool = compress


@mypyc_attr(allow_interpreted_subclasses=True)
class Elements:
    """A ``value`` that is being read, with ``left`` elements to come. A kind derives its own from it."""

    def __init__(self, value: Value, left: int) -> None:
        self.value: Value = value
        self.left: int = left

    def read(self, source: Source) -> None:
        """Add the next element to the value, once all of it has been read: Short must leave the value as it was."""
        raise NotImplementedError

    def read_some(self, source: Source, most: int) -> int:
        """As ``read``, the next ``most`` elements or less; how many."""
        self.read(source)
        return 1

    def step(self, source: Source) -> None:
        """Read a step's elements; those that are whole are not read again after Short."""
        enough = source.at + STEP_BYTES
        room = min(self.left, STEP)
        while room > 0 and source.at < enough:
            count = self.read_some(source, min(room, AT_ONCE))
            self.left -= count
            room -= count
            source.start = source.at


Reader: TypeAlias = Callable[[Source], Value | Elements]
Writer: TypeAlias = Callable[[bytearray, bytes | bytearray, Value, Style, int], int]
