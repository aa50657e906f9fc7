"""Requests of a node that hands over slots: they fill the import, and nobody else hears of them yet."""

from gossamer.cluster.text import bytes_of
from gossamer.node.engine.clients.waiting import PAUSE
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.invoke import run
from gossamer.node.engine.state import PAUSED
from gossamer.node.engine.stream.journal import slot_of
from gossamer.node.engine.table.command import MAY_REPLICATE, WRITE, Command
from gossamer.node.resp.reply import NO_REPLY, Failure, Reply


def import_request(call: Call, cmd: Command, argv: list[bytes]) -> Reply:
    """A write must be for keys of these, and is nobody else's business yet.

    Nothing is answered; the request waits while writes are held back, for the stream stands still then.
    """
    server, client = call.server, call.client
    slot_import = server.slot_imports.by_client.get(client.id)
    if slot_import is None:
        return NO_REPLY
    if server.commands.renamed:
        cmd = server.commands.in_stream(argv) or cmd
    text = b""
    if cmd.flags & (WRITE | MAY_REPLICATE):
        if server.conditions & PAUSED:
            return server.waiting.postpone(client, PAUSE)
        if cmd.simple_keys and 0 < cmd.first_key < len(argv):
            slot = call.slot_of(argv[cmd.first_key])
        else:
            slot = slot_of(cmd, argv)
        if slot >= 0 and slot_import.slots[slot]:
            call.db = slot_import.db
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
        server.migrations.failed(client, text)
    return NO_REPLY
