"""``maxmemory``: does the data take more than it may, and what goes so that it fits (performEvictions of Redis 7.2)?

Before a command runs, as many keys are evicted as it takes, or as time allows (``maxmemory-eviction-tenacity``): then
the rest follows between the batches, and commands run meanwhile. Values that can leave the memory do so before a key is
evicted (``spare``). If nothing can be evicted, commands that may need memory are refused. Nothing is evicted, and
nothing refused, while the node loads its data, while CLIENT PAUSE holds writes back, and on a replica, which has what
its primary has (``replica-ignore-maxmemory``).

Counted against the limit is what ``used_memory`` tells, without what replicas have not read and the buffer of the
append-only file: these grow by the very deletions that are to make room.

The only clock is ``edge.microseconds``; where it stands still (simulator, tests) a step ends when there is room.
"""

from collections.abc import Callable
from typing import Final

from gossamer.node.config import Config
from gossamer.node.engine.data.changes import EVICTED, NEVER_FULL
from gossamer.node.engine.data.eviction import NOEVICTION, Eviction
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.tally import STARTUP
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.insight.stats import Stats
from gossamer.node.engine.state import FULL, LOADING, PAUSED, NodeState

AT_ONCE: Final = 16
"""Keys after which a look is taken at the clock."""
NO_LIMIT_US: Final = 1 << 62


class MemoryLimit:
    """Keeps the condition ``FULL``. ``on_work`` is called when there is something to do between the batches."""

    def __init__(self, node: NodeState, keyspace: Keyspace, stats: Stats, edge: Edge, config: Config) -> None:
        self.node: NodeState = node
        self.keyspace: Keyspace = keyspace
        self.stats: Stats = stats
        self.edge: Edge = edge
        self.config: Config = config
        self.eviction: Eviction = Eviction(keyspace, config)
        self.limit: int = 0
        self.replica_ignores: bool = True
        self.time_limit_us: int = 0
        self.buffers: int = 0
        """Bytes beside the data that count against the limit: see ``count_buffers``."""
        self.evicting: bool = False
        """There is more to evict than there was time for."""
        self.exceeded_since_us: int = 0
        """Since when the data has taken too much; 0: it does not."""
        self.on_work: Callable[[], None] | None = None
        self.spare: Callable[[], bool] | None = None
        """Makes room without evicting a key (``vm-enabled``); False if that is not possible."""
        keyspace.changes.on_full = self.filled
        config.obey(("maxmemory",), self.read)
        config.obey(("maxmemory-eviction-tenacity", "replica-ignore-maxmemory"), self.read_rules)

    def read(self) -> str | None:
        """Put the directive into force."""
        limit = self.limit = self.config.integer("maxmemory")
        self._count()
        used = self.keyspace.tally.used()
        if self.is_over():
            self.edge.log(
                "warning",
                f"WARNING: the new maxmemory value set via CONFIG SET ({limit}) is smaller than the current memory "
                f"usage ({used}). This will result in key eviction and/or the inability to accept new write commands "
                "depending on the maxmemory-policy.",
            )
            self._go_on_later()
        return None

    def read_rules(self) -> str | None:
        """Put the directives into force."""
        self.time_limit_us = time_limit_us(self.config.integer("maxmemory-eviction-tenacity"))
        self.replica_ignores = self.config.flag("replica-ignore-maxmemory")
        return None

    def count_buffers(self, total: int, uncounted: int) -> None:
        """There are so many bytes of buffers now, of which so many do not count against the limit."""
        self.keyspace.tally.buffers = total
        self.buffers = total - uncounted
        self._count()
        self.is_over()

    def look(self) -> None:
        """On a replica no command comes by before which keys would be evicted."""
        if self.replica_ignores or self.node.lazy_expire_deletes:
            return
        if self.is_over() and (self.eviction.policy != NOEVICTION or self.spare is not None):
            self._go_on_later()

    def _count(self) -> None:
        """How many bytes are left to the data."""
        self.keyspace.changes.memory_limit = self.limit - STARTUP - self.buffers if self.limit else NEVER_FULL

    def filled(self) -> None:
        """The data takes more than it may."""
        self.node.conditions |= FULL

    def is_over(self) -> bool:
        """Does the data take more than it may?"""
        if self.keyspace.tally.held <= self.keyspace.changes.memory_limit:
            self.node.conditions &= ~FULL
            self.evicting = False
            self._note_time(False)
            return False
        self.node.conditions |= FULL
        return True

    def make_room(self) -> bool:
        """Evict what is too much. True if that is not possible: then commands that may need memory are refused.

        ``Journal.release`` must follow.
        """
        if not self.is_over() or not self._may_evict():
            return False
        began = self.edge.microseconds()
        done = self._evict(began + self.time_limit_us)
        if not done:
            self.evicting = False
        self._note_time(not done or self.evicting)
        return not done

    def work(self) -> None:
        """Go on between the batches; ``Journal.release`` must follow."""
        self.make_room()

    def exceeded_us(self) -> int:
        """For how long the data has taken too much by now."""
        return self.edge.microseconds() - self.exceeded_since_us if self.exceeded_since_us else 0

    def unshares(self) -> bool:
        """Has each key a value of its own, of which the uses are noted? As OBJECT REFCOUNT tells it."""
        return bool(self.limit) and self.keyspace.changes.by_use

    def has_work(self) -> bool:
        return self.evicting and self._may_evict()

    def _may_evict(self) -> bool:
        if self.node.conditions & (PAUSED | LOADING):
            return False
        return self.node.lazy_expire_deletes or not self.replica_ignores

    def _evict(self, until_us: int) -> bool:
        """Evict until there is room or the time is up; False if there was nothing to evict."""
        evicted = 0
        tally, changes = self.keyspace.tally, self.keyspace.changes
        while tally.held > changes.memory_limit:
            if (self.spare is None or not self.spare()) and not self._evict_one():
                return False
            evicted += 1
            if (evicted % AT_ONCE == 0 or self.spare is not None) and self.edge.microseconds() > until_us:
                self._go_on_later()
                return True
        self.evicting = False
        return True

    def _evict_one(self) -> bool:
        """False if there is none."""
        chosen = None if self.eviction.policy == NOEVICTION else self.eviction.choose()
        if chosen is None:
            return False
        db, key = chosen
        self.node.changing += 1  # no dirty count tells of this change
        db.delete(db.part_of(key), key, EVICTED, 0)
        self.node.changing -= 1
        return True

    def _go_on_later(self) -> None:
        self.evicting = True
        if self.on_work is not None:
            self.on_work()

    def _note_time(self, exceeded: bool) -> None:
        if exceeded and not self.exceeded_since_us:
            self.exceeded_since_us = self.edge.microseconds()
        elif not exceeded and self.exceeded_since_us:
            self.stats.total_eviction_exceeded_us += self.exceeded_us()
            self.exceeded_since_us = 0


def time_limit_us(tenacity: int) -> int:
    """How long one step may take: up to 500 µs in even steps, then 15 % longer each; at 100 as long as it takes."""
    if tenacity <= 10:
        return 50 * tenacity
    return int(500 * 1.15 ** (tenacity - 10)) if tenacity < 100 else NO_LIMIT_US
