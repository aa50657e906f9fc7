"""Whether the cluster, as this node sees it, is up: cluster_state.

Up needs every slot served by a primary that is not FAIL (with ``cluster-require-full-coverage``), and a majority of the
primaries with slots in sight. A refused connection is no sign of a minority: it comes from a host in sight. Coming up
is held back twice (clusterUpdateState, Redis 7.0):
- A primary that is restarted with slots waits two seconds: it may have been replaced and has to be told first. One that
  has never owned a slot has nothing to be told, so a new cluster is up as soon as its slots are assigned.
- A primary that was in a minority waits until it has been out of it for the rejoin delay.

With ``write-ack-replicas`` a primary must be surer than that, or it would show old values when it has been replaced:
PFAIL looks at when the last word of a node came in, and that may have been long under way. It is up only while a
majority of the primaries with slots has answered, without a word of its failure, a PING that was sent within the node
timeout. None of these can have found it silent for the node timeout since, and it takes a majority to replace it. So it
is down sooner than Redis, by as much as its questions are apart, and up again with the answers. Gaps of the clock
count here: while this node was stopped it may have been replaced.

A node that may not have been told yet what became of its slots takes no config epoch on its own either
(``may_be_outdated``): with that it would claim slots anew that have been another's since, and win them with all that
was written there.
"""

from typing import Final

from gossamer.cluster.topology import Flag, Millis
from gossamer.gossip.claims import FULL
from gossamer.gossip.effects import Level
from gossamer.gossip.peers import Peer
from gossamer.gossip.tables import Tables

RESTART_MS: Final = 2000


class Health:
    """``ok`` is cluster_state, ``size`` the number of primaries with slots, both as last reviewed."""

    def __init__(self, tables: Tables) -> None:
        self.ok = False
        self.size = 0
        self.unsure = False
        """Too few have answered lately: all are to be asked."""
        self._sure_until: Millis | None = None
        """When the answers of a majority are too old, unless newer ones come; in time with gaps."""
        self._held_until = tables.clock.now + RESTART_MS if tables.me.slots else 0
        self._minority_at: Millis | None = None
        self._away_at: Millis | None = None
        """When others may last have decided something without this node hearing of it."""
        self._gaps_ms = tables.clock.gaps_ms
        self._tables = tables
        self._peers = tables.peers
        self._claims = tables.claims
        self._out = tables.out

    @property
    def due(self) -> Millis | None:
        """When to review, though nothing has changed. A gap brings it nearer."""
        return None if self._sure_until is None else self._sure_until - self._tables.clock.gaps_ms

    @property
    def quorum(self) -> int:
        """How many voters make a majority."""
        return self.size // 2 + 1

    def review(self, now: Millis) -> None:
        """Look at the tables again."""
        voters = [p for p in self._peers.roster() if p.slots and p.flags & Flag.MASTER]
        self.size = len(voters)
        in_sight = sum(1 for p in voters if p.pfail_by_refusal or not p.flags & (Flag.PFAIL | Flag.FAIL))
        minority = in_sight < self.quorum
        if minority and voters:
            self._minority_at = self._away_at = now
        covered = self._claims.owned == FULL and not any(p.flags & Flag.FAIL for p in voters)
        sure = self._is_sure(voters)
        if not sure:
            self._away_at = now
        ok = sure and not minority and (covered or not self._tables.config.require_full_coverage)
        if ok != self.ok and not (ok and self._held_back(now)):
            self.ok = ok
            self._out.log(Level.WARNING, f"Cluster state changed: {'ok' if ok else 'fail'}")
            self._out.publish = True

    def resumed(self, now: Millis) -> None:
        """The clock has jumped. After half a node timeout it may have been found silent for all of it."""
        missed_ms, self._gaps_ms = self._tables.clock.gaps_ms - self._gaps_ms, self._tables.clock.gaps_ms
        if 2 * missed_ms >= self._tables.config.node_timeout_ms:
            self._away_at = now

    def may_be_outdated(self, now: Millis) -> bool:
        """Can slots that this node claims be another's, who has not come to tell it yet?"""
        return bool(self._tables.me.slots) and (now < self._held_until or self._is_recent(self._away_at, now))

    def _is_sure(self, voters: list[Peer]) -> bool:
        """Whether nobody can have been elected in our place. One that has not answered yet in this life is believed."""
        were_sure, self.unsure, self._sure_until = not self.unsure, False, None
        me, config = self._tables.me, self._tables.config
        if config.write_ack_replicas and me.is_voter:
            now = self._tables.clock.now_with_gaps
            times = sorted((now if peer is me else peer.acked_ping_sent or now for peer in voters), reverse=True)
            too_old = times[self.quorum - 1] + config.node_timeout_ms + 1
            self.unsure = now >= too_old
            self._sure_until = None if self.unsure else too_old
        if self.unsure and were_sure:
            self._out.log(
                Level.WARNING,
                "No majority of the primaries has answered within the node timeout: this node may have been replaced, "
                "and serves nothing until one does (write-ack-replicas).",
            )
        return not self.unsure

    def _held_back(self, now: Millis) -> bool:
        if not self._peers.me.is_primary:
            return False
        return now < self._held_until or self._is_recent(self._minority_at, now)

    def _is_recent(self, moment: Millis | None, now: Millis) -> bool:
        return moment is not None and now - moment < self._tables.config.rejoin_ms
