"""The data: databases of keys.

A database is cut into parts, and a part holds a run of ``1 << shift`` hash slots: in cluster mode one slot, so that
counting, listing and dropping a slot's keys is direct; standalone 64 slots, because every further table costs a cache
miss a request (measured). Thus SCAN has a cursor that survives changes (the part's number), and no dictionary grows
so large that its resize is felt as a pause.

A string is ``bytes``, or ``bytearray`` once it has been changed in place (what OBJECT ENCODING calls raw); other
types are classes of ``gossamer.node.types``. Times are unix milliseconds. Nothing here knows commands, clients or
notifications; whether a key whose time is over may be deleted is the caller's question.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias

from mypy_extensions import mypyc_attr

from gossamer.cluster.slots import SLOTS, key_slot
from gossamer.node.engine.order import Order
from gossamer.node.engine.tally import EXPIRE, OVERHEAD, Tally, length, weigh

Value: TypeAlias = object

STANDALONE_SHIFT: Final = 6
CLUSTER_SHIFT: Final = 0
NO_ENDS: Final[dict[bytes, int]] = {}


class Database:
    """One numbered database. ``part`` in the methods below is ``part_of(key)``, which callers often know already."""

    def __init__(self, index: int, shift: int = STANDALONE_SHIFT, tally: Tally | None = None) -> None:
        self.index: int = index
        self.shift: int = shift
        self.tally: Tally = tally if tally is not None else Tally()
        self.values: list[dict[bytes, Value]] = [{} for _ in range(SLOTS >> shift)]
        self.expires: dict[int, dict[bytes, int]] = {}
        """When keys end, by part, for those parts that have such keys."""
        self.size: int = 0
        self.volatile: int = 0
        """How many keys have a time to live."""
        self.uses: dict[bytes, int] | None = None
        """When keys were last used, in unix seconds; None until somebody wants to know (``track_uses``)."""
        self.busy: list[int] = [0] * (SLOTS >> shift)
        """When any key of a part was last used, in unix seconds: all that is known of keys used before ``uses``."""
        self.busy_before: list[int] = []
        """``busy`` as it was when ``uses`` began."""
        self.orders: dict[int, Order] = {}
        """Orders in which SCAN goes through large parts, while it does; the least recently used first."""
        self.lots: list[bytes] = []
        """Keys drawn in advance for RANDOMKEY; they may be gone by now."""
        self.watchers: dict[bytes, list[Watch]] = {}
        self.views: list[View] = []
        """Snapshots of the present contents that are still being given out; they are told before a change."""

    def part_of(self, key: bytes) -> int:
        return key_slot(key) >> self.shift

    def peek(self, key: bytes) -> Value | None:
        """The value of ``key`` whether or not its time is over; None if there is none."""
        return self.values[key_slot(key) >> self.shift].get(key)

    def expire_time(self, part: int, key: bytes) -> int:
        """When ``key`` ends, -1 if never or if it does not exist."""
        ends = self.expires.get(part)
        return -1 if ends is None else ends.get(key, -1)

    def is_over(self, key: bytes, now: int) -> bool:
        """True if ``key`` exists and its time is over. It lives through the millisecond it ends in, as in Redis."""
        if not self.volatile:
            return False
        return 0 <= self.expire_time(self.part_of(key), key) < now

    def before_change(self, part: int, key: bytes) -> None:
        """``key`` is about to change; to be said by whoever changes a value in place. The methods below say it."""
        for view in self.views:
            view.before_change(part, key)

    def set_expire(self, part: int, key: bytes, at: int) -> None:
        """``key``, which exists, ends at ``at``."""
        if self.views:
            self.before_change(part, key)
        ends = self.expires.get(part)
        if ends is None:
            ends = self.expires[part] = {}
        if key not in ends:
            self.volatile += 1
            self.tally.held += EXPIRE
        ends[key] = at

    def clear_expire(self, part: int, key: bytes) -> bool:
        """``key`` lives on without limit; True if it had one."""
        ends = self.expires.get(part)
        if ends is None or key not in ends:
            return False
        if self.views:
            self.before_change(part, key)
        del ends[key]
        self.volatile -= 1
        self.tally.held -= EXPIRE
        if not ends:
            del self.expires[part]
        return True

    def put(self, part: int, key: bytes, value: Value) -> None:
        """Set or replace a value; its time to live stays."""
        if self.views:
            self.before_change(part, key)
        values = self.values[part]
        old = values.get(key)
        values[key] = value
        if old is None:
            self.size += 1
            self.tally.held += len(key) + length(value) + OVERHEAD
        elif isinstance(value, bytes) and isinstance(old, bytes):  # the common case, without a call
            self.tally.held += len(value) - len(old)
        elif old is not value:
            self.tally.held += length(value) - length(old)
        elif isinstance(value, bytearray):
            self.tally.held += len(value) - self.tally.changing
            self.tally.changing = len(value)

    def remove(self, part: int, key: bytes) -> Value | None:
        """Take ``key`` out; its value, None if there was none."""
        if self.views:
            self.before_change(part, key)
        value = self.values[part].pop(key, None)
        if value is None:
            return None
        self.size -= 1
        self.tally.held -= len(key) + length(value) + OVERHEAD
        if self.volatile:
            self.clear_expire(part, key)
        if self.uses is not None:
            self.uses.pop(key, None)
        return value

    def release_part(self, part: int) -> tuple[dict[bytes, Value], dict[bytes, int]]:
        """Take all keys of ``part`` out at once, and their ends; views keep what they still have to give.

        They are in the tally until whoever has taken them says that they are gone.
        """
        for view in self.views:
            view.before_release(part)
        values = self.values[part]
        ends = self.expires.pop(part, {})
        self.values[part] = {}
        self.size -= len(values)
        self.volatile -= len(ends)
        self.orders.pop(part, None)
        if self.uses is not None:
            for key in values:
                self.uses.pop(key, None)
        return values, ends

    def fill_part(self, part: int, values: dict[bytes, Value], ends: dict[bytes, int], now_s: int) -> None:
        """Put keys that another database has released into ``part``, which is empty; the tally has them already."""
        assert not self.values[part]
        self.values[part] = values
        self.size += len(values)
        self.busy[part] = now_s
        if ends:
            self.expires[part] = ends
            self.volatile += len(ends)

    def clear(self) -> int:
        """Drop everything; how many keys there were. Watchers stay: it is for the caller to wake them."""
        size = self.size
        for part, values in enumerate(self.values):
            if values:
                self.tally.held -= weigh(values, self.expires.get(part, NO_ENDS))
        self.values = [{} for _ in range(SLOTS >> self.shift)]
        self.expires = {}
        self.size = 0
        self.volatile = 0
        self.orders = {}
        self.lots = []
        self.views = []
        if self.uses is not None:
            self.uses = {}
        return size

    def swap_contents(self, other: "Database") -> None:
        """Exchange the keys with ``other``. Watchers stay, and it is for the caller to wake them."""
        self.values, other.values = other.values, self.values
        self.expires, other.expires = other.expires, self.expires
        self.size, other.size = other.size, self.size
        self.tally, other.tally = other.tally, self.tally
        self.volatile, other.volatile = other.volatile, self.volatile
        self.uses, other.uses = other.uses, self.uses
        self.busy, other.busy = other.busy, self.busy
        self.busy_before, other.busy_before = other.busy_before, self.busy_before
        self.orders, other.orders = other.orders, self.orders
        self.lots, other.lots = other.lots, self.lots
        self.views, other.views = other.views, self.views

    def track_uses(self, now_s: int) -> dict[bytes, int]:
        """Note from now on when keys are used. It is off at first: it costs a fifth of a GET and 40 bytes a key."""
        if self.uses is None:
            self.uses = {}
            self.busy_before = self.busy.copy()
        return self.uses

    def last_use(self, part: int, key: bytes, now_s: int) -> int:
        """When ``key`` was last used, in unix seconds; of uses before the first question, the latest possible time."""
        return self.track_uses(now_s).get(key, self.busy_before[part])

    def keys_in_slot(self, slot: int) -> list[bytes]:
        """The keys of one hash slot, those whose time is over too."""
        keys = self.values[slot >> self.shift]
        return list(keys) if self.shift == 0 else [key for key in keys if key_slot(key) == slot]

    def count_in_slot(self, slot: int) -> int:
        return len(self.values[slot]) if self.shift == 0 else len(self.keys_in_slot(slot))

    def keys(self) -> Iterator[bytes]:
        """All keys, part by part, those whose time is over too. Not for use while the database changes."""
        for part in self.values:
            yield from part


@mypyc_attr(allow_interpreted_subclasses=True)
class View:
    """Somebody who has to see the present contents, although they change: ``snapshot.py``."""

    def before_change(self, part: int, key: bytes) -> None:
        """``key`` of ``part`` is about to be set, changed, removed, or given another end. It need not exist."""

    def before_release(self, part: int) -> None:
        """All keys of ``part`` are about to leave the database at once."""


class Watcher:
    """Somebody who wants to know that a key was changed: a client's WATCH. ``broken`` is set by the first change."""

    def __init__(self) -> None:
        self.broken: bool = False
        self.watches: list[Watch] = []


class Watch:
    """One key that a ``watcher`` watches; the rules are in ``watch.py``."""

    def __init__(self, watcher: Watcher, db: Database, key: bytes, over: bool) -> None:
        self.watcher: Watcher = watcher
        self.db: Database = db
        self.key: bytes = key
        self.over: bool = over
        """The key's time was over already when the watch began, and it has not been deleted since."""


class Keyspace:
    """All databases of a node. One that nobody has used yet costs nothing."""

    def __init__(self, count: int, shift: int = STANDALONE_SHIFT) -> None:
        self.databases: list[Database | None] = [None] * count
        self.shift: int = shift
        self.tally: Tally = Tally()

    def __len__(self) -> int:
        return len(self.databases)

    def database(self, index: int) -> Database:
        found = self.databases[index]
        if found is None:
            found = self.databases[index] = Database(index, self.shift, self.tally)
        return found

    def used(self) -> list[Database]:
        """The databases that exist, in order."""
        return [db for db in self.databases if db is not None]
