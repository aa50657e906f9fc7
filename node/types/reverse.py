"""A hash read backwards: the order in which buckets that are divided in two keep their place (SCAN of large values)."""

from typing import Final

BITS: Final = 32
"""Of a hash that counts for the order."""


def reverse(number: int) -> int:
    """The lower ``BITS`` bits of ``number`` in reverse order."""
    number = (number & 0x55555555) << 1 | number >> 1 & 0x55555555
    number = (number & 0x33333333) << 2 | number >> 2 & 0x33333333
    number = (number & 0x0F0F0F0F) << 4 | number >> 4 & 0x0F0F0F0F
    return int.from_bytes(number.to_bytes(4, "little"), "big")
