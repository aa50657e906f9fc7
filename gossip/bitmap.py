"""Slot bitmaps as they stand in bus messages: slot s is bit ``s & 7``, least significant first, of byte ``s >> 3``."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from gossamer.cluster.slots import SLOTS

BITMAP_BYTES: Final = SLOTS // 8
NO_SLOTS: Final = bytes(BITMAP_BYTES)


def slots_to_bitmap(slots: Iterable[int]) -> bytes:
    """2048 bytes with the bits of ``slots`` set."""
    bitmap = bytearray(BITMAP_BYTES)
    for slot in slots:
        bitmap[slot >> 3] |= 1 << (slot & 7)
    return bytes(bitmap)


def bitmap_to_slots(bitmap: bytes) -> list[int]:
    """The slots whose bits are set, ascending. Cheap for a bitmap seen lately; comparing the bytes first is cheaper."""
    return list(_slots_of(bitmap))


_BITS_OF_BYTE: Final = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


@lru_cache(64)
def _slots_of(bitmap: bytes) -> tuple[int, ...]:
    return tuple(8 * at + bit for at, byte in enumerate(bitmap) if byte for bit in _BITS_OF_BYTE[byte])
