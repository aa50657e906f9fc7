"""A request that may run: invoke its handler, account for it, tell the journal, MONITOR and the replies that wait.

``run`` is entered again for what EXEC contains (later for what scripts and functions call). Only the outermost request
ends a group in the journal and is answered, so only there the group is closed and the waiting for replicas begins.
"""

from gossamer.node.engine.clients.waiting import RETRY
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.state import ACKING, MONITORED
from gossamer.node.engine.table.command import ADMIN, SKIP_MONITOR, Command
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
        if call.effects and server.journal.open:  # XREADGROUP has made a consumer, and waits
            server.journal.ran(client, cmd, argv, call.db, call.effects, nested)
        if server.conditions & MONITORED:
            monitor(call, cmd, argv)
            call.monitored = argv
        return reply  # it has not run yet, and will be counted when it has
    account(call, cmd, argv, began, failed)
    if server.journal.open:
        server.journal.ran(client, cmd, argv, call.db, call.effects, nested)
    if server.conditions & (MONITORED | ACKING):
        tell(call, cmd, argv, reply, nested)
    return reply


def account(call: Call, cmd: Command, argv: list[bytes], began: int, failed: int) -> None:
    """Count ``cmd``, which has run since ``began`` (microseconds). ``failed``: 1 if it was refused, else 0."""
    server = call.server
    end = server.clock() // 1000
    took = end - began
    server.last_end_us = end
    usage = server.usages.by_number[cmd.number]  # only now: CONFIG RESETSTAT counts as the first call after it
    if usage is None:
        usage = server.usages.of(cmd)
    usage.calls += 1
    usage.failed_calls += failed
    usage.microseconds += took
    histogram = usage.histogram
    bucket = took.bit_length()
    histogram[bucket] = histogram[bucket] + 1  # compiled, this adds machine integers, and ``+=`` would add objects
    server.stats.total_commands_processed += 1
    if took >= server.slow_us:
        server.slow.notice(cmd, argv, took, call.client.addr, call.client.name)


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
    if server.conditions & MONITORED:
        monitor(call, cmd, argv)
    call.monitored = None


def monitor(call: Call, cmd: Command, argv: list[bytes]) -> None:
    """Tell MONITOR of ``argv`` once: when it begins to wait, if it does, and not again when it runs anew."""
    if argv is not call.monitored and not cmd.flags & (SKIP_MONITOR | ADMIN):
        call.server.monitors.feed(call.client, argv)
