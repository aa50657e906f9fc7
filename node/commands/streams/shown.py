"""Entries of a stream as replies show them."""

from typing import Final

from gossamer.node.resp.reply import Raw, Reply
from gossamer.node.resp.writer import encode
from gossamer.node.store.stream_entries import encode_entries
from gossamer.node.types.streams.cursor import Backward, Cursor

ALL: Final = -1
"""As a count: no end to it."""
MOST: Final = 1 << 62

encode_some: Final = encode_entries
"""Compiled, what is ``Final`` here is at hand; a name that was imported is looked up each time."""


def shown(cursor: Cursor) -> Reply:
    """The entry that ``cursor`` is at."""
    return [cursor.id_text(), cursor.pairs()]


def taken(cursor: Cursor, count: int) -> list[Reply]:
    """Up to ``count`` entries that ``cursor`` comes to, or ``ALL``."""
    out: list[Reply] = []
    while count and cursor.next():
        out.append(shown(cursor))
        count -= 1
    return out


def encoded(cursor: Cursor, count: int) -> Raw:
    """The same as a reply that is encoded already. ``cursor`` has not moved yet."""
    pieces: list[bytes] = []
    found = put_encoded(pieces, cursor, count if count >= 0 else MOST)
    return array_of(found, pieces)


def array_of(count: int, pieces: list[bytes]) -> Raw:
    return Raw(b"*%d\r\n%b" % (count, b"".join(pieces)))


def put_encoded(pieces: list[bytes], cursor: Cursor, most: int) -> int:
    """Add up to ``most`` entries to ``pieces``; how many there were. To be called for all of ``cursor`` or for none."""
    if encode_some is None or isinstance(cursor, Backward):
        entries = taken(cursor, most)
        pieces += [encode(entry, False) for entry in entries]
        return len(entries)
    found = 0
    while found < most and cursor.has_entry():
        piece, count, at = encode_some(
            cursor.data,
            cursor.at,
            cursor.fields,
            cursor.milliseconds,
            cursor.sequence,
            cursor.first_ms,
            cursor.first_sequence,
            cursor.last_ms,
            cursor.last_sequence,
            most - found,
        )
        pieces.append(piece)
        found += count
        if at < 0:
            cursor.end()
        else:
            cursor.at = at
    return found
