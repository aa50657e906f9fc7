"""Runs the stream of the primary.

The stream is applied through the same dispatch as requests, by a client that may all and is answered nothing. The
offset counts bytes of whole commands, and inside MULTI stays before it: what has to be said again is said again.
"""

from typing import Final

from gossamer.node.engine.clients.client import IN_MULTI, Client
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.invoke import run
from gossamer.node.engine.serving.unexpected import survive, told
from gossamer.node.engine.table.command import UNQUEUED
from gossamer.node.replication.base import ReplicationBase
from gossamer.node.replication.lines import shown
from gossamer.node.resp.parser import Parser
from gossamer.node.resp.reply import Failure

HUGE: Final = 1 << 40
MANY: Final = 100


class Applier:
    """Runs the stream: a privileged client, a parser, and the bytes that are not applied yet."""

    def __init__(self, replication: ReplicationBase) -> None:
        self.replication: ReplicationBase = replication
        self._complained: set[bytes] = set()
        """Commands that failed on this connection: each is told of once, or the log would grow with the stream."""
        self.begin()

    def begin(self) -> None:
        """The stream begins, or goes on."""
        server = self.replication.server
        self.client = Client(server.clients, 0, "", "", False)
        self.client.is_primary = True
        self.client.db = server.keyspace.database(self.replication.history.db)
        self.client.modes = 0
        self._call = Call(server, self.client)
        self._call.privileged = True
        self._parser = Parser()
        self._parser.max_bulk = HUGE
        self._waiting = bytearray()
        self.broken: bool = False
        """A command has raised what nobody expected: the rest of the stream is not to be run."""
        self._complained.clear()

    def break_off(self) -> None:
        """The connection is gone: what was not applied will come again."""
        self.begin()

    def apply(self, data: bytes) -> list[int]:
        """Run what ``data`` completes and pass it on; the offsets at which the primary asks for an ACK."""
        parser, waiting = self._parser, self._waiting
        waiting += data
        parser.feed(data)
        history = self.replication.history
        done = 0
        asked: list[int] = []
        argv = parser.next()
        while argv is not None:
            if len(argv) == 3 and argv[0].upper() == b"REPLCONF":
                if argv[1].upper() == b"GETACK":
                    asked.append(history.offset + done)
            elif not self._survived(argv):
                break
            if not self.client.modes & IN_MULTI:
                done = len(waiting) - parser.behind()
                history.db = self.client.db.index
            argv = parser.next()
        if done:
            self.replication.replicas.relay(bytes(waiting[:done]))
            del waiting[:done]
        return asked

    def _survived(self, argv: list[bytes]) -> bool:
        """Run ``argv``; False, after this was logged, if that raised what nobody expected and changed nothing."""
        server = self.replication.server
        dirty = server.changes.dirty
        try:
            self._run(argv)
        except Exception as error:
            what = f"{told(argv)} of the primary's stream, whose connection is closed"
            survive(server, what, error, server.changes.dirty != dirty)
            self.broken = True
        return not self.broken

    def _run(self, argv: list[bytes]) -> None:
        cmd = self.replication.server.commands.in_stream(argv)
        if cmd is None or (len(argv) != cmd.arity and (cmd.arity > 0 or len(argv) < -cmd.arity)):
            self._complain(argv, b"unknown, or a wrong number of arguments")
            return
        client = self.client
        if client.modes & IN_MULTI and not cmd.flags & UNQUEUED:
            client.queue.append((cmd, argv))
            return
        call = self._call
        slot_imports = self.replication.server.slot_imports
        if slot_imports.all:
            call.db = slot_imports.place_of(cmd, argv, client.db)
        reply = run(call, cmd, argv)
        call.db = client.db
        if isinstance(reply, Failure):
            self._complain(argv, reply.text)

    def _complain(self, argv: list[bytes], text: bytes) -> None:
        name = argv[0][:32].lower()
        if name in self._complained or len(self._complained) > MANY:
            return
        self._complained.add(name)
        # The first words are those by which logs of Redis are searched for a replica that differs from its primary.
        told = f"== CRITICAL == A command of the primary's stream fails here, which is told once: {shown(argv[0])}"
        self.replication.server.edge.log("warning", f"{told}: {shown(text)}")
