"""Reading the primitives of RDB: bytes, lengths, numbers, strings in all their codings.

``Source`` looks at a run of bytes that may end anywhere. A method that finds too few raises ``Short`` with how many it
takes at least; who called then starts over with more. What was read is ``data[start:at]``.
"""

from typing import TYPE_CHECKING, Final

from gossamer.node.persist import codes
from gossamer.node.persist.codes import RdbError, Short
from gossamer.node.store import texts
from gossamer.node.store.lzf import decompress
from gossamer.node.types.limits import DEFAULTS, EncodingLimits

if TYPE_CHECKING:
    from mypy_extensions import i64

MAX_STRING: Final = 4 << 30
"""Bytes of the longest string that is believed: eight times the default of proto-max-bulk-len, which can be raised."""

# the two upper bits of a first byte
SIX_BITS: Final = 0x40
FOURTEEN_BITS: Final = 0x80
LENGTH_32: Final = 0x80
LENGTH_64: Final = 0x81
INT_8: Final = 0xC0
INT_16: Final = 0xC1
INT_32: Final = 0xC2
LZF: Final = 0xC3

read_at_once: Final = texts.read_strings


class Source:
    """``valkey``: type numbers that only Valkey knows may occur. ``limits``: of the values that are made."""

    def __init__(
        self,
        data: bytes,
        at: int = 0,
        valkey: bool = False,
        max_string: int = MAX_STRING,
        limits: EncodingLimits = DEFAULTS,
    ) -> None:
        self.data: bytes = data
        self.at: int = at
        self.start: int = at
        """Where the present item began: what ``Short`` counts from."""
        self.valkey: bool = valkey
        self.max_string: int = max_string
        self.limits: EncodingLimits = limits

    def need(self, count: int) -> int:
        """Go ``count`` bytes on; where they start. Short if there are not as many."""
        at = self.at
        end = at + count
        if end > len(self.data):
            raise Short(end - self.start)
        self.at = end
        return at

    def byte(self) -> int:
        return self.data[self.need(1)]

    def take(self, count: int) -> bytes:
        at = self.need(count)
        return self.data[at : at + count]

    def signed(self, count: int) -> int:
        """A little-endian signed number of ``count`` bytes."""
        return int.from_bytes(self.take(count), "little", signed=True)

    def length(self) -> int:
        """A length; RdbError where it is the mark of a string's special coding."""
        length = self.plain_length(self.byte())
        if length < 0:
            raise RdbError("a special coding where a length should be")
        return length

    def plain_length(self, first: int) -> int:
        """The length that begins with the byte ``first``; -1 if that is no length but the mark of a special coding."""
        if first < SIX_BITS:
            return first
        if first < FOURTEEN_BITS:
            return (first & 0x3F) << 8 | self.byte()
        if first == LENGTH_32:
            return big_endian(self.data, self.need(4), 4)
        if first == LENGTH_64:
            return big_endian(self.data, self.need(8), 8)
        if first >= INT_8:
            return -1
        raise RdbError(f"unknown coding 0x{first:02x} of a length")

    def string(self) -> bytes:
        data, at = self.data, self.at
        if at + 1 < len(data) and data[at] < FOURTEEN_BITS:
            # The commonest forms, without a call for each byte: a snapshot has millions of them.
            first = data[at]
            start = at + 1 if first < SIX_BITS else at + 2
            end = start + first if first < SIX_BITS else start + ((first & 0x3F) << 8 | data[at + 1])
            if end <= len(data):
                self.at = end
                return data[start:end]
        first = self.byte()
        length = self.plain_length(first)
        if length >= 0:
            return self.take(self.believed(length))
        if first == INT_8:
            return b"%d" % self.signed(1)
        if first == INT_16:
            return b"%d" % self.signed(2)
        if first == INT_32:
            return b"%d" % self.signed(4)
        if first == LZF:
            return self.compressed()
        raise RdbError(f"unknown coding 0x{first:02x} of a string")

    def strings(self, count: int) -> list[bytes]:
        """The next ``count`` strings."""
        if read_at_once is None:
            return [self.string() for _ in range(count)]
        found, self.at = read_at_once(self.data, self.at, count)
        while len(found) < count:
            found.append(self.string())
        return found

    def groups(self, size: int, most: int) -> list[bytes]:
        """The strings of the next groups of ``size``: of those that are whole, ``most`` groups at most, and at least
        one."""
        if read_at_once is not None:
            found, end = read_at_once(self.data, self.at, size * most)
            if len(found) % size:
                found, end = read_at_once(self.data, self.at, len(found) // size * size)
            if found:
                self.at = end
                return found
        return [self.string() for _ in range(size)]

    def compressed(self) -> bytes:
        packed = self.believed(self.length())
        size = self.believed(self.length())
        try:
            return decompress(self.take(packed), size)
        except ValueError as error:
            raise RdbError(f"a compressed string is damaged: {error}") from None

    def believed(self, length: int) -> int:
        if length > self.max_string:
            raise RdbError(f"a string of {length} bytes is longer than any may be")
        return length

    def skip_module_data(self) -> None:
        """Go past what a module wrote in its own way: values, each with a mark of its kind, up to the end's mark."""
        while True:
            kind = self.length()
            if kind == codes.MODULE_END:
                return
            if kind in (codes.MODULE_SIGNED, codes.MODULE_UNSIGNED):
                self.length()
            elif kind == codes.MODULE_FLOAT:
                self.need(4)
            elif kind == codes.MODULE_DOUBLE:
                self.need(8)
            elif kind == codes.MODULE_STRING:
                self.string()
            else:
                raise RdbError(f"unknown kind {kind} of module data")


def big_endian(data: bytes, at: int, count: int) -> int:
    """A number of ``count`` bytes, without making an object of these."""
    place: i64 = at
    last: i64 = at + count - 1
    value: i64 = 0
    while place < last:
        value = value << 8 | data[place]
        place += 1
    upper: int = value  # of 8 bytes the last one might not fit any more
    return upper << 8 | data[place]
