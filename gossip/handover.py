"""Slots that were handed over to this node, until a majority of the primaries know of it.

A claim of ours beats the source's by its epoch, but nobody voted for it. A replica of the source that is elected before
the voters know takes the slots back. When that can no longer happen the engine is told (SlotsConfirmed): when a
majority, this node included, has answered a PING that said whose the slots are. Before that it takes no write for them.

Nothing here is on disk: a node that starts again has its claim, and no writes to lose.
"""

from gossamer.cluster.topology import Millis, NodeId
from gossamer.gossip.effects import SlotsConfirmed
from gossamer.gossip.messages import Messages
from gossamer.gossip.peers import Peer
from gossamer.gossip.tables import Tables


class Handover:
    """``claims.unconfirmed`` are the slots."""

    def __init__(self, tables: Tables, messages: Messages) -> None:
        self._claims = tables.claims
        self._owed: dict[NodeId, int] = {}
        """How many PONGs of each voter are to come until it has surely heard."""
        self._peers = tables.peers
        self._me = tables.me
        self._messages = messages
        self._out = tables.out

    def begin(self, slots: int, now: Millis) -> None:
        """``slots`` are ours since a moment ago."""
        assert slots
        assert not slots & ~self._me.slots, "only what is ours can be confirmed"
        self._claims.unconfirmed |= slots
        voters = [peer for peer in self._peers.others() if peer.is_voter]
        self._owed = {peer.id: 2 if peer.linked and peer.ping_sent else 1 for peer in voters}
        self.ping_voters(now)
        self._count()

    def ping_voters(self, now: Millis) -> None:
        """Let the voters know whose the slots are, at once."""
        for peer in self._peers.others():
            if peer.is_voter and peer.linked:
                self._messages.ping(peer, now)

    def pong_arrived(self, peer: Peer) -> None:
        """A PONG on the link that we dialled: one of our PINGs has been read.

        That of a node which had no say when this began may be older than that; its next one is not.
        """
        if not self._claims.unconfirmed:
            return
        owed = self._owed.get(peer.id, 2)
        if owed:
            self._owed[peer.id] = owed - 1
            self._count()

    def _count(self) -> None:
        voters = [peer for peer in self._peers.others() if peer.is_voter]
        know = 1 + sum(not self._owed.get(peer.id, 1) for peer in voters)
        if know * 2 > len(voters) + 1:
            self._confirm()

    def _confirm(self) -> None:
        """From now on a replica of the source that is elected cannot take the slots back unknowingly."""
        assert self._claims.unconfirmed, "nothing was handed over"
        self._claims.unconfirmed = 0
        self._owed = {}
        self._out.do(SlotsConfirmed())
