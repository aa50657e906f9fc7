"""Walks through a whole table, call by call."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from gossamer.node.store.plain import Table, Value

T = TypeVar("T")


def walk(step: Callable[[int, int], tuple[int, list[T]]], count: int) -> Iterator[T]:
    """All that a walk returns with ``count`` a call: ``step`` is a method of the table."""
    cursor = 0
    while True:
        cursor, found = step(cursor, count)
        yield from found
        if cursor == 0:
            return


def contents(table: Table) -> dict[bytes, tuple[Value, int]]:
    """The table as a dictionary, read by a walk and by look-ups, which must agree."""
    items = list(walk(table.items, 100))
    read = {key: (value, at) for key, value, at in items}
    assert len(read) == len(items) == len(table)
    for key, (value, at) in read.items():
        assert key in table
        assert (table.get(key), table.expire(key)) == (value, at)
    assert sorted(walk(table.expiring_keys, 100)) == sorted(key for key, (_, at) in read.items() if at >= 0)
    assert table.expiring == sum(at >= 0 for _, at in read.values())
    return read
