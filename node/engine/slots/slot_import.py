"""Slots on their way to this node: what has come of them so far, beside the data, where no client sees it.

A slot import is a database of its own. When the slots are this node's it gives its keys to the real one, a slot at a
time and without touching a key; until then nothing that looks at the data (SCAN, DBSIZE, the digest …) knows of it. On
the node that takes over slots the requests of one connection go there (``SlotImports.by_client``); on its replicas
the writes of these slots do, out of the stream (``SlotImports.place_of``).
"""

from typing import Final

from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import NodeId
from gossamer.node.engine.data.changes import Changes
from gossamer.node.engine.data.contents import CLUSTER_SHIFT
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.stream.journal import slot_of
from gossamer.node.engine.table.command import Command

MANY: Final = 1000
"""Keys in one DEL of the stream at most."""


class SlotImport:
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
        self.db: Database = Database(0, CLUSTER_SHIFT, hidden=True)

    def begin(self, changes: Changes) -> None:
        """Its keys come by the stream and by requests from now on, as changes of this node."""
        self.db.changes = changes

    def settle(self, db: Database) -> None:
        """The slots are ours: the keys become part of ``db``, instead of what it may have of these slots."""
        db.adopt_parts(self.db, self.numbers)


class SlotImports:
    """``all`` that are under way to this node, or to its primary."""

    def __init__(self) -> None:
        self.all: list[SlotImport] = []
        self.by_client: dict[int, SlotImport] = {}
        """By the id of the client that brings the slots."""

    def comes(self, slot: int) -> bool:
        """Are the keys of ``slot`` still beside the data?"""
        return any(slot_import.slots[slot] for slot_import in self.all)

    def place_of(self, cmd: Command, argv: list[bytes], db: Database) -> Database:
        """Where a command of the primary's stream belongs: into ``db``, or beside the data."""
        slot = slot_of(cmd, argv)
        if slot >= 0:
            for slot_import in self.all:
                if slot_import.slots[slot]:
                    return slot_import.db
        return db
