"""Where a request belongs: here, or to the node that MOVED, ASK or CLUSTERDOWN names."""

from gossamer.cluster.route import Request, redirect, route
from gossamer.cluster.slots import key_slot
from gossamer.cluster.topology import Topology
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import ASKING, WRITE, Command, QueuedCommand
from gossamer.node.resp.errors import CROSSSLOT, SLOT_UNSERVED, Refusal


def redirect_for(call: Call, cmd: Command, commands: list[QueuedCommand], asked: bool = False) -> bytes | None:
    """None if this node serves the request, else the error that redirects the client.

    ``commands``: what the request stands for, itself or what is queued. ``asked``: after ASKING.
    """
    if len(commands) == 1 and commands[0][0] is cmd:
        return redirect_one(call, cmd, commands[0][1], asked)
    return redirect_keys(call, cmd, commands, keys_of(commands), asked)


def redirect_one(call: Call, cmd: Command, argv: list[bytes], asked: bool = False) -> bytes | None:
    """The same for a request that stands for itself."""
    if cmd.simple_keys and cmd.first_key > 0:
        first = cmd.first_key
        if first >= len(argv):
            return None
        key = argv[first]
        slot = call.slot_of(key)
        if cmd.last_key == first:
            if call.server.served[slot]:
                return None
            return decide_redirect(call, cmd, [(cmd, argv)], [key], slot, asked)
    try:
        keys = cmd.keys_of(argv)
    except Refusal:
        return None
    return redirect_keys(call, cmd, [(cmd, argv)], keys, asked)


def keys_of(commands: list[QueuedCommand]) -> list[bytes]:
    keys: list[bytes] = []
    for cmd, argv in commands:
        keys += cmd.keys_of(argv)
    return keys


def redirect_keys(
    call: Call, cmd: Command, commands: list[QueuedCommand], keys: list[bytes], asked: bool
) -> bytes | None:
    if not keys:
        return None
    slot = call.slot_of(keys[0])
    for key in keys[1:]:
        if key_slot(key) != slot:
            return CROSSSLOT
    if call.server.served[slot]:
        return None
    return decide_redirect(call, cmd, commands, keys, slot, asked)


def decide_redirect(
    call: Call, cmd: Command, commands: list[QueuedCommand], keys: list[bytes], slot: int, asked: bool
) -> bytes | None:
    """The slot is not plainly ours: let ``route`` decide."""
    server = call.server
    client = call.client
    topology = server.topology
    if topology is None:
        return SLOT_UNSERVED
    call.now = server.now
    named = set(keys)
    missing = sum(1 for key in named if not call.exists(key))
    asking = asked or bool(cmd.flags & ASKING)
    writes = any(queued.flags & WRITE for queued, _ in commands)
    request = Request(slot, len(named), missing, writes, asking, client.readonly)
    request.moves = cmd.name == "migrate"
    told = route(topology, server.policy, request)
    if told is None and client.readonly and topology.myself.primary is not None:
        return unsettled(server, topology, slot)
    return told


def unsettled(server: Server, topology: Topology, slot: int) -> bytes | None:
    """A replica serves ``slot`` from its copy: where to instead while its stream and the bus do not say the same of it.

    What the bus says is the primary's may have its keys beside the data still, or have none any more.
    """
    if server.slot_imports.comes(slot):
        owner = topology.owners[slot]
        assert owner is not None, "route has found it"
        return redirect(b"MOVED", slot, topology.nodes[owner], server.policy)
    target = server.departed.owner_of(slot, server.now)
    if target is not None and target in topology.nodes:
        return redirect(b"ASK", slot, topology.nodes[target], server.policy)
    return None
