"""A request that may run: call its handler, account for it, tell the journal, MONITOR and the replies that wait.

``run`` is entered again for what EXEC contains (later for what scripts and functions call). Only the outermost request
ends a group in the journal and is answered, so only there the group is closed and the waiting for replicas begins.
"""

from gossamer.node.engine.insight.monitor import feed_monitors
from gossamer.node.engine.server import ACKING, MONITORED, Server
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.client import Client
from gossamer.node.engine.serving.waiting import RETRY
from gossamer.node.engine.table.command import ADMIN, FAST, SKIP_MONITOR, SKIP_SLOWLOG, Command
from gossamer.node.resp.errors import Refusal
from gossamer.node.resp.reply import Failure, Reply


def run(call: Call, cmd: Command, argv: list[bytes], nested: bool = False) -> Reply:
    """Run ``argv``, which every gate lets pass. ``nested``: as a part of another request, which is running."""
    server = call.server
    client = call.client
    call.now = server.now
    call.counting = cmd.reads
    if call.effects is not None:
        call.forget_effects()
    client.last_command = cmd
    began = server.last_end_us
    failed = 0
    try:
        reply = invoke(call, cmd, argv)
    except Refusal as refusal:
        server.stats.count_error(refusal.text)
        reply = Failure(refusal.text)
        failed = 1
    if reply is RETRY:
        return reply  # it has not run yet, and will be counted when it has
    end = server.clock() // 1000
    took = end - began
    server.last_end_us = end
    usage = server.usages.by_number[cmd.number]  # only now: CONFIG RESETSTAT counts as the first call after it
    if usage is None:
        usage = server.usages.of(cmd)
    usage.calls += 1
    usage.failed_calls += failed
    usage.microseconds += took
    usage.histogram[took.bit_length()] += 1
    server.stats.total_commands_processed += 1
    if took >= server.slow_us:
        notice(server, client, cmd, argv, took)
    if server.journal.open:
        server.journal.ran(client, cmd, argv, call.db, call.effects, nested)
    if server.conditions & (MONITORED | ACKING):
        tell(call, cmd, argv, reply, nested)
    return reply


def invoke(call: Call, cmd: Command, argv: list[bytes]) -> Reply:
    """What the handler of ``cmd`` answers; raises Refusal where that is an error."""
    arity = cmd.arity
    if arity < 0:
        return cmd.handler(call, argv)
    if arity == 2:
        return cmd.handler(call, argv[1])
    if arity == 3:
        return cmd.handler(call, argv[1], argv[2])
    if arity == 1:
        return cmd.handler(call)
    return cmd.handler(call, *argv[1:])


def tell(call: Call, cmd: Command, argv: list[bytes], reply: Reply, nested: bool) -> None:
    """``cmd`` has run: so much for those who want to know of it."""
    server = call.server
    if server.conditions & ACKING:
        server.acks.ran(call.client, cmd, argv, reply, nested)
    if server.conditions & MONITORED and not cmd.flags & (SKIP_MONITOR | ADMIN):
        feed_monitors(server, call.client, argv)


def notice(server: Server, client: Client, cmd: Command, argv: list[bytes], took_us: int) -> None:
    """A request took long: SLOWLOG and LATENCY may want to know."""
    if took_us >= server.slowlog.slower_than >= 0 and not cmd.flags & SKIP_SLOWLOG:
        server.slowlog.record(server.now_s, took_us, argv, client.addr, client.name)
    server.latency.add("fast-command" if cmd.flags & FAST else "command", server.now_s, took_us // 1000)
