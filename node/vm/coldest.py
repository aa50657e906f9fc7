"""Which value leaves the memory next: the one of whose key nobody has made use for the longest time, or most rarely.

It is chosen as a key is that is to be evicted (``data/eviction.py``): from samples, with the best that they have shown
kept in a pool. Only values come into question that free more than their stubs take, and whose writing and reading
holds nobody up.
"""

from collections.abc import Callable
from typing import Final

from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.eviction_pool import EvictionPool
from gossamer.node.engine.data.key_sample import KeySample
from gossamer.node.engine.data.kinds import kind_of
from gossamer.node.store.spilled import Spilled
from gossamer.node.store.table import Clock
from gossamer.node.types.kind import Value

LEAST: Final = 512
"""Bytes of the smallest value that is put away."""
MOST: Final = 16 << 20
"""Bytes of the largest."""
MOST_ELEMENTS: Final = 10_000
"""A value of more takes longer than some milliseconds to be written or read."""
SAMPLES: Final = 5
"""Keys of each database that are looked at at once."""
ROUNDS: Final = 50
"""So many looks in a row may show nothing."""
MOST_COUNT: Final = 255


def is_worth_it(value: Value, least: int) -> bool:
    """May ``value`` be put away? Not if it takes fewer than ``least`` bytes."""
    if isinstance(value, bytes):
        return least <= len(value) <= MOST
    if isinstance(value, Spilled):
        return False
    kind = kind_of(value)
    return least <= kind.size(value) <= MOST and kind.length(value) <= MOST_ELEMENTS


class Coldest:
    """Among the keys of ``databases``, without those that are ``held`` here."""

    def __init__(self, databases: Callable[[], list[Database]], held: Callable[[], set[bytes]], clock: Clock) -> None:
        self.databases: Callable[[], list[Database]] = databases
        self.held: Callable[[], set[bytes]] = held
        self.clock: Clock = clock
        self.least: int = LEAST
        self.sample: KeySample = KeySample()
        self.pool: EvictionPool = EvictionPool()

    def choose(self) -> tuple[Database, bytes, Value] | None:
        """The key whose value goes next, None if none was found."""
        databases = [db for db in self.databases() if db.size]
        if not databases:
            return None
        held = self.held()
        for _ in range(ROUNDS):
            self._look(databases)
            while (candidate := self.pool.take()) is not None:
                if candidate.db >= len(databases):
                    continue  # there were more when it was seen
                db = databases[candidate.db]
                value = db.get(db.part_of(candidate.key), candidate.key)
                if value is not None and is_worth_it(value, self.least) and candidate.key not in held:
                    return db, candidate.key, value
        return None

    def _look(self, databases: list[Database]) -> None:
        """Show the pool a sample of each."""
        clock = self.clock
        for number, db in enumerate(databases):
            for key, stamp, _ in self.sample.of(db, SAMPLES, False):
                value = db.get(db.part_of(key), key)
                if value is not None and is_worth_it(value, self.least):
                    idleness = MOST_COUNT - clock.frequency(stamp) if clock.lfu else clock.idle(stamp)
                    self.pool.offer(number, key, idleness)
