"""Which value leaves the memory next: the one whose key was not used for the longest time, or most rarely.

It is chosen as a key is that is to be evicted (``data/eviction.py``): from samples, with the best that they have shown
kept in a pool. Only values come into question that free more than their stubs take, and whose writing and reading
holds nobody up. Where these are so rare that samples show none, all keys are gone through, a piece at a time: when a
whole pass has shown none there are none, but for those that have arrived since (``arrivals.py``).
"""

from collections.abc import Callable
from typing import Final

from gossamer.node.engine.data.changes import Changes
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.eviction_pool import EvictionPool
from gossamer.node.engine.data.key_sample import KeySample
from gossamer.node.engine.data.kinds import kind_of
from gossamer.node.engine.data.traverse import piece
from gossamer.node.store.spilled import Spilled
from gossamer.node.store.table import Clock
from gossamer.node.types.kind import Value
from gossamer.node.vm.arrivals import Arrivals

LEAST: Final = 512
"""Bytes of the smallest value that is put away."""
MOST: Final = 16 << 20
"""Bytes of the largest."""
MOST_ELEMENTS: Final = 10_000
"""A value of more takes longer than some milliseconds to be written or read."""
SAMPLES: Final = 5
"""Keys of each database that are looked at at once."""
ROUNDS: Final = 10
"""So many samples in a row may show nothing; then all keys are gone through,"""
PIECES: Final = 5
"""so many pieces at once,"""
PIECE: Final = 200
"""of so many keys."""
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
    """Among the keys of ``databases``, without those that are ``held`` here. ``find``: a database of ``changes``."""

    def __init__(
        self,
        databases: Callable[[], list[Database]],
        held: Callable[[], set[bytes]],
        changes: Changes,
        find: Callable[[int], Database],
    ) -> None:
        self.databases: Callable[[], list[Database]] = databases
        self.held: Callable[[], set[bytes]] = held
        self.clock: Clock = changes.clock
        self.arrivals: Arrivals = Arrivals(changes, find, self._may_leave)
        self.least: int = LEAST
        self.sample: KeySample = KeySample()
        self.pool: EvictionPool = EvictionPool()
        self.exhausted: bool = False
        """``choose`` has found out that there is none."""
        self.at: int = 0
        """The pass through all keys: in which database it is,"""
        self.cursor: int = 0
        """where in that,"""
        self.shown: bool = False
        """and whether it has shown anything."""

    def choose(self) -> tuple[Database, bytes, Value] | None:
        """The key whose value goes next, None if none was found, or none yet."""
        self.exhausted = False
        databases = [db for db in self.databases() if db.size]
        if self.arrivals.are_all(databases):
            return self.choose_arrived()
        for number in range(ROUNDS + PIECES):
            if number < ROUNDS:
                self._look(databases)
            elif not self._go_on(databases):
                self.exhausted = True
                return None
            chosen = self._take(databases)
            if chosen is not None:
                return chosen
        return None

    def look_anew(self) -> None:
        """Look at all keys again, whatever has arrived."""
        self.arrivals.all_noted = False

    def choose_arrived(self) -> tuple[Database, bytes, Value] | None:
        """As ``choose``, but only of what has arrived."""
        self.exhausted = False
        databases = [db for db in self.databases() if db.size]
        for _ in range(ROUNDS):
            self._look_at_arrivals(databases)
            chosen = self._take(databases)
            if chosen is not None:
                return chosen
        self.exhausted = True
        return None

    def _take(self, databases: list[Database]) -> tuple[Database, bytes, Value] | None:
        """The best of the pool, as far as it still comes into question."""
        while (candidate := self.pool.take()) is not None:
            if candidate.db >= len(databases):
                continue  # there were more when it was seen
            db = databases[candidate.db]
            value = db.get(db.part_of(candidate.key), candidate.key)
            if value is not None and is_worth_it(value, self.least) and candidate.key not in self.held():
                self.arrivals.forget(db.index, candidate.key)
                return db, candidate.key, value
        return None

    def _look(self, databases: list[Database]) -> None:
        """Show the pool a sample of each."""
        for number, db in enumerate(databases):
            for key, stamp, _ in self.sample.of(db, SAMPLES, False):
                self._offer(number, db, key, stamp)
        self._look_at_arrivals(databases)

    def _look_at_arrivals(self, databases: list[Database]) -> None:
        """Show the pool some of what has arrived."""
        for _ in range(min(SAMPLES, len(self.arrivals.keys))):
            place = self.arrivals.next()
            if place is None:
                return
            index, key = place
            for number, db in enumerate(databases):
                if db.index == index and db.changes is self.arrivals.changes and not db.hidden:
                    self._offer(number, db, key, db.stamp(db.part_of(key), key))

    def _go_on(self, databases: list[Database]) -> bool:
        """Show the pool the next keys of the pass; False if it has come to its end and shown none."""
        if self.at >= len(databases):
            shown = self.shown or not self.arrivals.in_vain()
            if shown:
                self.arrivals.end()
            self.at = self.cursor = 0
            self.shown = False
            return shown
        if self.at == self.cursor == 0:
            self.arrivals.begin()
        db = databases[self.at]
        self.cursor, keys = piece(db, self.cursor, PIECE)
        for key in keys:
            if self._offer(self.at, db, key, db.stamp(db.part_of(key), key)):
                self.shown = True
        if not self.cursor:
            self.at += 1
        return True

    def _may_leave(self, value: Value) -> bool:
        return is_worth_it(value, self.least)

    def _offer(self, number: int, db: Database, key: bytes, stamp: int) -> bool:
        """Does the value of ``key`` come into question? Then the pool is shown it."""
        value = db.get(db.part_of(key), key)
        if value is None or not is_worth_it(value, self.least):
            return False
        clock = self.clock
        self.pool.offer(number, key, MOST_COUNT - clock.frequency(stamp) if clock.lfu else clock.idle(stamp))
        return True
