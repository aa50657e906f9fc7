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
is down sooner than Redis, by as much as its questions are apart, and up again with the answers.
"""

from typing import Final

from gossamer.cluster.topology import Flag, Millis
from gossamer.gossip.claims import FULL, Claims
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.effects import Level, Outbox
from gossamer.gossip.peers import Peer, Peers

RESTART_MS: Final = 2000


class Health:
    """``ok`` is cluster_state, ``size`` the number of primaries with slots, both as last reviewed."""

    def __init__(self, peers: Peers, claims: Claims, out: Outbox, now: Millis) -> None:
        self.ok = False
        self.size = 0
        self.unsure = False
        """Too few have answered lately: all are to be asked."""
        self.due: Millis | None = None
        """When the answers of a majority are too old, unless newer ones come."""
        self._held_until = now + RESTART_MS if peers.me.slots else 0
        self._minority_at: Millis | None = None
        self._peers = peers
        self._claims = claims
        self._out = out

    @property
    def quorum(self) -> int:
        """How many voters make a majority."""
        return self.size // 2 + 1

    def review(self, config: GossipConfig, now: Millis) -> None:
        """Look at the tables again."""
        voters = [p for p in self._peers.roster() if p.slots and p.flags & Flag.MASTER]
        self.size = len(voters)
        in_sight = sum(1 for p in voters if p.hasty or not p.flags & (Flag.PFAIL | Flag.FAIL))
        minority = in_sight < self.quorum
        if minority and voters:
            self._minority_at = now
        covered = self._claims.owned == FULL and not any(p.flags & Flag.FAIL for p in voters)
        sure = self._is_sure(voters, config, now)
        ok = sure and not minority and (covered or not config.require_full_coverage)
        if ok != self.ok and not (ok and self._held_back(config, now)):
            self.ok = ok
            self._out.log(Level.WARNING, f"Cluster state changed: {'ok' if ok else 'fail'}")
            self._out.publish = True

    def _is_sure(self, voters: list[Peer], config: GossipConfig, now: Millis) -> bool:
        """Whether nobody can have been elected in our place. One that has not answered yet in this life is believed."""
        were_sure, self.unsure, self.due = not self.unsure, False, None
        me = self._peers.me
        if config.write_ack_replicas and me.is_voter:
            times = sorted((now if peer is me else peer.assured or now for peer in voters), reverse=True)
            too_old = times[self.quorum - 1] + config.node_timeout_ms + 1
            self.unsure = now >= too_old
            self.due = None if self.unsure else too_old
        if self.unsure and were_sure:
            self._out.log(
                Level.WARNING,
                "No majority of the primaries has answered within the node timeout: this node may have been replaced, "
                "and serves nothing until one does (write-ack-replicas).",
            )
        return not self.unsure

    def _held_back(self, config: GossipConfig, now: Millis) -> bool:
        if not self._peers.me.is_primary:
            return False
        rejoining = self._minority_at is not None and now - self._minority_at < config.rejoin_ms
        return now < self._held_until or rejoining

    def shift(self, ms: int) -> None:
        """The clock was set."""
        self._held_until += ms
        self.due = None if self.due is None else 0
        if self._minority_at is not None:
            self._minority_at += ms
