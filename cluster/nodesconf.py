"""nodes.conf: the cluster as a node remembers it, text ⇄ Topology.

Reads what Redis 7.0, Redis 7.2 and Valkey 9.1 write; writes Redis 7.2's form, which they all load (7.0 takes everything
after the first comma as a hostname, and mends it with the next ping). A node of which nothing but address and hostname
is known gets a line exactly as Redis 7.0 writes it.

    <id> <address>[,<hostname>[,<name>=<value>]...] <flags> <primary or -> <ping> <pong> <epoch> <link> [<slots>]...
    vars currentEpoch <n> lastVoteEpoch <n> [clusterId <identity>]

Rules kept here:
- What the file says is believed whole or not at all: anything that cannot be right is a NodesConfError naming its line.
- ``clusterId`` is ours. Redis and Valkey skip a variable that they do not know, but refuse a file with such a field.
- Fields after the hostname that mean nothing here are kept, in order, and written back.
- A text that could not be read back is refused, the same that are refused where they come in (``cluster/names.py``).
- Links do not outlive a process: no loaded node is ``linked``. A replica has no config epoch of its own, its line shows
  that of its primary.
- Nodes in handshake are not remembered: their ids are made up.
"""

from collections.abc import Iterable, Mapping
from re import ASCII
from re import compile as pattern
from typing import Final

from attrs import define, evolve, field

from gossamer.cluster.names import is_address, is_storable
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.text import bytes_of
from gossamer.cluster.topology import Flag, Node, NodeId, Topology, ranges_by_owner

FLAG_NAMES: Final = {
    "myself": Flag.MYSELF,
    "master": Flag.MASTER,
    "slave": Flag.SLAVE,
    "fail?": Flag.PFAIL,
    "fail": Flag.FAIL,
    "handshake": Flag.HANDSHAKE,
    "noaddr": Flag.NOADDR,
    "nofailover": Flag.NOFAILOVER,
}
"""In the order in which they are written."""

_DEFAULT_BUS_PORT_OFFSET: Final = 10000
_DIGITS: Final = 20
"""Of the largest number of 64 bits."""
_NODE_ID: Final = pattern(rb"[0-9a-z]{40}")
_ADDRESS: Final = pattern(r"(?P<ip>[^@]*):(?P<port>\d{1,5})(@(?P<cport>\d{1,5}))?", ASCII)
_SLOTS: Final = pattern(r"(\d{1,5})(?:-(\d{1,5}))?", ASCII)
_OPEN_SLOT: Final = pattern(r"\[(\d{1,5})-([<>])-([0-9a-z]{40})\]", ASCII)


class NodesConfError(Exception):
    """The file cannot be believed; says which line (from 1) and why."""


def is_node_id(raw: bytes) -> bool:
    """40 characters of 0-9 and a-z: what Redis and Valkey accept as node and shard ids."""
    return _NODE_ID.fullmatch(raw) is not None


def dump(topology: Topology, *, tls: bool = False) -> str:
    """The whole file. With ``tls`` the nodes' ``port`` is the TLS port, and ``pport`` the plain one."""
    held = ranges_by_owner(topology)
    lines = [
        node_line(topology, node, held, _address(node, tls))
        for node in topology.nodes.values()
        if not node.has(Flag.HANDSHAKE)
    ]
    identity = f" clusterId {topology.cluster}" if topology.cluster else ""
    lines.append(f"vars currentEpoch {topology.current_epoch} lastVoteEpoch {topology.last_vote_epoch}{identity}")
    return "\n".join(lines) + "\n"


def _address(node: Node, tls: bool) -> str:
    out = f"{node.ip}:{node.port}@{node.cport}"
    extra = list(node.aux)
    if extra or node.pport or node.human_name or node.shard_id:
        extra.append(("tcp-port" if tls else "tls-port", str(node.pport)))
    if node.human_name:
        extra.append(("nodename", node.human_name))
    if node.shard_id:
        extra.append(("shard-id", node.shard_id))
    if node.hostname or extra:
        out += f",{node.hostname}"
    return out + "".join(f",{name}={value}" for name, value in extra)


