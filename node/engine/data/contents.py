"""What a database holds, and every way to look at it. Nothing here changes anything.

A database is cut into parts, and a part holds a run of ``1 << shift`` hash slots: in cluster mode one slot, so that
counting, listing and dropping a slot's keys is direct; standalone 64 slots, because every further table costs a cache
miss a request (measured). Thus SCAN has a cursor that survives changes (the part's number), and no dictionary grows
so large that its resize is felt as a pause.

``part`` in the methods below is ``part_of(key)``, which callers often know already. Times are unix milliseconds.
Whether a key whose time is over may be seen is the caller's question.
"""

from collections.abc import Collection, Iterator
from typing import Final

from gossamer.cluster.slots import SLOTS, key_slot
from gossamer.node.engine.data.kinds import Value
from gossamer.node.engine.data.part import NEVER, Part

STANDALONE_SHIFT: Final = 6
CLUSTER_SHIFT: Final = 0


class Contents:
    """The keys of one database, in its parts."""

    def __init__(self, shift: int) -> None:
        self.shift: int = shift
        self.part_count: int = SLOTS >> shift
        self._parts: list[Part] = [Part() for _ in range(SLOTS >> shift)]
        self._tables: list[dict[bytes, Value]] = [part._values for part in self._parts]
        """The values of the parts once more: a way to them that does not pass the part, and so costs no cache miss."""
        self._expiring: dict[int, Part] = {}
        """The parts that have keys which expire, by number."""
        self.size: int = 0
        self.volatile: int = 0
        """How many keys expire."""

    # --- one key

    def part_of(self, key: bytes) -> int:
        return key_slot(key) >> self.shift

    def get(self, part: int, key: bytes) -> Value | None:
        """The value of ``key`` whether or not it has expired; None if there is none. It counts as no use."""
        return self._tables[part].get(key)

    def get_raw(self, key: bytes) -> Value | None:
        """As ``get``, for those who do not know the part."""
        return self._tables[key_slot(key) >> self.shift].get(key)

    def expire_time(self, part: int, key: bytes) -> int:
        """When ``key`` expires, ``NEVER`` also if it does not exist."""
        expires = self._parts[part]._expires
        return NEVER if expires is None else expires.get(key, NEVER)

    def is_expired(self, key: bytes, now: int) -> bool:
        """True if ``key`` exists and its time is over. It lives through the millisecond it expires in, as in Redis."""
        if not self.volatile:
            return False
        return 0 <= self.expire_time(self.part_of(key), key) < now

    # --- the keys of a part, or of a slot

    def size_of(self, part: int) -> int:
        return len(self._tables[part])

    def volatile_of(self, part: int) -> int:
        return self._parts[part].volatile

    def keys_of(self, part: int) -> Collection[bytes]:
        """The keys of a part, expired ones too: a live view, not for use while the part changes."""
        return self._parts[part]._values.keys()

    def items_of(self, part: int) -> Iterator[tuple[bytes, Value, int]]:
        """Key, value and expire time of all keys of a part. Not for use while the part changes."""
        held = self._parts[part]
        for key, value in held._values.items():
            yield key, value, held.expire_time(key)

    def expiring_parts(self) -> list[int]:
        """The parts that have keys which expire."""
        return list(self._expiring)

    def expiring_keys(self, part: int) -> list[bytes]:
        expires = self._parts[part]._expires
        return [] if expires is None else list(expires)

    def expired_of(self, part: int, keys: list[bytes], now: int) -> list[bytes]:
        """Those of ``keys``, all of one part, whose time is over."""
        expires = self._parts[part]._expires
        return [] if expires is None else [key for key in keys if 0 <= expires.get(key, NEVER) < now]

    def keys_in_slot(self, slot: int) -> list[bytes]:
        """The keys of one hash slot, expired ones too."""
        keys = self._parts[slot >> self.shift]._values
        return list(keys) if self.shift == 0 else [key for key in keys if key_slot(key) == slot]

    def count_in_slot(self, slot: int) -> int:
        return len(self._parts[slot]) if self.shift == 0 else len(self.keys_in_slot(slot))

    # --- all keys

    def keys(self) -> Iterator[bytes]:
        """All keys, part by part, expired ones too. Not for use while the database changes."""
        for part in self._parts:
            yield from part._values

    def parts(self) -> list[Part]:
        """All parts, for a snapshot. The list stays as it is if the database is emptied or swapped."""
        return self._parts

    def full_parts(self) -> list[Part]:
        """The parts that have keys."""
        return [part for part in self._parts if len(part)]
