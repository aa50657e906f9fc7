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

from gossamer.node.engine.data.database import Database
from gossamer.node.engine.server import PAUSED, Server

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
    """Where one database's round stands: the parts to come, and the keys to come in the present one."""

    def __init__(self, db: Database) -> None:
        self.db: Database = db
        self.parts: list[int] = []
        self.part: int = 0
        self.keys: list[bytes] = []

    def sample(self, size: int) -> list[bytes]:
        """The next keys of the round, all of one part, at most ``size``; some may have ended or changed meanwhile."""
        while not self.keys:
            if not self.parts:
                return []
            self.part = self.parts.pop()
            self.keys = self.db.expiring_keys(self.part)
        taken = self.keys[-size:]
        del self.keys[-size:]
        return taken

    def begin_if_done(self) -> None:
        if not self.keys and not self.parts:
            self.parts = self.db.expiring_parts()


class ActiveExpiry:
    """``cycle`` is called ``CYCLES_PER_SECOND`` times a second while it ``has_work``, after ``server.begin_batch``."""

    def __init__(self, server: Server) -> None:
        self.server: Server = server
        self.rounds: dict[int, Round] = {}
        self.next_database: int = 0
        self.deadline: int = 0
        self.looked_at: int = 0
        self.deleted: int = 0

    def has_work(self) -> bool:
        """Is there a key that has an end, or does what INFO shows of the last cycles still change?"""
        server = self.server
        if not server.active_expire:
            return False
        if not server.lazy_expire_deletes:
            return bool(server.own_expires)
        for db in server.keyspace.databases:
            if db is not None and db.volatile:
                return True
        return server.stats.expired_stale_perc >= NO_STALE_PERC

    def cycle(self) -> None:
        server = self.server
        if not server.active_expire or server.conditions & PAUSED:
            return
        if not server.lazy_expire_deletes:
            self.expire_own()
            return
        share = TIME_SHARE + 2 * (server.active_expire_effort - 1)
        self.deadline = server.edge.microseconds() + share * 10_000 // CYCLES_PER_SECOND
        self.looked_at = self.deleted = 0
        count = len(server.keyspace)
        for _ in range(count):
            # Which database comes first moves on each time, so that a busy one does not starve the others.
            db = server.keyspace.databases[self.next_database % count]
            self.next_database = (self.next_database + 1) % count
            if db is not None and db.volatile and not self.clean(db):
                server.stats.expired_time_cap_reached_count += 1
                break
        present = self.deleted / self.looked_at if self.looked_at else 0.0
        server.stats.expired_stale_perc = present * 0.05 + server.stats.expired_stale_perc * 0.95

    def expire_own(self) -> None:
        """On a replica: delete what its own clients gave an end that has come."""
        server = self.server
        own = server.own_expires
        for index, key in list(own)[:WORK_LIMIT]:
            db = server.keyspace.database(index)
            part = db.part_of(key)
            at = db.expire_time(part, key)
            if at < server.now:
                own.discard((index, key))
                if at >= 0:
                    server.drop_expired(db, part, key)

    def clean(self, db: Database) -> bool:
        """Go on with the round of ``db`` while it pays; False if time or work ran out."""
        effort = self.server.active_expire_effort - 1
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
            if self.looked_at >= WORK_LIMIT or self.server.edge.microseconds() > self.deadline:
                return False
            looked_at = deleted = 0

    def delete_stale(self, db: Database, part: int, keys: list[bytes]) -> int:
        """Delete those of ``keys`` whose time is over; how many."""
        expired = db.expired_of(part, keys, self.server.now)
        for key in expired:
            self.server.drop_expired(db, part, key)
        return len(expired)
