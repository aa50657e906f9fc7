"""Which register an element belongs to, and how high it raises it: MurmurHash64A, as all servers must hash alike."""

from typing import Final

INDEX_BITS: Final = 14
REGISTERS: Final = 1 << INDEX_BITS
RUN_BITS: Final = 64 - INDEX_BITS
"""Bits of a hash in which zeros are counted: a register is at most ``RUN_BITS + 1``."""

SEED: Final = 0xADC83B19
FACTOR: Final = 0xC6A4A7935BD1E995
ALL_BITS: Final = (1 << 64) - 1


def murmur64(data: bytes) -> int:
    """MurmurHash64A by Austin Appleby (public domain), read as little-endian on every machine."""
    size = len(data)
    whole = size & ~7
    mixed = SEED ^ (size * FACTOR & ALL_BITS)
    for at in range(0, whole, 8):
        word = int.from_bytes(data[at : at + 8], "little") * FACTOR & ALL_BITS
        word = (word ^ word >> 47) * FACTOR & ALL_BITS
        mixed = (mixed ^ word) * FACTOR & ALL_BITS
    if whole < size:
        mixed = (mixed ^ int.from_bytes(data[whole:], "little")) * FACTOR & ALL_BITS
    mixed = (mixed ^ mixed >> 47) * FACTOR & ALL_BITS
    return mixed ^ mixed >> 47


def place_of(element: bytes) -> tuple[int, int]:
    """The register of ``element``, and its rank: the zeros that the rest of its hash ends with, and one."""
    mixed = murmur64(element)
    rest = mixed >> INDEX_BITS | 1 << RUN_BITS
    return mixed & (REGISTERS - 1), (rest & -rest).bit_length()
