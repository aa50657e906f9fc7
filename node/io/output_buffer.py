"""What the kernel did not take yet of the output for one client: bytes in order, in the pieces in which they came.

Nothing is copied while it waits, nor when it is offered again: a stored value of any size is sent from where it lies.
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

OFFERED: Final = 256
"""Pieces in one write attempt: fewer than any system's IOV_MAX (writev(2))."""


class OutputBuffer:
    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._gone: int = 0
        """Bytes of the first piece that have been taken already."""
        self.size: int = 0

    def add(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            if piece:
                self._pieces.append(piece)
                self.size += len(piece)

    def head(self) -> list[bytes | memoryview]:
        """What to offer next; empty if nothing waits."""
        head: list[bytes | memoryview] = list(islice(self._pieces, OFFERED))
        if self._gone:
            head[0] = memoryview(self._pieces[0])[self._gone :]
        return head

    def taken(self, count: int) -> None:
        """The first ``count`` bytes of what waits are gone."""
        assert count <= self.size
        self.size -= count
        self._gone += count
        while self._pieces and self._gone >= len(self._pieces[0]):
            self._gone -= len(self._pieces.popleft())
