"""Where a node is that is no longer where it was: its announced hostname is looked up again.

A node that moves tells the others, if it still finds one of them. When all come back at once, each at an address that
is new or was another's (a StatefulSet that is restarted), nobody is left where he was; what stays are the names in
nodes.conf (``cluster-announce-hostname``). Redis and Valkey only show these to clients.

Rules kept here:
- A node with a hostname that has owed us an answer for a moment, and has no link, is looked up; and again, after waits
  that grow up to some seconds. Few lookups are under way at once.
- What a name gives is a suggestion. It is dialled in turns with the address that is known, and becomes the node's
  address when the node answers there under its id. If anybody else does, nothing at all has happened: the question is
  a PING, which introduces nobody.
- The bus port is the one that was last known; nodes that are run like this do not change theirs.
"""

from typing import Final

from attrs import Factory, define

from gossamer.cluster.topology import Flag, Millis, NodeId
from gossamer.gossip.effects import Outbox, Resolve
from gossamer.gossip.peers import Peer, Peers

LOST_MS: Final = 500
"""So long without a link is more than a hiccup, or a quick restart at the same address."""

FIRST_WAIT_MS: Final = 1000
LONGEST_WAIT_MS: Final = 8000
LOOKUPS: Final = 8
ADDRESSES: Final = 8
"""How many of one name are tried."""

TRIAL_MS: Final = 1500
"""How long one may take to answer."""


@define
class _Search:
    """For one node: when its name may be looked up again, and the addresses that are still to be tried."""

    due: Millis
    wait_ms: Millis = FIRST_WAIT_MS
    asking: bool = False
    untried: list[str] = Factory(list)


class Names:
    """Owns the searches, by node."""

    def __init__(self, peers: Peers, out: Outbox) -> None:
        self._searches: dict[NodeId, _Search] = {}
        self._peers = peers
        self._out = out

    def tick(self, now: Millis) -> None:
        """Begin the searches that are called for, end those that are not, and go on with the others."""
        for peer in self._peers.unlinked:
            if peer.id not in self._searches and self._is_lost(peer, now):
                self._searches[peer.id] = _Search(now)
        for node, search in list(self._searches.items()):
            lost = self._peers.known(node)
            if lost is None or not self._is_lost(lost, now):
                del self._searches[node]
            else:
                self._seek(lost, search, now)

    def resolved(self, node: NodeId, ips: tuple[str, ...], now: Millis) -> None:
        """Somebody has looked it up."""
        search, peer = self._searches.get(node), self._peers.known(node)
        if search is None or peer is None:
            return
        search.asking = False
        search.due, search.wait_ms = now + search.wait_ms, min(2 * search.wait_ms, LONGEST_WAIT_MS)
        search.untried = [ip for ip in ips[:ADDRESSES] if ip != peer.ip]
        if self._is_lost(peer, now):
            self._seek(peer, search, now)

    def mistaken(self, peer: Peer) -> None:
        """Somebody else answers at the address that was tried."""
        self._peers.hang_up(peer)

    def _is_lost(self, peer: Peer, now: Millis) -> bool:
        if not peer.hostname or (peer.linked and not peer.trial) or peer.flags & Flag.HANDSHAKE:
            return False
        if peer.is_foreign(self._peers.me.cluster):
            return False
        return bool(peer.flags & Flag.NOADDR) or 0 < peer.ping_sent <= now - LOST_MS

    def _seek(self, peer: Peer, search: _Search, now: Millis) -> None:
        if search.untried:
            self._try_next(peer, search, now)
        elif now >= search.due and not search.asking and sum(s.asking for s in self._searches.values()) < LOOKUPS:
            search.asking = True
            self._out.do(Resolve(peer.id, peer.hostname))

    def _try_next(self, peer: Peer, search: _Search, now: Millis) -> None:
        """Another dial gets its time before."""
        patience_ms = TRIAL_MS if peer.trial else LOST_MS
        if peer.link is None or now - peer.linked_at >= patience_ms:
            self._peers.try_at(peer, search.untried.pop(0), peer.cport or peer.old_cport or self._peers.me.cport, now)

    def shift(self, ms: int) -> None:
        """The clock was set."""
        for search in self._searches.values():
            search.due += ms
