"""One shard on its way into a file: asked for as a replica asks, counted and held to its checksum as it comes."""

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.filesize import decimal as size_text

from gossamer.deploy.backup.folder import told
from gossamer.deploy.backup.manifest import Shard
from gossamer.deploy.backup.progress import Progress
from gossamer.deploy.backup.sources import Part
from gossamer.deploy.backup.sync import SyncError, SyncReader
from gossamer.deploy.blocking_client import Word, encode
from gossamer.deploy.cluster.survey import Access, connect, reason
from gossamer.deploy.files.contents import Contents
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.reader import RdbReader
from gossamer.node.version import VALKEY_COMPATIBLE

PIECE: Final = 1 << 18
"""Bytes that are read at once: a fraction of a second's work, between which others have their turns."""
SILENCE_S: Final = 60.0
"""As ``repl-timeout``: who sends nothing for so long, not even the empty lines before the data, is gone."""


class CutOff(SyncError):
    """The connection has ended within the data."""


class Download:
    """``turn`` whenever the socket can be read, until ``done``; then ``finish``. ``newest``: the form of Valkey 9 will
    do as well; without it the server chooses one that Redis 7 reads. SyncError, UserError."""

    def __init__(self, part: Part, path: Path, access: Access, progress: Progress, newest: bool) -> None:
        self.part = part
        self.path = path
        self.name = part.origin.address
        self.newest = newest
        self._progress = progress
        self._sync = SyncReader()
        self._rdb = RdbReader()
        self._contents = Contents()
        self._sum = hashlib.sha256()
        self._size = 0
        self._heard = time.monotonic()
        client = connect(part.host, part.port, access)
        try:
            told_first: list[Sequence[Word]] = [("REPLCONF", "capa", "eof"), ("REPLCONF", "rdb-only", 1)]
            if newest:
                told_first.append(("REPLCONF", "version", VALKEY_COMPATIBLE))
            client.ask_all(told_first)  # an older server refuses what it does not know, and gives its data all the same
            self.socket = client.detach()
        except OSError as error:
            client.close()
            raise SyncError(f"it does not answer: {reason(error)}") from None
        with told(path):
            self._file = path.open("wb")
        progress.begin(self.name, None)
        self.socket.sendall(encode(("PSYNC", "?", "-1")))
        self.socket.setblocking(False)

    @property
    def done(self) -> bool:
        return self._sync.done

    def turn(self) -> None:
        """Take what has come."""
        try:
            data = self.socket.recv(PIECE)
        except BlockingIOError:
            return
        except OSError as error:
            raise CutOff(f"the connection was lost after {size_text(self._size)}: {reason(error)}") from None
        if not data:
            raise CutOff(f"it ended the connection after {size_text(self._size)}")
        self._heard = time.monotonic()
        known = self._sync.size
        piece = self._sync.feed(data)
        if self._sync.size != known:
            self._progress.begin(self.name, self._sync.size)
        self._take(piece)

    def demand_life(self) -> None:
        """SyncError if it has been silent for too long."""
        if time.monotonic() - self._heard > SILENCE_S:
            raise SyncError(f"it has sent nothing for {SILENCE_S:.0f} s")

    def _take(self, piece: bytes) -> None:
        self._size += len(piece)
        self._sum.update(piece)
        with told(self.path):
            self._file.write(piece)
        try:
            self._contents.take(self._rdb.feed(piece))
        except RdbError as error:
            raise SyncError(f"what it sent cannot be read: {error}") from None
        self._progress.advance(self.name, len(piece))

    def finish(self) -> Shard:
        """What was taken; it is durable."""
        try:
            self._contents.take(self._rdb.finish())
        except RdbError as error:
            raise SyncError(f"what it sent cannot be read: {error}") from None
        if self._rdb.rest:
            raise SyncError(f"{len(self._rdb.rest)} bytes came behind the end of the data")
        with told(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
        contents, offer, header = self._contents, self._sync.offer, self._contents.header
        assert offer is not None
        assert header is not None
        shard = Shard(
            self.path.name.removesuffix(self.path.suffix),
            self._size,
            self._sum.hexdigest(),
            self.part.slots,
            {db: keys.all for db, keys in sorted(contents.databases.items())},
            sum(keys.volatile for keys in contents.databases.values()),
            contents.functions,
            f"{'Valkey' if header.valkey else 'Redis'} {header.version}",
            offer.replid,
            offer.offset,
            self.part.origin,
        )
        keys = sum(shard.keys.values())
        self._progress.end(self.name, f"{self.name}: {keys:,} keys, {size_text(self._size)}")
        return shard

    def close(self) -> None:
        self.socket.close()
        self._file.close()

    def abandon(self) -> None:
        """It will be taken again."""
        self.close()
        self._progress.end(self.name)
