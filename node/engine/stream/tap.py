"""A copy of the writes of some slots: what a slot's new owner is sent while the slot is on its way."""

from gossamer.node.engine.stream.sink import Sink


class Tap(Sink):
    """``slots``: one byte a slot, 1 for those. MULTI and EXEC mean nothing to the new owner, so it gets none."""

    def __init__(self, slots: bytearray) -> None:
        super().__init__(by_slot=True)
        self.slots: bytearray = slots
        self.pieces: list[bytes] = []
        self.size: int = 0

    def write(self, db: int, data: bytes, slot: int) -> None:
        if slot >= 0 and self.slots[slot]:
            self.pieces.append(data)
            self.size += len(data)

    def take(self) -> bytes:
        pieces, self.pieces = self.pieces, []
        self.size = 0
        return b"".join(pieces)
