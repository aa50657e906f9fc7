"""``maxmemory-clients``: the clients that cost the most are evicted when all cost too much (evictClients of Redis 7.2).

What clients cost is added up only now and then, and the more seldom the more there are, so that it takes a twentieth of
the node's time at most. Replicas, the primary and those that have said CLIENT NO-EVICT stay.
"""

from typing import Final

from gossamer.node.config import Config
from gossamer.node.engine.clients.client import NOT_TO_PAUSE, Client, Clients
from gossamer.node.engine.insight.stats import Stats

PER_MS: Final = 50
"""Clients that may be looked at for each millisecond since the last look."""
LEAST: Final = 128 * 1024
"""A lower limit would leave no client to set it right."""


class ClientMemory:
    def __init__(self, config: Config, clients: Clients, stats: Stats) -> None:
        self.config: Config = config
        self.clients: Clients = clients
        self.stats: Stats = stats
        self.limit: int = 0
        """Bytes of all clients together; 0: none."""
        self._looked_ms: int = 0
        config.obey(("maxmemory-clients", "maxmemory"), self.read)

    def read(self) -> str | None:
        """Put the directives into force: a negative number is a share of ``maxmemory`` in percent."""
        limit = self.config.integer("maxmemory-clients")
        if limit < 0:
            whole = self.config.integer("maxmemory")
            self.limit = max(whole * -limit // 100, LEAST) if whole else 0
        else:
            self.limit = max(limit, LEAST) if limit else 0
        return None

    def measure(self) -> int:
        """Bytes of all clients but replicas and the like, whose part replication knows."""
        total = 0
        for client in self.clients.by_id.values():
            if not client.modes & NOT_TO_PAUSE:
                total += client.memory()
        return total

    def keep(self, now: int) -> None:
        """At the end of a batch: evict clients if that is due."""
        if not self.limit or 0 <= now - self._looked_ms <= len(self.clients.by_id) // PER_MS:
            return
        self._looked_ms = now
        over = self.measure() - self.limit
        if over < 0:
            return
        costs: list[tuple[int, int, Client]] = [
            (-client.memory(), client.id, client)
            for client in self.clients.by_id.values()
            if not client.modes & NOT_TO_PAUSE and not client.no_evict and not client.is_primary and not client.killed
        ]
        costs.sort()
        for cost, _, client in costs:
            if over < 0:
                return
            over += cost
            self.clients.edge.log("notice", f"Evicting client: id={client.id} addr={client.addr} tot-mem={-cost}")
            self.stats.evicted_clients += 1
            client.kill()
        if over >= 0:
            self.clients.edge.log("warning", "Over client maxmemory after evicting all evictable clients")
