"""Slots that were handed over to this node, until a majority of the primaries know of it.

A claim of ours beats the source's by its epoch, but nobody voted for it. A replica of the source that is elected before
the voters know takes the slots back. So the engine is told (Settled) when that can no longer happen: when a majority,
this node included, has answered a PING that said whose the slots are. Before that it takes no write for them.

Nothing here is on disk: a node that starts again has its claim, and no writes to lose.
"""

from gossamer.cluster.topology import Millis, NodeId
from gossamer.gossip.claims import Claims
from gossamer.gossip.effects import Outbox, Settled
from gossamer.gossip.peers import Peer, Peers
from gossamer.gossip.voice import Voice


class Handover:
    """``claims.unsettled`` are the slots."""

    def __init__(self, peers: Peers, claims: Claims, voice: Voice, out: Outbox) -> None:
        self._claims = claims
        self._owed: dict[NodeId, int] = {}
        """How many PONGs of each voter are to come until it has surely heard."""
        self._peers = peers
        self._voice = voice
        self._out = out

    def begin(self, slots: int, now: Millis) -> None:
        """``slots`` are ours since a moment ago."""
        self._claims.unsettled |= slots
        voters = [peer for peer in self._peers.others() if peer.is_voter]
        self._owed = {peer.id: 2 if peer.linked and peer.ping_sent else 1 for peer in voters}
        self.tell(now)
        self._count()

    def tell(self, now: Millis) -> None:
        """Let the voters know whose the slots are, at once."""
        for peer in self._peers.others():
            if peer.is_voter and peer.linked:
                self._voice.ping(peer, now)

    def answered(self, peer: Peer) -> None:
        """A PONG on the link that we dialled: one of our PINGs has been read.

        That of a node which had no say when this began may be older than that; its next one is not.
        """
        if not self._claims.unsettled:
            return
        owed = self._owed.get(peer.id, 2)
        if owed:
            self._owed[peer.id] = owed - 1
            self._count()

    def _count(self) -> None:
        voters = [peer for peer in self._peers.others() if peer.is_voter]
        know = 1 + sum(not self._owed.get(peer.id, 1) for peer in voters)
        if know * 2 > len(voters) + 1:
            self._claims.unsettled = 0
            self._owed = {}
            self._out.do(Settled())
