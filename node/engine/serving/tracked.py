"""A request of a client that takes part in client tracking: what it reads is remembered, what it changes is told later.

Only commands that read are remembered, with all keys that their specs find, also where they have failed. Of EXEC the
parts are looked at, each when it has run, as in Redis (server.c, ``call``).
"""

from gossamer.node.engine.clients.client import IN_MULTI, Client
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.invoke import run
from gossamer.node.engine.table.command import Command
from gossamer.node.resp.errors import Refusal
from gossamer.node.resp.reply import Reply


def run_tracked(call: Call, cmd: Command, argv: list[bytes]) -> Reply:
    """As ``run``. One that waits for keys has read them: they are remembered when it begins to wait, too."""
    tracking = call.server.tracking
    tracking.current = call.client
    try:
        reply = run(call, cmd, argv)
    finally:
        tracking.current = None
    remember(call.server, call.client, cmd, argv)
    return reply


def ran_in_exec(server: Server, client: Client, cmd: Command, argv: list[bytes]) -> None:
    """A part of EXEC has run. It may be the one by which ``client`` takes part."""
    server.tracking.current = client
    remember(server, client, cmd, argv)


def remember(server: Server, client: Client, cmd: Command, argv: list[bytes]) -> None:
    if not cmd.reads or not cmd.keys:
        return
    tracker = client.tracker
    if tracker is None or not tracker.remembers():
        return
    try:
        server.tracking.remember(client, cmd.keys_of(argv))
    except Refusal:
        return  # the keys cannot be told, and so nothing was read


def begin(server: Server, client: Client, cmd: Command | None) -> None:
    """``client``, which takes part, has sent a request, perhaps of no command; it is not run anew."""
    tracker = client.tracker
    if tracker is not None and server.waiting.retried is None:
        of_client = cmd is not None and cmd.name.startswith("client|")
        tracker.begins(of_client, bool(client.modes & IN_MULTI))
