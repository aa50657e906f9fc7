"""An order of a table's keys that changes do not disturb, so that a walk can leave off and come back.

A key's position is its CRC-32. A cursor is the lowest position not returned yet, which stays right whatever is added or
deleted in between; keys of equal position are never parted. An ``Order`` knows the keys of the time it was made: the
table makes a new one whenever a walk begins, so no key that was there all along is missed.
"""

from binascii import crc32
from collections.abc import Collection
from typing import Final

END: Final = 1 << 32
"""Above every position: nothing is left."""

position: Final = crc32

RUN: Final = 64
"""About so many keys are sorted at a time."""


class Order:
    """The keys in runs by the upper bits of their CRC. Making it costs one pass; a run is sorted when it is read."""

    def __init__(self, keys: Collection[bytes]) -> None:
        bits = (len(keys) // RUN).bit_length()
        self.shift: int = 32 - bits
        self.runs: list[list[bytes]] = [[] for _ in range(1 << bits)]
        self.read_index: int = -1
        self.read: list[tuple[int, bytes]] = []
        runs = self.runs
        shift = self.shift
        for key in keys:
            runs[crc32(key) >> shift].append(key)

    def take(self, floor: int, room: int, present: Collection[bytes]) -> tuple[list[bytes], int]:
        """From position ``floor`` on, about ``room`` keys that are still ``present``; the next floor, or ``END``."""
        taken: list[bytes] = []
        last = -1
        for index in range(floor >> self.shift, len(self.runs)):
            for crc, key in self.ranked(index):
                if crc < floor or key not in present:
                    continue
                if len(taken) >= room and crc != last:
                    return taken, crc
                taken.append(key)
                last = crc
        return taken, END

    def ranked(self, index: int) -> list[tuple[int, bytes]]:
        """A run in order. The one read last is remembered, as a small COUNT reads it several times."""
        if index != self.read_index:
            self.read_index = index
            self.read = sorted([(crc32(key), key) for key in self.runs[index]])
        return self.read
