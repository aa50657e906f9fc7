"""Entries of a stream as replies show them."""

from typing import Final

from gossamer.node.resp.reply import Reply
from gossamer.node.types.streams.cursor import Cursor

ALL: Final = -1
"""As a count: no end to it."""


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
