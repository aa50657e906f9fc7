"""CLIENT PAUSE, and the pauses that a failover needs: requests are held back until a certain time."""

from typing import Final

from gossamer.node.engine.deadlines import Deadlines, Timer
from gossamer.node.engine.state import PAUSED, NodeState
from gossamer.node.engine.table.command import MAY_REPLICATE, READONLY, WRITE

EVERYTHING: Final = -1
WRITES: Final = WRITE | MAY_REPLICATE
WRITES_AND_READS: Final = WRITES | READONLY


class Pause:
    """In force while the node is ``PAUSED``. Commands that have one of ``flags`` wait; all do with EVERYTHING."""

    def __init__(self, node: NodeState, deadlines: Deadlines) -> None:
        self.node: NodeState = node
        self.deadlines: Deadlines = deadlines
        self.until: int = 0
        self.flags: int = 0
        self.timer: Timer = Timer()
        """Wakes the node at the end."""

    def begin(self, until: int, flags: int) -> None:
        """Hold requests back until then: EVERYTHING, WRITES, or WRITES_AND_READS. Of two pauses the later end and the
        wider kind win.
        """
        node = self.node
        if node.conditions & PAUSED:
            until = max(until, self.until)
            flags |= self.flags
        if until <= node.now:
            return
        self.until = until
        self.flags = flags
        node.conditions |= PAUSED
        self.deadlines.set(self.timer, until)

    def holds_readers(self) -> bool:
        """Do requests wait that only read?"""
        return bool(self.node.conditions & PAUSED and self.flags & READONLY)

    def end(self) -> None:
        """Requests are served again; the machine lets those try again that waited for it when the batch is done."""
        self.until = 0
        self.deadlines.cancel(self.timer)
        self.node.conditions &= ~PAUSED
