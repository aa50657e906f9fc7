"""What the components of the agreement share: one object that all of them hold.

A new configuration is set here, once, and every part sees it with its next look.
"""

from random import Random

from attrs import Factory, define

from gossamer.cluster.topology import Millis
from gossamer.gossip.claims import Claims
from gossamer.gossip.clock import Clock
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.effects import Outbox
from gossamer.gossip.peers import Peer, Peers


@define(eq=False)
class ReplicationState:
    """How replication goes here, as the rest of the node has last said (Replicated)."""

    heard: Millis = 0
    """When this replica last heard from its primary; 0: never."""
    primary_lost_data: bool = False
    """My primary lives, but has come back without its data, which I have."""
    syncing: bool = False
    """A full sync is under way."""
    data_from_other_shard: bool = False
    """Nothing has come yet from the primary that this node follows now: what it has is another shard's."""


@define(eq=False)
class Tables:
    """``peers`` and ``claims`` are what this node knows, in times of ``clock``; ``out`` collects what follows from the
    present event.
    """

    peers: Peers
    claims: Claims
    config: GossipConfig
    clock: Clock
    rng: Random
    out: Outbox
    replication: ReplicationState = Factory(ReplicationState)

    @property
    def me(self) -> Peer:
        """This node's own entry. It is the same object for life, a CLUSTER RESET included."""
        return self.peers.me
