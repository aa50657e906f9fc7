"""Integers in order in one immutable ``bytes``: what Redis calls an intset.

Each takes eight bytes, the highest first, and is moved up by 2**63, so that their bytes compare as they do.
"""

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_extensions import i64

WIDTH: Final = 8
BIAS: Final = 1 << 63


def pack(numbers: list[int]) -> bytes:
    """``numbers``, which are in order."""
    return struct.pack(f">{len(numbers)}Q", *[number + BIAS for number in numbers])


def unpack(packed: bytes) -> list[int]:
    return [number - BIAS for number in struct.unpack(f">{len(packed) // WIDTH}Q", packed)]


def texts(packed: bytes) -> list[bytes]:
    return [b"%d" % (number - BIAS) for number in struct.unpack(f">{len(packed) // WIDTH}Q", packed)]


def nth(packed: bytes, place: int) -> int:
    """The number at ``place``, counted from 0."""
    return int.from_bytes(packed[place * WIDTH : place * WIDTH + WIDTH], "big") - BIAS


def begin_of(packed: bytes, entry: bytes) -> "i64":
    """Where ``entry``, the eight bytes of a number, is or would have to be."""
    low: i64 = 0
    high: i64 = len(packed) // WIDTH
    while low < high:
        middle: i64 = (low + high) // 2
        if packed[middle * WIDTH : middle * WIDTH + WIDTH] < entry:
            low = middle + 1
        else:
            high = middle
    return low * WIDTH


def holds(packed: bytes, number: int) -> bool:
    entry = (number + BIAS).to_bytes(WIDTH, "big")
    at = begin_of(packed, entry)
    return packed[at : at + WIDTH] == entry


def plus(packed: bytes, number: int) -> bytes:
    """``packed`` with ``number``; the same object if it holds it already."""
    entry = (number + BIAS).to_bytes(WIDTH, "big")
    at = begin_of(packed, entry)
    return packed if packed[at : at + WIDTH] == entry else packed[:at] + entry + packed[at:]


def minus(packed: bytes, number: int) -> bytes:
    """``packed`` without ``number``; the same object if it does not hold it."""
    entry = (number + BIAS).to_bytes(WIDTH, "big")
    at = begin_of(packed, entry)
    return packed[:at] + packed[at + WIDTH :] if packed[at : at + WIDTH] == entry else packed


def cut(packed: bytes, place: int) -> bytes:
    """``packed`` without the number at ``place``, counted from 0."""
    return packed[: place * WIDTH] + packed[place * WIDTH + WIDTH :]
