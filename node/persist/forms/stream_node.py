"""A node of a stream and the listpack that it is in an RDB (t_stream.c of Redis 7.2, streamValidateListpackIntegrity).

The listpack begins with the numbers of live and of deleted entries and the fields of the node, and a zero. An entry
must be whole, and its id larger than the one before it: what else would be found there nobody could say.
"""

from typing import TYPE_CHECKING, Final

from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.packed import listpack
from gossamer.node.types.streams.elements import TEXT_32, number, number_at, size_at, text, text_at
from gossamer.node.types.streams.ids import SEQUENCE_BITS, WORD
from gossamer.node.types.streams.node import DEAD, SAME, Mark, Node, wrapped

if TYPE_CHECKING:
    from mypy_extensions import i64

HEAD: Final = "a node of a stream has no proper head"
LACKING: Final = "a node of a stream lacks a number"


def listpack_of(node: Node) -> bytes:
    head = [number(node.live), number(node.dead), number(len(node.fields)), *[text(field) for field in node.fields]]
    body = b"".join([*head, number(0), node.entries()])
    size = listpack.HEADER_SIZE + len(body) + 1
    assert size == node.size()
    count = min(elements_in(body), listpack.UNKNOWN_COUNT)
    return b"%b%b%b\xff" % (size.to_bytes(4, "little"), count.to_bytes(2, "little"), body)


def elements_in(data: bytes) -> int:
    at: i64 = 0
    size: i64 = len(data)
    count: i64 = 0
    while at < size:
        at += size_at(data, at)
        count += 1
    return count


def node_of(master: int, data: bytes, before: Node | None) -> Node:
    """The node that ``data`` is, behind ``before``; RdbError if it is damaged or out of order."""
    listpack.check(data)
    live, at = integer(data, listpack.HEADER_SIZE)
    dead, at = integer(data, at)
    count, at = integer(data, at)
    if live < 0 or dead < 0 or count < 0:
        raise RdbError(HEAD)
    fields: list[bytes] = []
    while len(fields) < count and at < len(data) - 1:
        fields.append(text_at(data, at))
        at += size_at(data, at)
    zero, at = integer(data, at)
    if zero != 0 or len(fields) < count:
        raise RdbError(HEAD)
    if before is not None and fields == before.fields:
        fields = before.fields
    node = Node(Mark(), master, fields)
    node.data = data[at:-1]
    node.body = len(node.data)
    last = before.last if before is not None else -1
    if master <= last:
        raise RdbError("the nodes of a stream are not in order")
    read_entries(node, data, at, master - 1)
    if (node.live, node.dead) != (live, dead):
        raise RdbError("a node of a stream has another number of entries than it says")
    while node.begin < node.body and node.data[node.begin] & DEAD:
        node.pass_first()
    return node


def read_entries(node: Node, data: bytes, at: int, last: int) -> None:
    """Look at the entries from ``at`` on, whose ids must be larger than ``last``, in halves, and count them."""
    same = len(node.fields)
    last_ms, last_sequence = last >> SEQUENCE_BITS, last & WORD
    top_ms = top_sequence = 0
    first = at
    while at < len(data) - 1:
        flags, at = integer(data, at)
        milliseconds, at = integer(data, at)
        sequence, at = integer(data, at)
        milliseconds, sequence = wrapped(node.milliseconds + milliseconds), wrapped(node.sequence + sequence)
        texts, size = same, 3 + same
        if not flags & SAME:
            count, at = integer(data, at)
            if count < 0:
                raise RdbError("an entry of a stream has fewer than no fields")
            texts, size = 2 * count, 4 + 2 * count
        told, at = integer(data, behind(data, at, texts))
        ordered = milliseconds > last_ms or (milliseconds == last_ms and sequence > last_sequence)
        if not 0 <= flags <= DEAD | SAME or told != size or not ordered:
            raise RdbError("an entry of a stream is damaged or out of order")
        last_ms, last_sequence = milliseconds, sequence
        if flags & DEAD:
            node.dead += 1
        else:
            node.live += 1
            top_ms, top_sequence = milliseconds, sequence
    if at > first:
        node.last = last_ms << SEQUENCE_BITS | last_sequence
    node.top = top_ms << SEQUENCE_BITS | top_sequence


def integer(data: bytes, at: int) -> tuple[int, int]:
    """The element at ``at`` of a whole listpack, and where it ends; RdbError if it is no integer or the end."""
    first = data[at]
    if first < 0x80:
        return first, at + 2
    if first == listpack.END:
        raise RdbError(LACKING)
    try:
        found = int(text_at(data, at)) if is_text(first) else number_at(data, at)
    except ValueError:
        raise RdbError(LACKING) from None
    return found, at + size_at(data, at)


def is_text(first: int) -> bool:
    """Does an element begin with this byte that is a string?"""
    return first < 0xC0 or 0xE0 <= first <= TEXT_32


def behind(data: bytes, at: int, count: int) -> int:
    """Where the element stands that is ``count`` elements behind the one at ``at``; the end if there are fewer."""
    left = count
    end = len(data) - 1
    while left > 0 and at < end:
        at += size_at(data, at)
        left -= 1
    return at
