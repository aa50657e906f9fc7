"""Rates for INFO's ``instantaneous_*`` fields: the mean of the last 16 samples, ten a second (server.c of Redis 7)."""

from typing import Final

KEPT: Final = 16


class Rate:
    """How fast a counter grows."""

    def __init__(self) -> None:
        self.samples: list[float] = [0.0] * KEPT
        self.next: int = 0
        self.last_total: int = 0
        self.last_ms: int = 0

    def sample(self, now_ms: int, total: int) -> None:
        """The counter stands at ``total``."""
        elapsed = now_ms - self.last_ms
        if elapsed <= 0:
            return
        grown = max(0, total - self.last_total)  # less than before: CONFIG RESETSTAT
        if self.last_ms:
            self.samples[self.next] = grown * 1000 / elapsed
            self.next = (self.next + 1) % KEPT
        self.last_ms = now_ms
        self.last_total = total

    def per_second(self) -> float:
        return sum(self.samples) / KEPT
