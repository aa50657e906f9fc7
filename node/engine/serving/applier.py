"""A replica's half of the stream: its primary's bytes in, commands run, and the bytes that may be passed on.

The stream is run through the same ``invoke.run`` as requests, by a client that may all and is answered nothing. Whole
commands count, and inside MULTI nothing does before EXEC: what has to be said again is said again.
"""

from typing import Final

from gossamer.cluster.text import text_of
from gossamer.node.engine.clients.client import IN_MULTI, Client
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.invoke import run
from gossamer.node.engine.serving.unexpected import survive, told
from gossamer.node.engine.state import UNSAVED
from gossamer.node.engine.table.command import UNQUEUED, WRITE
from gossamer.node.resp.errors import ProtocolError
from gossamer.node.resp.parser import Parser
from gossamer.node.resp.reply import Failure

HUGE: Final = 1 << 40
MANY: Final = 100
SHOWN: Final = 128
INSIDE: Final = b"a command of the transaction does"
DISK_TOLD_MS: Final = 10_000
"""How often the log says that a replica goes on though its disk fails."""
UNKNOWN: Final = b"unknown, or a wrong number of arguments"


class Applier:
    """Runs the stream of one primary on ``server``."""

    def __init__(self, server: Server) -> None:
        self.server: Server = server
        self.asked: list[int] = []
        """How many bytes ahead of each GETACK ``apply`` has applied in its last call."""
        self._complained: set[bytes] = set()
        """Commands that failed on this connection: each is told of once, or the log would grow with the stream."""
        self._disk_told_ms: int = -DISK_TOLD_MS
        self.begin(0)

    def begin(self, db: int) -> None:
        """The stream begins, or goes on, in database ``db``. What was not applied will come again."""
        self.client: Client = Client(self.server.clients, 0, "", "", False)
        self.client.is_primary = True
        self.client.db = self.server.keyspace.database(db)
        self.client.modes = 0
        self.db: int = db
        """The database that the last whole command left selected."""
        self.broken: bool = False
        """A command has raised what nobody expected: the rest of the stream is not to be run."""
        self._call: Call = Call(self.server, self.client)
        self._call.privileged = True
        self._parser: Parser = Parser()
        self._parser.max_bulk = HUGE
        self._waiting: list[bytes] = []
        """Bytes of commands that are not whole."""
        self._waiting_size: int = 0
        self._complained.clear()

    def apply(self, data: bytes) -> bytes:
        """Run what ``data`` completes; the bytes of all whole commands that were run. Raises ProtocolError."""
        self._waiting.append(data)
        self._waiting_size += len(data)
        self.asked = []
        parser = self._parser
        parser.feed(data)
        done = self._run_all()
        if parser is not self._parser:
            return b""  # a command has ended the link to this primary
        return self._cut(done) if done else b""

    def _run_all(self) -> int:
        """Run all that is whole; of how many bytes."""
        parser = self._parser
        client = self.client
        changes = self.server.changes
        size = self._waiting_size
        done = 0
        dirty = changes.dirty
        argv = parser.next()
        try:
            while argv is not None:
                dirty = changes.dirty
                self._run(argv, done)
                if not client.modes & IN_MULTI:
                    done = size - parser.behind()
                argv = parser.next()
        except ProtocolError:
            raise
        except Exception as error:
            assert argv is not None
            what = f"{told(argv)} of the primary's stream, whose connection is closed"
            survive(self.server, what, error, changes.dirty != dirty)
            self.broken = True
        if done:
            self.db = client.db.index
        return done

    def _cut(self, done: int) -> bytes:
        """The first ``done`` bytes of those that wait. Most often that is all of one read, and costs no copy."""
        waiting = self._waiting
        data = waiting[0] if len(waiting) == 1 else b"".join(waiting)
        self._waiting_size -= done
        if not self._waiting_size:
            self._waiting = []
            return data
        self._waiting = [data[done:]]
        return data[:done]

    def _run(self, argv: list[bytes], done: int) -> None:
        if len(argv) == 3 and argv[0].upper() == b"REPLCONF":
            if argv[1].upper() == b"GETACK":
                self.asked.append(done)
            return
        if self.server.conditions & UNSAVED:
            self._end_or_tell(argv)
        error = self.run(argv)
        if error:
            self._complain(argv, error)
            self._end_if_told(argv)

    def _end_or_tell(self, argv: list[bytes]) -> None:
        """The disk does not take what this node has: ``replica-ignore-disk-write-errors``."""
        server = self.server
        cmd = server.commands.in_stream(argv)
        if cmd is None or not (cmd.flags & WRITE or cmd.name == "ping"):
            return
        if cmd.flags & WRITE and not server.config.flag("replica-ignore-disk-write-errors"):
            why = text_of(server.saves.refusal())
            server.edge.fail(f"Replica was unable to write command to disk. Exiting. ({why})")
        if server.now - self._disk_told_ms >= DISK_TOLD_MS:
            self._disk_told_ms = server.now
            text = "Replica is applying a command even though it is unable to write to disk."
            server.edge.log("warning", text)

    def run(self, argv: list[bytes]) -> bytes:
        """Run one command; why it fails, empty if it does not."""
        server = self.server
        cmd = server.commands.in_stream(argv)
        if cmd is None or (len(argv) != cmd.arity and (cmd.arity > 0 or len(argv) < -cmd.arity)):
            return UNKNOWN
        client = self.client
        if client.modes & IN_MULTI and not cmd.flags & UNQUEUED:
            client.queue.append((cmd, argv))
            return b""
        call = self._call
        if server.slot_imports.all:
            call.db = server.slot_imports.place_of(cmd, argv, client.db)
        errors = server.stats.total_error_replies
        reply = run(call, cmd, argv)
        call.db = client.db
        if isinstance(reply, Failure):
            return reply.text
        return INSIDE if server.stats.total_error_replies != errors else b""

    def _complain(self, argv: list[bytes], text: bytes) -> None:
        name = argv[0][:32].lower()
        if name in self._complained or len(self._complained) > MANY:
            return
        self._complained.add(name)
        # The first words are those by which logs of Redis are searched for a replica that differs from its primary.
        told = f"== CRITICAL == A command of the primary's stream fails here, which is told once: {shown(argv[0])}"
        self.server.edge.log("warning", f"{told}: {shown(text)}")

    def _end_if_told(self, argv: list[bytes]) -> None:
        """What ``propagation-error-behavior`` asks for, where nobody else may have written what is here."""
        config = self.server.config
        if config.text("propagation-error-behavior") != "ignore" and config.flag("replica-read-only"):
            self.server.edge.fail(
                f"A replica must not differ from its primary: '{shown(argv[0])}' has failed. Exiting."
            )


def shown(text: bytes) -> str:
    return text_of(text[:SHOWN])
