"""From an argument list to a reply: find the command, ask the gates, run the handler, keep the books.

The order of the checks is what a client can observe (server.c, processCommand in Redis 7.0): unknown command, arity,
protected commands, authentication, cluster redirect, MULTI's queue, CLIENT PAUSE. The common request (no mode set, no
special condition) passes all gates with two comparisons.
"""

from typing import Final

from gossamer.cluster.route import Request, route
from gossamer.cluster.slots import key_slot
from gossamer.cluster.text import bytes_of
from gossamer.node.engine.browser import hang_up, is_browser
from gossamer.node.engine.call import Call
from gossamer.node.engine.client import (
    ASKED,
    HANDING_OVER,
    IN_MULTI,
    MONITORING,
    NOT_TO_PAUSE,
    SKIP_NEXT_REPLY,
    SKIP_THIS_REPLY,
    UNAUTHENTICATED,
    Client,
)
from gossamer.node.engine.command import (
    ADMIN,
    ASKING,
    DENYOOM,
    FAST,
    MAY_REPLICATE,
    NO_AUTH,
    NO_MULTI,
    PROTECTED,
    READONLY,
    SKIP_MONITOR,
    SKIP_SLOWLOG,
    STALE,
    UNQUEUED,
    WRITE,
    Command,
    lookup,
)
from gossamer.node.engine.feed import slot_of
from gossamer.node.engine.monitor import feed_monitors
from gossamer.node.engine.server import (
    ACKING,
    EVERYTHING,
    FEW_REPLICAS,
    FOLLOWING,
    FULL,
    LEAVING,
    LINK_DOWN,
    MONITORED,
    PAUSED,
    RETURNED,
    Server,
)
from gossamer.node.resp.errors import (
    CROSSSLOT,
    DEBUG_NOT_ALLOWED,
    EXECABORT_BECAUSE,
    LINK_IS_DOWN,
    MONITORS_ONLY,
    NOAUTH,
    NOT_ENOUGH_REPLICAS,
    OUT_OF_MEMORY,
    READ_ONLY_REPLICA,
    RETURNED_EMPTY,
    Refusal,
    unknown_command,
    unknown_subcommand,
    wrong_arity,
)
from gossamer.node.resp.reply import NO_REPLY, QUEUED, Failure, Reply

NOT_QUEUED: Final = ("discard", "quit", "reset")
"""What of a transaction a full node still hears, as Redis 7.0 (7.2 adds MULTI and WATCH, which are errors there)."""

HOLD: Final = Failure(b"held")
"""Not a reply: the request must wait, the session keeps it and tries again when the hold ends."""
AWAIT: Final = Failure(b"awaits a key")
"""The same, until the key that the request changes has arrived at another node, or stays after all."""


def execute(call: Call, argv: list[bytes]) -> Reply:
    """Serve one request of ``call.client``; its reply, or ``HOLD`` or ``AWAIT``."""
    server = call.server
    cmd = server.table.get(argv[0])
    if cmd is None or cmd.subcommands:
        cmd = lookup(server.table, argv)
        if cmd is None and call.client.modes & HANDING_OVER:
            cmd = server.commands.in_stream(argv)
        if cmd is None:
            if is_browser(argv[0]):
                hang_up(server, call.client)
            return refuse_unread(call, None, unknown_command(argv))
    count = len(argv)
    arity = cmd.arity
    if count != arity and (arity > 0 or count < -arity):
        return refuse_unread(call, cmd, wrong_arity(cmd.name))
    if cmd.subcommands and count > 1:
        return refuse_unread(call, None, unknown_subcommand(argv[1], argv[0]))
    client = call.client
    if client.modes or server.conditions or cmd.guarded:
        stopped = gates(call, cmd, argv)
        if stopped is not None:
            return stopped
    elif server.clustered and cmd.keys:
        redirected = locate(call, cmd, argv)
        if redirected is not None:
            return refuse(call, cmd, redirected)
    return run(call, cmd, argv)


