"""What CLUSTER NODES, REPLICAS, SLOTS, SHARDS, INFO and LINKS show of a topology, in the shapes of Redis 7.0.15.

The values are plain: str is a bulk string, int an integer, None a null, list an array and dict a map (a flat array in
RESP2). NODES and INFO are verbatim strings in RESP3; saying so is the caller's part.

``pport`` asks for the other client port of every node, for a plain client of a cluster on TLS. ``myself.repl_offset``
must be up to date in the topology: a replica at offset 0 counts as still loading.
Order of nodes is that of ``Topology.nodes``; Redis has them in the order of its hash table, which means nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import frozen

from gossamer.cluster.nodesconf import node_line
from gossamer.cluster.route import endpoint
from gossamer.cluster.topology import Flag, Millis, Node, NodeId, Topology, owned_ranges, ranges_by_owner

Field: TypeAlias = str | int | Sequence["Field"] | Mapping[str, "Field"] | None
"""A part of a report: what every protocol can tell."""

MESSAGE_NAMES: Final = (
    "ping",
    "pong",
    "meet",
    "fail",
    "publish",
    "auth-req",
    "auth-ack",
    "update",
    "mfstart",
    "module",
    "publishshard",
)
"""Names of the bus message types in CLUSTER INFO; the index is the type's number."""

GARBAGE: Final = "garbage"
FOREIGN: Final = "foreign"
"""Names of what cannot be used, and of what came from another cluster; real servers do not count these."""


@frozen
class Link:
    """One TCP connection of the bus. ``events`` is what it waits for: ``r``, ``w`` or ``rw``."""

    outgoing: bool
    node: NodeId
    created_ms: Millis
    events: str = "r"
    allocated_bytes: int = 0
    used_bytes: int = 0


def nodes_text(topology: Topology, *, pport: bool = False) -> str:
    """CLUSTER NODES: every line with its line feed."""
    held = ranges_by_owner(topology)
    return "".join(node_line(topology, node, held, _address(node, pport)) + "\n" for node in topology.nodes.values())


def replica_lines(topology: Topology, primary: NodeId, *, pport: bool = False) -> list[str]:
    """CLUSTER REPLICAS: the replicas' lines as in CLUSTER NODES, without line feeds."""
    return [node_line(topology, node, {}, _address(node, pport)) for node in topology.replicas_of(primary)]


def _address(node: Node, pport: bool) -> str:
    address = f"{node.ip}:{_client_port(node, pport)}@{node.cport}"
    return f"{address},{node.hostname}" if node.hostname else address


def _client_port(node: Node, pport: bool) -> int:
    return node.pport if pport and node.pport else node.port


def slots(topology: Topology, preferred: str, *, pport: bool = False) -> list[list[Field]]:
    """CLUSTER SLOTS: ``[first, last, primary, replica...]`` by slot, without replicas that failed or are empty.

    Nobody is sent to a node without an address: slots of such a one are as good as not assigned, until it is replaced.
    """
    shards: dict[NodeId, list[Field]] = {}
    out: list[list[Field]] = []
    for owner, first, last in owned_ranges(topology):
        if topology.nodes[owner].has(Flag.NOADDR):
            continue
        if owner not in shards:
            members = [topology.nodes[owner], *filter(_is_available, topology.replicas_of(owner))]
            shards[owner] = [_slots_node(node, preferred, pport) for node in members]
        out.append([first, last, *shards[owner]])
    return out


def _is_available(replica: Node) -> bool:
    return not replica.has(Flag.FAIL | Flag.NOADDR) and replica.repl_offset != 0


def _slots_node(node: Node, preferred: str, pport: bool) -> list[Field]:
    """``[endpoint, port, id, {the other ways to reach it}]``; no endpoint is null here, but empty in SHARDS."""
    other: dict[str, Field] = {}
    if preferred != "ip":
        other["ip"] = node.ip
    if preferred != "hostname" and node.hostname:
        other["hostname"] = node.hostname
    shown = None if preferred == "unknown-endpoint" else endpoint(node, preferred)
    return [shown, _client_port(node, pport), node.id, other]


