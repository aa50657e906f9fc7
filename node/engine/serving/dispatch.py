"""From an argument list to a reply: find the command, ask the gates, run it.

The common request (no mode set, no special condition) passes all gates with two comparisons.
"""

from gossamer.node.engine.clients.client import SLOT_EXPORTER, TRACKS
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.cross_protocol import hang_up, is_browser
from gossamer.node.engine.serving.gates import gates
from gossamer.node.engine.serving.invoke import run
from gossamer.node.engine.serving.redirect import redirect_one
from gossamer.node.engine.serving.refuse import refuse, refuse_unread
from gossamer.node.engine.serving.tracked import run_tracked
from gossamer.node.engine.table.command import lookup
from gossamer.node.resp.errors import unknown_command, unknown_subcommand, wrong_arity
from gossamer.node.resp.reply import Reply


def execute(call: Call, argv: list[bytes]) -> Reply:
    """Serve one request of ``call.client``; its reply, or ``RETRY`` if it waits."""
    server = call.server
    word = argv[0]
    cmd = call.command if word == call.word else None
    if cmd is None:
        cmd = server.table.get(word)
        if cmd is not None and not cmd.subcommands:
            call.word = word
            call.command = cmd
        else:
            cmd = lookup(server.table, argv)
            if cmd is None and call.client.modes & SLOT_EXPORTER:
                cmd = server.commands.in_stream(argv)
            if cmd is None:
                if is_browser(word):
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
        if client.modes & TRACKS:
            return run_tracked(call, cmd, argv)
    elif server.clustered and cmd.keys:
        redirected = redirect_one(call, cmd, argv)
        if redirected is not None:
            return refuse(call, cmd, redirected)
    return run(call, cmd, argv)
