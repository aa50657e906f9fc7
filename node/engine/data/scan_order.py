"""An order of a part's keys that changes do not disturb, so that SCAN can leave off inside a part and come back.

Keys stand in the order of their CRC-32. SCAN's cursor holds the lowest CRC not returned yet, which stays right whatever
is added or deleted in between; keys of equal CRC are never parted. A ``ScanOrder`` knows the keys of the time it was
made: SCAN makes a new one whenever an iteration enters the part, so no key that was there all along is missed.
"""

from binascii import crc32
from collections.abc import Collection
from typing import Final

END: Final = 1 << 32
"""Above every CRC: nothing is left."""

RUN: Final = 64
"""About so many keys are sorted at a time."""


class ScanOrder:
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
        """From CRC ``floor`` on, about ``room`` keys that are still ``present``; the next floor, or ``END``."""
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
