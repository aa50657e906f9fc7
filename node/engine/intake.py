"""Slots on their way to this node: what has come of them so far, beside the data, where no client sees it.

An intake is a database of its own. When the slots are this node's it gives its keys to the real one, a slot at a time
and without touching a key; until then nothing that looks at the data (SCAN, DBSIZE, the digest …) knows of it. On the
node that takes over slots the requests of one connection go there (``Server.intakes``); on its replicas the writes of
these slots do, out of the stream (``Server.arriving``).
"""

from typing import TYPE_CHECKING, Final

from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import NodeId
from gossamer.node.engine.command import Command
from gossamer.node.engine.feed import slot_of
from gossamer.node.engine.keyspace import CLUSTER_SHIFT, Database
from gossamer.node.engine.tally import weigh

if TYPE_CHECKING:
    from gossamer.node.engine.server import Server

MANY: Final = 1000
"""Keys in one DEL of the stream at most."""


class Intake:
    """Of the migration ``name`` from node ``source``; ``ranges`` with both ends.

    ``slots`` has a byte a slot, 1 for those that come.
    """

    def __init__(self, name: str, source: NodeId, ranges: list[tuple[int, int]]) -> None:
        self.name: str = name
        self.source: NodeId = source
        self.ranges: list[tuple[int, int]] = ranges
        self.complete: bool = False
        """All keys are here."""
        self.numbers: list[int] = [slot for first, last in ranges for slot in range(first, last + 1)]
        self.slots: bytearray = bytearray(SLOTS)
        for slot in self.numbers:
            self.slots[slot] = 1
        self.db: Database = Database(0, CLUSTER_SHIFT)

    def settle(self, db: Database, now_s: int) -> None:
        """The slots are ours: the keys become part of ``db``, instead of what it may have of these slots."""
        for slot in self.numbers:
            if self.db.values[slot]:
                if db.values[slot]:
                    db.tally.held -= weigh(*db.release_part(slot))
                values, ends = self.db.release_part(slot)
                db.fill_part(slot, values, ends, now_s)
        db.tally.held += self.db.tally.held
        self.db.tally.held = 0


def place_of(server: "Server", cmd: Command, argv: list[bytes], db: Database) -> Database:
    """Where a command of the primary's stream belongs: into ``db``, or beside the data."""
    slot = slot_of(cmd, argv)
    if slot >= 0:
        for intake in server.arriving:
            if intake.slots[slot]:
                return intake.db
    return db
