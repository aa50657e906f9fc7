"""Which cluster this is, and who is of another: addresses, and even ids, come to other clusters, and two that touch
must not become one.

In Redis and Valkey they do: a node that was reset and now serves elsewhere is still pinged by those who were not told
to forget it, and brings them the slots of its new cluster; a script that meets addresses meets whoever has them now.

An identity is 40 hex digits, told in a ping extension to those that say in the header that they read it (others skip
it), and kept among the ``vars`` of nodes.conf, where others skip it as well. How it comes about, without an operator:
- It is made when a cluster is whole: all slots have owners, the state is ok and no handshake is under way, for a
  moment. Before that, nodes may be met in any order, with slots and without, and grow together as in Redis. It is made
  by one: of the primaries with slots that understand identities, and have not failed, the one with the smallest id.
- Who has none takes it from a node that it has met, or that speaks to it. CLUSTER RESET forgets it, and so does who is
  alone and owns nothing.
- A handshake with a node of another identity ends there, CLUSTER MEET or not. Two whole clusters can only fight for
  their slots. To move a node, reset it, as redis-cli does.
- Nothing that a known node tells under another identity is heard. If it does not come to us by itself either, it is of
  ours no longer, and is left without an address, as if somebody else lived there.
- So it is with what somebody says who understands identities and tells none: it does not know yet that we do, and
  will tell in a moment.
- But if it names us among those that it knows, this is one cluster that was given two identities in a partition. The
  smaller one stays.
- Who tells of none (another server, a fresh node) is judged as ever.
"""

from typing import Final

from gossamer.cluster.topology import Flag, Millis
from gossamer.gossip.announcer import Announcer
from gossamer.gossip.claims import FULL
from gossamer.gossip.effects import Level
from gossamer.gossip.health import Health
from gossamer.gossip.peers import Peer
from gossamer.gossip.tables import Tables

WHOLE_MS: Final = 2000
"""How long a cluster must have been whole."""

LINK_BACK_MS: Final = 1500
"""How long a node that knows us may take to make its link to us, once we have ours to it."""


class Identity:
    """Owns the identity, which is ``cluster`` of this node's own entry. ``refused`` counts those of another."""

    def __init__(self, tables: Tables, health: Health, announcer: Announcer) -> None:
        self.refused = 0
        self._whole_since: Millis | None = None
        self._peers = tables.peers
        self._claims = tables.claims
        self._health = health
        self._announcer = announcer
        self._me = tables.me
        self._rng = tables.rng
        self._out = tables.out

    def tick(self, now: Millis) -> None:
        if self._me.cluster:
            if len(self._peers) == 1 and not self._me.slots:
                self.forget()
        elif self._claims.owned != FULL or not self._health.ok or self._peers.strangers or not self._is_founder():
            self._whole_since = None
        elif self._whole_since is None:
            self._whole_since = now
        elif now - self._whole_since >= WHOLE_MS:
            self._take(f"{self._rng.getrandbits(160):040x}", "The cluster is whole, its identity is", now)

    @property
    def is_missing(self) -> bool:
        """There is none yet, and this node may have to make it."""
        return bool(self._me.slots) and not self._me.cluster

    def _is_founder(self) -> bool:
        founders = [p.id for p in self._peers.roster() if p.is_voter and p.cluster is not None and not p.has(Flag.FAIL)]
        return bool(self._me.slots) and self._me.id == min(founders, default="")

    def forget(self) -> None:
        self._me.cluster = ""
        self._whole_since = None
        self._peers.touch(self._me)

    # What others tell

    def learn(self, peer: Peer, identity: str, now: Millis) -> None:
        """A known node that knows us tells which cluster this is."""
        if identity and not self._me.cluster:
            self._take(identity, f"Node {peer.id} tells the identity of the cluster:", now)

    def reconcile(self, peer: Peer, identity: str, now: Millis) -> None:
        """A node that is of our cluster beyond doubt has another identity for it."""
        if self._me.cluster and identity < self._me.cluster:
            self._take(identity, f"Node {peer.id} knows this cluster under a smaller identity:", now)

    def is_other_identity(self, identity: str | None) -> bool:
        """Whether ``identity`` is the identity of another cluster."""
        return bool(identity and self._me.cluster and identity != self._me.cluster)

    def never_links_back(self, peer: Peer, now: Millis) -> bool:
        """Whether a known node of another identity evidently does not come to us."""
        return peer.inbound is None and now - peer.linked_at > LINK_BACK_MS

    def refuse(self, node: str, address: str, identity: str) -> None:
        self.refused += 1
        self._out.log(
            Level.WARNING,
            f"Node {node} at {address} belongs to another cluster: its identity is {identity}, "
            f"ours {self._me.cluster}. It is not let in. (CLUSTER RESET on a node makes it forget its cluster.)",
        )

    def _take(self, identity: str, why: str, now: Millis) -> None:
        self._me.cluster = identity
        self._out.log(Level.NOTICE, f"{why} {identity}")
        self._out.promised = True
        self._peers.touch(self._me)
        self._announcer.announce(now)
