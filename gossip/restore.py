"""The tables as they were when the node last saved them: Topology → Peers and Claims.

Of the times in nodes.conf only zero or not zero means anything (Redis 7.0): a node that was owed an answer is owed one
now, one that had answered is taken to have answered now, and one that had failed has failed now.
"""

from random import Random

from gossamer.cluster.topology import Flag, Millis, Node, NodeId, Topology
from gossamer.gossip.bitmap import slots_to_bitmap
from gossamer.gossip.claims import Claims
from gossamer.gossip.effects import Outbox
from gossamer.gossip.peers import Peer, Peers


def remember(topology: Topology, rng: Random, out: Outbox, now: Millis) -> tuple[Peers, Claims]:
    """Tables equal to ``topology``. If this node has no shard id, as in a file of Redis 7.0, it gets one."""
    me = _peer(topology.myself, now)
    peers = Peers(me, rng, out)
    me.shard_id = me.shard_id or peers.new_id()
    me.cluster = topology.cluster
    for node in topology.nodes.values():
        if node.id != me.id and not node.has(Flag.HANDSHAKE):
            peers.restore(_peer(node, now))
    for peer in peers.roster():
        if peer.primary in peers.by_id:
            peers.by_id[peer.primary].flags |= Flag.MIGRATE_TO
    claims = Claims(peers, rng, out)
    _own(claims, peers, topology)
    claims.migrating.update(topology.migrating)
    claims.importing.update(topology.importing)
    claims.current_epoch = max(topology.current_epoch, *(n.config_epoch for n in topology.nodes.values()))
    claims.last_vote_epoch = topology.last_vote_epoch
    return peers, claims


def _peer(node: Node, now: Millis) -> Peer:
    return Peer(
        node.id,
        node.ip,
        node.port,
        node.cport,
        node.pport,
        node.flags,
        node.primary,
        node.config_epoch if node.is_primary else 0,
        created=now,
        ping_sent=now if node.ping_sent else 0,
        pong_received=now if node.pong_received else 0,
        fail_time=now if node.has(Flag.FAIL) else 0,
        shard_id=node.shard_id,
        hostname=node.hostname,
        human_name=node.human_name,
        aux=node.aux,
    )


def _own(claims: Claims, peers: Peers, topology: Topology) -> None:
    slots_of: dict[NodeId, list[int]] = {}
    for slot, owner in enumerate(topology.owners):
        if owner is not None:
            slots_of.setdefault(owner, []).append(slot)
    for owner, slots in slots_of.items():
        peer = peers.by_id.get(owner)
        if peer is not None and peer.is_primary:
            claims.assign(int.from_bytes(slots_to_bitmap(slots), "little"), peer)
