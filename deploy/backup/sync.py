"""A full sync as its receiver reads it, bytes in, bytes of the RDB out (replication.c of Redis: syncWithMaster).

The primary answers PSYNC with ``+FULLRESYNC <id> <offset>``, sends empty lines while it gets ready, then
``$<length>`` or ``$EOF:<mark>``, the RDB, and that mark again. What comes behind is the stream of writes.
"""

from typing import Final

from gossamer.cluster.text import printable, text_of
from gossamer.node.replication.lines import LinkError
from gossamer.node.replication.psync import FullResync, psync_reply

LONGEST_LINE: Final = 1 << 10
MARK_SIZE: Final = 40


class SyncError(Exception):
    """The other end does not give its data; the text says why."""


class SyncReader:
    """``feed`` what comes. ``offer`` and ``size`` (bytes of the RDB) are known when they have been told."""

    def __init__(self) -> None:
        self.offer: FullResync | None = None
        self.size: int | None = None
        self.done = False
        self._mark = b""
        self._begun = False
        self._left = 0
        self._held = b""
        """What cannot be understood without what follows it."""

    def feed(self, data: bytes) -> bytes:
        """The bytes of the RDB in ``data``. SyncError."""
        data, self._held = self._held + data, b""
        while not self._begun:
            line, found, rest = data.partition(b"\n")
            if not found:
                if len(data) > LONGEST_LINE:
                    raise SyncError(f"it answered PSYNC with {shown(data)}")
                self._held = data
                return b""
            data = rest
            self._line(line.rstrip(b"\r"))
        return self._marked(data) if self._mark else self._counted(data)

    def _line(self, line: bytes) -> None:
        if not line:
            return
        if self.offer is None:
            try:
                offer = psync_reply(line)
            except LinkError:
                raise SyncError(f"it answered PSYNC with {shown(line)}") from None
            if not isinstance(offer, FullResync):
                raise SyncError(f"it answered PSYNC with {shown(line)}")
            self.offer = offer
        elif line.startswith(b"$EOF:") and len(line) == len("$EOF:") + MARK_SIZE:
            self._mark, self._begun = line[-MARK_SIZE:], True
        elif line.startswith(b"$") and line[1:].isdigit():
            self.size = self._left = int(line[1:])
            self._begun = True
            self.done = not self._left
        else:
            raise SyncError(f"it sent {shown(line)} instead of its data")

    def _counted(self, data: bytes) -> bytes:
        out = data[: self._left]
        self._left -= len(out)
        self.done = not self._left
        return out

    def _marked(self, data: bytes) -> bytes:
        end = data.find(self._mark)
        if end < 0:
            end = max(0, len(data) - MARK_SIZE + 1)
            self._held = data[end:]
        else:
            self.done = True
        return data[:end]


def shown(line: bytes) -> str:
    return printable(text_of(line[:200]))
