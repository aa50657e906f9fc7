"""The data: databases of keys, kept apart by hash slot.

Every database is cut into one ``Part`` per hash slot, in standalone mode too. So counting, listing and dropping a slot's
keys is direct, SCAN has a cursor that survives changes (the slot number), and no dictionary ever grows so large that its
resize is felt as a pause.

A string is ``bytes``, or ``bytearray`` once it has been changed in place (what OBJECT ENCODING calls raw); other types are
classes of ``node.types``. Times are unix milliseconds. Nothing here knows commands, clients or notifications; the rules of
expiry (who may delete, and when) are in ``expiry.py``.
"""

from collections.abc import Iterator
from typing import TypeAlias

from cluster.slots import SLOTS, key_slot

Value: TypeAlias = object


class Part:
    """The keys of one hash slot in one database. ``touched`` is when a key was last used, in seconds (OBJECT IDLETIME)."""

    def __init__(self) -> None:
        self.values: dict[bytes, Value] = {}
        self.expires: dict[bytes, int] = {}
        self.touched: dict[bytes, int] = {}


class Database:
    """One numbered database."""

    def __init__(self, index: int) -> None:
        self.index: int = index
        self.parts: list[Part | None] = [None] * SLOTS
        self.size: int = 0
        self.volatile: int = 0
        """How many keys have a time to live."""
        self.volatile_slots: dict[int, None] = {}
        """Slots that hold keys with a time to live, in the order in which they got the first."""
        self.watchers: dict[bytes, list[Watcher]] = {}

    def part(self, slot: int) -> Part:
        """The part of ``slot``, made if it is not there yet."""
        found = self.parts[slot]
        if found is None:
            found = self.parts[slot] = Part()
        return found

    def peek(self, key: bytes) -> Value | None:
        """The value of ``key`` whether or not its time is over; None if there is none."""
        part = self.parts[key_slot(key)]
        return None if part is None else part.values.get(key)

    def expire_time(self, key: bytes) -> int:
        """When ``key`` ends, -1 if never or if it does not exist."""
        part = self.parts[key_slot(key)]
        return -1 if part is None else part.expires.get(key, -1)

    def set_expire(self, slot: int, key: bytes, at: int) -> None:
        """``key``, which exists, ends at ``at``."""
        part = self.parts[slot]
        assert part is not None
        if key not in part.expires:
            self.volatile += 1
            self.volatile_slots[slot] = None
        part.expires[key] = at

    def clear_expire(self, slot: int, key: bytes) -> bool:
        """``key`` lives on without limit; True if it had one."""
        part = self.parts[slot]
        if part is None or part.expires.pop(key, None) is None:
            return False
        self.volatile -= 1
        if not part.expires:
            del self.volatile_slots[slot]
        return True

    def put(self, slot: int, key: bytes, value: Value, now_s: int) -> None:
        """Set or replace a value; its time to live stays."""
        part = self.parts[slot]
        if part is None:
            part = self.parts[slot] = Part()
        if key not in part.values:
            self.size += 1
        part.values[key] = value
        part.touched[key] = now_s

    def remove(self, slot: int, key: bytes) -> Value | None:
        """Take ``key`` out; its value, None if there was none."""
        part = self.parts[slot]
        if part is None:
            return None
        value = part.values.pop(key, None)
        if value is None:
            return None
        self.size -= 1
        del part.touched[key]
        if part.expires:
            self.clear_expire(slot, key)
        return value

    def clear_slot(self, slot: int) -> list[bytes]:
        """Drop all keys of ``slot``; their names."""
        part = self.parts[slot]
        if part is None:
            return []
        self.parts[slot] = None
        self.size -= len(part.values)
        if part.expires:
            self.volatile -= len(part.expires)
            del self.volatile_slots[slot]
        return list(part.values)

    def clear(self) -> int:
        """Drop everything; how many keys there were. Watchers stay: it is for the caller to wake them."""
        size = self.size
        self.parts = [None] * SLOTS
        self.size = 0
        self.volatile = 0
        self.volatile_slots = {}
        return size

    def count_in_slot(self, slot: int) -> int:
        part = self.parts[slot]
        return 0 if part is None else len(part.values)

    def keys(self) -> Iterator[bytes]:
        """All keys in slot order, those whose time is over too. Not for use while the database changes."""
        for part in self.parts:
            if part is not None:
                yield from part.values


class Watcher:
    """Somebody who wants to know that a key was changed: a client's WATCH. ``broken`` is set by the first change."""

    def __init__(self) -> None:
        self.broken: bool = False
        self.keys: list[tuple[Database, bytes, bool]] = []
        """What is watched: database, key, and whether the key's time was over already when the watch began."""


class Keyspace:
    """All databases of a node. One that nobody has used yet costs nothing."""

    def __init__(self, count: int) -> None:
        self.databases: list[Database | None] = [None] * count

    def __len__(self) -> int:
        return len(self.databases)

    def database(self, index: int) -> Database:
        found = self.databases[index]
        if found is None:
            found = self.databases[index] = Database(index)
        return found

    def used(self) -> list[Database]:
        """The databases that exist, in order."""
        return [db for db in self.databases if db is not None]

    def swap(self, a: int, b: int) -> None:
        """Exchange the contents of two databases (sessions keep their number)."""
        first, second = self.database(a), self.database(b)
        self.databases[a], self.databases[b] = second, first
        first.index, second.index = b, a
