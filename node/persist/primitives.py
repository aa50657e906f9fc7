"""Writing the primitives of RDB: lengths and strings, in the shortest coding as real servers choose it.

A string that is an integer of 32 bits in its shortest decimal form is written as that integer; a length takes the
fewest bytes. Both are byte for byte what real servers write. Compression is left out unless asked for: readers do not
care.
"""

from typing import Final

from gossamer.node.store import texts
from gossamer.node.store.lzf import compress as lzf

MAX_6: Final = 1 << 6
MAX_14: Final = 1 << 14
MAX_32: Final = 1 << 32
LONGEST_INTEGER: Final = 11
"""Characters of -2147483648."""
MIN_COMPRESSED: Final = 21
"""Bytes of the shortest string for which compression is tried."""
MAX_COMPRESSED: Final = MAX_32 - 1
"""Of the longest: LZF takes no more."""
MIN_SAVED: Final = 4
MINUS: Final = 0x2D

put_at_once: Final = texts.put_strings


def put_length(out: bytearray, length: int) -> None:
    if length < MAX_6:
        out.append(length)
    elif length < MAX_14:
        out.append(length >> 8 | 0x40)
        out.append(length & 0xFF)
    elif length < MAX_32:
        out.append(0x80)
        out += length.to_bytes(4, "big")
    else:
        out.append(0x81)
        out += length.to_bytes(8, "big")


def put_string(out: bytearray, text: bytes | bytearray, compress: bool = False) -> None:
    size = len(text)
    if 0 < size <= LONGEST_INTEGER and put_integer(out, text):
        return
    if compress and MIN_COMPRESSED <= size <= MAX_COMPRESSED and put_compressed(out, bytes(text)):
        return
    put_length(out, size)
    out += text


def put_strings(out: bytearray, strings: list[bytes], compress: bool = False) -> None:
    if put_at_once is not None:
        put_at_once(out, strings, compress)
        return
    for text in strings:
        put_string(out, text, compress)


def put_integer(out: bytearray, text: bytes | bytearray) -> bool:
    """Write ``text`` as an integer; False if it is none, or not in its shortest form, or too large."""
    if not (text[1:] if text[0] == MINUS else text).isdigit():
        return False
    value = int(text)
    if b"%d" % value != text:
        return False
    if -(1 << 7) <= value < 1 << 7:
        out.append(0xC0)
        out += value.to_bytes(1, "little", signed=True)
    elif -(1 << 15) <= value < 1 << 15:
        out.append(0xC1)
        out += value.to_bytes(2, "little", signed=True)
    elif -(1 << 31) <= value < 1 << 31:
        out.append(0xC2)
        out += value.to_bytes(4, "little", signed=True)
    else:
        return False
    return True


def put_compressed(out: bytearray, text: bytes) -> bool:
    """Write ``text`` compressed; False if that does not save enough."""
    packed = lzf(text)
    if len(packed) + MIN_SAVED > len(text):
        return False
    out.append(0xC3)
    put_length(out, len(packed))
    put_length(out, len(text))
    out += packed
    return True
