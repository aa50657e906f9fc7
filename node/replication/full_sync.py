"""A full sync as the replica receives it: a snapshot that is loaded beside the present data.

It takes the place of that data when it is whole, so a transfer that breaks off costs nothing.
"""

from typing import Final

from gossamer.node.engine.data.changes import Changes
from gossamer.node.engine.server import Server
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.load import Loader
from gossamer.node.persist.reader import RdbReader
from gossamer.node.replication.base import ReplicationBase
from gossamer.node.replication.lines import ID_SIZE, LinkError, number, shown
from gossamer.node.replication.psync import FullResync

MARK_SIZE: Final = 40


class FullSync:
    """The snapshot that ``offer`` has announced. ``line`` is the one before it: ``$<bytes>`` or ``$EOF:<mark>``."""

    def __init__(self, server: Server, offer: FullResync, line: bytes) -> None:
        self.offer: FullResync = offer
        self.received_bytes: int = 0
        self._mark: bytes = b""
        """Stands behind a snapshot that is streamed; empty if the length is known."""
        self._length: int = 0
        if line.startswith(b"$EOF:") and len(line) == 5 + MARK_SIZE:
            self._mark = line[5:]
        elif line.startswith(b"$") and line[1:].isdigit() and len(line) < ID_SIZE:
            self._length = int(line[1:])
        else:
            raise LinkError(f"unexpected reply before the snapshot: {shown(line)}", damaged=True)
        self._reader: RdbReader = RdbReader(server.config.flag("rdbchecksum"), server.encodings)
        self._loader: Loader = Loader(server.keyspace.apart(), server.now, True)

    @property
    def streamed(self) -> bool:
        return bool(self._mark)

    @property
    def keys(self) -> int:
        """How many have been loaded."""
        return self._loader.keys

    def feed(self, data: bytes) -> bytes | None:
        """Load ``data``; None until the snapshot is whole, then what came behind it. Raises RdbError."""
        reader = self._reader
        self.received_bytes += len(data)
        self._loader.take(reader.feed(data))
        if not reader.done or len(reader.rest) < len(self._mark):
            return None
        if not reader.rest.startswith(self._mark):
            raise RdbError("the mark behind it is missing")
        if not self._mark and reader.offset != self._length:
            raise RdbError(f"it has {reader.offset} bytes instead of {self._length}")
        return reader.rest[len(self._mark) :]

    def drop(self, changes: Changes) -> None:
        """What has come is of no use: it is freed in pieces."""
        self._loader.dispose(changes)
        begun = self._reader.unfinished()
        if begun is not None:
            changes.discard([begun])

    def install(self, replication: ReplicationBase) -> None:
        """The present data gives way, and with it all that depends on it."""
        server, loader = replication.server, self._loader
        server.changing += 1
        server.keyspace.replace(loader.keyspace, server.now)
        server.expiry.own.clear()
        server.migrations.loaded(loader.slot_imports)
        replication.replicas.drop_all()
        size = server.config.integer("repl-backlog-size")
        replication.history.adopt(self.offer.replid, self.offer.offset, size)
        server.changing -= 1
        server.saves.replaced()
        selected = number(loader.aux.get(b"repl-stream-db", b"0"))
        replication.history.db = selected if selected < len(server.keyspace) else 0
