"""The last bytes of the stream, kept for replicas that come back: a ring that is counted in stream offsets.

It is larger than it was made while a replica in its full sync waits for more: those bytes are in memory anyway.
"""

from collections import deque


class Backlog:
    """Holds at least ``size`` bytes once so many have come. ``end``: the offset of the last byte of the stream."""

    def __init__(self, size: int, end: int) -> None:
        self.size: int = size
        self.end: int = end
        self.held: int = 0
        """How many bytes can be asked for."""
        self._awaited: int = 0
        self._pieces: deque[bytes] = deque()

    @property
    def first(self) -> int:
        """The offset of the oldest byte; that of the next one if there is none."""
        return self.end - self.held + 1

    def append(self, data: bytes, awaited: int = 0) -> None:
        """The next bytes; the last ``awaited`` of the stream, these among them, are held for somebody."""
        self._awaited = awaited
        if not data:
            return
        self._pieces.append(data)
        self.end += len(data)
        self.held += len(data)
        self._trim()

    def resize(self, size: int) -> None:
        self.size = size
        self._trim()

    def shrink(self, awaited: int) -> None:
        """Of the last bytes only so many are still held for somebody."""
        self._awaited = awaited
        self._trim()

    def reaches(self, offset: int) -> bool:
        """Can the stream be told from byte ``offset`` on? The next one to come counts."""
        return self.first <= offset <= self.end + 1

    def since(self, offset: int) -> bytes:
        """The stream from byte ``offset`` on, which ``reaches`` has allowed."""
        skip = offset - self.first
        out: list[bytes] = []
        for piece in self._pieces:
            if skip >= len(piece):
                skip -= len(piece)
            else:
                out.append(piece[skip:] if skip else piece)
                skip = 0
        return b"".join(out)

    def _trim(self) -> None:
        # A piece as large as the ring is cut; otherwise whole pieces go, so a little more than ``size`` is kept.
        pieces, wanted = self._pieces, max(self.size, self._awaited)
        while pieces and self.held - len(pieces[0]) >= wanted:
            self.held -= len(pieces.popleft())
        if pieces and len(pieces) == 1 and self.held > wanted:
            pieces[0] = pieces[0][-wanted:]
            self.held = len(pieces[0])
