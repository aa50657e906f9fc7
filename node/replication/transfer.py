"""A full sync on its way: the snapshot as RDB, a piece at a time between the requests of others, for all who want it.

Pieces are kept until the slowest of the followers has been sent them. While all of them are still there a replica that
comes later can join, and gets the stream from where the snapshot was made: so any number of replicas that ask at about
the same time cost one walk over the keys.

Without ``mark`` the length comes first (``$<bytes>``), so all of it is made before the first byte goes out; with it the
RDB is streamed as it is made, and ``mark``, 40 characters, stands around it.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from gossamer.node.engine.server import Server
from gossamer.node.engine.snapshot import Snapshot
from gossamer.node.persist.codes import Format
from gossamer.node.persist.load import write_import
from gossamer.node.persist.values import Style
from gossamer.node.persist.writer import RdbWriter, remarks_for
from gossamer.node.replication.follower import TRANSFER, Follower
from gossamer.node.version import COMPATIBLE, VALKEY_COMPATIBLE

WINDOW: Final = 1 << 24
"""Bytes of a streamed snapshot that are kept: for replicas that join, then for those that read slowly."""


class Wish:
    """What a replica wants: followers with equal wishes can share a transfer."""

    def __init__(self, follower: Follower, streamed: bool) -> None:
        self.streamed: bool = streamed
        self.format: Format = follower.format
        self.without_keys: bool = follower.without_keys

    def equals(self, other: "Wish") -> bool:
        return (self.streamed, self.format, self.without_keys) == (other.streamed, other.format, other.without_keys)


class Transfer:
    """All data as it is at ``offset`` of the stream ``replid``, for those who ``join``. ``close`` must follow."""

    def __init__(self, server: Server, wish: Wish, mark: bytes, replid: str, offset: int, db: int) -> None:
        self.wish: Wish = wish
        self.mark: bytes = mark
        self.replid: str = replid
        self.offset: int = offset
        self.followers: list[Follower] = []
        self.whole: bool = False
        """All of it has been made."""
        self.open: bool = True
        """Others may join: nothing has been forgotten yet."""
        self.moved_ms: int = server.now
        self._server = server
        arriving = [] if wish.without_keys else server.arriving
        self._snapshot = Snapshot(
            server.keyspace, [] if wish.without_keys else None, beside=[intake.db for intake in arriving]
        )
        version = VALKEY_COMPATIBLE if wish.format.valkey else COMPATIBLE
        remarks = remarks_for(wish.format, version, server.now_s, server.edge.resident_memory())
        remarks += [("repl-stream-db", db), ("repl-id", replid), ("repl-offset", offset), ("aof-base", 0)]
        remarks += [write_import(intake) for intake in arriving]
        style = Style(wish.format, False)
        self._writer = RdbWriter(self._snapshot, remarks, style=style, checksum=server.config.flag("rdbchecksum"))
        self._writer.imports = [(intake.name, intake.ranges) for intake in arriving]
        self._chunks: Iterator[bytes | bytearray] = self._writer.chunks()
        self._began_ms: int = server.now
        self._pieces: deque[bytes] = deque([b"$EOF:%s\r\n" % mark] if mark else [])
        self._forgotten: int = 0
        """How many pieces, from the first on, are not kept any more."""
        self._kept: int = 0
        """Bytes in ``_pieces``."""

    def join(self, follower: Follower) -> None:
        """``follower`` gets it too, and the stream from the same offset on."""
        if self.followers:
            other = self.followers[0]
            follower.held_back = list(other.held_back)
            follower.held_back_size = other.held_back_size
        self.followers.append(follower)
        follower.transfer = self
        follower.streamed = bool(self.mark)
        follower.position = 0
        follower.state = TRANSFER

    def leave(self, follower: Follower) -> None:
        """``follower`` gets no more of it."""
        self.followers.remove(follower)
        follower.transfer = None
        if not self.followers:
            self.close()
        self._forget()  # it may have been the slowest

    @property
    def can_go_on(self) -> bool:
        """Is there something to be made now, or somebody to be sent some of it?"""
        return self._may_make() or any(self._awaits(follower) for follower in self.followers)

    def step(self) -> list[Follower]:
        """Do about a millisecond's work; those who have been sent the last of it, and so have left."""
        if self._may_make():
            self._make()
        done: list[Follower] = []
        end = self._forgotten + len(self._pieces)
        for follower in self.followers:
            while self._awaits(follower):
                follower.client.send(self._pieces[follower.position - self._forgotten])
                follower.position += 1
            if self.whole and follower.position == end:
                done.append(follower)
        for follower in done:
            self.leave(follower)
        self._forget()
        return done

    def begun(self, follower: Follower) -> bool:
        """Has ``follower`` been sent some of it?"""
        return follower.position > 0

    def close(self) -> None:
        """Nobody may join, and no more will be made."""
        self.open = False
        self.whole = True
        self._snapshot.close()

    def _awaits(self, follower: Follower) -> bool:
        """Is there a piece for ``follower``, and room for it?"""
        sendable = self.whole or self.mark
        return bool(sendable) and follower.position < self._forgotten + len(self._pieces) and follower.has_room

    def _may_make(self) -> bool:
        """Is there more to be made, now? ``rdb-key-save-delay`` (µs for each key) makes it slow, for tests."""
        if self.whole or (self.mark and self._kept >= WINDOW):
            return False
        delay = self._server.config.integer("rdb-key-save-delay")
        return delay <= 0 or self._writer.keys * delay <= (self._server.now - self._began_ms) * 1000

    def _make(self) -> None:
        self.moved_ms = self._server.now
        chunk = next(self._chunks, None)
        if chunk is not None:
            self._add(bytes(chunk))
            return
        self._snapshot.close()
        self.whole = True
        if self.mark:
            self._add(self.mark)
        else:
            self.open = False
            self._pieces.appendleft(b"$%d\r\n" % self._kept)

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._kept += len(piece)

    def _forget(self) -> None:
        """Let go what everybody has been sent, unless somebody may still join."""
        if self.mark and self._kept >= WINDOW:
            self.open = False
        if self.open or not self.followers:
            return
        slowest = min([follower.position for follower in self.followers])
        while self._forgotten < slowest:
            self._kept -= len(self._pieces.popleft())
            self._forgotten += 1
