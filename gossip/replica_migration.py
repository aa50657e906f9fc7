"""Which replica moves to a primary that has lost all of its own: replica migration.

Rules kept here (Redis cluster specification, "Replica migration"):
- A primary with slots that had replicas (MIGRATE_TO), is not FAIL and has none left that is not FAIL is an orphan.
- Only replicas of the primaries with the most of them move, and only while the primary keeps more than
  ``cluster-migration-barrier`` counted with the one that leaves. Of all those the one with the smallest id does.
- An orphan is one for five seconds before anybody moves: it may be in the middle of a failover.
"""

from typing import Final

from gossamer.cluster.topology import Flag, Millis
from gossamer.gossip.effects import Level
from gossamer.gossip.health import Health
from gossamer.gossip.peers import Peer
from gossamer.gossip.roles import Roles
from gossamer.gossip.tables import Tables

PATIENCE_MS: Final = 5000
LOOK_EVERY_MS: Final = 500
"""Not with every tick: everybody is looked at."""


class ReplicaMigration:
    """Owns ``orphaned_at`` of the peers."""

    def __init__(self, tables: Tables, health: Health, roles: Roles) -> None:
        self._tables = tables
        self._peers = tables.peers
        self._health = health
        self._roles = roles
        self._out = tables.out
        self.has_orphan = False
        """There is one, as this replica last saw it."""
        self._next_look: Millis = 0

    def tick(self, now: Millis) -> None:
        """Look for orphans, and move to one if it is for me to do so."""
        me = self._peers.me
        if (
            me.is_primary
            or not self._tables.config.allow_replica_migration
            or not self._health.ok
            or now < self._next_look
        ):
            return
        self._next_look = now + LOOK_EVERY_MS
        good = self._good_replicas()
        target = self._orphan(good, now)
        self.has_orphan = target is not None
        if target is None or not self._am_chosen(good) or now - target.orphaned_at <= PATIENCE_MS:
            return
        self._out.log(Level.WARNING, f"Migrating to orphaned master {target.name}")
        self._roles.follow(target, now)

    def _good_replicas(self) -> dict[str, list[Peer]]:
        """Of every primary that is not FAIL: its replicas that are not."""
        good: dict[str, list[Peer]] = {p.id: [] for p in self._peers.roster() if p.is_primary and not p.has(Flag.FAIL)}
        for peer in self._peers.roster():
            if peer.primary in good and not peer.has(Flag.FAIL):
                good[peer.primary].append(peer)
        return good

    def _orphan(self, good: dict[str, list[Peer]], now: Millis) -> Peer | None:
        """The first orphan, if there is one; since when each is one is noted."""
        found: Peer | None = None
        for peer in self._peers.roster():
            if peer.slots and peer.has(Flag.MIGRATE_TO) and good.get(peer.id) == []:
                peer.orphaned_at = peer.orphaned_at or now
                found = found or peer
            else:
                peer.orphaned_at = 0
        return found

    def _am_chosen(self, good: dict[str, list[Peer]]) -> bool:
        me = self._peers.me
        most = max(len(replicas) for replicas in good.values())
        mine = good.get(me.primary or "", [])
        certain = sum(1 for p in mine if not p.has(Flag.PFAIL))
        if most < 2 or len(mine) < most or certain <= self._tables.config.migration_barrier:
            return False
        return me.id == min(p.id for replicas in good.values() if len(replicas) == most for p in replicas)