def node_line(topology: Topology, node: Node, held: Mapping[NodeId, Iterable[tuple[int, int]]], address: str) -> str:
    """One line without its end, as in nodes.conf and CLUSTER NODES; ``held`` maps owners to their slot ranges."""
    primary = topology.nodes.get(node.primary) if node.primary else None
    words = [
        node.id,
        address,
        flag_words(node.flags),
        primary.id if primary else "-",
        str(node.ping_sent),
        str(node.pong_received),
        str(primary.config_epoch if primary else node.config_epoch),
        "connected" if node.linked or node.id == topology.me else "disconnected",
    ]
    words += [f"{first}" if first == last else f"{first}-{last}" for first, last in held.get(node.id, ())]
    if node.id == topology.me:
        words += _open_slots(topology)
    return " ".join(words)


def flag_words(flags: int) -> str:
    """Flags as users see them: ``myself,master``."""
    return ",".join(name for name, flag in FLAG_NAMES.items() if flags & flag) or "noflags"


def _open_slots(topology: Topology) -> list[str]:
    ends = [(slot, ">", other) for slot, other in topology.migrating.items()]
    ends += [(slot, "<", other) for slot, other in topology.importing.items()]
    return [f"[{slot}-{way}-{other}]" for slot, way, other in sorted(ends) if other in topology.nodes]


@define
class _Reader:
    """What the lines have said so far. Every method that raises ValueError is called with the line at fault."""

    nodes: dict[NodeId, Node] = field(factory=dict)
    owners: list[NodeId | None] = field(factory=lambda: [None] * SLOTS)
    migrating: dict[int, NodeId] = field(factory=dict)
    importing: dict[int, NodeId] = field(factory=dict)
    me: NodeId | None = None
    current_epoch: int = 0
    last_vote_epoch: int = 0
    cluster: str = ""

    def line(self, words: list[str]) -> None:
        if words[0] == "vars":
            self.vars(words[1:])
            return
        if len(words) < 8:
            raise ValueError(f"{len(words)} fields, a node has at least 8")
        node = _node(words)
        if node.id in self.nodes:
            raise ValueError(f"node {node.id} was described before")
        self.nodes[node.id] = node
        if node.has(Flag.MYSELF):
            if self.me is not None:
                raise ValueError("a second node is myself")
            self.me = node.id
        for word in words[8:]:
            self.slots(node, word)

    def vars(self, words: list[str]) -> None:
        if len(words) % 2:
            raise ValueError("vars are names and values")
        for name, value in zip(words[::2], words[1::2], strict=True):
            if name == "currentEpoch":
                self.current_epoch = _number(value, "currentEpoch")
            elif name == "lastVoteEpoch":
                self.last_vote_epoch = _number(value, "lastVoteEpoch")
            elif name == "clusterId":
                self.cluster = _id(value)

    def slots(self, node: Node, word: str) -> None:
        if match := _OPEN_SLOT.fullmatch(word):
            if not node.has(Flag.MYSELF):
                raise ValueError(f"{word} on the line of another node")
            ends = self.migrating if match[2] == ">" else self.importing
            ends[_slot(match[1])] = match[3]
            return
        match = _SLOTS.fullmatch(word)
        if match is None:
            raise ValueError(f"{word!r} is neither a slot nor a range of slots")
        first, last = _slot(match[1]), _slot(match[2] or match[1])
        if first > last:
            raise ValueError(f"range {word} runs backwards")
        for slot in range(first, last + 1):
            if self.owners[slot] is not None:
                raise ValueError(f"slot {slot} has an owner already")
            self.owners[slot] = node.id

    def topology(self) -> Topology:
        if self.me is None:
            raise ValueError("no node is myself")
        for slot, other in [*self.migrating.items(), *self.importing.items()]:
            if other not in self.nodes:
                raise ValueError(f"slot {slot} is on its way to or from {other}, which has no line")
        nodes = {n.id: evolve(n, primary=None) if n.primary not in self.nodes else n for n in self.nodes.values()}
        return Topology(
            self.me,
            nodes,
            tuple(self.owners),
            self.migrating,
            self.importing,
            max(self.current_epoch, *(n.config_epoch for n in nodes.values())),
            self.last_vote_epoch,
            size=len(set(self.owners) - {None}),
            cluster=self.cluster,
        )


