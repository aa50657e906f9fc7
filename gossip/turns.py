"""Whose turn it is among shards that fail together: who asks for votes while another does takes voters from it.

There is one winner an epoch, and a voter has one vote in it. Two candidates that ask at the same moment ask for the
same epoch, and where many voters have failed neither gets the majority.

Rules kept here:
- The shards come in the order of the ids of their primaries. Every candidate counts those before its own that have
  failed, have a replica that may stand and have not been replaced: its turn comes when there are none.
- Failures become known one by one, and winners too, so this is counted anew at each look.
- A shard before us from which nothing has come for a step is given up, and not waited for again.
- Whoever has just asked for votes is not disturbed for the length of a round, wherever it stands in the order.
"""

from gossamer.cluster.topology import Flag, Millis, NodeId
from gossamer.gossip.peers import UNFIT, Peer, Peers


class Turns:
    """``comes`` is when it is our turn, as far as is known; as of the last ``look``."""

    def __init__(self, peers: Peers) -> None:
        self.comes: Millis = 0
        self._peers = peers
        self._ahead: list[NodeId] = []
        self._since: Millis = 0
        """Nothing has changed since in who is ahead."""
        self._given_up: set[NodeId] = set()
        self._failed: list[NodeId] = []
        self._version = -1
        self._yielding_to: NodeId = ""
        self._yields_until: Millis = 0

    def begin(self, now: Millis) -> None:
        """Our own primary has failed."""
        self._ahead, self._since = [], now
        self._given_up.clear()

    def look(self, primary: Peer, step_ms: int, now: Millis) -> Millis:
        """When it is the turn of the replicas of ``primary``: ``now`` or later."""
        ahead = self._shards_before(primary)
        if ahead != self._ahead:
            self._ahead, self._since = ahead, now
        self.comes = self._since + step_ms * len(ahead)
        if ahead and now >= self.comes:
            self._given_up.update(ahead)
            self._ahead = []
        if now < self._yields_until and self._is_failed(self._yielding_to):
            self.comes = max(self.comes, self._yields_until)
        return max(self.comes, now)

    def yield_to(self, primary: NodeId, until: Millis) -> None:
        """A replica of ``primary`` has asked for votes."""
        self._yielding_to, self._yields_until = primary, until

    def _shards_before(self, primary: Peer) -> list[NodeId]:
        """Counted anew when a role, a flag or a slot has changed anywhere."""
        if self._version != self._peers.version:
            self._version = self._peers.version
            roster = self._peers.roster()
            replaceable = {p.primary for p in roster if p.primary and not p.gone and not p.flags & UNFIT}
            self._failed = [p.id for p in roster if p.flags & Flag.FAIL and p.is_voter and p.id in replaceable]
        return [node for node in self._failed if node < primary.id and node not in self._given_up]

    def _is_failed(self, node: NodeId) -> bool:
        peer = self._peers.by_id.get(node)
        return peer is not None and peer.is_voter and peer.has(Flag.FAIL)

    def shift(self, ms: int) -> None:
        """The clock was set."""
        self._since += ms
        self._yields_until += ms
        self.comes += ms
