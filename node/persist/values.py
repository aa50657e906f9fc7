"""Values as RDB holds them: which function reads a type of the format, and which one writes a class of ours.

To add a type of data: one line in ``READERS`` for each form of it in the format, one in ``WRITERS`` for its class.

A writer puts the number of the type, then ``key`` as it stands in the file (empty in DUMP payloads), then the value. It
chooses the form by ``style.format``: a peer may not know the newer ones.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from gossamer.node.engine.keyspace import Value
from gossamer.node.persist import codes
from gossamer.node.persist.codes import REDIS_10, Format, RdbError, type_title
from gossamer.node.persist.primitives import put_string
from gossamer.node.persist.source import Source


class Style:
    """How to write: for whom, and whether long strings are compressed."""

    def __init__(self, target: Format = REDIS_10, compress: bool = False) -> None:
        self.format: Format = target
        self.compress: bool = compress


Reader: TypeAlias = Callable[[Source], Value]
Writer: TypeAlias = Callable[[bytearray, bytes | bytearray, Value, Style], None]


def put_text(out: bytearray, key: bytes | bytearray, value: Value, style: Style) -> None:
    assert isinstance(value, (bytes, bytearray))
    out.append(codes.STRING)
    out += key
    put_string(out, value, style.compress)


READERS: Final[dict[int, Reader]] = {
    codes.STRING: Source.string,
}
WRITERS: Final[dict[type, Writer]] = {
    bytes: put_text,
    bytearray: put_text,
}


def read_value(source: Source, code: int) -> Value:
    """The value of type ``code`` that ``source`` stands before; RdbError, Short."""
    reader = READERS.get(code)
    if reader is None or (code >= codes.FIRST_OF_VALKEY and not source.valkey):
        raise RdbError(f"cannot read a value of type {type_title(code)}")
    return reader(source)


def put_value(out: bytearray, key: bytes | bytearray, value: Value, style: Style) -> None:
    """Write a value; ``key`` as described above."""
    WRITERS[type(value)](out, key, value, style)
