"""What an RDB file holds, on its way into a node that begins.

It is loaded beside the keyspace, which stays empty until all is there. Clients are told LOADING meanwhile. Where the
file says how far the stream had come, the node goes on from there: a replica asks its primary for what follows, and a
primary's replicas need no full sync if they have no more than the file.
"""

from gossamer.node.engine.server import Server
from gossamer.node.engine.stream.journal import deletion
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.load import Loader
from gossamer.node.persist.reader import RdbReader
from gossamer.node.replication.replication import Replication
from gossamer.node.saving.loading import LoadError, Loading, drop_foreign
from gossamer.node.saving.saves import Saves


class RdbLoad(Loading):
    """``path`` and ``size``: of the file. ``feed`` all of it, then ``finish``."""

    def __init__(self, server: Server, replication: Replication, path: str, size: int) -> None:
        super().__init__(server, size)
        self.path = path
        self._server: Server = server
        topology = server.topology
        self._follows: bool = replication.is_replica or (topology is not None and not topology.myself.is_primary)
        self._replication: Replication = replication
        self._reader: RdbReader = RdbReader(server.config.flag("rdbchecksum"), server.encodings)
        self._loader: Loader = Loader(server.keyspace.apart(), server.now, self._follows)

    @property
    def steps(self) -> int:
        return self._loader.keys

    def feed(self, data: bytes) -> None:
        try:
            self._loader.take(self._reader.feed(data))
        except RdbError as error:
            raise LoadError(f"{self.path}: {error}") from None
        self.read += len(data)

    def finish(self, saves: Saves) -> None:
        """That was all: it becomes the data of the node. LoadError."""
        try:
            self._loader.take(self._reader.finish())
        except RdbError as error:
            raise LoadError(f"{self.path}: {error}") from None
        server = self._server
        server.keyspace.replace(self._loader.keyspace, server.now)
        drop_foreign(server)
        aux = self._loader.aux
        if b"repl-id" in aux and b"repl-offset" in aux:
            place = aux[b"repl-id"], aux[b"repl-offset"], aux.get(b"repl-stream-db", b"0")
            self._replication.loaded(*place, follows=self._follows)
            self._tell_dropped()
        saves.loaded(self._loader.keys, self._loader.stale)

    def _tell_dropped(self) -> None:
        """The replicas have the keys whose time was over still, and go on from here: they are told of their end."""
        journal = self._server.journal
        word = deletion(self._server.config, "lazyfree-lazy-expire")
        for db, key in self._loader.dropped:
            journal.deleted(db, [key], word)
        journal.release()
