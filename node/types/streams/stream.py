"""A stream: nodes of entries in the order of their ids, and the groups that read them (t_stream.c of Redis 7.2).

A stream without entries exists all the same: it knows the last id that it gave out, and its groups.

A copy shares nodes, groups and all that is in them. What is shared has another mark than the stream, and whoever
changes it first makes a copy of that part. So a copy takes a reference for each node of about a hundred entries.
"""

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.streams.cursor import Backward, Cursor
from gossamer.node.types.streams.group import Extent, Group
from gossamer.node.types.streams.ids import LAST
from gossamer.node.types.streams.node import Mark, Node

if TYPE_CHECKING:
    from mypy_extensions import i64

MAX_NODE: Final = 1 << 30
"""Bytes of the fields and values of one entry at most, and of a node where nothing else is set."""

# Bytes of an object of ours beside the bytes it holds, about.
BASE: Final = 700
NODE: Final = 500
GROUP: Final = 500
CONSUMER: Final = 250
NACK: Final = 140


def bytes_in(words: list[bytes]) -> int:
    size: i64 = 0
    for word in words:
        size += len(word)
    return size


class Stream:
    """``length`` live entries. Ids are 0 where there is none."""

    def __init__(self) -> None:
        self.mark: Mark = Mark()
        self.nodes: list[Node] = []
        self.masters: list[int] = []
        """The master ids of ``nodes``: where a node begins."""
        self.bytes: int = 0
        """What the nodes are in an RDB."""
        self.length: int = 0
        self.first_id: int = 0
        """Of the first live entry."""
        self.last_id: int = 0
        """The last one given out; no smaller one may follow."""
        self.max_deleted_id: int = 0
        """The largest one that XDEL has deleted."""
        self.entries_added: int = 0
        """Ever, as far as is known."""
        self.groups: dict[bytes, Group] = {}
        self.extent: Extent = Extent()

    def copy(self) -> "Stream":
        other = Stream()
        self.mark = Mark()
        other.nodes, other.masters, other.groups = self.nodes.copy(), self.masters.copy(), self.groups.copy()
        other.bytes, other.length, other.entries_added = self.bytes, self.length, self.entries_added
        other.first_id, other.last_id, other.max_deleted_id = self.first_id, self.last_id, self.max_deleted_id
        other.extent = Extent(self.extent.pending, self.extent.consumers)
        return other

    def size(self) -> int:
        """Bytes, about."""
        extent = self.extent
        held = self.bytes + NODE * len(self.nodes) + GROUP * len(self.groups)
        return BASE + held + CONSUMER * extent.consumers + NACK * extent.pending

    def amount(self) -> int:
        """Entries, pending entries, consumers and groups: what there is to go through."""
        return self.length + self.extent.pending + self.extent.consumers + len(self.groups)

    # --- entries

    def append(self, entry_id: int, pairs: list[bytes], limits: EncodingLimits) -> None:
        """Add an entry, with a larger id than any before. ``pairs``: fields and values, alternating."""
        assert entry_id > self.last_id
        node = self._tail(entry_id, pairs, limits)
        self.bytes += node.append(entry_id, pairs)
        self.length += 1
        self.entries_added += 1
        self.last_id = entry_id
        if self.length == 1:
            self.first_id = entry_id

    def cursor(self, first: int = 0, last: int = LAST) -> Cursor:
        """The entries from ``first`` to ``last``, both included."""
        return Cursor(self.nodes, max(self._index(first), 0), first, last)

    def backward(self, first: int = 0, last: int = LAST) -> Backward:
        """The same, the last one first."""
        return Backward(self.nodes, self._index(last), first, last)

    def find(self, entry_id: int) -> Cursor | None:
        """A cursor at the entry ``entry_id``; None if there is none."""
        index = self._index(entry_id)
        if index < 0 or self.nodes[index].last < entry_id:
            return None
        found = Cursor(self.nodes, index, entry_id, entry_id)
        return found if found.next() else None

    def top(self) -> int:
        """The id of the last live entry, 0 if there is none."""
        for node in reversed(self.nodes):
            if node.live:
                return node.top
        return 0

    def delete(self, entry_id: int) -> bool:
        """Delete an entry; was it there?"""
        found = self.find(entry_id)
        if found is None:
            return False
        index = self._index(entry_id)
        node = self.writable(index)
        self.bytes -= node.size()
        self.length -= 1
        if node.live == 1:
            del self.nodes[index]
            del self.masters[index]
        else:
            node.kill(found.start)
            self.bytes += node.size()
            if node.top == entry_id:
                last = Backward([node], 0, 0, LAST)
                assert last.next(), "another one is live"
                node.top = last.id
        self.max_deleted_id = max(self.max_deleted_id, entry_id)
        if entry_id == self.first_id or not self.length:
            self.find_first()
        return True

    def forget_behind(self, last_id: int) -> None:
        """Entries behind ``last_id``, all of them deleted, have never been there: ids may be given out anew."""
        assert self.top() <= last_id
        while self.nodes and self.nodes[-1].last > last_id:
            node = self.writable(len(self.nodes) - 1)
            self.bytes -= node.size()
            node.cut(last_id)
            if node.body:
                self.bytes += node.size()
            else:
                self.nodes.pop()
                self.masters.pop()

    def find_first(self) -> None:
        """Entries have gone at the beginning."""
        cursor = self.cursor()
        self.first_id = cursor.id if cursor.next() else 0

    def writable(self, index: int) -> Node:
        """A node that is shared with no copy, and has all its entries in ``data``."""
        node = self.nodes[index]
        node.settle()
        if node.mark is not self.mark:
            node = self.nodes[index] = node.copy(self.mark)
        return node

    def adopt(self, node: Node) -> None:
        """``node``, which nobody else has, becomes the last one."""
        assert not self.masters or node.master > self.masters[-1]
        node.mark = self.mark
        self.nodes.append(node)
        self.masters.append(node.master)
        self.bytes += node.size()

    def _index(self, entry_id: int) -> int:
        """The node that may have an entry; -1 if all begin behind it."""
        return bisect_right(self.masters, entry_id) - 1

    def _tail(self, entry_id: int, pairs: list[bytes], limits: EncodingLimits) -> Node:
        """The node that a new entry goes into."""
        if self.nodes:
            node = self.nodes[-1]
            most = limits.stream_node_max_bytes
            if not 0 < most <= MAX_NODE:
                most = MAX_NODE
            entries = limits.stream_node_max_entries
            full = node.size() + bytes_in(pairs) >= most
            if not full and not (entries and node.live + node.dead >= entries):
                if node.mark is not self.mark:
                    node = self.nodes[-1] = node.copy(self.mark)
                return node
        node = Node(self.mark, entry_id, self._fields(pairs))
        self.adopt(node)
        return node

    def _fields(self, pairs: list[bytes]) -> list[bytes]:
        """The fields of a new node; nodes that have the same ones share them."""
        if self.nodes and self.nodes[-1].has_fields(pairs):
            return self.nodes[-1].fields
        return pairs[::2]

    # --- groups

    def group(self, name: bytes) -> Group | None:
        """To be changed; None if there is none."""
        found = self.groups.get(name)
        if found is not None and found.mark is not self.mark:
            found = self.groups[name] = found.copy(self.mark, self.extent)
        return found

    def add_group(self, name: bytes, last_id: int, entries_read: int) -> Group:
        assert name not in self.groups
        group = self.groups[name] = Group(self.mark, self.extent, name, last_id, entries_read)
        return group

    def remove_group(self, name: bytes) -> "Stream":
        """A stream that has nothing but this group, to be freed."""
        remains = Stream()
        group = self.groups.pop(name)
        self.extent.pending -= group.pending.count
        self.extent.consumers -= len(group.consumers)
        remains.groups[name] = group
        remains.extent = Extent(group.pending.count, len(group.consumers))
        return remains
