"""Active expiry: deletes keys whose time is over though nobody asks for them (expire.c of Redis 7.0).

The effort of a cycle is bounded. Each database is gone through in rounds, a sample of keys that have an end at a time;
while more than an acceptable share of a sample was stale the next one follows at once, until the round is complete, the
time is up or the work limit is reached. Where little is stale a cycle costs a single sample. ``active-expire-effort``
(1 to 10) makes samples larger, the time longer and the acceptable share smaller.

The only clock is ``edge.microseconds``; where it stands still (simulator, tests) the work limit alone ends a cycle.
A replica deletes nothing by itself but what its own clients gave an end (``replica-read-only no``), and nothing is
deleted while CLIENT PAUSE holds writes back, as in Redis.
"""

from typing import Final

from gossamer.node.config import Config
from gossamer.node.engine.data.changes import EXPIRED
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.element_expiry import ElementExpiry
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.insight.stats import Stats
from gossamer.node.engine.state import PAUSED, NodeState

CYCLES_PER_SECOND: Final = 10
SAMPLE: Final = 400
"""Keys in a sample. Redis takes 20, each behind a cache miss; here a sample is one pass over a list."""
TIME_SHARE: Final = 25
"""Per cent of one CPU that may go into expiry."""
ACCEPTABLE: Final = 10
"""Per cent of stale keys that are left to the next cycle."""
WORK_LIMIT: Final = 100_000
"""Keys looked at in one cycle at most."""
NO_STALE_PERC: Final = 0.005
"""Less than this INFO does not show."""


class Round:
    """Where one database's round stands: the parts to come, and the cursor in the present one."""

    def __init__(self, db: Database) -> None:
        self.db: Database = db
        self.parts: list[int] = []
        self.part: int = 0
        self.cursor: int = 0

    def sample(self, size: int) -> list[bytes]:
        """The next keys of the round, all of one part, about ``size``; none if the round is over."""
        while self.cursor or self.parts:
            if not self.cursor:
                self.part = self.parts.pop()
            self.cursor, keys = self.db.walk_expiring(self.part, self.cursor, size)
            if keys:
                return keys
        return []

    def begin_if_done(self) -> None:
        if not self.cursor and not self.parts:
            self.parts = self.db.expiring_parts()


class ActiveExpiry:
    """``cycle`` is called ``CYCLES_PER_SECOND`` times a second while it ``has_work``, after ``Server.begin_batch``."""

    def __init__(self, node: NodeState, keyspace: Keyspace, stats: Stats, edge: Edge, config: Config) -> None:
        self.node: NodeState = node
        self.keyspace: Keyspace = keyspace
        self.stats: Stats = stats
        self.edge: Edge = edge
        self.config: Config = config
        self.enabled: bool = True
        self.effort: int = 1
        self.own: set[tuple[int, bytes]] = set()
        """On a replica that takes writes: database and name of keys that its own clients gave an end, which is known to
        no primary."""
        self.elements: ElementExpiry = ElementExpiry(node, keyspace, edge)
        self.rounds: dict[int, Round] = {}
        self.next_database: int = 0
        self.deadline: int = 0
        self.looked_at: int = 0
        self.deleted: int = 0
        config.obey(("active-expire-effort",), self.read)

    def read(self) -> str | None:
        """Put the directive into force."""
        self.effort = self.config.integer("active-expire-effort")
        return None

    def drop(self, db: Database, part: int, key: bytes) -> None:
        """The time of ``key``, which exists, is over and this node may delete it: do so."""
        self.node.changing += 1  # no dirty count tells of this change
        db.delete(part, key, EXPIRED)
        self.node.changing -= 1

    def has_work(self) -> bool:
        """Is there a key that has an end, or does what INFO shows of the last cycles still change?"""
        if not self.enabled:
            return False
        if not self.node.lazy_expire_deletes:
            return bool(self.own)
        for db in self.keyspace.databases:
            if db is not None and db.volatile:
                return True
        return self.stats.expired_stale_perc >= NO_STALE_PERC or self.elements.has_work()

    def cycle(self) -> None:
        if not self.enabled or self.node.conditions & PAUSED:
            return
        if not self.node.lazy_expire_deletes:
            self.expire_own()
            return
        self.elements.cycle()
        keyspace, stats = self.keyspace, self.stats
        share = TIME_SHARE + 2 * (self.effort - 1)
        self.deadline = self.edge.microseconds() + share * 10_000 // CYCLES_PER_SECOND
        self.looked_at = self.deleted = 0
        count = len(keyspace)
        for _ in range(count):
            # Which database comes first moves on each time, so that a busy one does not starve the others.
            db = keyspace.databases[self.next_database % count]
            self.next_database = (self.next_database + 1) % count
            if db is not None and db.volatile and not self.clean(db):
                stats.expired_time_cap_reached_count += 1
                break
        present = self.deleted / self.looked_at if self.looked_at else 0.0
        stats.expired_stale_perc = present * 0.05 + stats.expired_stale_perc * 0.95

    def expire_own(self) -> None:
        """On a replica: delete what its own clients gave an end that has come."""
        own = self.own
        for index, key in list(own)[:WORK_LIMIT]:
            db = self.keyspace.database(index)
            part = db.part_of(key)
            at = db.expire_time(part, key)
            if at < self.node.now:
                own.discard((index, key))
                if at >= 0:
                    self.drop(db, part, key)

    def clean(self, db: Database) -> bool:
        """Go on with the round of ``db`` while it pays; False if time or work ran out."""
        effort = self.effort - 1
        size = SAMPLE + SAMPLE // 4 * effort
        tour = self.rounds.get(db.index)
        if tour is None:
            tour = self.rounds[db.index] = Round(db)
        tour.begin_if_done()
        looked_at = deleted = 0
        while True:
            keys = tour.sample(size - looked_at)
            looked_at += len(keys)
            deleted += self.delete_stale(db, tour.part, keys)
            if keys and looked_at < size:
                continue
            self.looked_at += looked_at
            self.deleted += deleted
            if not keys or deleted * 100 <= (ACCEPTABLE - effort) * looked_at:
                return True
            if self.looked_at >= WORK_LIMIT or self.edge.microseconds() > self.deadline:
                return False
            looked_at = deleted = 0

    def delete_stale(self, db: Database, part: int, keys: list[bytes]) -> int:
        """Delete those of ``keys`` whose time is over; how many."""
        expired = db.expired_of(part, keys, self.node.now)
        for key in expired:
            self.drop(db, part, key)
        return len(expired)
