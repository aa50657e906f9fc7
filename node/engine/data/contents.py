"""What a database holds, and every way to look at it. Nothing here changes anything.

A database is cut into parts, and a part holds a run of ``1 << shift`` hash slots: in cluster mode one slot, so that
counting, listing and dropping a slot's keys is direct; standalone 64 slots, because every further table costs a cache
miss a request (measured). SCAN's cursor has the part's number in it. A part without keys costs nothing.

``part`` in the methods below is ``part_of(key)``, which callers often know already. Times are unix milliseconds.
Whether a key whose time is over may be seen is the caller's question.
"""

from collections.abc import Iterator
from typing import Final

from gossamer.cluster.slots import SLOTS
from gossamer.node.engine.data.part import EMPTY, items, keys
from gossamer.node.store.table import Table, key_slot, route
from gossamer.node.types.kind import Value

STANDALONE_SHIFT: Final = 6
CLUSTER_SHIFT: Final = 0

find_slot: Final = key_slot


class Contents:
    """The keys of one database, in its parts."""

    def __init__(self, shift: int) -> None:
        self.shift: int = shift
        self.part_count: int = SLOTS >> shift
        self._tables: list[Table] = [EMPTY] * self.part_count
        self._open: set[int] = set()
        """The parts that have a table of their own. It may have become empty."""
        self._expiring: set[int] = set()
        """The parts that have keys which expire."""
        self.size: int = 0
        self.volatile: int = 0
        """How many keys expire."""

    # --- one key

    def part_of(self, key: bytes) -> int:
        return find_slot(key) >> self.shift

    def get(self, part: int, key: bytes) -> Value | None:
        """The value of ``key`` whether or not it has expired; None if there is none. It counts as no use."""
        return self._tables[part].get(key)

    def get_raw(self, key: bytes) -> Value | None:
        """As ``get``, for those who do not know the part."""
        return self._tables[find_slot(key) >> self.shift].get(key)

    def stamp(self, part: int, key: bytes) -> int:
        """What the clock has noted of the uses of ``key``; -1 if it does not exist."""
        return self._tables[part].stamp(key)

    def sample(self, part: int, number: int, count: int, expiring: bool) -> list[tuple[bytes, int, int]]:
        """``count`` keys of a part, by chance, with stamp and expire time of each (``Table.sample``)."""
        return self._tables[part].sample(number, count, expiring)

    def expire_time(self, part: int, key: bytes) -> int:
        """When ``key`` expires, ``NEVER`` also if it does not exist."""
        return self._tables[part].expire(key)

    def is_expired(self, key: bytes, now: int) -> bool:
        """True if ``key`` exists and its time is over. It lives through the millisecond it expires in, as in Redis."""
        if not self.volatile:
            return False
        return 0 <= self.expire_time(self.part_of(key), key) < now

    # --- the keys of a part, or of a slot

    def size_of(self, part: int) -> int:
        return len(self._tables[part])

    def volatile_of(self, part: int) -> int:
        return self._tables[part].expiring

    def keys_of(self, part: int) -> list[bytes]:
        """The keys of a part, expired ones too."""
        return keys(self._tables[part])

    def items_of(self, part: int) -> Iterator[tuple[bytes, Value, int]]:
        """Key, value and expire time of all keys of a part. Not for use while the part changes."""
        return items(self._tables[part])

    def walk(self, part: int, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """Go on through a part: the next cursor, 0 at the end, and about ``count`` keys (``Table.keys``)."""
        return self._tables[part].keys(cursor, count)

    def walk_expiring(self, part: int, cursor: int, count: int) -> tuple[int, list[bytes]]:
        """As ``walk``, of the keys that expire."""
        return self._tables[part].expiring_keys(cursor, count)

    def random_of(self, part: int, number: int) -> bytes | None:
        """A key of a part, by ``number`` from 0 below ``1 << 64``; None if it has none."""
        return self._tables[part].random(number)

    def expiring_parts(self) -> list[int]:
        """The parts that have keys which expire."""
        return list(self._expiring)

    def expired_of(self, part: int, keys: list[bytes], now: int) -> list[bytes]:
        """Those of ``keys``, all of one part, whose time is over."""
        table = self._tables[part]
        return [key for key in keys if 0 <= table.expire(key) < now]

    def keys_in_slot(self, slot: int) -> list[bytes]:
        """The keys of one hash slot, expired ones too."""
        found = self.keys_of(slot >> self.shift)
        return found if self.shift == 0 else [key for key in found if find_slot(key) == slot]

    def count_in_slot(self, slot: int) -> int:
        return len(self._tables[slot]) if self.shift == 0 else len(self.keys_in_slot(slot))

    # --- all keys

    def keys(self) -> Iterator[bytes]:
        """All keys, part by part, expired ones too. Not for use while the database changes."""
        for part in sorted(self._open):
            yield from keys(self._tables[part])

    def tables(self) -> list[Table]:
        """All parts, for a snapshot. The list stays as it is if the database is emptied or swapped."""
        return self._tables

    def full_parts(self) -> list[Table]:
        """The parts that have keys."""
        return [self._tables[part] for part in sorted(self._open) if len(self._tables[part])]

    def open_parts(self) -> list[int]:
        """The parts that have keys, in no order, and some that had."""
        return list(self._open)

    def route(self, requests: list[list[bytes]] | list[bytes]) -> list[int]:
        """The slot of each key, or of each request's second word (-1: there is none). They will be looked up soon."""
        return route(requests, self._tables, self.shift)
