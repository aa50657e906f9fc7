"""A node of a stream: up to about a hundred entries, packed, with the field names of the first of them held once.

An entry is flags, its milliseconds and its sequence number less those of the node's ``master`` id, fields (unless they
are those of the node) and values, and the number of its elements, all as elements of a listpack (t_stream.c of Redis
7.2, streamAppendItem). A deleted entry stays until its node goes, as in Redis: it counts for what a node may hold.

``data`` is never changed but replaced, so that copies of a stream share it. New entries are ``pieces`` at first.
"""

from typing import TYPE_CHECKING, Final

from gossamer.node.store import stream_entries
from gossamer.node.types.streams.elements import counter_size, number, number_at, passed, size_at, text
from gossamer.node.types.streams.ids import SEQUENCE_BITS, WORD

if TYPE_CHECKING:
    from mypy_extensions import i64

DEAD: Final = 1
"""Flag of an entry that has been deleted."""
SAME: Final = 2
"""Flag of an entry with the fields of the node, which are not repeated."""
PIECES: Final = 16
"""So many entries are joined at once: each piece is an object."""
SHARE: Final = 8
"""But no sooner than they are this share of the node, which may be large where no limit is set."""
FRAME: Final = 6 + 2 + 1
"""Bytes of a listpack's header, of the zero behind the fields, and of its end."""
SMALL: Final = 1 << 60
"""An integer that is no object where it is compiled."""

packed: Final = stream_entries.pack_entry


class Mark:
    """Whose it is: a part of a stream that has the mark of the stream is shared with no copy."""


class Node:
    """Entries from ``begin`` on may be live; the ``gone`` before it are all deleted, whatever their flags say.

    ``live`` and ``dead`` count the others and the deleted ones. ``last`` is the last id of all, ``top`` of the live.
    """

    def __init__(self, mark: Mark, master: int, fields: list[bytes]) -> None:
        self.mark: Mark = mark
        self.master: int = master
        self.milliseconds: int = master >> SEQUENCE_BITS
        self.sequence: int = master & WORD
        self.fields: list[bytes] = fields
        self.head: int = FRAME + len(number(len(fields))) + sum([len(text(field)) for field in fields])
        """Bytes of the listpack beside the two counters and the entries."""
        self.data: bytes = b""
        self.pieces: list[bytes] = []
        self.body: int = 0
        """Bytes of ``data`` and ``pieces``."""
        self.live: int = 0
        self.dead: int = 0
        self.begin: int = 0
        self.gone: int = 0
        self.last: int = 0
        self.top: int = 0

    def copy(self, mark: Mark) -> "Node":
        self.settle()
        other = Node(mark, self.master, self.fields)
        other.data, other.body = self.data, self.body
        other.live, other.dead, other.begin, other.gone = self.live, self.dead, self.begin, self.gone
        other.last, other.top = self.last, self.top
        return other

    def size(self) -> int:
        """Bytes of the listpack that the node is in an RDB."""
        return self.head + self.body + counter_size(self.live) + counter_size(self.dead)

    def append(self, entry_id: int, pairs: list[bytes]) -> int:
        """Add an entry, whose id is larger than all others; how many bytes the listpack gains.

        ``pairs``: fields and values, alternating.
        """
        piece = packed(self.fields, pairs, self.master, entry_id)
        self.pieces.append(piece)
        self.body += len(piece)
        gained = len(piece) - counter_size(self.live)
        self.live += 1
        self.last = self.top = entry_id
        if len(self.pieces) >= PIECES and self.body - len(self.data) > len(self.data) // SHARE:
            self.settle()
        return gained + counter_size(self.live)

    def has_fields(self, pairs: list[bytes]) -> bool:
        if len(pairs) != 2 * len(self.fields):
            return False
        at = 0
        for field in self.fields:
            if pairs[at] != field:
                return False
            at += 2
        return True

    def settle(self) -> None:
        """Have all entries in ``data``."""
        if self.pieces:
            self.data = b"".join([self.data, *self.pieces])
            self.pieces = []

    def kill(self, at: int) -> None:
        """Delete the live entry at ``at`` of ``data``. ``top`` is the caller's."""
        assert at >= self.begin
        assert not self.pieces
        self.live -= 1
        self.dead += 1
        if at > self.begin:
            self.data = b"%b%c%b" % (self.data[:at], self.data[at] | DEAD, self.data[at + 1 :])
            return
        self.pass_first()
        while self.begin < self.body and self.data[self.begin] & DEAD:
            self.pass_first()

    def pass_first(self) -> None:
        """The first entry from ``begin`` on, which is dead, is no longer looked at."""
        self.begin = self.end_of(self.begin)
        self.gone += 1

    def end_of(self, at: int) -> int:
        """Where the entry at ``at`` ends."""
        return entry_end(self.data, at, len(self.fields))

    def id_at(self, at: int) -> int:
        """The id of the entry at ``at``."""
        data = self.data
        at += 2
        milliseconds = number_at(data, at)
        at += size_at(data, at)
        return id_behind(self.milliseconds, self.sequence, milliseconds, number_at(data, at))

    def cut(self, last_id: int) -> None:
        """Entries behind ``last_id``, all of them deleted, have never been there."""
        assert not self.pieces
        at = end = left = 0
        while at < self.body:
            entry_id = self.id_at(at)
            at = self.end_of(at)
            if entry_id > last_id:
                self.dead -= 1
            else:
                self.last = entry_id
                end = at
                left += 1
        self.data = self.data[:end]
        self.body = end
        self.begin, self.gone = min(self.begin, end), min(self.gone, left)

    def entries(self) -> bytes:
        """All entries, with the flags of those that are gone set."""
        self.settle()
        if not self.gone:
            return self.data
        out = bytearray(self.data)
        at = 0
        while at < self.begin:
            out[at] |= DEAD
            at = self.end_of(at)
        return bytes(out)


def entry_end(data: bytes, at: "i64", fields: "i64") -> "i64":
    """Where the entry at ``at`` ends, in a node with so many ``fields``."""
    same: i64 = data[at] & SAME
    at = passed(data, at, 3)
    if same:
        return passed(data, at, fields + 1)
    return passed(data, at, 2 * number_at(data, at) + 2)


def first_after(data: bytes, at: "i64", fields: "i64", milliseconds: "i64") -> "i64":
    """Where the first entry from ``at`` on begins that is so many ``milliseconds`` behind the master id, or more."""
    size: i64 = len(data)
    while at < size:
        difference: i64 = number_at(data, at + 2)
        if difference >= milliseconds or difference < 0:
            return at
        at = entry_end(data, at, fields)
    return at


def id_behind(milliseconds: int, sequence: int, more_milliseconds: int, more_sequence: int) -> int:
    """The id that is so much larger than another one; what it consists of wraps around as in C."""
    return wrapped(milliseconds + more_milliseconds) << SEQUENCE_BITS | wrapped(sequence + more_sequence)


def wrapped(number: int) -> int:
    """``number`` as an unsigned one of 64 bits."""
    return number if 0 <= number <= SMALL else number & WORD
