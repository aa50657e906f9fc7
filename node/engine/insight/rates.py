"""Rates for INFO's ``instantaneous_*`` fields: the mean of the last 16 samples, ten a second (server.c of Redis 7)."""

from typing import Final

KEPT: Final = 16
PERIOD_MS: Final = 100
"""How long a sample counts for."""


class Rate:
    """How fast a counter grows."""

    def __init__(self) -> None:
        self.samples: list[float] = [0.0] * KEPT
        self.next: int = 0
        self.last_total: int = 0
        self.last_ms: int = 0

    def sample(self, now_ms: int, total: int) -> None:
        """The counter stands at ``total``. To be called before anything is counted, if a period has passed.

        So after a silence, what has grown since the last call has grown in the period behind that; then came nothing.
        """
        elapsed = now_ms - self.last_ms
        if elapsed <= 0:
            return
        grown = max(0, total - self.last_total)  # less than before: CONFIG RESETSTAT
        if self.last_ms:
            silent = elapsed // PERIOD_MS - 1
            self._keep(grown * 1000 / (elapsed if silent <= 0 else PERIOD_MS))
            for _ in range(min(silent, KEPT)):
                self._keep(0.0)
        self.last_ms = now_ms
        self.last_total = total

    def _keep(self, rate: float) -> None:
        self.samples[self.next] = rate
        self.next = (self.next + 1) % KEPT

    def per_second(self) -> float:
        return sum(self.samples) / KEPT
