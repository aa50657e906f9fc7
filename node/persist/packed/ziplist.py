"""Ziplists (ziplist.c of Redis 7.0): the listpack's elder, which nobody writes any more. They are only read.

u32 size, u32 offset of the last entry, u16 count, all little-endian, then the entries, then 0xFF. An entry is the size
of the one before it, its encoding, its data.
"""

from typing import Final

from gossamer.node.persist.codes import RdbError

HEADER_SIZE: Final = 10
END: Final = 0xFF
UNKNOWN_COUNT: Final = 0xFFFF
LONG_PREVIOUS: Final = 0xFE
WIDTHS: Final = {0xC0: 2, 0xD0: 4, 0xE0: 8, 0xF0: 3, 0xFE: 1}
"""Bytes of an integer by its encoding."""
ZERO: Final = 0xF1
TWELVE: Final = 0xFD


def decode(data: bytes) -> list[bytes]:
    """The entries of a whole ziplist, integers as their decimal text; RdbError if it is damaged anywhere."""
    size = len(data)
    if size <= HEADER_SIZE or int.from_bytes(data[:4], "little") != size or data[-1] != END:
        raise RdbError("a ziplist of another size than it says")
    entries: list[bytes] = []
    at, previous, last = HEADER_SIZE, 0, HEADER_SIZE
    while at < size - 1:
        told, body = previous_size(data, at)
        if told != previous:
            raise RdbError("an entry of a ziplist says another size of the one before it")
        entry, end = entry_at(data, body)
        entries.append(entry)
        last, previous, at = at, end - at, end
    count = int.from_bytes(data[8:10], "little")
    if at != size - 1 or count not in (len(entries), UNKNOWN_COUNT) or int.from_bytes(data[4:8], "little") != last:
        raise RdbError("a ziplist of another count than it says")
    return entries


def previous_size(data: bytes, at: int) -> tuple[int, int]:
    """What the entry at ``at`` says of the size of the one before it, and where its encoding begins."""
    if data[at] < LONG_PREVIOUS:
        return data[at], at + 1
    if data[at] == END:
        raise RdbError("a ziplist ends too early")
    return int.from_bytes(data[at + 1 : at + 5], "little"), at + 5


def entry_at(data: bytes, at: int) -> tuple[bytes, int]:
    """The entry whose encoding begins at ``at``, and where it ends."""
    if at >= len(data) - 1:
        raise RdbError("a ziplist is cut off")
    first = data[at]
    if first < 0x40:
        return text_at(data, at + 1, first)
    if first < 0x80:
        return text_at(data, at + 2, (first & 0x3F) << 8 | data[at + 1])
    if first == 0x80:
        return text_at(data, at + 5, int.from_bytes(data[at + 1 : at + 5], "big"))
    if ZERO <= first <= TWELVE:
        return b"%d" % (first - ZERO), at + 1
    width = WIDTHS.get(first, 0)
    if not width or at + 1 + width >= len(data):
        raise RdbError(f"unknown coding 0x{first:02x} in a ziplist")
    return b"%d" % int.from_bytes(data[at + 1 : at + 1 + width], "little", signed=True), at + 1 + width


def text_at(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    end = at + length
    if end >= len(data):
        raise RdbError("a ziplist is cut off")
    return data[at:end], end
