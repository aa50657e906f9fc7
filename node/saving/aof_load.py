"""What an append-only file holds, on its way into a node that begins: the base, then the incrs, file by file.

Commands run as those of a primary's stream do, on the data itself, which no client sees before all is there. Nothing
expires meanwhile: what was written later may give a key another end. Transactions count when their EXEC comes.
"""

from typing import Final

from gossamer.cluster.text import text_of
from gossamer.node.engine.data.spilled import Unreadable
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.applier import UNKNOWN, Applier
from gossamer.node.persist.aof.reader import AofError, AofReader
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.load import Loader
from gossamer.node.saving.loading import LoadError, Loading, drop_foreign
from gossamer.node.saving.saves import Saves

READING: Final = "reading the append only file"
BAD_FORMAT: Final = f"Bad file format {READING}"


class AofLoad(Loading):
    """``size``: of all files. For each ``begin_file``, ``feed`` and ``end_file``; then ``finish``."""

    def __init__(self, server: Server, size: int) -> None:
        super().__init__(server, size)
        self.commands: int = 0
        self._server: Server = server
        self._applier: Applier = Applier(server)
        self._reader: AofReader = AofReader()
        self._loader: Loader | None = None
        """Of the RDB at the start of the file."""
        self._expires: bool = server.lazy_expire_deletes
        server.lazy_expire_deletes = False

    @property
    def steps(self) -> int:
        return self.commands

    def begin_file(self, path: str) -> None:
        server = self._server
        self.path = path
        self._reader = AofReader(server.config.flag("rdbchecksum"), server.encodings)
        self._applier.begin(0)

    def feed(self, data: bytes) -> None:
        """LoadError also if it says what no node does."""
        try:
            self._reader.feed(data)
            self._run()
        except AofError as error:
            raise LoadError(f"{self.path}: byte {error.offset}: {BAD_FORMAT}: {error.reason}") from None
        except (RdbError, Unreadable) as damage:  # another name: compiled, a name has one type
            raise LoadError(f"{self.path}: {damage}") from None
        self.read += len(data)

    def end_file(self) -> int:
        """That was all of it; the offset at which it is to be cut, since it ends too early, or -1. LoadError."""
        reader = self._reader
        try:
            reader.finish()
            self._run()
        except AofError as error:
            raise LoadError(f"{self.path}: byte {error.offset}: {BAD_FORMAT}: {error.reason}") from None
        except (RdbError, Unreadable) as damage:  # another name: compiled, a name has one type
            raise LoadError(f"{self.path}: {damage}") from None
        self._install()
        return reader.whole if reader.truncated else -1

    def finish(self, saves: Saves) -> None:
        """That was the last file."""
        server = self._server
        drop_foreign(server)
        server.lazy_expire_deletes = self._expires
        saves.loaded(sum(db.size for db in server.keyspace.used()), 0)

    def _run(self) -> None:
        reader = self._reader
        events = reader.events()
        if events:
            if self._loader is None:
                keyspace = self._server.keyspace
                self._loader = Loader(keyspace.apart(), self._server.now, True)
            self._loader.take(events)
        if reader.in_rdb():
            return
        self._install()
        while (argv := reader.next()) is not None:
            error = self._applier.run(argv)
            if error == UNKNOWN:
                name = text_of(argv[0][:32])
                raise LoadError(f"{self.path}: byte {reader.offset}: Unknown command '{name}' {READING}")
            if error and self._server.config.text("propagation-error-behavior") == "panic":
                told = f"'{text_of(argv[0][:32])}' has failed: {text_of(error[:128])}"
                raise LoadError(f"{self.path}: byte {reader.offset}: {told}")
            self.commands += 1

    def _install(self) -> None:
        """The RDB is whole: what follows goes on from there."""
        loader, self._loader = self._loader, None
        if loader is not None:
            self._server.keyspace.replace(loader.keyspace, self._server.now)