def load(text: str) -> Topology:
    """What ``text`` remembers; NodesConfError if it is not a whole and sound nodes.conf. An empty file is not one.

    The current epoch is raised to the largest config epoch. ``ok`` is False: the state is not part of the file.
    """
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), 1):
        try:
            if words := line.split():
                reader.line(words)
        except ValueError as error:
            raise NodesConfError(f"line {number}: {error}") from None
    try:
        return reader.topology()
    except ValueError as error:
        raise NodesConfError(f"at the end: {error}") from None


def _node(words: list[str]) -> Node:
    name, address, flag_list, primary, ping, pong, epoch, _link = words[:8]
    flags = _flags(flag_list)
    place, _, rest = address.partition(",")
    hostname, *extra = rest.split(",")
    _demand_storable("hostname", hostname)
    node = evolve(
        _place(_id(name), place),
        flags=flags,
        primary=None if primary == "-" else _id(primary),
        ping_sent=_number(ping, "ping time"),
        pong_received=_number(pong, "pong time"),
        config_epoch=0 if flags & Flag.SLAVE else _number(epoch, "config epoch"),
        hostname=hostname,
    )
    return _with_extra(node, extra)


def _place(name: NodeId, place: str) -> Node:
    match = _ADDRESS.fullmatch(place)
    if match is None:
        raise ValueError(f"{place!r} is not ip:port@bus-port")
    if not is_address(match["ip"]):
        raise ValueError(f"{match['ip']!r} is not an address")
    port = _port(match["port"])
    cport = _port(match["cport"]) if match["cport"] else port + _DEFAULT_BUS_PORT_OFFSET
    return Node(name, match["ip"], port, cport)


def _with_extra(node: Node, extra: list[str]) -> Node:
    aux: list[tuple[str, str]] = []
    for item in extra:
        name, equals, value = item.partition("=")
        if not equals:
            raise ValueError(f"{item!r} is not name=value")
        if name == "shard-id":
            node = evolve(node, shard_id=_id(value))
        elif name == "nodename":
            _demand_storable(name, value)
            node = evolve(node, human_name=value)
        elif name in {"tls-port", "tcp-port"}:
            node = evolve(node, pport=_port(value))
        else:
            _demand_storable("field", name + value)
            aux.append((name, value))
    return evolve(node, aux=tuple(aux))


def _demand_storable(what: str, text: str) -> None:
    if not is_storable(text):
        raise ValueError(f"{what} {text!r} contains invalid characters")


def _flags(words: str) -> int:
    flags = 0
    for word in words.split(","):
        if word == "noflags":
            continue
        if word not in FLAG_NAMES:
            raise ValueError(f"unknown flag {word!r}")
        flags |= FLAG_NAMES[word]
    return flags


def _id(text: str) -> NodeId:
    if not is_node_id(bytes_of(text)):
        raise ValueError(f"{text!r} is not an id")
    return text


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _DIGITS:
        raise ValueError(f"{what} {text!r} is not a number")
    number = int(text)
    if number >= 1 << 64:
        raise ValueError(f"{what} {number} does not fit 64 bits")
    return number


def _port(text: str) -> int:
    port = _number(text, "port")
    if port > 65535:
        raise ValueError(f"port {port} is over 65535")
    return port


def _slot(text: str) -> int:
    slot = int(text)
    if slot >= SLOTS:
        raise ValueError(f"slot {slot} is over {SLOTS - 1}")
    return slot