def run(call: Call, cmd: Command, argv: list[bytes]) -> Reply:
    """Call the handler of ``cmd``, which may run now, and count it."""
    server = call.server
    client = call.client
    call.now = server.now
    call.counting = cmd.reads
    client.last_command = cmd
    try:
        arity = cmd.arity
        if arity < 0:
            reply = cmd.handler(call, argv)
        elif arity == 2:
            reply = cmd.handler(call, argv[1])
        elif arity == 3:
            reply = cmd.handler(call, argv[1], argv[2])
        elif arity == 1:
            reply = cmd.handler(call)
        else:
            reply = cmd.handler(call, *argv[1:])
    except Refusal as refusal:
        server.stats.count_error(refusal.text)
        reply = Failure(refusal.text)
        cmd.failed_calls += 1
    end = server.clock() // 1000
    took = end - server.lap
    server.lap = end
    cmd.calls += 1
    cmd.microseconds += took
    server.stats.total_commands_processed += 1
    cmd.histogram[took.bit_length()] += 1
    if took >= server.noticed_us:
        notice(server, client, cmd, argv, took)
    if server.feed is not None:
        server.feed.observe(client, cmd, argv, call.db)
    if server.conditions & (MONITORED | ACKING):
        tell(call, cmd, argv, reply)
    return reply


def tell(call: Call, cmd: Command, argv: list[bytes], reply: Reply) -> None:
    """``cmd`` has run: so much for those who want to know of it."""
    server = call.server
    if server.conditions & ACKING:
        server.acks.ran(call, cmd, argv, reply)
    if server.conditions & MONITORED and not cmd.flags & (SKIP_MONITOR | ADMIN):
        feed_monitors(server, call.client, argv)


