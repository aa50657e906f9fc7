"""Intsets (intset.c of Redis 7.0): a small set of integers. u32 width and u32 count, then the integers in order."""

import itertools
from typing import Final

from gossamer.node.persist.codes import RdbError

HEADER_SIZE: Final = 8
WIDTHS: Final = (2, 4, 8)


def decode(data: bytes) -> list[int]:
    """The integers of a whole intset, in order; RdbError if it is damaged, unordered, or holds one twice."""
    width, count = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:8], "little")
    if width not in WIDTHS or len(data) != HEADER_SIZE + width * count:
        raise RdbError("an intset of another size than it says")
    numbers = [
        int.from_bytes(data[at : at + width], "little", signed=True) for at in range(HEADER_SIZE, len(data), width)
    ]
    if any(one >= other for one, other in itertools.pairwise(numbers)):
        raise RdbError("an intset that is not in order")
    return numbers


def encode(numbers: list[int]) -> bytes:
    """The intset of ``numbers``, which are in order, in the least width that holds all of them."""
    assert numbers == sorted(set(numbers))
    width = width_of(numbers)
    out = bytearray(width.to_bytes(4, "little"))
    out += len(numbers).to_bytes(4, "little")
    for number in numbers:
        out += number.to_bytes(width, "little", signed=True)
    return bytes(out)


def width_of(numbers: list[int]) -> int:
    for width in WIDTHS:
        if not numbers or (-(1 << 8 * width - 1) <= numbers[0] and numbers[-1] < 1 << 8 * width - 1):
            return width
    raise AssertionError("an intset holds integers of 64 bits")
