"""The inner clock: the time that passes while this node attends to the cluster.

Times on the wire, in nodes.conf and in what operators are shown are those of the wall clock, which can be set; and a
process can be stopped. Neither may make anybody look silent for a time in which nobody listened.

Rules kept here:
- All components reckon in inner time, which never goes back. It starts as the wall time of the start and advances with
  it.
- A step back of the wall clock, or a gap that no busy machine explains, is left out of it: it advances by nothing. A
  rest that was planned is no gap; what is counted is how late it ends.
- Only core.py reads the wall clock. A time that goes out is converted by ``to_wall``, one that comes in by
  ``from_wall``. 0 stands for "never" on both sides, and stays 0.
- A second reading counts the gaps: whether this node may have been replaced meanwhile depends on them (health.py).
"""

from typing import Final

from gossamer.cluster.topology import Millis

JUMP_MS: Final = 400
"""How late a reading may be on a busy machine. One that is later shows that the clock was set, or the process stopped.
"""


class Clock:
    """``now`` is the inner time."""

    def __init__(self, wall: Millis) -> None:
        self.now = wall
        self.due = wall
        """When it is to be read at the latest, in inner time."""
        self.gaps_ms = 0
        """How much was left out because time was missing: stops, and steps forward of the wall clock."""
        self._wall = wall

    def advance(self, wall: Millis) -> bool:
        """Read the wall clock. True if it has jumped."""
        before, step = self.now, wall - self._wall
        self._wall = wall
        jumped = not 0 <= step <= max(0, self.due - before) + JUMP_MS
        if jumped:
            self.gaps_ms += max(0, step)
        else:
            self.now += step
        assert self.now >= before, "inner time never goes back"
        return jumped

    @property
    def now_with_gaps(self) -> Millis:
        """Inner time that goes on while the process is stopped. It does not go back either."""
        return self.now + self.gaps_ms

    def to_wall(self, moment: Millis) -> Millis:
        """What the wall clock shows, as it is set now, for an inner time."""
        return max(1, moment + self._wall - self.now) if moment else 0

    def from_wall(self, moment: Millis) -> Millis:
        """The inner time of what the wall clock shows, as it is set now."""
        return max(1, moment - self._wall + self.now) if moment else 0
