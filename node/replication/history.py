"""Which stream of writes a node stands in, and how far it has come: replid, replid2, offsets, backlog.

Two nodes with the same replid and offset hold the same data. A replica that becomes a primary goes on under a new id
and remembers the old one up to the offset it had, so that its siblings can follow it without a full sync.
"""

from random import Random
from typing import Final

from gossamer.node.replication.backlog import Backlog

NO_ID: Final = "0" * 40


class History:
    """``rng`` makes ids. ``offset`` is that of the last byte of the stream that ``backlog`` has seen."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.replid: str = self.new_id()
        self.replid2: str = NO_ID
        self.second_offset: int = -1
        """The first offset that is not valid under ``replid2``."""
        self.offset: int = 0
        self.db: int = 0
        """The database that the last command of the stream was for; kept on a replica."""
        self.backlog: Backlog | None = None

    def new_id(self) -> str:
        return f"{self._rng.getrandbits(160):040x}"

    def keep(self, size: int) -> None:
        """Keep a backlog of so many bytes from now on."""
        if self.backlog is None:
            self.backlog = Backlog(size, self.offset)

    def forget(self) -> None:
        """No backlog any more, so writes are not counted any more: what comes is another history."""
        self.backlog = None
        self.replid = self.new_id()
        self.replid2 = NO_ID
        self.second_offset = -1

    def append(self, data: bytes, awaited: int = 0) -> None:
        """``awaited``: how much of the end of the stream is held for somebody."""
        self.offset += len(data)
        if self.backlog is not None:
            self.backlog.append(data, awaited)

    def branch(self) -> None:
        """From here on this node decides what is written: the same past, another id."""
        self.rename(self.new_id())

    def rename(self, replid: str) -> None:
        """The stream goes on under this id."""
        self.replid2 = self.replid
        self.second_offset = self.offset + 1
        self.replid = replid

    def adopt(self, replid: str, offset: int, size: int) -> None:
        """A full sync has put this node into another history."""
        self.replid = replid
        self.offset = offset
        self.replid2 = NO_ID
        self.second_offset = -1
        self.backlog = Backlog(size, offset)

    def can_continue(self, replid: str, offset: int) -> bool:
        """May somebody who wants the stream of ``replid`` from byte ``offset`` on have it from here?"""
        replid = replid.lower()
        ours = replid == self.replid or (replid == self.replid2 and offset <= self.second_offset)
        return ours and self.backlog is not None and self.backlog.reaches(offset)
