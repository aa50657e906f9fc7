"""What DEBUG tells of one value: how it is held, and how large it is in an RDB."""

from sys import getsizeof
from typing import Final

from gossamer.node.engine.data.kinds import is_integer, kind_of
from gossamer.node.engine.data.spilled import Unreadable, in_memory
from gossamer.node.engine.serving.call import Call
from gossamer.node.persist.form import Style
from gossamer.node.persist.values import put_value
from gossamer.node.resp.errors import NO_SUCH_KEY, NOT_A_TABLE, NOT_AN_SDS, Refusal, unreadable
from gossamer.node.resp.reply import Status, Verbatim
from gossamer.node.types.kind import DONE, Value


def held(c: Call, key: bytes) -> Value | None:
    """The value of ``key``, even if its time is over: DEBUG tells what is there, not what clients may see. Refusal."""
    try:
        value = c.db.get(c.part_of(key), key)
        return None if value is None else in_memory(value)
    except Unreadable as error:
        raise Refusal(unreadable(error.text)) from None


def present(c: Call, key: bytes) -> Value:
    value = held(c, key)
    if value is None:
        raise Refusal(NO_SUCH_KEY)
    return value


def describe(c: Call, key: bytes) -> Status:
    """Where and how the value of ``key`` is held; the address is an object's identity, good for comparing only."""
    value = present(c, key)
    kind = kind_of(value)
    stamp = c.db.stamp(c.part_of(key), key)
    return Status(
        b"Value at:0x%x refcount:%d encoding:%s serializedlength:%d lru:%d lru_seconds_idle:%d"
        % (
            id(value),
            kind.references(value),
            kind.encoding(value),
            serialized_length(value, c.server.config.flag("rdbcompression")),
            stamp,
            c.server.changes.clock.idle(stamp),
        )
    )


def serialized_length(value: Value, compress: bool) -> int:
    """Bytes of a value in an RDB file, without its type and key."""
    style = Style(compress=compress)
    size = at = 0
    while at != DONE:
        out = bytearray()
        at = put_value(out, b"", value, style, at)
        size += len(out)
    return size - 1


SHOWN: Final = 4096
"""Bytes of a value that are written to the log."""


def show(c: Call, key: bytes, encoding: bytes, refusal: bytes) -> Status:
    """Write the value of ``key`` to the log, in the form that it has in an RDB."""
    value = present(c, key)
    if kind_of(value).encoding(value) != encoding:
        raise Refusal(refusal)
    out = bytearray()
    put_value(out, b"", value, Style())
    c.server.edge.log("notice", f"DEBUG: {encoding!r} of {key!r}: {bytes(out[1:SHOWN])!r}")
    return Status(encoding.capitalize() + b" structure written to the log")


def string_sizes(c: Call, key: bytes) -> Status:
    """Nothing here has room to spare."""
    value = present(c, key)
    if not isinstance(value, (bytes, bytearray)) or (isinstance(value, bytes) and is_integer(value)):
        raise Refusal(NOT_AN_SDS)
    return Status(
        b"key_sds_len:%d, key_sds_avail:0, key_zmalloc: %d, val_sds_len:%d, val_sds_avail:0, val_zmalloc: %d"
        % (len(key), getsizeof(key), len(value), getsizeof(value))
    )


def table_sizes(c: Call, key: bytes) -> Verbatim:
    """As of a hash table in Redis that has just room for all elements."""
    value = present(c, key)
    kind = kind_of(value)
    if kind.encoding(value) not in (b"hashtable", b"skiplist"):
        raise Refusal(NOT_A_TABLE)
    count = kind.length(value)
    size = max(4, 1 << (count - 1).bit_length())
    return Verbatim(
        b"Hash table 0 stats (main hash table):\n table size: %d\n number of elements: %d\n" % (size, count)
    )
