"""Trimming a stream at its beginning, exactly or by whole nodes (streamTrim of Redis 7.2)."""

from gossamer.node.types.streams.cursor import Cursor
from gossamer.node.types.streams.ids import LAST
from gossamer.node.types.streams.stream import Stream

ANY = -1


class Trim:
    """What may stay: ``length`` entries, or those from ``first_id`` on; ``ANY`` where that is no criterion.

    ``approximate``: only whole nodes go. ``limit``: so many entries go at most, 0: all.
    """

    def __init__(self, length: int, first_id: int, approximate: bool, limit: int) -> None:
        assert (length == ANY) != (first_id == ANY)
        self.length: int = length
        self.first_id: int = first_id
        self.approximate: bool = approximate
        self.limit: int = limit


def trim(stream: Stream, plan: Trim) -> int:
    """How many entries have gone."""
    by_length = plan.length != ANY
    before = stream.length
    nodes = 0
    for node in stream.nodes:
        if by_length and stream.length <= plan.length:
            break
        if plan.limit and before - stream.length + node.live > plan.limit:
            break
        whole = stream.length - node.live >= plan.length if by_length else node.last < plan.first_id
        if not whole:
            if not plan.approximate:
                trim_node(stream, nodes, plan)
            break
        stream.length -= node.live
        stream.bytes -= node.size()
        nodes += 1
    if nodes:
        del stream.nodes[:nodes]
        del stream.masters[:nodes]
    if stream.length != before:
        stream.find_first()
    return before - stream.length


def trim_node(stream: Stream, index: int, plan: Trim) -> None:
    """Entries of the node at ``index`` go, but not all."""
    node = stream.writable(index)
    before = node.size()
    cursor = Cursor([node], 0, 0, LAST)
    going = stream.length - plan.length if plan.length != ANY else node.live
    while going and cursor.next() and (plan.length != ANY or cursor.id < plan.first_id):
        node.kill(cursor.start)
        stream.length -= 1
        going -= 1
    stream.bytes += node.size() - before
