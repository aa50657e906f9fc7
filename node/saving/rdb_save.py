"""All data as it is at one moment, on its way into an RDB file, a piece at a time between the requests of others."""

from collections.abc import Iterator

from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.edge import NewFile
from gossamer.node.engine.server import Server
from gossamer.node.persist.codes import REDIS_10, VALKEY_80, Format
from gossamer.node.persist.form import Style
from gossamer.node.persist.writer import RdbWriter, aux_fields
from gossamer.node.replication.replication import Replication
from gossamer.node.version import COMPATIBLE, VALKEY_COMPATIBLE


class RdbSave:
    """``file`` gets it. ``close`` must follow."""

    def __init__(self, server: Server, replication: Replication, file: NewFile) -> None:
        self.file: NewFile = file
        self.dirty: int = server.changes.dirty
        """How much had changed until then."""
        self.began_ms: int = server.now
        self.keys: int = 0
        """How many there are in all."""
        self._server: Server = server
        self._snapshot: Snapshot = Snapshot(server.keyspace)
        self.keys = self._snapshot.keys
        target = format_for(server)
        version = VALKEY_COMPATIBLE if target.valkey else COMPATIBLE
        aux = aux_fields(target, version, server.now_s, server.edge.resident_memory()) + place(replication)
        style = Style(target, server.config.flag("rdbcompression"))
        self._writer: RdbWriter = RdbWriter(
            self._snapshot, aux, style=style, checksum=server.config.flag("rdbchecksum")
        )
        self._chunks: Iterator[bytes | bytearray] = self._writer.chunks()
        self._whole: bool = False

    @property
    def written(self) -> int:
        """How many keys have been written."""
        return self._writer.keys

    @property
    def over(self) -> bool:
        return self.file.done or bool(self.file.failure)

    @property
    def can_go_on(self) -> bool:
        """Is there something to be done now? ``rdb-key-save-delay`` (µs for each key) makes it slow, for tests."""
        if self.over:
            return True
        if self._whole or self.file.full():
            return False
        delay = self._server.config.integer("rdb-key-save-delay")
        return delay <= 0 or self._writer.keys * delay <= (self._server.now - self.began_ms) * 1000

    def step(self) -> None:
        """Write about a millisecond's work more."""
        if self.over or self._whole:
            return
        chunk = next(self._chunks, None)
        if chunk is not None:
            self.file.write(bytes(chunk))
            return
        self._whole = True
        self._snapshot.close()
        self.file.commit()

    def close(self) -> None:
        """Nobody goes on with it."""
        if not self._whole:
            self._snapshot.close()
        if not self.file.done:
            self.file.abandon()


def format_for(server: Server) -> Format:
    """The oldest format that can say it all: only Valkey knows of elements that expire."""
    expiring = any(db.ends.of_key for db in server.keyspace.used())
    return VALKEY_80 if expiring else REDIS_10


def place(replication: Replication) -> list[tuple[str, str | int]]:
    """Where the data stands in the stream, as AUX fields: whoever loads it can go on from there."""
    history = replication.history
    fields: list[tuple[str, str | int]] = []
    if history.backlog is not None:
        stream = replication.server.journal.stream
        db = history.db if stream is None else max(stream.selected, 0)
        fields += [("repl-stream-db", db), ("repl-id", history.replid), ("repl-offset", replication.offset)]
    return [*fields, ("aof-base", 0)]
