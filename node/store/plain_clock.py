"""When keys are used, as Redis counts it (evict.c): 24 bits a key, a stamp.

By time (LRU) it is the second of the last use. By frequency (LFU) it is the minute of the last use, 16 bits, and a
counter of 8 bits that grows with the logarithm of the uses and falls with the minutes between them. A change of the one
to the other leaves what is noted as it is, as in Redis.

``clock.h`` has the same in C, to the bit.
"""

from typing import Final

STAMP_MASK: Final = 0xFFFFFF
MINUTE_MASK: Final = 0xFFFF
WORD: Final = (1 << 64) - 1

FRESH_COUNT: Final = 5
"""Of a new key: without it none would live long enough to be used again."""
MOST_COUNT: Final = 255


class Clock:
    """What stamps the keys of a node when they are used. ``seed``: of its chance, which nothing else moves."""

    def __init__(self, seed: int = 0) -> None:
        self.second: int = 0
        self.minute: int = 0
        self.lfu: bool = False
        """Is noted how often keys are used, and not when?"""
        self._log_factor: int = 0
        self._decay_time: int = 0
        self._chance: int = seed

    def tick(self, now: int) -> None:
        """It is this unix second now."""
        self.second = now & STAMP_MASK
        self.minute = now // 60 & MINUTE_MASK

    def choose(self, lfu: bool, log_factor: int, decay_time: int) -> None:
        """``lfu-log-factor``: the higher, the more uses a counter stands for; ``lfu-decay-time``: in minutes."""
        self.lfu = lfu
        self._log_factor = log_factor
        self._decay_time = decay_time

    def fresh(self) -> int:
        """The stamp of a key that did not exist."""
        return self.minute << 8 | FRESH_COUNT if self.lfu else self.second

    def used(self, stamp: int) -> int:
        """The stamp of a key that is used and had ``stamp``."""
        if not self.lfu:
            return self.second
        count = self.frequency(stamp)
        if count < MOST_COUNT:
            above = max(count - FRESH_COUNT, 0)
            count += self._draw() < 1.0 / (above * self._log_factor + 1)
        return self.minute << 8 | count

    def idle(self, stamp: int) -> int:
        """Seconds since the last use."""
        passed = self.second - stamp
        return passed if passed >= 0 else STAMP_MASK + passed

    def frequency(self, stamp: int) -> int:
        """How often a key was used, from 0 to 255 on a logarithmic scale, less what has decayed since."""
        passed = self.minute - (stamp >> 8)
        if passed < 0:
            passed += MINUTE_MASK
        decayed = passed // self._decay_time if self._decay_time else 0
        return max((stamp & MOST_COUNT) - decayed, 0)

    def _draw(self) -> float:
        """From 0 below 1 (SplitMix64, Steele et al.)."""
        number = self._chance = self._chance + 0x9E3779B97F4A7C15 & WORD
        number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & WORD
        number = (number ^ number >> 27) * 0x94D049BB133111EB & WORD
        return ((number ^ number >> 31) >> 11) * 2.0**-53