def notice(server: Server, client: Client, cmd: Command, argv: list[bytes], took_us: int) -> None:
    """A request took long: SLOWLOG and LATENCY may want to know."""
    if took_us >= server.slowlog.slower_than >= 0 and not cmd.flags & SKIP_SLOWLOG:
        server.slowlog.record(server.now_s, took_us, argv, client.addr, client.name)
    server.latency.add("fast-command" if cmd.flags & FAST else "command", server.now_s, took_us // 1000)


def refuse_unread(call: Call, cmd: Command | None, text: bytes) -> Failure:
    """Refuse what cannot be a request of any command, or not of ``cmd``; it counts as one for CLIENT REPLY SKIP."""
    if call.client.modes & (ASKED | SKIP_THIS_REPLY | SKIP_NEXT_REPLY):
        step_modes(call.client, opens=False)
    if call.client.modes & HANDING_OVER:
        call.server.moves.failed(call.client, text)
    return refuse(call, cmd, text if cmd is None else aborting(call.client, cmd, text))


def aborting(client: Client, cmd: Command, text: bytes) -> bytes:
    """``text``, but for an EXEC that is refused: it ends the transaction, and says so."""
    if cmd.name != "exec":
        return text
    client.forget_transaction()
    return EXECABORT_BECAUSE + text.removeprefix(b"ERR ")


def refuse(call: Call, cmd: Command | None, text: bytes) -> Failure:
    """The request is not run: an open MULTI is spoilt, and INFO counts the error."""
    client = call.client
    if client.modes & IN_MULTI:
        client.queue_broken = True
    call.server.stats.count_error(text)
    if cmd is not None:
        cmd.rejected_calls += 1
    return Failure(text)


def gates(call: Call, cmd: Command, argv: list[bytes]) -> Reply | None:
    """The checks that only some clients, commands and moments need; None if the command may run."""
    client = call.client
    server = call.server
    modes = client.modes
    if modes & HANDING_OVER:
        return take_in(call, cmd, argv)
    asked = bool(modes & ASKED)
    if modes & (ASKED | SKIP_THIS_REPLY | SKIP_NEXT_REPLY):
        step_modes(client, opens=cmd.name == "multi")
    if cmd.flags & PROTECTED and not may_debug(server, client):
        return refuse(call, cmd, DEBUG_NOT_ALLOWED)
    if client.modes & UNAUTHENTICATED and not cmd.flags & NO_AUTH:
        return refuse(call, cmd, aborting(client, cmd, NOAUTH))
    if cmd.flags & NO_MULTI and client.modes & IN_MULTI:
        return refuse(call, cmd, b"ERR Command not allowed inside a transaction")
    if server.clustered and (cmd.keys or cmd.name == "exec"):
        redirected = locate(call, cmd, argv, asked)
        if redirected is not None:
            if server.conditions & ACKING and redirected.startswith(b"ASK "):
                server.acks.redirected(call, queued_keys(client) if cmd.name == "exec" else cmd.keys_of(argv))
            if cmd.name == "exec":
                client.forget_transaction()
            return refuse(call, cmd, redirected)
    if server.conditions & FULL and server.is_full() and takes_memory(client, cmd):
        return refuse(call, cmd, aborting(client, cmd, OUT_OF_MEMORY))
    if server.conditions & (FOLLOWING | LINK_DOWN | FEW_REPLICAS | RETURNED):
        refusal = stands_against(server, client, cmd)
        if refusal is not None:
            return refuse(call, cmd, aborting(client, cmd, refusal))
    if modes & (MONITORING | NOT_TO_PAUSE) and cmd.flags & (READONLY | WRITE | MAY_REPLICATE):
        client.last_command = cmd
        return refuse(call, cmd, MONITORS_ONLY)
    if server.conditions & PAUSED and holds(server, client, cmd):
        client.modes = modes
        return HOLD
    if client.modes & IN_MULTI and not cmd.flags & UNQUEUED:
        client.queue.append((cmd, argv))
        return QUEUED
    if server.conditions & LEAVING and changes_leaving(server, client, cmd, argv):
        client.modes = modes
        return AWAIT
    return None


def take_in(call: Call, cmd: Command, argv: list[bytes]) -> Reply:
    """A request of a node that hands over slots. A write must be for keys of these, and is nobody else's business yet.

    Nothing is answered; ``HOLD`` while writes are held back, for the stream stands still then.
    """
    server, client = call.server, call.client
    intake = server.intakes.get(client.id)
    if intake is None:
        return NO_REPLY
    if server.commands.renamed:
        cmd = server.commands.in_stream(argv) or cmd
    text = b""
    if cmd.flags & WRITE:
        if server.conditions & PAUSED:
            return HOLD
        if cmd.simple_keys and 0 < cmd.first_key < len(argv):
            call.route_key = argv[cmd.first_key]
            slot = call.route_slot = key_slot(call.route_key)
        else:
            slot = slot_of(cmd, argv)
        if slot >= 0 and intake.slots[slot]:
            call.db = intake.db
            reply = run(call, cmd, argv)
            if isinstance(reply, Failure):
                text = reply.text
        else:
            text = b"ERR A write that is not for the slots of this migration"
    elif cmd.name in ("cluster|syncslots", "ping"):
        run(call, cmd, argv)
    elif cmd.name != "select" or argv[1] != b"0":
        text = b"ERR %s is not part of a slot migration here" % bytes_of(cmd.name)
    if text:
        server.moves.failed(client, text)
    return NO_REPLY


def stands_against(server: Server, client: Client, cmd: Command) -> bytes | None:
    """What forbids ``cmd`` because of the node's place in replication; None if nothing does."""
    conditions = server.conditions
    if conditions & (FOLLOWING | FEW_REPLICAS) and writes(client, cmd):
        return NOT_ENOUGH_REPLICAS if conditions & FEW_REPLICAS else READ_ONLY_REPLICA
    if conditions & RETURNED and server.acks.wanted and cmd.flags & (READONLY | WRITE) and cmd.keys:
        return RETURNED_EMPTY
    if conditions & LINK_DOWN and needs_link(client, cmd):
        return LINK_IS_DOWN
    return None


def needs_link(client: Client, cmd: Command) -> bool:
    """Is ``cmd`` nothing for a replica that has lost its primary, or the end of a transaction with such a command?

    It may have been queued while the link was there.
    """
    if cmd.name == "exec":
        return any(not queued.flags & STALE for queued, _ in client.queue)
    return not cmd.flags & STALE


def takes_memory(client: Client, cmd: Command) -> bool:
    """Could ``cmd`` make a full node fuller? So does whatever is queued for EXEC."""
    if cmd.name == "exec":
        return any(queued.flags & DENYOOM for queued, _ in client.queue)
    if client.modes & IN_MULTI and cmd.name not in NOT_QUEUED:
        return True
    return bool(cmd.flags & DENYOOM)


def writes(client: Client, cmd: Command) -> bool:
    """Is ``cmd`` a write, or the end of a transaction with one?"""
    if cmd.name == "exec":
        return any(queued.flags & WRITE for queued, _ in client.queue)
    return bool(cmd.flags & WRITE)


def step_modes(client: Client, opens: bool) -> None:
    """Modes that last for one request: ASKING ends, CLIENT REPLY SKIP takes hold of this request, then ends.

    ASKING lasts for a whole transaction: the request ``opens`` one, or one is open and will end it.
    """
    modes = client.modes & ~SKIP_THIS_REPLY
    if not (opens or modes & IN_MULTI):
        modes &= ~ASKED
    if modes & SKIP_NEXT_REPLY:
        modes = (modes & ~SKIP_NEXT_REPLY) | SKIP_THIS_REPLY
    client.modes = modes


def may_debug(server: Server, client: Client) -> bool:
    allowed = server.protected_debug
    return allowed == "yes" or (allowed == "local" and is_local(client))


def is_local(client: Client) -> bool:
    """Is the client on this machine?"""
    return client.unix or client.addr.startswith(("127.", "[::1]", "::1"))


def holds(server: Server, client: Client, cmd: Command) -> bool:
    """Does CLIENT PAUSE keep this request waiting? What may write always; in mode ALL all, even UNPAUSE."""
    if client.modes & (MONITORING | NOT_TO_PAUSE):
        return False
    if server.pause_flags == EVERYTHING:
        return True
    if cmd.name == "exec":
        return any(queued.flags & server.pause_flags for queued, _ in client.queue)
    return bool(cmd.flags & server.pause_flags)


def changes_leaving(server: Server, client: Client, cmd: Command, argv: list[bytes]) -> bool:
    """Could it change a key, or a slot, that is under way to another node, or see what may have changed there?"""
    if cmd.name != "exec":
        return touches_leaving(server, cmd, argv)
    return any(touches_leaving(server, queued, request) for queued, request in client.queue)


def touches_leaving(server: Server, cmd: Command, argv: list[bytes]) -> bool:
    if not cmd.flags & WRITE:
        return bool(server.closed_slots) and reads_closed(server, cmd, argv)
    if not cmd.keys:
        return True  # FLUSHALL and its like: all keys
    try:
        keys = cmd.keys_of(argv)
    except Refusal:
        return False
    if server.leaving_slots and any(key_slot(key) in server.leaving_slots for key in keys):
        return True
    return not server.leaving.isdisjoint(keys)


def reads_closed(server: Server, cmd: Command, argv: list[bytes]) -> bool:
    """Would ``cmd``, which changes nothing, read a slot that writers may have elsewhere?"""
    if not (cmd.flags & READONLY and cmd.keys):
        return False
    try:
        return any(key_slot(key) in server.closed_slots for key in cmd.keys_of(argv))
    except Refusal:
        return False


# --- cluster


def locate(call: Call, cmd: Command, argv: list[bytes], asked: bool = False) -> bytes | None:
    """None if this node serves the request, else the error that redirects the client."""
    if cmd.simple_keys and cmd.first_key > 0:
        first = cmd.first_key
        if first >= len(argv):
            return None
        key = argv[first]
        slot = key_slot(key)
        call.route_key = key
        call.route_slot = slot
        if cmd.last_key == first:
            if call.server.served[slot]:
                return None
            return consult(call, cmd, [key], slot, asked)
    if cmd.name == "exec":
        keys = queued_keys(call.client)
    else:
        try:
            keys = cmd.keys_of(argv)
        except Refusal:
            return None
    return locate_keys(call, cmd, keys, asked)


def queued_keys(client: Client) -> list[bytes]:
    keys: list[bytes] = []
    for cmd, argv in client.queue:
        keys += cmd.keys_of(argv)
    return keys


def locate_keys(call: Call, cmd: Command, keys: list[bytes], asked: bool) -> bytes | None:
    if not keys:
        return None
    slot = key_slot(keys[0])
    for key in keys:
        if key_slot(key) != slot:
            return CROSSSLOT
    if call.server.served[slot]:
        return None
    return consult(call, cmd, keys, slot, asked)


def consult(call: Call, cmd: Command, keys: list[bytes], slot: int, asked: bool) -> bytes | None:
    """The slot is not plainly ours: let ``route`` decide."""
    server = call.server
    client = call.client
    topology = server.topology
    if topology is None:
        return b"CLUSTERDOWN Hash slot not served"
    call.now = server.now
    named = set(keys)
    missing = sum(1 for key in named if not call.exists(key))
    asking = asked or bool(cmd.flags & ASKING)
    request = Request(slot, len(named), missing, writes(client, cmd), asking, client.readonly)
    request.moves = cmd.name == "migrate"
    return route(topology, server.policy, request)
