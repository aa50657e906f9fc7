"""What an operator's wish comes to: a cluster or its parts in, a list of steps out.

A step is one thing that one node is told, in the order in which it has to happen. Rules kept here:

- Who asks again after an interruption gets the rest: plans depend on nothing but the order of the nodes and what is
  there, and ``is_done`` tells of each step whether the node has taken it already.
- No two nodes of a shard stand on one host while there is another way, and primaries are spread over the hosts.
- Slots move no more than they have to (``balance.py``), and only after what an earlier move has left open.

Left out: how a step is carried out, and whether the nodes can be reached. That is the business of ``deploy``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from attrs import evolve, field, frozen

from gossamer.cluster.balance import Range, evened, filled, size, transfers
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Flag, Node, NodeId, Topology, ranges, ranges_by_owner


class Impossible(Exception):
    """There is no plan; says why, in words for the operator."""


@frozen
class Member:
    """A node that is to become part of a cluster. Nodes with the same ``host`` fail together."""

    id: NodeId
    host: str


@frozen
class Number:
    """``node`` is given a config epoch of its own: nobody has to settle a collision later."""

    node: NodeId
    epoch: int


@frozen
class Take:
    """``node`` takes slots ``first`` to ``last`` that nobody owns."""

    node: NodeId
    first: int
    last: int


@frozen
class Meet:
    """``node`` gets to know ``others``."""

    node: NodeId
    others: tuple[NodeId, ...]


@frozen
class Follow:
    """``node`` becomes a replica of ``primary``."""

    node: NodeId
    primary: NodeId


def _tuple(pieces: Iterable[Range]) -> tuple[Range, ...]:
    return tuple(pieces)


@frozen
class Move:
    """Slots go from ``source`` to ``target`` with their keys.

    ``half_way``: an earlier attempt has opened them on one end or both, so they have to go one by one.
    """

    source: NodeId
    target: NodeId
    ranges: tuple[Range, ...] = field(converter=_tuple)
    half_way: bool = False

    @property
    def node(self) -> NodeId:
        """The one who is told first."""
        return self.source

    @property
    def size(self) -> int:
        return size(self.ranges)


@frozen
class Forget:
    """Everybody forgets ``node``, and it everybody else."""

    node: NodeId


Step: TypeAlias = Number | Take | Meet | Follow | Move | Forget


# --- a new cluster


def create(members: Sequence[Member], primaries: int) -> list[Step]:
    """``primaries`` of ``members`` share the slots, the others are their replicas. Impossible if there are too few."""
    if not 0 < primaries <= len(members):
        raise Impossible(f"{len(members)} nodes cannot be {primaries} primaries")
    shards = deal(members, primaries)
    first = [shard[0] for shard in shards]
    others = [member for member in members if member not in first]
    numbers = [Number(member.id, number) for number, member in enumerate([*first, *others], 1)]
    takes = [Take(shard[0].id, *share) for shard, share in zip(shards, shares(primaries), strict=True)]
    ids = [member.id for member in members]
    meets = [Meet(ids[at], tuple(ids[:at])) for at in range(1, len(ids))]
    follows = [Follow(replica.id, shard[0].id) for shard in shards for replica in shard[1:]]
    return [*takes, *numbers, *meets, *follows]


def shares(count: int) -> list[tuple[int, int]]:
    """First and last slot of each of ``count`` primaries; the sizes differ by one at most."""
    bounds = [SLOTS * i // count for i in range(count + 1)]
    return [(low, high - 1) for low, high in pairwise(bounds)]


def deal(members: Sequence[Member], primaries: int) -> list[list[Member]]:
    """Shards, each with its primary first, ordered as their primaries are in ``members``.

    Dealt out host by host, nodes of one host end up in different shards as long as there are shards enough.
    """
    hosts = list(dict.fromkeys(member.host for member in members))
    by_host = [member for host in hosts for member in members if member.host == host]
    shards = [by_host[number::primaries] for number in range(primaries)]
    _spread_primaries(shards)
    return sorted(shards, key=lambda shard: members.index(shard[0]))


def _spread_primaries(shards: list[list[Member]]) -> None:
    """Let primaries change places with their replicas until no host could hand one to a host that has two less."""
    while (path := _path(shards)) is not None:
        for shard, host in path:
            at = next(at for at, member in enumerate(shard) if member.host == host)
            shard.insert(0, shard.pop(at))


def _path(shards: list[list[Member]]) -> list[tuple[list[Member], str]] | None:
    """Shards and the new host of each one's primary: a full host has one less then, and no other becomes as full."""
    load = Counter({member.host: 0 for shard in shards for member in shard})
    load.update(shard[0].host for shard in shards)
    for start, most in load.most_common():
        ways: dict[str, list[tuple[list[Member], str]]] = {start: []}
        queue = [start]
        for host in queue:
            if load[host] <= most - 2:
                return ways[host]
            for shard in shards:
                if shard[0].host == host:
                    for member in shard[1:]:
                        if member.host not in ways:
                            ways[member.host] = [*ways[host], (shard, member.host)]
                            queue.append(member.host)
    return None


