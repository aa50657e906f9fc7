"""When refused connections mean that a node is gone, so that its failure need not wait for the node timeout.

Silence may be a slow node, a frozen one or a cut; a host that says "nobody listens here" is alive, and says that the
process is not. Redis and Valkey wait for the node timeout all the same; this is ours alone (``cluster-fast-failover``),
and it is only about the moment of our own PFAIL: what makes it FAIL is the majority of always.

Rules kept here:
- Evidence is three refusals of our own dials in a row over a grace, of a node that has answered us in this life, whose
  own link to us is gone as well, and that has said nothing since. A restart within the grace is no failure. The time
  that counts is from the notice of the first refusal to the dial of the last one, so that our own slowness adds none.
- A dial that fails in another way, or a link that comes up, takes it all back: the suspicion too, and the voters that
  were told of it are told.
- Only primaries with slots and a replica that can take over are suspected by it. Nothing is won with others, and much
  is lost: a primary with slots that is FAIL and has no successor is not trusted again for two node timeouts.
"""

from typing import Final

from gossamer.cluster.topology import Flag, Millis
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.detector import Detector
from gossamer.gossip.effects import Level, Outbox
from gossamer.gossip.peers import UNFIT, Peer, Peers

GRACE_MS: Final = 250
REFUSALS: Final = 3
STEADY_MS: Final = 100
"""A link that lasted so long is dialled again at once when it breaks; others wait for the next tick."""


class Refusals:
    """Owns what the peers' table says of refusals."""

    def __init__(self, peers: Peers, detector: Detector, config: GossipConfig, out: Outbox) -> None:
        self.config = config
        self._peers = peers
        self._detector = detector
        self._out = out

    def link_down(self, link: int, refused: bool, now: Millis) -> None:
        """A link broke, or a dial failed."""
        peer = self._peers.outbound.get(link)
        if peer is None or peer.trial or not self.config.fast_failover:
            self._peers.lost(link, now)
            return
        linked, since = peer.linked, peer.linked_at
        self._peers.lost(link, now)
        if linked and now - since >= STEADY_MS:
            self._peers.dial(peer, now)
        elif refused and not linked:
            self._refused(peer, since, now)
        else:
            peer.take_back_refusals()

    def _refused(self, peer: Peer, dialled: Millis, now: Millis) -> None:
        spoke = peer.refused_at and peer.data_received > peer.refused_at
        if not peer.answered or peer.inbound is not None or spoke:
            peer.take_back_refusals()
            return
        peer.refused_at = peer.refused_at or now
        peer.refusals += 1
        if peer.refusals < REFUSALS or dialled - peer.refused_at < GRACE_MS:
            return
        if not peer.gone:
            peer.gone = True
            self._out.log(Level.VERBOSE, f"Node {peer.name} is gone: its host refuses connections.")
        if peer.is_voter and not peer.flags & (Flag.PFAIL | Flag.FAIL) and self._has_successor(peer):
            self._detector.suspect_gone(peer, now)

    def _has_successor(self, primary: Peer) -> bool:
        """Whether a replica is there that may stand, as far as we know."""
        me = self._peers.me
        return any((p.linked or p is me) and not p.has(UNFIT) for p in self._peers.replicas_of(primary))
