"""Virtual time: what is going to happen, in order, and nothing else.

Times are microseconds since the start of the world. Two things due at the same moment happen in the order in which they
were planned, so the same plans give the same world.
"""

from collections.abc import Callable
from heapq import heappop, heappush

from attrs import define, field

Micros = int


@define
class Timeline:
    now_us: Micros = 0
    steps: int = 0
    """How many planned things have happened."""
    _plans: list[tuple[Micros, int, Callable[[], None]]] = field(factory=list)
    _planned: int = 0

    def at(self, due_us: Micros, action: Callable[[], None]) -> None:
        self._planned += 1
        heappush(self._plans, (max(due_us, self.now_us), self._planned, action))

    def after(self, delay_us: Micros, action: Callable[[], None]) -> None:
        self.at(self.now_us + delay_us, action)

    def run_until(self, end_us: Micros) -> None:
        """Let everything happen that is due until then, ``end_us`` included."""
        plans = self._plans
        while plans and plans[0][0] <= end_us:
            self.now_us, _, action = heappop(plans)
            self.steps += 1
            action()
        self.now_us = max(self.now_us, end_us)


@define
class Clock:
    """The wall clock of one host: unix milliseconds, set wrong by ``offset_us`` and running fast by ``drift_ppm``."""

    START_MS = 1_700_000_000_000

    offset_us: Micros = 0
    drift_ppm: int = 0

    def read_ms(self, now_us: Micros) -> int:
        return self.START_MS + (now_us + now_us * self.drift_ppm // 1_000_000 + self.offset_us) // 1000

    def wait_us(self, now_us: Micros, due_ms: int) -> Micros:
        """How long to sleep from now until the clock shows ``due_ms``, if nobody touches it."""
        return max(0, (due_ms - self.read_ms(now_us)) * 1000)
