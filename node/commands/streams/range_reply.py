"""The reply of XRANGE and XREVRANGE, in steps if there are many entries: they are encoded as they are found."""

from gossamer.node.commands.streams.shown import array_of, put_encoded
from gossamer.node.engine.clients.long_reply import LongReply
from gossamer.node.types.kind import STEP
from gossamer.node.types.streams.cursor import Cursor
from gossamer.node.types.streams.stream import Stream


class RangeReply(LongReply):
    """Up to ``count`` entries that ``cursor`` comes to, or ``ALL``, of ``stream`` as it is now."""

    def __init__(self, stream: Stream, cursor: Cursor, count: int) -> None:
        super().__init__()
        self.stream: Stream = stream
        self.cursor: Cursor = cursor
        self.left: int = count
        self.count: int = 0
        self.pieces: list[bytes] = []

    def step(self) -> None:
        wanted = min(self.left, STEP) if self.left >= 0 else STEP
        is_first = not self.pieces
        found = put_encoded(self.pieces, self.cursor, wanted)
        if self.left > 0:
            self.left -= found
        self.done = found < wanted or self.left == 0
        self.count += found
        if self.done:
            self.reply = array_of(self.count, self.pieces)
            self.pieces = []
        elif is_first:
            self.cursor.nodes = self.stream.copy().nodes  # whoever changes the stream now replaces what it shares
