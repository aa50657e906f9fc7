"""May a request run? The checks that stand between a command and its handler, in the order that a client can observe
(server.c, processCommand in Redis 7.0): protected commands, authentication, what MULTI forbids, cluster redirect,
memory, the node's place in replication, MULTI's commands, CLIENT PAUSE, keys under way to another node.

EXEC stands for what it contains: ``commands`` is that list, of one request where nothing is queued, and every gate asks
about each of them.
"""

from typing import Final

from gossamer.node.engine.clients.client import (
    ASKED,
    IN_MULTI,
    MONITORING,
    NOT_TO_PAUSE,
    SKIP_NEXT_REPLY,
    SKIP_THIS_REPLY,
    SLOT_EXPORTER,
    TRACKS,
    UNAUTHENTICATED,
    Client,
)
from gossamer.node.engine.clients.pause import EVERYTHING
from gossamer.node.engine.clients.waiting import LEAVING_KEYS, PAUSE, RETRY
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.importing import import_request
from gossamer.node.engine.serving.redirect import keys_of, redirect_for
from gossamer.node.engine.serving.refuse import aborting, refuse, step_modes
from gossamer.node.engine.serving.tracked import begin
from gossamer.node.engine.state import (
    ACKING,
    FEW_REPLICAS,
    FOLLOWING,
    FULL,
    LEAVING,
    LINK_DOWN,
    PAUSED,
    RETURNED,
    SPILLING,
    UNSAVED,
)
from gossamer.node.engine.state import LOADING as STILL_LOADING
from gossamer.node.engine.table.command import (
    DENYOOM,
    LOADING,
    MAY_REPLICATE,
    NO_AUTH,
    NO_MULTI,
    PROTECTED,
    READONLY,
    STALE,
    UNQUEUED,
    WRITE,
    Command,
    QueuedCommand,
)
from gossamer.node.resp.errors import (
    DEBUG_NOT_ALLOWED,
    LINK_IS_DOWN,
    LOADING_DATA,
    MONITORS_ONLY,
    NOAUTH,
    NOT_ENOUGH_REPLICAS,
    OUT_OF_MEMORY,
    READ_ONLY_REPLICA,
    RETURNED_EMPTY,
)
from gossamer.node.resp.reply import QUEUED, Reply

NOT_QUEUED: Final = ("discard", "quit", "reset")
"""What of a transaction a full node still hears, as Redis 7.0 (7.2 adds MULTI and WATCH, which are errors there)."""


def gates(call: Call, cmd: Command, argv: list[bytes]) -> Reply | None:
    """The checks that only some clients, commands and moments need; None if the command may run."""
    client = call.client
    server = call.server
    modes = client.modes
    if modes & SLOT_EXPORTER:
        return import_request(call, cmd, argv)
    asked = bool(modes & ASKED)
    if modes & (ASKED | SKIP_THIS_REPLY | SKIP_NEXT_REPLY):
        step_modes(client, opens=cmd.name == "multi")
    if modes & TRACKS:
        begin(server, client, cmd)
    if cmd.flags & PROTECTED and not may_debug(server, client):
        return refuse(call, cmd, DEBUG_NOT_ALLOWED)
    if client.modes & UNAUTHENTICATED and not cmd.flags & NO_AUTH:
        return refuse(call, cmd, aborting(client, cmd, NOAUTH))
    if cmd.flags & NO_MULTI and client.modes & IN_MULTI:
        return refuse(call, cmd, b"ERR Command not allowed inside a transaction")
    commands = client.queue if cmd.runs_queue else [(cmd, argv)]
    if server.clustered and (cmd.keys or cmd.runs_queue):
        redirected = redirect_for(call, cmd, commands, asked)
        if redirected is not None:
            if server.conditions & ACKING and redirected.startswith(b"ASK "):
                server.acks.redirected(client, keys_of(commands))
            if cmd.runs_queue:
                client.forget_transaction()
            return refuse(call, cmd, redirected)
    if server.conditions & FULL and server.make_room() and takes_memory(client, cmd, commands):
        return refuse(call, cmd, aborting(client, cmd, OUT_OF_MEMORY))
    if server.conditions & (FOLLOWING | LINK_DOWN | FEW_REPLICAS | RETURNED | UNSAVED | STILL_LOADING):
        refusal = state_gate(server, cmd, commands)
        if refusal is not None:
            return refuse(call, cmd, aborting(client, cmd, refusal))
    if modes & (MONITORING | NOT_TO_PAUSE) and cmd.flags & (READONLY | WRITE | MAY_REPLICATE):
        client.last_command = cmd
        return refuse(call, cmd, MONITORS_ONLY)
    if server.conditions & PAUSED and pauses(server, client, commands):
        client.modes = modes
        return server.waiting.postpone(client, PAUSE)
    if client.modes & IN_MULTI and not cmd.flags & UNQUEUED:
        client.queue.append((cmd, argv))
        return QUEUED
    if server.conditions & LEAVING and any(server.leaving.touched_by(queued, words) for queued, words in commands):
        client.modes = modes
        return server.waiting.postpone(client, LEAVING_KEYS)
    if server.conditions & SPILLING and server.vm.holds_up(client, commands):
        client.modes = modes
        return RETRY
    return None


def any_flag(commands: list[QueuedCommand], flags: int) -> bool:
    """Has one of ``commands`` one of these flags?"""
    return any(cmd.flags & flags for cmd, _ in commands)


def state_gate(server: Server, cmd: Command, commands: list[QueuedCommand]) -> bytes | None:
    """What forbids a request because of the node's disk and its place in replication; None if nothing does.

    A part may have been queued while the link to the primary was there.
    """
    conditions = server.conditions
    if conditions & UNSAVED and not conditions & FOLLOWING and (cmd.name == "ping" or any_flag(commands, WRITE)):
        return server.saves.refusal()
    if conditions & (FOLLOWING | FEW_REPLICAS) and any_flag(commands, WRITE):
        return NOT_ENOUGH_REPLICAS if conditions & FEW_REPLICAS else READ_ONLY_REPLICA
    if conditions & RETURNED and server.acks.wanted and cmd.flags & (READONLY | WRITE) and cmd.keys:
        return RETURNED_EMPTY
    if conditions & LINK_DOWN and any(not queued.flags & STALE for queued, _ in commands):
        return LINK_IS_DOWN
    if conditions & STILL_LOADING and (
        not cmd.flags & LOADING or any(not queued.flags & LOADING for queued, _ in commands)
    ):
        return LOADING_DATA
    return None


def takes_memory(client: Client, cmd: Command, commands: list[QueuedCommand]) -> bool:
    """Could the request make a full node fuller? So does whatever is queued for EXEC."""
    if client.modes & IN_MULTI and not cmd.runs_queue and cmd.name not in NOT_QUEUED:
        return True
    return any_flag(commands, DENYOOM)


def may_debug(server: Server, client: Client) -> bool:
    allowed = server.access.debug
    return allowed == "yes" or (allowed == "local" and is_local(client))


def is_local(client: Client) -> bool:
    """Is the client on this machine?"""
    return client.unix or client.addr.startswith(("127.", "[::1]", "::1"))


def pauses(server: Server, client: Client, commands: list[QueuedCommand]) -> bool:
    """Does CLIENT PAUSE keep this request waiting? What may write always; in mode ALL all, even UNPAUSE."""
    if client.modes & (MONITORING | NOT_TO_PAUSE):
        return False
    return server.pause.flags == EVERYTHING or any_flag(commands, server.pause.flags)
