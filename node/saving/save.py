"""All data as it is at one moment, on its way into a file, a piece at a time between the requests of others."""

from collections.abc import Iterator, Sequence
from typing import Final

from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.data.spilled import Unreadable
from gossamer.node.engine.edge import NewFile
from gossamer.node.engine.server import Server
from gossamer.node.engine.stream.as_commands import AsCommands
from gossamer.node.persist.codes import REDIS_10, VALKEY_80, Format, RdbError
from gossamer.node.persist.form import Style
from gossamer.node.persist.writer import CHUNK, RdbWriter, aux_fields
from gossamer.node.replication.replication import Replication
from gossamer.node.version import COMPATIBLE, VALKEY_COMPATIBLE

BASE: Final = (("aof-base", 1),)
"""The AUX field by which an RDB says that it is the base of an append-only file."""
NO_PLACE: Final = (("aof-base", 0),)
"""That it is none, and stands nowhere in a stream."""


class Save:
    """``file`` gets the data, and what is in ``beside``. ``close`` must follow."""

    def __init__(self, server: Server, file: NewFile, beside: list[Database] | None = None) -> None:
        self.file: NewFile = file
        self.dirty: int = server.changes.dirty
        """How much had changed until then."""
        self.began_ms: int = server.now
        self.snapshot: Snapshot = Snapshot(server.keyspace, beside=beside)
        self.keys: int = self.snapshot.keys
        """How many there are in all."""
        self._delay_us: int = server.config.integer("rdb-key-save-delay")
        """For each key, which makes it slow for tests; as Redis' child does, it keeps what it has begun with."""
        self._server: Server = server
        self._whole: bool = False

    @property
    def written(self) -> int:
        """How many keys have been written."""
        raise NotImplementedError

    def _next(self) -> bytes:
        """About a millisecond's work; empty when all has been given out."""
        raise NotImplementedError

    @property
    def finished(self) -> bool:
        return self.file.done or bool(self.file.failure)

    @property
    def can_go_on(self) -> bool:
        """Is there something to be done now?"""
        if self.finished:
            return True
        if self._whole or self.file.full():
            return False
        delay = self._delay_us
        return delay <= 0 or self.written * delay <= (self._server.now - self.began_ms) * 1000

    def step(self) -> None:
        """Write about a millisecond's work more."""
        if self.finished or self._whole:
            return
        try:
            piece = self._next()
        except (RdbError, Unreadable) as error:
            self.file.failure = str(error)
            return
        if piece:
            self.file.write(piece)
            return
        self._whole = True
        self.snapshot.close()
        self.file.commit()

    def close(self) -> None:
        """Nobody goes on with it."""
        if not self._whole:
            self.snapshot.close()
        if not self.file.done:
            self.file.abandon()


class RdbSave(Save):
    """As an RDB; ``aux``: fields beside those that each has."""

    def __init__(
        self, server: Server, file: NewFile, aux: Sequence[tuple[str, str | int]], beside: list[Database] | None = None
    ) -> None:
        super().__init__(server, file, beside)
        target = format_for(server)
        version = VALKEY_COMPATIBLE if target.valkey else COMPATIBLE
        aux = aux_fields(target, version, server.now_s, server.edge.resident_memory()) + list(aux)
        style = Style(target, server.config.flag("rdbcompression"))
        checksum = server.config.flag("rdbchecksum")
        self._writer: RdbWriter = RdbWriter(self.snapshot, aux, style=style, checksum=checksum)
        self._chunks: Iterator[bytes | bytearray] = self._writer.chunks()

    @property
    def written(self) -> int:
        return self._writer.keys

    def _next(self) -> bytes:
        return bytes(next(self._chunks, b""))


class CommandsSave(Save):
    """As commands that make it again: the base of an append-only file with ``aof-use-rdb-preamble no``."""

    def __init__(self, server: Server, file: NewFile, beside: list[Database] | None = None) -> None:
        super().__init__(server, file, beside)
        self._commands: AsCommands = AsCommands(self.snapshot, selects=True)
        if server.config.flag("aof-timestamp-enabled"):
            file.write(b"#TS:%d\r\n" % server.now_s)

    @property
    def written(self) -> int:
        return self._commands.keys

    def _next(self) -> bytes:
        return b"" if self._commands.done else self._commands.next(CHUNK)


def base_save(server: Server, file: NewFile, as_rdb: bool) -> Save:
    """All data as the base of an append-only file.

    With it goes what has come of slots that are on their way to this node, as in the incrs: when they become its own
    nothing of that is told anew.
    """
    coming = [slot_import.db for slot_import in server.slot_imports.all]
    return RdbSave(server, file, BASE, coming) if as_rdb else CommandsSave(server, file, coming)


def format_for(server: Server) -> Format:
    """The oldest format that can say it all: only Valkey knows of elements that expire."""
    expiring = any(db.element_expires.of_key for db in server.keyspace.used())
    return VALKEY_80 if expiring else REDIS_10


def place(replication: Replication) -> Sequence[tuple[str, str | int]]:
    """Where the data stands in the stream, as AUX fields: whoever loads it can go on from there.

    Not if slots are on their way to this node: their keys are in the stream up to there, and not in the data.
    """
    history = replication.history
    fields: list[tuple[str, str | int]] = []
    if history.backlog is not None and not replication.server.slot_imports.all:
        stream = replication.server.journal.stream
        db = history.db if stream is None else max(stream.selected, 0)
        fields += [("repl-stream-db", db), ("repl-id", history.replid), ("repl-offset", replication.offset)]
    return [*fields, *NO_PLACE]
