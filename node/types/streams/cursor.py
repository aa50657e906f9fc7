"""Going through the live entries of a stream, in both directions. The stream must not change meanwhile."""

from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.types.streams.elements import number_at, passed, size_at, text_at
from gossamer.node.types.streams.ids import SEQUENCE_BITS, WORD
from gossamer.node.types.streams.node import DEAD, SAME, Node, first_after, wrapped

NO_FIELDS: list[bytes] = []
FAR: Final = 1 << 62
"""Milliseconds from which on differences may be held as negative numbers."""


class Cursor:
    """Entries from ``first`` to ``last``, both included: ``next`` until it says False; ``id`` and ``pairs`` of each.

    ``index``: the first of ``nodes`` that may have one. Ids are compared in two halves: whole, they are large integers.
    """

    def __init__(self, nodes: list[Node], index: int, first: int, last: int) -> None:
        self.nodes: list[Node] = nodes
        self.index: int = index
        """The node that is opened next."""
        self.first_ms: int = first >> SEQUENCE_BITS
        self.first_sequence: int = first & WORD
        self.last_ms: int = last >> SEQUENCE_BITS
        self.last_sequence: int = last & WORD
        self.id_ms: int = 0
        self.id_sequence: int = 0
        self.start: int = 0
        """Where the entry begins in the data of its node."""
        self.milliseconds: int = 0
        self.sequence: int = 0
        self.fields: list[bytes] = NO_FIELDS
        self.data: bytes = b""
        self.at: int = 0
        self.dead: bool = False
        self.same: bool = False
        self.left: int = 0
        """Elements of the entry from ``at`` on; 0: ``at`` is behind it."""

    @property
    def id(self) -> int:
        return self.id_ms << SEQUENCE_BITS | self.id_sequence

    def id_text(self) -> bytes:
        return bytes_of(f"{self.id_ms}-{self.id_sequence}")

    def next(self) -> bool:
        while True:
            if self.left:
                self._skip()
            if not self.has_entry():
                return False
            self.read_head()
            if self.is_behind():
                self.end()
                return False
            if not self.dead and not self.is_before():
                return True

    def has_entry(self) -> bool:
        """Open the next node if that is due; is there an entry at ``at``, wanted or not?"""
        while self.at >= len(self.data):
            if self.index >= len(self.nodes):
                return False
            self.open(self.nodes[self.index])
            self.index += 1
        return True

    def end(self) -> None:
        """None that comes is wanted."""
        self.index = len(self.nodes)
        self.at = len(self.data)
        self.left = 0

    def is_before(self) -> bool:
        """Is the entry before all that are wanted?"""
        if self.id_ms != self.first_ms:
            return self.id_ms < self.first_ms
        return self.id_sequence < self.first_sequence

    def is_behind(self) -> bool:
        if self.id_ms != self.last_ms:
            return self.id_ms > self.last_ms
        return self.id_sequence > self.last_sequence

    def pairs(self) -> list[bytes]:
        """Fields and values, alternating. Once for each entry."""
        assert self.left
        data = self.data
        at = self.at
        out: list[bytes] = []
        if self.same:
            for field in self.fields:
                out.append(field)
                out.append(text_at(data, at))
                at += size_at(data, at)
        else:
            for _ in range(self.left - 1):
                out.append(text_at(data, at))
                at += size_at(data, at)
        self.at = at + size_at(data, at)
        self.left = 0
        return out

    def open(self, node: Node) -> None:
        node.settle()
        self.milliseconds = node.milliseconds
        self.sequence = node.sequence
        self.fields = node.fields
        self.data = node.data
        self.at = node.begin
        ahead = self.first_ms - self.milliseconds
        if 0 < ahead < FAR:
            self.at = first_after(self.data, self.at, len(self.fields), ahead)

    def read_head(self) -> None:
        """Read the entry that begins at ``at``, but not its fields and values."""
        data = self.data
        at = self.at
        self.start = at
        flags = data[at]
        self.dead = flags & DEAD != 0
        self.same = flags & SAME != 0
        at += 2
        milliseconds: int = number_at(data, at)  # with the machine's integers, sums of these would overflow
        at += size_at(data, at)
        sequence: int = number_at(data, at)
        self.id_ms = wrapped(self.milliseconds + milliseconds)
        self.id_sequence = wrapped(self.sequence + sequence)
        at += size_at(data, at)
        if self.same:
            self.left = len(self.fields) + 1
        else:
            self.left = 2 * number_at(data, at) + 1
            at += size_at(data, at)
        self.at = at

    def _skip(self) -> None:
        self.at = passed(self.data, self.at, self.left)
        self.left = 0


class Backward(Cursor):
    """The same entries from the last to the first. ``index``: the last of ``nodes`` that may have one."""

    def __init__(self, nodes: list[Node], index: int, first: int, last: int) -> None:
        super().__init__(nodes, index, first, last)
        self.least: int = first
        self.starts: list[int] = []
        """Where the entries of the present node begin that are still to come."""

    def next(self) -> bool:
        while not self.starts:
            if self.index < 0 or self.nodes[self.index].last < self.least:
                return False
            self._collect(self.nodes[self.index])
            self.index -= 1
        self.at = self.starts.pop()
        self.read_head()
        return True

    def _collect(self, node: Node) -> None:
        self.open(node)
        size = len(self.data)
        while self.at < size:
            self.read_head()
            if self.is_behind():
                return
            if not self.dead and not self.is_before():
                self.starts.append(self.start)
            self._skip()
