"""The replication stream of a primary: its writes as replicas are sent them, and what counts as the offset.

Beside the writes it has what they need (SELECT, MULTI, EXEC) and what only replicas are told (PING, GETACK, marks of
slot migrations). A SELECT comes within MULTI, as in Redis 7.2 (7.0 has the first one before it).
"""

from typing import Final

from gossamer.node.engine.stream.sink import Sink, Write

NOT_SELECTED: Final = -1

PING: Final = b"*1\r\n$4\r\nping\r\n"
GETACK: Final = b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n"
MULTI: Final = b"*1\r\n$5\r\nMULTI\r\n"
EXEC: Final = b"*1\r\n$4\r\nEXEC\r\n"


class Stream(Sink):
    """``offset``: how many bytes the stream has had so far, those in ``pending`` included."""

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset: int = offset
        self.pending: list[bytes] = []
        """Bytes of this batch, which nobody has been given yet."""
        self.want_acks: bool = False
        """Replicas are to be asked how far they have come, behind all that is pending."""
        self.selected: int = NOT_SELECTED

    def write(self, db: int, data: bytes, slot: int) -> None:
        if db != self.selected:
            self.select(db)
        self.pending.append(data)
        self.offset += len(data)

    def group(self, writes: list[Write]) -> None:
        self.put(MULTI)
        for write in writes:
            self.write(write.db, write.data, write.slot)
        self.put(EXEC)

    def select(self, db: int) -> None:
        self.selected = db
        self.put(b"*2\r\n$6\r\nSELECT\r\n$%d\r\n%d\r\n" % (len(str(db)), db))

    def put(self, data: bytes) -> None:
        """The next bytes of the stream, which are no write."""
        self.pending.append(data)
        self.offset += len(data)

    def take(self) -> bytes:
        """The bytes that nobody has been given yet: the one copy that a batch costs."""
        pending, self.pending = self.pending, []
        return pending[0] if len(pending) == 1 else b"".join(pending)
