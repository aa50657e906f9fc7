"""Everything that a node has to do at a certain moment, in one heap (milliseconds of the wall clock).

Whoever drives the node sleeps until ``first``. A timer that is called off or put off leaves its old entry in the heap;
that is dropped when it comes to the top. So it costs one push to set a timer, and nothing to call it off.
"""

from heapq import heapify, heappop, heappush
from typing import Final

from mypy_extensions import mypyc_attr

NEVER: Final = 1 << 60
"""Later than any clock shows."""

MOST_STALE: Final = 1000
"""So many entries that are of no more use may be in the heap, or as many as useful ones."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Timer:
    """Something to be done at ``at``; 0 while it is not planned. The base class does nothing but wake the node."""

    def __init__(self) -> None:
        self.at: int = 0

    def ring(self) -> None:
        """Its time has come; ``at`` is 0 already, so that it may be set anew."""


class Deadlines:
    """``first``: when something is to be done, at the latest; NEVER if there is nothing."""

    def __init__(self) -> None:
        self.first: int = NEVER
        self.heap: list[tuple[int, int, Timer]] = []
        """(when, a number that tells equals apart, the timer)"""
        self.set_so_far: int = 0
        self.planned: int = 0
        """Timers that will ring."""

    def set(self, timer: Timer, at: int) -> None:
        """``timer`` rings at ``at``, and not when it would have before."""
        assert at > 0, "0 stands for a timer that is not set"
        if timer.at == at:
            return
        if not timer.at:
            self.planned += 1
        timer.at = at
        self.set_so_far += 1
        heappush(self.heap, (at, self.set_so_far, timer))
        if len(self.heap) > 2 * self.planned + MOST_STALE:
            self._clean()
        self._look()

    def cancel(self, timer: Timer) -> None:
        """``timer`` does not ring."""
        if timer.at:
            timer.at = 0
            self.planned -= 1
            self._look()

    def run(self, now: int) -> None:
        """Ring every timer whose time has come by ``now``, in the order of their times."""
        while self.first <= now:
            timer = heappop(self.heap)[2]
            timer.at = 0
            self.planned -= 1
            self._look()
            timer.ring()
        assert self.planned >= 0

    def _look(self) -> None:
        """Drop what is of no more use at the top; then the top is the first."""
        heap = self.heap
        while heap and heap[0][2].at != heap[0][0]:
            heappop(heap)
        self.first = heap[0][0] if heap else NEVER

    def _clean(self) -> None:
        self.heap = [entry for entry in self.heap if entry[2].at == entry[0]]
        heapify(self.heap)
