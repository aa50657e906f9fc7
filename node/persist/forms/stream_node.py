"""A node of a stream and the listpack that it is in an RDB (t_stream.c of Redis 7.2, streamValidateListpackIntegrity).

The listpack begins with the numbers of live and of deleted entries and the fields of the node, and a zero. An entry
must be whole, and its id larger than the one before it: what else would be found there nobody could say.
"""

from typing import Final

from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.packed import listpack
from gossamer.node.types.streams.elements import number, size_at, text
from gossamer.node.types.streams.ids import SEQUENCE_BITS, WORD
from gossamer.node.types.streams.node import DEAD, SAME, Mark, Node

FIRST_FIELD: Final = 3
"""Elements before the fields: the two counters and the number of fields."""


def listpack_of(node: Node) -> bytes:
    head = [number(node.live), number(node.dead), number(len(node.fields)), *[text(field) for field in node.fields]]
    body = b"".join([*head, number(0), node.entries()])
    size = listpack.HEADER_SIZE + len(body) + 1
    assert size == node.size()
    count = min(elements_in(body), listpack.UNKNOWN_COUNT)
    return b"%b%b%b\xff" % (size.to_bytes(4, "little"), count.to_bytes(2, "little"), body)


def elements_in(data: bytes) -> int:
    at = count = 0
    while at < len(data):
        at += size_at(data, at)
        count += 1
    return count


def node_of(master: int, data: bytes, before: Node | None) -> Node:
    """The node that ``data`` is, behind ``before``; RdbError if it is damaged or out of order."""
    elements = listpack.decode(data)
    live, dead, count = integer(elements, 0), integer(elements, 1), integer(elements, 2)
    at = FIRST_FIELD + count
    if min(live, dead, count) < 0 or integer(elements, at) != 0:
        raise RdbError("a node of a stream has no proper head")
    fields = elements[FIRST_FIELD:at]
    if before is not None and fields == before.fields:
        fields = before.fields
    node = Node(Mark(), master, fields)
    node.data = data[start_of(data, at + 1) : -1]
    node.body = len(node.data)
    last = before.last if before is not None else -1
    if master <= last:
        raise RdbError("the nodes of a stream are not in order")
    read_entries(node, elements, at + 1, last)
    if (node.live, node.dead) != (live, dead):
        raise RdbError("a node of a stream has another number of entries than it says")
    while node.begin < node.body and node.data[node.begin] & DEAD:
        node.pass_first()
    return node


def read_entries(node: Node, elements: list[bytes], at: int, last: int) -> None:
    """Look at the entries from element ``at`` on, whose ids must be larger than ``last``, and count them."""
    while at < len(elements):
        flags = integer(elements, at)
        milliseconds = (node.milliseconds + integer(elements, at + 1)) & WORD
        entry_id = milliseconds << SEQUENCE_BITS | ((node.sequence + integer(elements, at + 2)) & WORD)
        size = 3 + len(node.fields)
        if not flags & SAME:
            count = integer(elements, at + 3)
            if count < 0:
                raise RdbError("an entry of a stream has fewer than no fields")
            size = 4 + 2 * count
        at += size
        if not 0 <= flags <= DEAD | SAME or integer(elements, at) != size or entry_id <= last or entry_id < node.master:
            raise RdbError("an entry of a stream is damaged or out of order")
        at += 1
        last = node.last = entry_id
        if flags & DEAD:
            node.dead += 1
        else:
            node.live += 1
            node.top = entry_id


def integer(elements: list[bytes], at: int) -> int:
    """The element ``at``; RdbError if it is no integer, or not there."""
    try:
        return int(elements[at])
    except (IndexError, ValueError):
        raise RdbError("a node of a stream lacks a number") from None


def start_of(data: bytes, index: int) -> int:
    """Where the element ``index`` of a listpack begins."""
    at = listpack.HEADER_SIZE
    for _ in range(index):
        at += size_at(data, at)
    return at
