"""What the kernel did not take yet of the output for one client: bytes in order, cut as sockets like them.

However much waits, a write attempt touches one piece of bounded size: nothing that waits behind it is copied again.
"""

from collections import deque
from typing import Final

PIECE: Final = 256 * 1024
"""Small pieces are joined up to this, and one write attempt is offered at most this much."""


class OutputBuffer:
    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._gone: int = 0
        """Bytes of the first piece that have been taken already."""
        self.size: int = 0

    def add(self, data: bytes) -> None:
        if data:
            self._pieces.append(data)
            self.size += len(data)

    def head(self) -> memoryview:
        """What to offer next; empty if nothing waits."""
        pieces = self._pieces
        if not pieces:
            return memoryview(b"")
        left = len(pieces[0]) - self._gone
        if left < PIECE // 4 and len(pieces) > 1:
            joined = [pieces.popleft()[self._gone :]]
            while pieces and left + len(pieces[0]) <= PIECE:
                left += len(pieces[0])
                joined.append(pieces.popleft())
            pieces.appendleft(b"".join(joined))
            self._gone = 0
        return memoryview(pieces[0])[self._gone : self._gone + PIECE]

    def taken(self, count: int) -> None:
        """The first ``count`` bytes of what waits, which were offered, are gone."""
        self.size -= count
        self._gone += count
        if self._gone == len(self._pieces[0]):
            self._pieces.popleft()
            self._gone = 0
