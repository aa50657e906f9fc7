"""What the parts of the agreement share: one object that all of them hold.

A new configuration is set here, once, and every part sees it with its next look.
"""

from random import Random

from attrs import define

from gossip.claims import Claims
from gossip.clock import Clock
from gossip.config import GossipConfig
from gossip.effects import Outbox
from gossip.peers import Peer, Peers


@define(eq=False)
class Tables:
    """``peers`` and ``claims`` are what this node knows, in times of ``clock``; ``out``
    collects what follows from the present event."""

    peers: Peers
    claims: Claims
    config: GossipConfig
    clock: Clock
    rng: Random
    out: Outbox

    @property
    def me(self) -> Peer:
        """This node's own entry. It is the same object for life, a CLUSTER RESET included."""
        return self.peers.me
