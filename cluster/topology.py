"""Who is in the cluster and who owns what: one immutable snapshot, as one node sees it.

Gossip publishes a new Topology when something that clients can observe has changed; the engine only ever reads the
newest one. The wire's words ``master`` and ``slave`` appear in the flag names that users see, nowhere else.
"""

from collections.abc import Mapping
from itertools import groupby
from typing import Final

from attrs import field, frozen

from gossamer.cluster.slots import SLOTS

NodeId = str
"""40 lower-case hex characters."""

Millis = int
"""Milliseconds, of the unix epoch where a point in time is meant."""


class Flag:
    """Node flags with their values on the bus (cluster_bus.h of Valkey 9.1, cluster.h of Redis 7.0).

    Plain integers: gossip tests flags for every node it hears of, and an IntFlag costs fifty times more.
    """

    MASTER: Final = 1
    SLAVE: Final = 2
    PFAIL: Final = 4
    FAIL: Final = 8
    MYSELF: Final = 16
    HANDSHAKE: Final = 32
    NOADDR: Final = 64
    MEET: Final = 128
    MIGRATE_TO: Final = 256
    NOFAILOVER: Final = 512
    EXTENSIONS_SUPPORTED: Final = 1024
    LIGHT_PUBLISH_SUPPORTED: Final = 2048
    LIGHT_MODULE_SUPPORTED: Final = 4096
    MY_PRIMARY_FAIL: Final = 8192


@frozen
class Node:
    """One node as the observer knows it.

    ``port`` is what clients connect to, ``pport`` the other client port (plain if ``port`` speaks TLS and the reverse;
    0 if none), ``cport`` the bus port. ``ip`` is empty while unknown. ``ping_sent`` and ``pong_received`` are unix
    milliseconds, 0 = none. ``aux`` keeps nodes.conf fields that mean nothing here, in file order.
    """

    id: NodeId
    ip: str
    port: int
    cport: int
    pport: int = 0
    flags: int = Flag.MASTER
    primary: NodeId | None = None
    config_epoch: int = 0
    ping_sent: Millis = 0
    pong_received: Millis = 0
    linked: bool = False
    repl_offset: int = 0
    shard_id: str = ""
    hostname: str = ""
    human_name: str = ""
    aux: tuple[tuple[str, str], ...] = ()

    def has(self, flags: int) -> bool:
        """True if any of ``flags`` is set."""
        return bool(self.flags & flags)

    @property
    def is_primary(self) -> bool:
        return self.has(Flag.MASTER)


NOBODY: Final[tuple[NodeId | None, ...]] = (None,) * SLOTS


@frozen
class Topology:
    """The cluster as node ``me`` sees it.

    ``owners[slot]`` is the id of the primary that owns the slot, None if nobody does. ``migrating`` and ``importing``
    are this node's open slots and the other end of each; ``leaving``, on a replica, those of its primary that are on
    their way elsewhere. ``ok`` is cluster_state; ``size`` counts primaries with slots.
    ``cluster`` is the identity of the cluster, empty if it has none (gossip/identity.py).
    """

    me: NodeId
    nodes: Mapping[NodeId, Node]
    owners: tuple[NodeId | None, ...] = field(default=NOBODY, repr=False)
    migrating: Mapping[int, NodeId] = field(factory=dict)
    importing: Mapping[int, NodeId] = field(factory=dict)
    current_epoch: int = 0
    last_vote_epoch: int = 0
    ok: bool = False
    size: int = 0
    cluster: str = ""
    leaving: Mapping[int, NodeId] = field(factory=dict)

    @property
    def myself(self) -> Node:
        return self.nodes[self.me]

    def slots_of(self, node: NodeId | None) -> list[int]:
        """Slots that ``node`` owns itself, ascending (a replica owns none); of None, those that nobody owns."""
        return [slot for slot, owner in enumerate(self.owners) if owner == node]

    def replicas_of(self, primary: NodeId) -> list[Node]:
        return [n for n in self.nodes.values() if n.primary == primary]


def ranges(slots: list[int]) -> list[tuple[int, int]]:
    """Ascending slots as closed ranges: ``[1, 2, 3, 7]`` is ``[(1, 3), (7, 7)]``."""
    out: list[tuple[int, int]] = []
    for slot in slots:
        if out and out[-1][1] == slot - 1:
            out[-1] = (out[-1][0], slot)
        else:
            out.append((slot, slot))
    return out


def ranges_by_owner(topology: Topology) -> dict[NodeId, list[tuple[int, int]]]:
    """Closed slot ranges of every owner, ascending, in one pass over the table."""
    out: dict[NodeId, list[tuple[int, int]]] = {}
    for owner, first, last in owned_ranges(topology):
        out.setdefault(owner, []).append((first, last))
    return out


def owned_ranges(topology: Topology) -> list[tuple[NodeId, int, int]]:
    """Runs of neighbouring slots with one owner, ascending: (owner, first slot, last slot)."""
    out: list[tuple[NodeId, int, int]] = []
    first = 0
    for owner, run in groupby(topology.owners):
        after = first + len(list(run))
        if owner is not None:
            out.append((owner, first, after - 1))
        first = after
    return out
