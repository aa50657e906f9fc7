"""The types of data: one ``Kind`` each (``node/types``), which is looked up by the class of a value.

A kind knows what the engine must know of any value. What other floors must know of it stands in their tables, which are
keyed by the kind: ``WRITERS`` of ``persist/values.py``, ``WORDS`` of ``as_commands.py``, ``DIGESTS`` of
``commands/digest.py``. ``tests/tidy/test_data.py`` sees to it that no kind lacks a row.
"""

from sys import getsizeof
from typing import Final

from gossamer.node.engine.data.spilled import SpilledKind
from gossamer.node.store.spilled import (
    Spilled,
    SpilledHash,
    SpilledList,
    SpilledSet,
    SpilledStream,
    SpilledString,
    SpilledZSet,
)
from gossamer.node.types.hashes.hash import Hash
from gossamer.node.types.hashes.kind import HASH
from gossamer.node.types.kind import STEP, Kind, Value
from gossamer.node.types.lists.kind import LIST
from gossamer.node.types.lists.list import List
from gossamer.node.types.sets.set import SET, Set
from gossamer.node.types.streams.kind import STREAM
from gossamer.node.types.streams.stream import Stream
from gossamer.node.types.zsets.zset import ZSET, ZSet

EMBEDDED: Final = 44
"""Longest string that Redis holds in one piece with its header."""

SHARED: Final = 10_000
"""Integers from 0 below this are one shared object in Redis."""

EFFORT: Final = 64
"""Pieces of memory that Redis frees at once, at most."""

HEADER: Final = getsizeof(bytearray())

FOREVER: Final = 2**31 - 1
"""The reference count of a shared object."""


class StringKind(Kind):
    """``bytes``, or ``bytearray`` once it has been changed in place (what OBJECT ENCODING calls raw). One element."""

    def encoding(self, value: Value) -> bytes:
        if isinstance(value, bytearray):
            return b"raw"
        assert isinstance(value, bytes)
        if is_integer(value):
            return b"int"
        return b"embstr" if len(value) <= EMBEDDED else b"raw"

    def references(self, value: Value) -> int:
        """One, but of the small integers, which all keys share."""
        if isinstance(value, bytes) and len(value) <= 4 and is_integer(value) and 0 <= int(value) < SHARED:
            return FOREVER
        return 1

    def size(self, value: Value) -> int:
        assert isinstance(value, (bytes, bytearray))
        return len(value) if isinstance(value, bytes) else HEADER + len(value)

    def length(self, value: Value) -> int:
        return 1

    def copy(self, value: Value) -> Value:
        return bytearray(value) if isinstance(value, bytearray) else value

    def free(self, value: Value, most: int) -> int:
        return 0


STRING: Final = StringKind(b"string")

STUBS: Final[dict[Kind, type[Spilled]]] = {
    STRING: SpilledString,
    LIST: SpilledList,
    ZSET: SpilledZSet,
    SET: SpilledSet,
    STREAM: SpilledStream,
    HASH: SpilledHash,
}
"""What stands for a value of a kind that is not in memory."""
KINDS: Final[dict[type, Kind]] = {
    bytes: STRING,
    bytearray: STRING,
    List: LIST,
    ZSet: ZSET,
    Set: SET,
    Stream: STREAM,
    Hash: HASH,
    **{stub: SpilledKind(kind) for kind, stub in STUBS.items()},
}
"""By the class of a value."""


def kind_of(value: Value) -> Kind:
    return KINDS[type(value)]


def size_of(value: Value) -> int:
    """Bytes of the objects of ``value``, see ``Kind.size``."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, bytearray):
        return HEADER + len(value)
    return KINDS[type(value)].size(value)


def copy_of(value: Value) -> Value:
    """A value with the same contents, which no change of ``value`` reaches."""
    return value if isinstance(value, bytes) else KINDS[type(value)].copy(value)


def is_same(one: Value | None, other: Value) -> bool:
    """Is it the very value? Strings have no identity, for a table makes them anew: what is equal is the same."""
    return one is other or (isinstance(one, bytes) and one == other)


def is_large(value: Value) -> bool:
    """Does it take more than one step to go through ``value``?"""
    if isinstance(value, (bytes, bytearray)):
        return False
    return KINDS[type(value)].length(value) > STEP


def is_freed_lazily(value: Value) -> bool:
    """Is ``value`` freed in pieces here, or would Redis have it freed by a thread (``lazyfreeGetFreeEffort``)?"""
    if isinstance(value, (bytes, bytearray)):
        return False
    kind = KINDS[type(value)]
    return kind.length(value) > STEP or kind.effort(value) > EFFORT


def is_integer(text: bytes) -> bool:
    """Is ``text`` a 64-bit signed integer in its shortest form?"""
    if not 0 < len(text) <= 20 or not text[-1:].isdigit():
        return False
    try:
        number = int(text)
    except ValueError:
        return False
    return -(1 << 63) <= number < 1 << 63 and b"%d" % number == text
