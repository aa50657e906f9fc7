"""Values as RDB holds them: which function reads a type of the format, and which one writes a kind of ours.

To add a type of data: one line in ``READERS`` for each form of it in the format, one in ``WRITERS`` for its kind.

A reader returns the value, or ``Elements`` for one that may have many: these are read one by one as their bytes come,
so that neither a large value nor a wait for its end holds the node.

A writer goes in steps. The first puts the number of the type, then ``key`` as it stands in the file (empty in DUMP
payloads), and begins with the value; the others go on with the value. It chooses the form by ``style.format``: a peer
may not know the newer ones.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from gossamer.node.engine.data.kinds import DONE, STEP, STRING, Kind, Value, kind_of
from gossamer.node.persist import codes
from gossamer.node.persist.codes import REDIS_10, Format, RdbError, type_title
from gossamer.node.persist.primitives import put_string
from gossamer.node.persist.source import Source


class Style:
    """How to write: for whom, and whether long strings are compressed."""

    def __init__(self, target: Format = REDIS_10, compress: bool = False) -> None:
        self.format: Format = target
        self.compress: bool = compress


class Elements:
    """A ``value`` that is being read, with ``left`` elements to come. A kind derives its own from it."""

    def __init__(self, value: Value, left: int) -> None:
        self.value: Value = value
        self.left: int = left

    def read(self, source: Source) -> None:
        """Add the next element to the value, once all of it has been read: Short must leave the value as it was."""
        raise NotImplementedError

    def step(self, source: Source) -> None:
        """Read a step's elements; those that are whole are not read again after Short."""
        for _ in range(min(self.left, STEP)):
            self.read(source)
            self.left -= 1
            source.start = source.at


Reader: TypeAlias = Callable[[Source], Value | Elements]
Writer: TypeAlias = Callable[[bytearray, bytes | bytearray, Value, Style, int], int]


def put_text(out: bytearray, key: bytes | bytearray, value: Value, style: Style, at: int) -> int:
    assert isinstance(value, (bytes, bytearray))
    out.append(codes.STRING)
    out += key
    put_string(out, value, style.compress)
    return DONE


READERS: Final[dict[int, Reader]] = {
    codes.STRING: Source.string,
}
WRITERS: Final[dict[Kind, Writer]] = {
    STRING: put_text,
}


def read_value(source: Source, code: int) -> Value | Elements:
    """The value of type ``code`` that ``source`` stands before, or its beginning; RdbError, Short."""
    reader = READERS.get(code)
    if reader is None or (code >= codes.FIRST_OF_VALKEY and not source.valkey):
        raise RdbError(f"cannot read a value of type {type_title(code)}")
    return reader(source)


def read_whole(source: Source, code: int) -> Value:
    """As ``read_value``, with all its elements at once."""
    value = read_value(source, code)
    if not isinstance(value, Elements):
        return value
    while value.left:
        value.step(source)
    return value.value


def put_value(out: bytearray, key: bytes | bytearray, value: Value, style: Style, at: int = 0) -> int:
    """Write a step of a value, from position ``at`` on; the next position. ``key`` as described above."""
    return WRITERS[kind_of(value)](out, key, value, style, at)
