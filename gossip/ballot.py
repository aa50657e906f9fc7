"""For whom this node votes: at most one replica in an epoch, and only one that has a right to stand.

Rules kept here (Redis cluster specification, "Masters reply to replica vote request"):
- Only primaries with slots vote, once in an epoch, also across a crash: the vote is on disk before it is sent.
- The candidate is a replica, of the same primary as we know it, and that one has failed, as we see it; or it says that
  it may stand anyway (FORCEACK): in a manual failover, and in Valkey 9 when the whole shard has seen the primary fail.
- Replicas of one primary get no second vote within two node timeouts, so that the winner of the first has time to tell;
  but for the same one that asks again, in a newer epoch: it knows that it has not won.
- Who claims slots with an older config epoch than that of their owner, as we know it, has missed something.
There is no message that refuses: silence does.
"""

from gossamer.cluster.topology import Flag, Millis
from gossamer.gossip.claims import Claims
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.effects import Level, Outbox
from gossamer.gossip.packet import MessageFlag, Packet
from gossamer.gossip.peers import Peer, Peers
from gossamer.gossip.voice import Voice


class Ballot:
    def __init__(self, peers: Peers, claims: Claims, voice: Voice, config: GossipConfig, out: Outbox) -> None:
        self.config = config
        self._peers = peers
        self._claims = claims
        self._voice = voice
        self._out = out

    def asked(self, candidate: Peer, request: Packet, now: Millis) -> None:
        """``candidate`` asks for the vote."""
        if not self._peers.me.is_voter:
            return
        reason = self._why_not(candidate, request, now)
        if reason:
            self._out.log(Level.WARNING, f"Failover auth denied to {candidate.name}: {reason}")
            return
        primary = self._peers.by_id[candidate.primary or ""]
        self._claims.vote()
        primary.voted_at, primary.voted_for = now, candidate.id
        self._voice.vote(candidate)
        self._out.log(Level.WARNING, f"Failover auth granted to {candidate.name} for epoch {request.current_epoch}")

    def _why_not(self, candidate: Peer, request: Packet, now: Millis) -> str:
        """Why there is no vote; empty if there is one."""
        epoch = self._claims.current_epoch
        if request.current_epoch < epoch:
            return f"reqEpoch ({request.current_epoch}) < curEpoch({epoch})"
        if self._claims.last_vote_epoch >= epoch:
            return f"already voted for epoch {epoch}"
        if candidate.is_primary:
            return "it is a master node"
        primary = self._peers.by_id.get(candidate.primary or "")
        if primary is None:
            return "I don't know its master"
        if request.primary != primary.id:
            return "I know it as a replica of another master"
        if not primary.has(Flag.FAIL) and not request.mflags & MessageFlag.FORCEACK:
            return "its master is up"
        recent = primary.voted_at and now - primary.voted_at < 2 * self.config.node_timeout_ms
        if recent and primary.voted_for != candidate.id:
            left = 2 * self.config.node_timeout_ms - (now - primary.voted_at)
            return f"can't vote about this master before {left} milliseconds"
        newer = self._newer_owner(request)
        return f"slots of node {newer.id} claimed with an old configEpoch" if newer else ""

    def _newer_owner(self, request: Packet) -> Peer | None:
        """Who owns, with a larger config epoch, a slot that the request claims."""
        claimed = int.from_bytes(request.slots, "little")
        for owner in self._peers.roster():
            if owner.slots & claimed and owner.config_epoch > request.config_epoch:
                return owner
        return None