# --- nodes that come and go


def add_primary(topology: Topology, member: Member) -> list[Step]:
    """It has no slots until they are balanced."""
    return [_introduce(topology, member)]


def add_replica(topology: Topology, member: Member, primary: NodeId | None = None) -> list[Step]:
    """Of ``primary``, or of the one that needs it most. Impossible if that is none."""
    if primary is None:
        primary = neediest(topology, member.host, [node.id for node in primaries_of(topology)])
    elif not topology.nodes[primary].is_primary:
        raise Impossible(f"{address(topology.nodes[primary])} is a replica itself")
    return [_introduce(topology, member), Follow(member.id, primary)]


def _introduce(topology: Topology, member: Member) -> Meet:
    """All are named, so that nobody has to wait for gossip; ``member`` is told to speak to each."""
    others = [node.id for node in topology.nodes.values() if not node.has(Flag.FAIL) and node.id != member.id]
    return Meet(member.id, tuple(others))


def remove(topology: Topology, node: NodeId) -> list[Step]:
    """Its slots go to who has the fewest, its replicas to who needs them most. Impossible for the last primary."""
    leaving = topology.nodes[node]
    if not leaving.is_primary:
        return [Forget(node)]
    held = ranges_by_owner(topology)
    staying = [other.id for other in primaries_of(topology) if other.id != node]
    if not staying:
        raise Impossible(f"{address(leaving)} is the only primary")
    have = {other: size(held.get(other, [])) for other in staying}
    wanted = filled(have, size(held.get(node, [])))
    moves = [Move(*transfer) for transfer in transfers(held, {**wanted, node: 0})]
    follows: list[Step] = []
    for replica in topology.replicas_of(node):
        follow = Follow(replica.id, neediest(topology, replica.ip, staying))
        topology = after(topology, follow)
        follows.append(follow)
    return [*moves, *follows, Forget(node)]


def neediest(topology: Topology, host: str, primaries: Sequence[NodeId]) -> NodeId:
    """The primary that gains most from a replica on ``host``: none of its shard stands there, few follow it yet."""
    if not primaries:
        raise Impossible("there is no primary to follow")

    def gain(primary: NodeId) -> tuple[bool, int]:
        replicas = topology.replicas_of(primary)
        return any(node.ip == host for node in (topology.nodes[primary], *replicas)), len(replicas)

    return min(primaries, key=gain)


# --- slots


def rebalance(topology: Topology, weights: Mapping[NodeId, float]) -> list[Step]:
    """Every primary gets slots by its weight (default 1), those without slots too. Impossible if no weight is left."""
    held = ranges_by_owner(topology)
    have = {node.id: size(held.get(node.id, [])) for node in primaries_of(topology)}
    for node, weight in weights.items():
        if node not in have:
            raise Impossible(f"{address(topology.nodes[node])} is no primary that could have slots")
        if not 0 <= weight < float("inf"):
            raise Impossible(f"{weight} is not a weight")
    shared = {node: weights.get(node, 1.0) for node in have}
    if not any(shared.values()):
        raise Impossible("no primary would have slots: all weights are 0")
    return [Move(*transfer) for transfer in transfers(held, evened(have, shared))]


