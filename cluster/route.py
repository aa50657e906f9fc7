"""May this node serve a request for a slot, and if not, whom should the client ask?

The order of decisions is that of Redis (cluster.c, getNodeByQuery; Redis cluster specification, "MOVED redirection" and
"ASK redirection"). The answer is None for "serve it here", else the text of the error reply.
"""

from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.cluster.topology import Flag, Node, Topology, owned_ranges

UNSERVED: Final = b"CLUSTERDOWN Hash slot not served"
DOWN: Final = b"CLUSTERDOWN The cluster is down"
READS_ONLY: Final = b"CLUSTERDOWN The cluster is down and only accepts read commands"
TRYAGAIN: Final = b"TRYAGAIN Multiple keys request during rehashing of slot"


class RoutePolicy:
    """The directives that routing obeys."""

    def __init__(self) -> None:
        self.allow_reads_when_down: bool = False
        self.preferred_endpoint: str = "ip"


class Request:
    """What routing needs to know of a request: its slot, how many different keys it names, how many of them are missing
    here."""

    def __init__(self, slot: int, keys: int, missing: int, writes: bool, asking: bool, readonly: bool) -> None:
        self.slot: int = slot
        self.keys: int = keys
        self.missing: int = missing
        self.writes: bool = writes
        self.asking: bool = asking
        """The client sent ASKING before, or the command brings it along (RESTORE-ASKING)."""
        self.readonly: bool = readonly
        """The client sent READONLY: a replica may answer."""
        self.moves: bool = False
        """It is MIGRATE, which works on the keys of this node while a slot is on its way."""


def route(topology: Topology, policy: RoutePolicy, request: Request) -> bytes | None:
    """None if ``request`` is served here, else the error that sends the client elsewhere."""
    slot = request.slot
    owner = topology.owners[slot]
    if owner is None:
        return UNSERVED
    if not topology.ok:
        if not policy.allow_reads_when_down:
            return DOWN
        if request.writes:
            return READS_ONLY
    if request.moves and (slot in topology.importing or slot in topology.migrating):
        return None
    mine = owner == topology.me
    copied = request.readonly and topology.myself.primary == owner
    if request.missing and (mine or copied):
        # A replica knows the open slots of its primary. What it does not have may be at the target all the same.
        target = (topology.migrating if mine else topology.leaving).get(slot)
        if target is not None:
            if request.missing < request.keys:
                return TRYAGAIN
            return redirect(b"ASK", slot, topology.nodes[target], policy)
    if mine:
        return None
    if request.asking and slot in topology.importing:
        return TRYAGAIN if request.keys > 1 and request.missing else None
    if copied and not request.writes:
        return None
    return redirect(b"MOVED", slot, topology.nodes[owner], policy)


def redirect(word: bytes, slot: int, node: Node, policy: RoutePolicy) -> bytes:
    """``MOVED 3999 127.0.0.1:6381`` or the same with ASK. Nobody is sent to a node without an address."""
    if not node.port:
        return UNSERVED
    return b"%s %d %s:%d" % (word, slot, bytes_of(endpoint(node, policy.preferred_endpoint)), node.port)


def endpoint(node: Node, preferred: str) -> str:
    """How clients are told to reach ``node``: its ip, its hostname (``?`` if it has none), or nothing at all."""
    if preferred == "hostname":
        return node.hostname or "?"
    return node.ip if preferred == "ip" else ""


def served_slots(topology: Topology) -> bytearray:
    """One byte a slot: 1 where this node serves every request at once, 0 where ``route`` has to be asked."""
    served = bytearray(len(topology.owners))
    me = topology.me
    if topology.ok and topology.myself.has(Flag.MASTER):
        for owner, first, last in owned_ranges(topology):
            if owner == me:
                served[first : last + 1] = b"\x01" * (last + 1 - first)
        for slot in topology.migrating:
            served[slot] = 0
    return served


def serves_alike(before: Topology, after: Topology) -> bool:
    """True if ``served_slots`` of both is surely the same: most changes are none of ownership, and share the owners."""
    return (
        before.owners is after.owners
        and before.ok == after.ok
        and before.me == after.me
        and before.migrating == after.migrating
        and before.myself.has(Flag.MASTER) == after.myself.has(Flag.MASTER)
    )