def shards(topology: Topology, preferred: str, *, tls: bool = False) -> list[dict[str, Field]]:
    """CLUSTER SHARDS: a map for each primary, slots or not. With ``tls``, a node's ``port`` is its TLS port."""
    held = ranges_by_owner(topology)
    out: list[dict[str, Field]] = []
    for node in topology.nodes.values():
        if not node.has(Flag.SLAVE):
            members = [node, *topology.replicas_of(node.id)]
            bounds = [bound for pair in held.get(node.id, ()) for bound in pair]
            out.append({"slots": bounds, "nodes": [_shards_node(member, preferred, tls) for member in members]})
    return out


def _shards_node(node: Node, preferred: str, tls: bool) -> dict[str, Field]:
    out: dict[str, Field] = {"id": node.id}
    plain_port, tls_port = (node.pport, node.port) if tls else (node.port, 0)
    if plain_port:
        out["port"] = plain_port
    if tls_port:
        out["tls-port"] = tls_port
    out["ip"] = node.ip
    out["endpoint"] = endpoint(node, preferred)
    if node.hostname:
        out["hostname"] = node.hostname
    out["role"] = "replica" if node.has(Flag.SLAVE) else "master"
    out["replication-offset"] = node.repl_offset
    out["health"] = _health(node)
    return out


def _health(node: Node) -> str:
    if node.has(Flag.FAIL | Flag.NOADDR):
        return "fail"
    return "loading" if node.has(Flag.SLAVE) and node.repl_offset == 0 else "online"


def info(topology: Topology, sent: Mapping[str, int], received: Mapping[str, int], links_over_limit: int = 0) -> str:
    """CLUSTER INFO. Counters go by MESSAGE_NAMES, GARBAGE and FOREIGN; those of 0 are left out, the sums are not.

    The identity of the cluster is of ours alone.
    """
    held = {"ok": 0, "pfail": 0, "fail": 0}
    for owner, first, last in owned_ranges(topology):
        held[_reachability(topology.nodes[owner])] += last - first + 1
    me = topology.myself
    primary = topology.nodes.get(me.primary) if me.primary else None
    fields: list[tuple[str, Field]] = [
        ("cluster_state", "ok" if topology.ok else "fail"),
        ("cluster_slots_assigned", sum(held.values())),
        *((f"cluster_slots_{state}", count) for state, count in held.items()),
        ("cluster_known_nodes", len(topology.nodes)),
        ("cluster_size", topology.size),
        ("cluster_current_epoch", topology.current_epoch),
        ("cluster_my_epoch", (primary or me).config_epoch),
        *_counters(sent, "sent"),
        *_counters(received, "received"),
        ("total_cluster_links_buffer_limit_exceeded", links_over_limit),
        *([("cluster_identity", topology.cluster)] if topology.cluster else []),
    ]
    return "".join(f"{name}:{value}\r\n" for name, value in fields)


def _reachability(node: Node) -> str:
    if node.has(Flag.FAIL):
        return "fail"
    return "pfail" if node.has(Flag.PFAIL) else "ok"


def _counters(counts: Mapping[str, int], way: str) -> list[tuple[str, int]]:
    names = (*MESSAGE_NAMES, GARBAGE, FOREIGN)
    seen = [(f"cluster_stats_messages_{name}_{way}", counts[name]) for name in names if counts.get(name)]
    return [*seen, (f"cluster_stats_messages_{way}", sum(counts.values()))]


def links(records: Iterable[Link]) -> list[dict[str, Field]]:
    """CLUSTER LINKS, in the order given."""
    return [
        {
            "direction": "to" if link.outgoing else "from",
            "node": link.node,
            "create-time": link.created_ms,
            "events": link.events,
            "send-buffer-allocated": link.allocated_bytes,
            "send-buffer-used": link.used_bytes,
        }
        for link in records
    ]