def finish(views: Mapping[NodeId, Topology]) -> list[Step]:
    """The moves that were left half way, by what each node tells of its open slots. Impossible if they contradict."""
    ways: dict[int, tuple[NodeId, NodeId]] = {}
    for me, view in views.items():
        open_here = [(slot, me, other) for slot, other in view.migrating.items()]
        open_here += [(slot, other, me) for slot, other in view.importing.items()]
        for slot, source, target in open_here:
            way = ways.setdefault(slot, (source, target))
            if way != (source, target) or view.owners[slot] not in way:
                raise Impossible(
                    f"slot {slot} is open on {address(view.myself)} in a way that does not fit its owner: "
                    "CLUSTER SETSLOT STABLE closes it, redis-cli --cluster fix looks for its keys"
                )
    pairs = dict.fromkeys(ways[slot] for slot in sorted(ways))
    return [
        Move(*pair, ranges(sorted(slot for slot, way in ways.items() if way == pair)), half_way=True) for pair in pairs
    ]


# --- what steps change


def after(topology: Topology, *steps: Step) -> Topology:
    """The cluster when ``steps`` are done, as far as the next plan depends on it: owners, and who follows whom."""
    owners = list(topology.owners)
    nodes = dict(topology.nodes)
    for step in steps:
        if isinstance(step, Move):
            for first, last in step.ranges:
                owners[first : last + 1] = [step.target] * (last - first + 1)
        elif isinstance(step, Follow) and step.node in nodes:
            nodes[step.node] = evolve(nodes[step.node], primary=step.primary, flags=Flag.SLAVE)
    return evolve(topology, owners=tuple(owners), nodes=nodes)


def is_done(step: Step, own: Topology) -> bool:
    """Whether the node that ``step`` is for has taken it, by its ``own`` view."""
    known = {node.id for node in own.nodes.values() if not node.has(Flag.HANDSHAKE)}
    match step:
        case Number():
            return own.myself.config_epoch != 0 or not own.myself.is_primary or len(own.nodes) > 1
        case Take():
            return all(owner == step.node for owner in own.owners[step.first : step.last + 1])
        case Meet():
            return known.issuperset(step.others)
        case Follow():
            return own.myself.primary == step.primary
        case Move():
            return all(
                own.owners[slot] == step.target for first, last in step.ranges for slot in range(first, last + 1)
            )
        case Forget():
            return step.node not in known


def contradicts(steps: Sequence[Step], own: Topology) -> str | None:
    """Why the node of view ``own`` is not one that creation by ``steps`` could have begun with; None if it is."""
    members = {step.node for step in steps}
    strangers = [node for node in own.nodes.values() if node.id not in members and not node.has(Flag.HANDSHAKE)]
    if strangers:
        return f"knows other nodes, {address(strangers[0])} for one"
    takes = [step for step in steps if isinstance(step, Take)]
    if any(set(own.owners[take.first : take.last + 1]) not in ({None}, {take.node}) for take in takes):
        return "has slots already"
    follows = {step.node: step.primary for step in steps if isinstance(step, Follow)}
    if own.myself.primary is not None and follows.get(own.me) != own.myself.primary:
        return "is a replica already"
    return None


def primaries_of(topology: Topology) -> list[Node]:
    """Those that can be given slots: alive, as far as is known, and met."""
    unfit = Flag.FAIL | Flag.HANDSHAKE | Flag.NOADDR
    return [node for node in topology.nodes.values() if node.is_primary and not node.has(unfit)]


def address(node: Node) -> str:
    return f"{node.ip}:{node.port}"
