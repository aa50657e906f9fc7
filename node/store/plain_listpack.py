"""Listpacks (listpack.c of Redis 7.0), taken apart and put together: the twin of ``listpack.h``.

u32 size and u16 count, little-endian, then the elements, then 0xFF. An element is its encoding with its data, and then
the size of these two, to be read backwards. What is an integer in its shortest decimal form is held as one, and real
servers compare elements by that; so ``to_listpack`` does it too, byte for byte.
"""

from typing import Final

from gossamer.node.types.backlen import backlen, backlen_size

HEADER_SIZE: Final = 6
FRAME: Final = 7
"""Bytes of a listpack without elements."""
END: Final = 0xFF
UNKNOWN_COUNT: Final = 0xFFFF
LONGEST_INTEGER: Final = 20
SHORT: Final = 1 << 7
"""Elements below this many bytes, the most by far, end with a single byte."""
NUMBERS: Final = [b"%d" % number for number in range(0x80)]
"""As text."""
WIDTHS: Final = {0xF1: 2, 0xF2: 3, 0xF3: 4, 0xF4: 8}
"""Bytes of an integer by its encoding."""


def from_listpack(data: bytes) -> list[bytes]:
    """The elements of a whole listpack, integers as their decimal text; ValueError if it is damaged anywhere."""
    size = len(data)
    if size <= HEADER_SIZE or int.from_bytes(data[:4], "little") != size or data[-1] != END:
        raise ValueError("a listpack of another size than it says")
    elements: list[bytes] = []
    at = HEADER_SIZE
    while at < size - 1:
        element, end = element_at(data, at)
        length = end - at
        if not (data[end] == length if length < SHORT else data[end : end + backlen_size(length)] == backlen(length)):
            raise ValueError("an element of a listpack says another size at its end")
        elements.append(element)
        at = end + backlen_size(length)
    count = int.from_bytes(data[4:6], "little")
    if at != size - 1 or count not in (len(elements), UNKNOWN_COUNT):
        raise ValueError("a listpack of another count than it says")
    return elements


def element_at(data: bytes, at: int) -> tuple[bytes, int]:
    """The element at ``at`` and where its data ends."""
    first = data[at]
    if first < 0x80:
        return NUMBERS[first], at + 1
    if first < 0xC0:
        return text_at(data, at + 1, first & 0x3F)
    if first < 0xE0:
        if at + 2 >= len(data):
            raise ValueError("a listpack is cut off")
        number = (first & 0x1F) << 8 | data[at + 1]
        return b"%d" % (number - 0x2000 if number >= 0x1000 else number), at + 2
    if first < 0xF0:
        return text_at(data, at + 2, (first & 0x0F) << 8 | byte_at(data, at + 1))
    if first == 0xF0:
        return text_at(data, at + 5, int.from_bytes(data[at + 1 : at + 5], "little"))
    width = WIDTHS.get(first, 0)
    if not width or at + 1 + width >= len(data):
        raise ValueError(f"unknown coding 0x{first:02x} in a listpack")
    return b"%d" % int.from_bytes(data[at + 1 : at + 1 + width], "little", signed=True), at + 1 + width


def byte_at(data: bytes, at: int) -> int:
    if at >= len(data):
        raise ValueError("a listpack is cut off")
    return data[at]


def text_at(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    end = at + length
    if end >= len(data):
        raise ValueError("a listpack is cut off")
    return data[at:end], end


def to_listpack(elements: list[bytes]) -> bytes:
    """The listpack that real servers make of ``elements``."""
    out = bytearray(HEADER_SIZE)
    for element in elements:
        put(out, element)
    out.append(END)
    out[0:4] = len(out).to_bytes(4, "little")
    out[4:6] = min(len(elements), UNKNOWN_COUNT).to_bytes(2, "little")
    return bytes(out)


def listpack_length(data: bytes) -> int:
    """How many elements a whole listpack has; ValueError if it is damaged anywhere."""
    return len(from_listpack(data))


def listpack_size(elements: list[bytes]) -> int:
    """Bytes that ``elements`` take in a listpack."""
    return len(to_listpack(elements)) - FRAME


def put(out: bytearray, element: bytes) -> None:
    begin = len(out)
    size = len(element)
    if not (0 < size <= LONGEST_INTEGER and put_integer(out, element)):
        if size < 1 << 6:
            out.append(0x80 | size)
        elif size < 1 << 12:
            out.append(0xE0 | size >> 8)
            out.append(size & 0xFF)
        else:
            out.append(0xF0)
            out += size.to_bytes(4, "little")
        out += element
    length = len(out) - begin
    if length < SHORT:
        out.append(length)
    else:
        out += backlen(length)


def put_integer(out: bytearray, text: bytes) -> bool:
    """Put ``text`` as an integer; False if it is none of 64 bits in its shortest form."""
    if not (text[1:] if text[:1] == b"-" else text).isdigit():
        return False
    number = int(text)
    return b"%d" % number == text and put_data(out, number)


def put_number(out: bytearray, number: int) -> None:
    """The element of an integer of 64 bits."""
    begin = len(out)
    put_data(out, number)
    out.append(len(out) - begin)


def put_data(out: bytearray, number: int) -> bool:
    """Encoding and data of an integer; False if it has not 64 bits."""
    if 0 <= number < 1 << 7:
        out.append(number)
    elif -(1 << 12) <= number < 1 << 12:
        number &= 0x1FFF
        out.append(0xC0 | number >> 8)
        out.append(number & 0xFF)
    else:
        for code, width in WIDTHS.items():
            if -(1 << 8 * width - 1) <= number < 1 << 8 * width - 1:
                out.append(code)
                out += number.to_bytes(width, "little", signed=True)
                return True
        return False
    return True
