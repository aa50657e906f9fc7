"""A full sync on its way: the snapshot as RDB, a piece at a time between the requests of others, for all who want it.

Pieces are kept until the slowest of the replicas has been sent them. While all of them are still there a replica that
comes later can join, and gets the stream from where the snapshot was made: so any number of replicas that ask at about
the same time cost one walk over the keys.

Without ``mark`` the length comes first (``$<bytes>``), so all of it is made before the first byte goes out; with it the
RDB is streamed as it is made, and ``mark``, 40 characters, stands around it.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.server import Server
from gossamer.node.persist.codes import Format, RdbError
from gossamer.node.persist.form import Style
from gossamer.node.persist.load import write_import
from gossamer.node.persist.writer import RdbWriter, aux_fields
from gossamer.node.replication.replica_link import TRANSFER, ReplicaLink
from gossamer.node.version import COMPATIBLE, VALKEY_COMPATIBLE

WINDOW: Final = 1 << 24
"""Bytes of a streamed snapshot that are kept: for replicas that join, then for those that read slowly."""


class SyncFormat:
    """What a replica wants: replicas with equal formats can share a transfer."""

    def __init__(self, replica: ReplicaLink, streamed: bool) -> None:
        self.streamed: bool = streamed
        self.format: Format = replica.format
        self.without_keys: bool = replica.without_keys

    def equals(self, other: "SyncFormat") -> bool:
        return (self.streamed, self.format, self.without_keys) == (other.streamed, other.format, other.without_keys)


class SyncTransfer:
    """All data as it is at ``offset`` of the stream ``replid``, for those who ``join``. ``close`` must follow."""

    def __init__(self, server: Server, form: SyncFormat, mark: bytes, replid: str, offset: int, db: int) -> None:
        self.form: SyncFormat = form
        self.mark: bytes = mark
        self.replid: str = replid
        self.offset: int = offset
        self.replicas: list[ReplicaLink] = []
        self.whole: bool = False
        """All of it has been made."""
        self.open: bool = True
        """Others may join: nothing has been forgotten yet."""
        self.failure: str = ""
        """Why it cannot be made: the data has something that the format of these replicas cannot say."""
        self.moved_ms: int = server.now
        self._server = server
        importing = [] if form.without_keys else server.slot_imports.all
        self._snapshot = Snapshot(
            server.keyspace, [] if form.without_keys else None, beside=[slot_import.db for slot_import in importing]
        )
        version = VALKEY_COMPATIBLE if form.format.valkey else COMPATIBLE
        aux = aux_fields(form.format, version, server.now_s, server.edge.resident_memory())
        aux += [("repl-stream-db", db), ("repl-id", replid), ("repl-offset", offset), ("aof-base", 0)]
        aux += [write_import(slot_import) for slot_import in importing]
        style = Style(form.format, False)
        self._writer = RdbWriter(self._snapshot, aux, style=style, checksum=server.config.flag("rdbchecksum"))
        self._writer.imports = [(slot_import.name, slot_import.ranges) for slot_import in importing]
        self._chunks: Iterator[bytes | bytearray] = self._writer.chunks()
        self._began_ms: int = server.now
        self._pieces: deque[bytes] = deque([b"$EOF:%s\r\n" % mark] if mark else [])
        self._forgotten: int = 0
        """How many pieces, from the first on, are not kept any more."""
        self.kept: int = 0
        """Bytes in ``_pieces``, in memory until all who are synchronized have been sent them."""

    def join(self, replica: ReplicaLink) -> None:
        """``replica`` gets it too, and the stream from the same offset on."""
        if self.replicas:
            other = self.replicas[0]
            replica.held_back = list(other.held_back)
            replica.held_back_size = other.held_back_size
        self.replicas.append(replica)
        replica.streamed = bool(self.mark)
        replica.position = 0
        replica.state = TRANSFER

    def leave(self, replica: ReplicaLink) -> None:
        """``replica`` gets no more of it."""
        self.replicas.remove(replica)
        if not self.replicas:
            self.close()
        self._forget()  # it may have been the slowest

    @property
    def can_go_on(self) -> bool:
        """Is there something to be made now, or somebody to be sent some of it?"""
        return not self.failure and (self._may_make() or any(self._awaits(replica) for replica in self.replicas))

    def step(self) -> list[ReplicaLink]:
        """Do about a millisecond's work; those who have been sent the last of it, and so have left."""
        if self._may_make():
            self._make()
        if self.failure:
            return []
        done: list[ReplicaLink] = []
        end = self._forgotten + len(self._pieces)
        for replica in self.replicas:
            while self._awaits(replica):
                replica.client.send(self._pieces[replica.position - self._forgotten])
                replica.position += 1
            if self.whole and replica.position == end:
                done.append(replica)
        for replica in done:
            self.leave(replica)
        self._forget()
        return done

    def close(self) -> None:
        """Nobody may join, and no more will be made."""
        self.open = False
        self.whole = True
        self._snapshot.close()

    def _awaits(self, replica: ReplicaLink) -> bool:
        """Is there a piece for ``replica``, and room for it?"""
        sendable = self.whole or self.mark
        return bool(sendable) and replica.position < self._forgotten + len(self._pieces) and replica.has_room

    def _may_make(self) -> bool:
        """Is there more to be made, now? ``rdb-key-save-delay`` (µs for each key) makes it slow, for tests."""
        if self.whole or (self.mark and self.kept >= WINDOW):
            return False
        delay = self._server.config.integer("rdb-key-save-delay")
        return delay <= 0 or self._writer.keys * delay <= (self._server.now - self._began_ms) * 1000

    def _make(self) -> None:
        self.moved_ms = self._server.now
        try:
            chunk = next(self._chunks, None)
        except RdbError as error:
            self.failure = str(error)
            self.close()
            return
        if chunk is not None:
            self._add(bytes(chunk))
            return
        self._snapshot.close()
        self.whole = True
        if self.mark:
            self._add(self.mark)
        else:
            self.open = False
            self._pieces.appendleft(b"$%d\r\n" % self.kept)

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.kept += len(piece)

    def _forget(self) -> None:
        """Let go what everybody has been sent, unless somebody may still join."""
        if self.mark and self.kept >= WINDOW:
            self.open = False
        if self.open or not self.replicas:
            return
        slowest = min([replica.position for replica in self.replicas])
        while self._forgotten < slowest:
            self.kept -= len(self._pieces.popleft())
            self._forgotten += 1
