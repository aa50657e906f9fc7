"""A full sync on its way to one replica: the snapshot as RDB, made a chunk at a time between the requests of others.

Without ``mark`` the length comes first (``$<bytes>``), so all of it is made before the first byte goes out; with it the
RDB is streamed as it is made, and ``mark``, 40 characters, stands around it.
"""

from collections import deque
from collections.abc import Iterator

from node.engine.server import Server
from node.engine.snapshot import Snapshot
from node.persist.codes import REDIS_10
from node.persist.values import Style
from node.persist.writer import RdbWriter, remarks_for
from node.version import COMPATIBLE


class Transfer:
    """``remarks``: what the RDB tells of the stream. ``close`` must follow."""

    def __init__(
        self, server: Server, mark: bytes, remarks: list[tuple[str, str | int]], without_keys: bool = False
    ) -> None:
        self.mark: bytes = mark
        self.done: bool = False
        self._snapshot = Snapshot(server.keyspace, [] if without_keys else None)
        told = remarks_for(REDIS_10, COMPATIBLE, server.now_s, server.edge.resident_memory())
        style = Style(REDIS_10, False)
        writer = RdbWriter(self._snapshot, told + remarks, style=style, checksum=server.config.flag("rdbchecksum"))
        self._chunks: Iterator[bytes | bytearray] = writer.chunks()
        self._made: deque[bytes] = deque()
        """Pieces that wait for the length to be known."""
        self.begun: bool = False
        """Something has been sent."""

    def step(self) -> bytes:
        """Do about a millisecond's work; the bytes that are ready. ``done`` when these were the last."""
        if self.begun and not self.mark:
            return self._send_made()
        chunk = next(self._chunks, None)
        if chunk is None:
            self.close()
            if self.mark:
                self.done = True
                return self.mark
            self.begun = True
            return b"$%d\r\n" % sum([len(piece) for piece in self._made])
        if not self.mark:
            self._made.append(bytes(chunk))
            return b""
        if self.begun:
            return bytes(chunk)
        self.begun = True
        return b"$EOF:%s\r\n%s" % (self.mark, bytes(chunk))

    def _send_made(self) -> bytes:
        piece = self._made.popleft()
        self.done = not self._made
        return piece

    def close(self) -> None:
        self._snapshot.close()
