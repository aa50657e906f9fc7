"""Hashes in RDB: fields and values in turn, in one container or one after the other.

Only Valkey has a form that says when fields expire, so a hash of which some do can be written for nobody else.
"""

from typing import Final

from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.form import Elements, Style
from gossamer.node.persist.packed import listpack, ziplist, zipmap
from gossamer.node.persist.primitives import put_length, put_string
from gossamer.node.persist.source import Source
from gossamer.node.types.hashes.hash import Hash, hash_of
from gossamer.node.types.kind import DONE, NEVER, Value
from gossamer.node.types.limits import EncodingLimits

PLAIN: Final = 4
ZIPMAP: Final = 9
ZIPLIST: Final = 13
LISTPACK: Final = 16
EXPIRING: Final = 22
"""Behind each value stands when its field expires: unix milliseconds in 8 bytes, -1 for never."""

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
    for place in range(0, len(texts), 2):
        put_string(out, texts[place], style.compress)
        put_string(out, texts[place + 1], style.compress)
        if expires:
            out += value.end(texts[place]).to_bytes(8, "little", signed=True)
    return at


class HashElements(Elements):
    """``expires``: an end stands behind each value."""

    def __init__(self, left: int, limits: EncodingLimits, expires: bool) -> None:
        if left == 0:
            raise RdbError(NO_FIELDS)
        self.hash: Hash = Hash()
        super().__init__(self.hash, left)
        self.limits: EncodingLimits = limits
        self.expires: bool = expires

    def read(self, source: Source) -> None:
        field, value = source.string(), source.string()
        end = source.signed(8) if self.expires else NEVER
        if end < NEVER:
            raise RdbError(f"a field of a hash expires at {end}")
        if not self.hash.put(field, value, self.limits):
            raise RdbError(NO_FIELDS)
        if end >= 0:
            self.hash.set_end(field, end)


def read_plain(source: Source) -> Elements:
    return HashElements(source.length(), source.limits, False)


def read_expiring(source: Source) -> Elements:
    return HashElements(source.length(), source.limits, True)


def read_zipmap(source: Source) -> Hash:
    return made(zipmap.decode(source.string()), source.limits, False)


def read_ziplist(source: Source) -> Hash:
    return made(ziplist.decode(source.string()), source.limits, True)


def read_listpack(source: Source) -> Hash:
    return made(listpack.decode(source.string()), source.limits, True)


def made(texts: list[bytes], limits: EncodingLimits, any_length: bool) -> Hash:
    found = hash_of(texts, limits, any_length) if len(texts) % 2 == 0 else None
    if found is None:
        raise RdbError(NO_FIELDS)
    return found
