"""Deletes elements of values whose time is over: fields of hashes (expire.c of Valkey 9.1).

It goes by the notes of each database (``element_expires.py``), so nothing is looked for, and where nothing is due a
cycle costs nothing. A large value gives up a piece at a time, and a cycle ends after ``WORK_LIMIT`` elements or its
share of time. A replica deletes nothing by itself: its primary tells it, as HDEL.
"""

from typing import Final

from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.state import NodeState

PIECE: Final = 400
"""Elements of one value deleted at once, and told in one HDEL: about."""
WORK_LIMIT: Final = 20_000
"""Elements deleted in one cycle at most, about."""
KEY_WORK: Final = 4
"""A key counts for as much work as so many elements."""
TIME_US: Final = 10_000
SOON_MS: Final = 1000
"""What is due within this is work: the housekeeping would come too late for it."""


class ElementExpiry:
    def __init__(self, node: NodeState, keyspace: Keyspace, edge: Edge) -> None:
        self.node: NodeState = node
        self.keyspace: Keyspace = keyspace
        self.edge: Edge = edge
        self.next_database: int = 0

    def has_work(self) -> bool:
        """Is an element due now or soon?"""
        soon = self.node.now + SOON_MS
        for db in self.keyspace.databases:
            if db is not None and db.element_expires.of_key:
                first = db.element_expires.first()
                if first is not None and first < soon:
                    return True
        return False

    def cycle(self) -> None:
        deadline = self.edge.microseconds() + TIME_US
        work = 0
        count = len(self.keyspace)
        for _ in range(count):
            # Which database comes first moves on each time, so that a busy one does not starve the others.
            db = self.keyspace.databases[self.next_database % count]
            self.next_database = (self.next_database + 1) % count
            if db is None:
                continue
            while work < WORK_LIMIT and self.edge.microseconds() <= deadline:
                key = db.element_expires.take_due(self.node.now)
                if key is None:
                    break
                work += KEY_WORK + self.delete_stale(db, key)

    def delete_stale(self, db: Database, key: bytes) -> int:
        """Delete some elements of the value of ``key`` that are over; how many."""
        self.node.changing += 1  # no dirty count tells of this change
        gone = db.expire_elements(db.part_of(key), key, self.node.now, PIECE)
        self.node.changing -= 1
        return gone
