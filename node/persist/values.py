"""Values as RDB holds them: which function reads a type of the format, and which one writes a kind of ours.

To add a type of data: a module of ``persist/forms``, a line in ``READERS`` for each form of it in the format, one in
``WRITERS`` for its kind.
"""

from typing import Final

from gossamer.node.engine.data.kinds import KINDS, STRING, STUBS, kind_of
from gossamer.node.engine.data.spilled import Unreadable
from gossamer.node.persist import codes
from gossamer.node.persist.codes import Format, RdbError, Short, type_title
from gossamer.node.persist.form import Elements, Reader, Style, Writer
from gossamer.node.persist.forms import hashes, lists, sets, streams, zsets
from gossamer.node.persist.primitives import put_string
from gossamer.node.persist.source import MAX_STRING, Source
from gossamer.node.store.spilled import Spilled
from gossamer.node.types.hashes.kind import HASH
from gossamer.node.types.kind import DONE, Kind, Value
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.lists.kind import LIST
from gossamer.node.types.sets.set import SET
from gossamer.node.types.streams.kind import STREAM
from gossamer.node.types.zsets.zset import ZSET


def put_text(out: bytearray, key: bytes | bytearray, value: Value, style: Style, at: int) -> int:
    assert isinstance(value, (bytes, bytearray))
    out.append(codes.STRING)
    out += key
    put_string(out, value, style.compress)
    return DONE


def put_spilled(out: bytearray, key: bytes | bytearray, spilled: Value, style: Style, at: int) -> int:
    """A value that is not in memory, in one step: bytes are copied, unless the format knows no such form, or wants less
    of them."""
    assert isinstance(spilled, Spilled)
    try:
        payload = spilled.vault.payload(spilled)
        if is_known(payload[0], style.format) and not (style.compress and payload[0] == codes.STRING):
            out.append(payload[0])
            out += key
            out += payload[1:]
            return DONE
        value: Value = spilled.vault.load(spilled)
    except Unreadable as error:
        raise RdbError(error.text) from None
    at = put_value(out, key, value, style)
    while at != DONE:
        at = put_value(out, b"", value, style, at)
    return DONE


def is_known(code: int, target: Format) -> bool:
    """Does every reader of the format know this type of value?"""
    if code == codes.OF_VALKEY:
        return target.valkey
    return code < sets.LISTPACK or target.version >= codes.REDIS_11.version


READERS: Final[dict[int, Reader]] = {
    codes.STRING: Source.string,
    sets.MEMBERS: sets.read,
    sets.INTSET: sets.read_intset,
    sets.LISTPACK: sets.read_listpack,
    codes.STREAM_LISTPACKS: streams.read_first,
    codes.STREAM_LISTPACKS_2: streams.read_second,
    codes.STREAM_LISTPACKS_3: streams.read_third,
    lists.SINGLES: lists.Singles,
    lists.ZIPLIST: lists.read_ziplist,
    lists.ZIPLISTS: lists.Ziplists,
    lists.NODES: lists.Nodes,
    zsets.TEXT_SCORES: zsets.read_text_scores,
    zsets.BINARY_SCORES: zsets.read_binary_scores,
    zsets.ZIPLIST: zsets.read_ziplist,
    zsets.LISTPACK: zsets.read_listpack,
    hashes.PLAIN: hashes.read_plain,
    hashes.ZIPMAP: hashes.read_zipmap,
    hashes.ZIPLIST: hashes.read_ziplist,
    hashes.LISTPACK: hashes.read_listpack,
    hashes.EXPIRING: hashes.read_expiring,
    hashes.DATED: hashes.read_dated,
    hashes.DATED_LISTPACK: hashes.read_dated_listpack,
}
WRITERS: Final[dict[Kind, Writer]] = {
    STRING: put_text,
    SET: sets.write,
    LIST: lists.write,
    ZSET: zsets.write,
    STREAM: streams.put_stream,
    HASH: hashes.write,
    **{KINDS[stub]: put_spilled for stub in STUBS.values()},
}


def read_value(source: Source, code: int) -> Value | Elements:
    """The value of type ``code`` that ``source`` stands before, or its beginning; RdbError, Short."""
    reader = READERS.get(code)
    if reader is None or not codes.belongs(code, source.valkey):
        raise RdbError(f"cannot read a value of type {type_title(code)}")
    return reader(source)


def put_value(out: bytearray, key: bytes | bytearray, value: Value, style: Style, at: int = 0) -> int:
    """Write a step of a value, from position ``at`` on; the next position. ``key`` as described above. RdbError if the
    value cannot be said, or not be read."""
    return WRITERS[kind_of(value)](out, key, value, style, at)


# --- values that are not in memory: their payload is what an RDB holds of them, without the key

SPILLED: Final = Style(codes.VALKEY_80)
"""A form that can say all that there is to a value. It is not compressed: who needs the value waits for it."""


def payload_of(value: Value) -> bytes:
    out = bytearray()
    at = 0
    while at != DONE:
        at = WRITERS[kind_of(value)](out, b"", value, SPILLED, at)
    return bytes(out)


def value_of(payload: bytes, limits: EncodingLimits) -> Value:
    """What ``payload_of`` has made it of; RdbError."""
    source = Source(payload, 0, True, MAX_STRING, limits)
    try:
        value = read_value(source, source.byte())
        if isinstance(value, Elements):
            while value.left:
                value.step(source)
            value = value.value
    except Short:
        raise RdbError("it ends too early") from None
    if source.at != len(payload):
        raise RdbError("there is more behind its end")
    return value
