"""A part of a database: the keys of a run of hash slots, in a table of their own (``node/store``).

Only this room and the floors below know tables, and ``LazyFree``, which empties them (``tests/tidy/test_data.py``).
"""

from collections.abc import Iterator
from typing import Final

from gossamer.node.engine.data.kinds import copy_of, size_of
from gossamer.node.engine.data.tally import EXPIRY, OVERHEAD
from gossamer.node.store.table import KEEP, NEVER, Table
from gossamer.node.types.kind import Value

__all__ = ["EMPTY", "KEEP", "NEVER", "batch", "copied", "items", "keys", "size_in_tally"]

EMPTY: Final = Table()
"""Stands for every part without keys, so that thousands of those cost nothing. Nobody puts anything into it."""


def keys(table: Table) -> list[bytes]:
    """All keys, expired ones too."""
    cursor, found = table.keys(0, len(table))
    while cursor:
        cursor, more = table.keys(cursor, len(table))
        found += more
    return found


def items(table: Table) -> Iterator[tuple[bytes, Value, int]]:
    """Key, value and expire time of all keys."""
    cursor = -1
    while cursor:
        cursor, found = table.items(max(cursor, 0), len(table))
        yield from found


def batch(table: Table, most: int) -> list[tuple[bytes, Value, int]]:
    """As ``items``, of at most so many keys; of at least one, if there is any."""
    cursor, found = table.items(0, most)
    while cursor and not found:
        cursor, found = table.items(cursor, most)
    return found[:most]


def copied(table: Table) -> Table:
    """The same keys with the same values and stamps, as they are now, whatever is changed in place later."""
    other = Table()
    for key, value, at in items(table):
        other.put(key, copy_of(value), at)
        other.set_stamp(key, table.stamp(key))
    return other


def size_in_tally(table: Table) -> int:
    """Bytes of all keys and values."""
    size = len(table) * OVERHEAD + table.expiring * EXPIRY
    for key, value, _ in items(table):
        size += len(key) + size_of(value)
    return size
