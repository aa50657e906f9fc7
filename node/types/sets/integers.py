"""Integers of 64 bits, in order, in one immutable ``bytes``: what Redis calls an intset. Low bytes come first."""

import struct
from typing import TYPE_CHECKING, Final

from gossamer.node.types.integers import COMPILED

if TYPE_CHECKING:
    from mypy_extensions import i64

WIDTH: Final = 8
NEGATIVE: Final = 128
"""The highest byte of a negative number is at least this."""


def pack(numbers: list[int]) -> bytes:
    """``numbers``, which are in order."""
    return struct.pack(f"<{len(numbers)}q", *numbers)


def unpack(packed: bytes) -> list[int]:
    return list(struct.unpack(f"<{len(packed) // WIDTH}q", packed))


def texts(packed: bytes) -> list[bytes]:
    return [b"%d" % number for number in unpack(packed)]


def nth(packed: bytes, place: int) -> int:
    """The number at ``place``, counted from 0."""
    return int.from_bytes(packed[place * WIDTH : place * WIDTH + WIDTH], "little", signed=True)


def native_nth(packed: bytes, place: "i64") -> "i64":
    """As ``nth``, for compiled code, where a byte is read in no time."""
    at: i64 = place * WIDTH
    high: i64 = packed[at + 7]
    number: i64 = high - 2 * NEGATIVE if high >= NEGATIVE else high
    step: i64 = at + 6
    while step >= at:
        number = number * 256 + packed[step]
        step -= 1
    return number


def place_of(packed: bytes, number: "i64") -> "i64":
    """Where ``number`` is, or would have to be."""
    low: i64 = 0
    high: i64 = len(packed) // WIDTH
    while low < high:
        middle: i64 = (low + high) // 2
        found: i64 = native_nth(packed, middle) if COMPILED else nth(packed, middle)
        if found < number:
            low = middle + 1
        else:
            high = middle
    return low


def find(packed: bytes, number: "i64") -> "i64":
    """Where ``number`` is, counted from 0; -1 if it is not there."""
    place = place_of(packed, number)
    if place == len(packed) // WIDTH:
        return -1
    found: i64 = native_nth(packed, place) if COMPILED else nth(packed, place)
    return place if found == number else -1


def plus(packed: bytes, number: int) -> bytes:
    """``packed`` with ``number``, which it does not hold."""
    at = place_of(packed, number) * WIDTH
    return packed[:at] + number.to_bytes(WIDTH, "little", signed=True) + packed[at:]


def cut(packed: bytes, place: int) -> bytes:
    """``packed`` without the number at ``place``, counted from 0."""
    return packed[: place * WIDTH] + packed[place * WIDTH + WIDTH :]
