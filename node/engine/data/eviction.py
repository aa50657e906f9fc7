"""Which key is evicted next, by ``maxmemory-policy`` (evict.c of Redis 7.2).

A policy by use or by time to live looks at a few keys of each database by chance (``maxmemory-samples``), and evicts
the best of them and of those that earlier samples have left in the pool. A key in the pool may have been used since, or
may be gone: as in Redis the former does not matter, and the latter is passed over.
"""

from typing import Final

from gossamer.node.config import Config
from gossamer.node.engine.data.changes import Changes
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.eviction_pool import EvictionPool
from gossamer.node.engine.data.key_sample import KeySample
from gossamer.node.engine.data.keyspace import Keyspace

NOEVICTION: Final = "noeviction"
LATEST: Final = 1 << 63
"""Behind all times."""
MOST_COUNT: Final = 255
ROUNDS: Final = 100
"""So many samples in a row may show nothing but keys that are gone."""


class Eviction:
    """Chooses keys."""

    def __init__(self, keyspace: Keyspace, config: Config) -> None:
        self.keyspace: Keyspace = keyspace
        self.config: Config = config
        self.sample: KeySample = KeySample()
        self.pool: EvictionPool = EvictionPool()
        self.policy: str = NOEVICTION
        self.volatile: bool = False
        """Only keys that expire are evicted."""
        self.samples: int = 0
        self.next_db: int = 0
        config.obey(("maxmemory-policy", "maxmemory-samples", "lfu-log-factor", "lfu-decay-time"), self.read)

    def read(self) -> str | None:
        """Put the directives into force."""
        config = self.config
        self.policy = config.text("maxmemory-policy")
        self.volatile = self.policy.startswith("volatile-")
        self.samples = config.integer("maxmemory-samples")
        lfu = self.policy.endswith("-lfu")
        changes: Changes = self.keyspace.changes
        changes.clock.choose(lfu, config.integer("lfu-log-factor"), config.integer("lfu-decay-time"))
        changes.by_use = lfu or self.policy.endswith("-lru")
        self.pool.clear()
        return None

    def choose(self) -> tuple[Database, bytes] | None:
        """The key that goes next, None if there is none."""
        if self.policy.endswith("-random"):
            return self._any()
        for _ in range(ROUNDS):
            if not self._look():
                return None
            while (candidate := self.pool.take()) is not None:
                db = self.keyspace.database(candidate.db)
                part = db.part_of(candidate.key)
                if self.volatile:
                    there = db.expire_time(part, candidate.key) >= 0
                else:
                    there = db.get(part, candidate.key) is not None
                if there:
                    return db, candidate.key
        return self._any()

    def _any(self) -> tuple[Database, bytes] | None:
        """By chance; the databases take turns."""
        count = len(self.keyspace)
        for _ in range(count):
            self.next_db = (self.next_db + 1) % count
            db = self.keyspace.databases[self.next_db]
            if db is not None and self._size(db):
                return db, self.sample.of(db, 1, self.volatile)[0][0]
        return None

    def _look(self) -> bool:
        """Show the pool a sample of each database; False if there is no key that may be evicted."""
        found = False
        for db in self.keyspace.databases:
            if db is not None and self._size(db):
                found = True
                for key, stamp, at in self.sample.of(db, self.samples, self.volatile):
                    self.pool.offer(db.index, key, self._idleness(stamp, at))
        return found

    def _size(self, db: Database) -> int:
        """How many of its keys may be evicted."""
        return db.volatile if self.volatile else db.size

    def _idleness(self, stamp: int, at: int) -> int:
        if self.policy == "volatile-ttl":
            return LATEST - at
        clock = self.keyspace.changes.clock
        return MOST_COUNT - clock.frequency(stamp) if clock.lfu else clock.idle(stamp)
