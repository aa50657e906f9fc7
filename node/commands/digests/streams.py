"""What DEBUG DIGEST mixes of a stream: its entries alone, in their order (debug.c of Redis 7.0)."""

from typing import Final

from gossamer.node.commands.digests.mixing import mixed
from gossamer.node.types.kind import DONE, STEP, Value
from gossamer.node.types.streams.cursor import Cursor
from gossamer.node.types.streams.ids import LAST, SEQUENCE_BITS, WORD
from gossamer.node.types.streams.stream import Stream

MARK: Final = (6).to_bytes(4, "big")


def digest(before: int, value: Value, at: int, now: int) -> tuple[int, int]:
    """Positions are numbers of nodes."""
    assert isinstance(value, Stream)
    if at == 0:
        before = mixed(before, MARK)
    room = STEP
    while at < len(value.nodes) and room > 0:
        cursor = Cursor(value.nodes[at : at + 1], 0, 0, LAST)
        while cursor.next():
            before = mixed(before, b"%d.%d" % (cursor.id >> SEQUENCE_BITS, cursor.id & WORD))
            for word in cursor.pairs():
                before = mixed(before, word)
            room -= 1
        at += 1
    return before, at if at < len(value.nodes) else DONE
