"""Hashes in RDB: fields and values in turn, in one container or one after the other.

When fields expire is said in a form of Valkey, and in forms of Redis 7.4, which are read. What is written here is
Valkey's, so a hash with such fields can be written for nobody else.
"""

from typing import Final

from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.form import Elements, Style
from gossamer.node.persist.packed import listpack, ziplist, zipmap
from gossamer.node.persist.primitives import put_length, put_string, put_strings
from gossamer.node.persist.source import Source
from gossamer.node.types.hashes.hash import Hash, hash_of
from gossamer.node.types.hashes.packed import MOST
from gossamer.node.types.kind import DONE, NEVER, Value
from gossamer.node.types.limits import EncodingLimits

PLAIN: Final = 4
ZIPMAP: Final = 9
ZIPLIST: Final = 13
LISTPACK: Final = 16
EXPIRING: Final = 22
"""Behind each value stands when its field expires: unix milliseconds in 8 bytes, -1 for never."""
DATED: Final = 24
"""Of Redis 7.4: the soonest end in 8 bytes, then for each field how much later its own is, and 1 more; 0 for never."""
DATED_LISTPACK: Final = 25
"""Of Redis 7.4: the soonest end, then a listpack of fields, values and ends, 0 for never."""

LAST_END: Final = (1 << 48) - 1
"""The last that Redis 7.4 believes."""

NO_FIELDS: Final = "a hash without fields, or with one twice"


def write(out: bytearray, key: bytes | bytearray, value: Value, style: Style, at: int) -> int:
    assert isinstance(value, Hash)
    if value.is_listpack:
        out.append(LISTPACK)
        out += key
        put_string(out, listpack.encode(value.all_pairs()), style.compress)
        return DONE
    expires = value.expires
    if at == 0:
        if expires and not style.format.valkey:
            raise RdbError(f"version {style.format.version} of RDB cannot say when fields of a hash expire")
        out.append(EXPIRING if expires else PLAIN)
        out += key
        put_length(out, value.length)
    texts, at = value.pairs(at)
    if not expires:
        put_strings(out, texts, style.compress)
        return at
    for place in range(0, len(texts), 2):
        put_string(out, texts[place], style.compress)
        put_string(out, texts[place + 1], style.compress)
        out += value.end(texts[place]).to_bytes(8, "little", signed=True)
    return at


class HashElements(Elements):
    def __init__(self, left: int, limits: EncodingLimits) -> None:
        if left == 0:
            raise RdbError(NO_FIELDS)
        self.hash: Hash = Hash()
        super().__init__(self.hash, left)
        self.limits: EncodingLimits = limits

    def read_some(self, source: Source, most: int) -> int:
        texts = source.groups(2, most)
        for at in range(0, len(texts), 2):
            if not self.hash.put(texts[at], texts[at + 1], self.limits):
                raise RdbError(NO_FIELDS)
        return len(texts) // 2


class ExpiringElements(HashElements):
    """An end stands behind each value."""

    def read_some(self, source: Source, most: int) -> int:
        field, value = source.string(), source.string()
        end = source.signed(8)
        if end < NEVER:
            raise RdbError(f"a field of a hash expires at {end}")
        if not self.hash.put(field, value, self.limits):
            raise RdbError(NO_FIELDS)
        if end >= 0:
            self.hash.set_end(field, end)
        return 1


def read_plain(source: Source) -> Elements:
    return HashElements(source.length(), source.limits)


def read_expiring(source: Source) -> Elements:
    return ExpiringElements(source.length(), source.limits)


class DatedElements(Elements):
    """``soonest``: what the times before the fields count from."""

    def __init__(self, left: int, limits: EncodingLimits, soonest: int) -> None:
        if left == 0:
            raise RdbError(NO_FIELDS)
        self.hash: Hash = Hash()
        super().__init__(self.hash, left)
        self.limits: EncodingLimits = limits
        self.soonest: int = soonest

    def read(self, source: Source) -> None:
        later = source.length()
        field, value = source.string(), source.string()
        put_dated(self.hash, field, value, self.soonest + later - 1 if later else NEVER, self.limits)


def read_dated(source: Source) -> Elements:
    soonest = source.signed(8)
    return DatedElements(source.length(), source.limits, soonest)


def read_dated_listpack(source: Source) -> Hash:
    source.signed(8)
    texts = listpack.decode(source.string())
    if not texts or len(texts) % 3:
        raise RdbError(NO_FIELDS)
    found = Hash()
    for at in range(0, len(texts), 3):
        end = texts[at + 2]
        if not end.isdigit():
            raise RdbError("a field of a hash expires at no time")
        put_dated(found, texts[at], texts[at + 1], int(end) or NEVER, source.limits)
    return found


def put_dated(found: Hash, field: bytes, value: bytes, end: int, limits: EncodingLimits) -> None:
    """A field that expires at ``end``, or never."""
    if end < NEVER or end > LAST_END:
        raise RdbError(f"a field of a hash expires at {end}")
    if not found.put(field, value, limits):
        raise RdbError(NO_FIELDS)
    if end >= 0:
        found.set_end(field, end)


def read_zipmap(source: Source) -> Hash:
    return made(zipmap.decode(source.string()), source.limits, False)


def read_ziplist(source: Source) -> Hash:
    return made(ziplist.decode(source.string()), source.limits, True)


def read_listpack(source: Source) -> Hash:
    data = source.string()
    found = listpack.pack(data, 2)
    if found is not None and found[1] <= min(source.limits.hash_max_listpack_entries, MOST):
        value = Hash()
        value.packed, value.count = found
        return value
    return made(listpack.decode(data), source.limits, True)


def made(texts: list[bytes], limits: EncodingLimits, any_length: bool) -> Hash:
    found = hash_of(texts, limits, any_length) if len(texts) % 2 == 0 else None
    if found is None:
        raise RdbError(NO_FIELDS)
    return found
