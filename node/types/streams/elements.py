"""Elements of listpacks (listpack.c of Redis 7.2), of which the nodes of a stream consist.

Nodes hold their entries in the very bytes of the RDB. So a snapshot copies them, and a node is full where one of Redis
would be: Redis counts these bytes. What is read here was written here, or has been checked when it was loaded.
"""

from typing import TYPE_CHECKING, Final

from gossamer.node.types.backlen import backlen, backlen_size

if TYPE_CHECKING:
    from mypy_extensions import i64

INT_16: Final = 0xF1
INT_32: Final = 0xF3
INT_64: Final = 0xF4
TEXT_32: Final = 0xF0
LONGEST_INTEGER: Final = 20
"""Characters of the smallest integer of 64 bits."""
INT_MAX: Final = (1 << 63) - 1
INT_MIN: Final = -(1 << 63)
ZERO: Final = 48
NINE: Final = 57
MINUS: Final = 45


SMALL: Final[list[bytes]] = [bytes((value, 1)) for value in range(1 << 7)]
HEADS: Final[list[bytes]] = [bytes((0x80 | size,)) for size in range(1 << 6)]
ENDS: Final[list[bytes]] = [bytes((size,)) for size in range(1 << 7)]


def number(value: int) -> bytes:
    """The element of a 64-bit signed integer."""
    if 0 <= value < 1 << 7:
        return SMALL[value]
    if -(1 << 12) <= value < 1 << 12:
        value &= 0x1FFF
        return bytes((0xC0 | value >> 8, value & 0xFF, 2))
    if -(1 << 15) <= value < 1 << 15:
        return b"\xf1%b\x03" % value.to_bytes(2, "little", signed=True)
    if -(1 << 23) <= value < 1 << 23:
        return b"\xf2%b\x04" % value.to_bytes(3, "little", signed=True)
    if -(1 << 31) <= value < 1 << 31:
        return b"\xf3%b\x05" % value.to_bytes(4, "little", signed=True)
    return b"\xf4%b\x09" % value.to_bytes(8, "little", signed=True)


def counter_size(value: int) -> int:
    """Bytes of the element of a number that is not negative."""
    if value < 1 << 7:
        return 2
    return 3 if value < 1 << 12 else len(number(value))


def text(value: bytes) -> bytes:
    """The element of a string. What is an integer in its shortest form is held as one, as real servers do."""
    size = len(value)
    if 0 < size <= LONGEST_INTEGER and ZERO <= value[size - 1] <= NINE:
        found = integer(value)
        if found is not None:
            return number(found)
    if size < 1 << 6:
        return HEADS[size] + value + ENDS[size + 1]
    if size < 1 << 12:
        return b"%c%c%b%b" % (0xE0 | size >> 8, size & 0xFF, value, backlen(2 + size))
    return b"\xf0%b%b%b" % (size.to_bytes(4, "little"), value, backlen(5 + size))


def integer(value: bytes) -> int | None:
    """The 64-bit signed integer that ``value`` is in its shortest form; None if it is none."""
    digits = value[1:] if value[0] == MINUS else value
    if not digits.isdigit() or (digits[0] == ZERO and len(value) > 1):
        return None
    found = int(value)
    return found if INT_MIN <= found <= INT_MAX else None


def size_at(data: bytes, at: "i64") -> "i64":
    """Bytes of the element at ``at``, to the beginning of the next one."""
    first: i64 = data[at]
    if first < 0x80:
        return 2
    if first < 0xC0:
        return (first & 0x3F) + 2
    if first < 0xE0:
        return 3
    if first == INT_64:
        return 10
    if first > TEXT_32:
        return first - INT_16 + 4
    size: i64 = 0
    if first < TEXT_32:
        low: i64 = data[at + 1]
        size = 2 + ((first & 0x0F) << 8 | low)
    else:
        size = 5 + text_size(data, at)
    return size + backlen_size(size)


def passed(data: bytes, at: "i64", count: "i64") -> "i64":
    """Where the element stands that comes ``count`` elements behind the one at ``at``."""
    while count:
        at += size_at(data, at)
        count -= 1
    return at


def text_size(data: bytes, at: "i64") -> "i64":
    """Bytes of the long string at ``at``."""
    return int.from_bytes(data[at + 1 : at + 5], "little")


def number_at(data: bytes, at: "i64") -> "i64":
    """The integer at ``at``."""
    first: i64 = data[at]
    if first < 0x80:
        return first
    value: i64 = 0
    if 0xC0 <= first < 0xE0:
        low: i64 = data[at + 1]
        value = (first & 0x1F) << 8 | low
        return value - 0x2000 if value >= 0x1000 else value
    if not INT_16 <= first <= INT_64:
        return int(text_at(data, at))
    if first == INT_64:
        return int.from_bytes(data[at + 1 : at + 9], "little", signed=True)
    width: i64 = first - INT_16 + 2
    place: i64 = width
    while place:
        byte: i64 = data[at + place]
        value = value << 8 | byte
        place -= 1
    sign: i64 = 1
    sign <<= 8 * width - 1
    return (value ^ sign) - sign


def text_at(data: bytes, at: "i64") -> bytes:
    """The string at ``at``."""
    first: i64 = data[at]
    if 0x80 <= first < 0xC0:
        return data[at + 1 : at + 1 + (first & 0x3F)]
    if 0xE0 <= first < TEXT_32:
        low: i64 = data[at + 1]
        return data[at + 2 : at + 2 + ((first & 0x0F) << 8 | low)]
    if first == TEXT_32:
        return data[at + 5 : at + 5 + text_size(data, at)]
    return b"%d" % number_at(data, at)
