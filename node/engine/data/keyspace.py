"""The data: databases of keys, and the only module that alters them.

A database is cut into parts, and a part holds a run of ``1 << shift`` hash slots: in cluster mode one slot, so that
counting, listing and dropping a slot's keys is direct; standalone 64 slots, because every further table costs a cache
miss a request (measured). Thus SCAN has a cursor that survives changes (the part's number), and no dictionary grows
so large that its resize is felt as a pause.

Rules kept here:

- The dictionaries are nobody else's business: a table of another make may stand behind the same methods one day
  (``tests/tidy/test_data.py``).
- Every change passes ``store``, ``delete``, ``set_expire``, ``clear_expire``, ``move``, or one of the methods for many
  keys. Each of them counts it first (``Changes.dirty``), warns the snapshots, keeps the books (size, tally, last use),
  wakes WATCH and tells ``Changes`` by the event's name, so no caller can forget one of these.
- A value that is changed in place is warned of by ``before_change`` and told of by ``store``.

What a value is, ``kinds.py`` knows. Times are unix milliseconds. Nothing here knows commands or clients; whether a key
whose time is over may be deleted is the caller's question.
"""

from collections.abc import Collection, Iterator
from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.cluster.slots import SLOTS, key_slot
from gossamer.node.engine.data.changes import (
    ALL_PARTS,
    EXPIRE,
    EXPIRED,
    FLUSHED,
    PERSIST,
    REPLACED,
    SET,
    SLOT_CAME,
    SLOT_LEFT,
    SWAPPED,
    Changes,
)
from gossamer.node.engine.data.kinds import Value, copy_of, is_large, size_of
from gossamer.node.engine.data.scan_order import ScanOrder
from gossamer.node.engine.data.tally import EXPIRE_ENTRY, OVERHEAD, Tally

STANDALONE_SHIFT: Final = 6
CLUSTER_SHIFT: Final = 0

NEVER: Final = -1
"""The key does not expire."""
KEEP: Final = -2
"""The key expires when it did before."""

MANY: Final = 1000
"""Above so many keys a database that is emptied is freed in pieces."""


class Part:
    """The keys of some slots, their values and their expire times. Only this module looks inside."""

    __slots__ = ("_expires", "_values")

    def __init__(self) -> None:
        self._values: dict[bytes, Value] = {}
        self._expires: dict[bytes, int] | None = None
        """None while no key expires."""

    def __len__(self) -> int:
        return len(self._values)

    @property
    def volatile(self) -> int:
        """How many keys expire."""
        expires = self._expires
        return 0 if expires is None else len(expires)

    def get(self, key: bytes) -> Value | None:
        return self._values.get(key)

    def expire_time(self, key: bytes) -> int:
        expires = self._expires
        return NEVER if expires is None else expires.get(key, NEVER)

    def keys(self) -> Collection[bytes]:
        return self._values.keys()

    def copy(self) -> "Part":
        """The same keys with the same values, as they are now."""
        other = Part()
        other._values = {key: copy_of(value) for key, value in self._values.items()}
        if self._expires is not None:
            other._expires = self._expires.copy()
        return other

    def tables(self) -> tuple[dict[bytes, Value], dict[bytes, int]]:
        """Copies of what it holds: values, and the expire times of those that have one."""
        return self._values.copy(), {} if self._expires is None else self._expires.copy()

    def size(self) -> int:
        """Bytes of all keys and values."""
        size = len(self._values) * OVERHEAD + self.volatile * EXPIRE_ENTRY
        for key, value in self._values.items():
            size += len(key) + size_of(value)
        return size

    def pop(self) -> tuple[bytes, Value, int]:
        """Take out some key; its name, its value and the bytes that it took."""
        key, value = self._values.popitem()
        size = len(key) + size_of(value) + OVERHEAD
        if self._expires is not None and self._expires.pop(key, None) is not None:
            size += EXPIRE_ENTRY
        return key, value, size


class Database:
    """One numbered database. ``part`` in the methods below is ``part_of(key)``, which callers often know already.

    ``hidden``: clients see nothing of it yet, so listeners hear nothing of its changes.
    """

    def __init__(
        self,
        index: int,
        shift: int = STANDALONE_SHIFT,
        tally: Tally | None = None,
        changes: Changes | None = None,
        hidden: bool = False,
    ) -> None:
        self.index: int = index
        self.shift: int = shift
        self.tally: Tally = tally if tally is not None else Tally()
        self.changes: Changes = changes if changes is not None else Changes()
        self.hidden: bool = hidden
        self.part_count: int = SLOTS >> shift
        self._parts: list[Part] = [Part() for _ in range(SLOTS >> shift)]
        self._tables: list[dict[bytes, Value]] = [part._values for part in self._parts]
        """The values of the parts once more: a way to them that does not pass the part, and so costs no cache miss."""
        self._expiring: dict[int, Part] = {}
        """The parts that have keys which expire, by number."""
        self.size: int = 0
        self.volatile: int = 0
        """How many keys expire."""
        self.uses: dict[bytes, int] | None = None
        """When keys were last used, in unix seconds; None until somebody wants to know (``track_uses``)."""
        self.busy: list[int] = [0] * (SLOTS >> shift)
        """When any key of a part was last used, in unix seconds: all that is known of keys used before ``uses``."""
        self.busy_before: list[int] = []
        """``busy`` as it was when ``uses`` began."""
        self.scan_orders: dict[int, ScanOrder] = {}
        """Orders in which SCAN goes through large parts, while it does; the least recently used first."""
        self.samples: list[bytes] = []
        """Keys drawn in advance for RANDOMKEY; they may be gone by now."""
        self.watchers: dict[bytes, list[Watch]] = {}
        self.views: list[View] = []
        """Snapshots of the present contents that are still being given out; they are told before a change."""

    # --- reading

    def part_of(self, key: bytes) -> int:
        return key_slot(key) >> self.shift

    def get(self, part: int, key: bytes) -> Value | None:
        """The value of ``key`` whether or not it has expired; None if there is none. It counts as no use."""
        return self._tables[part].get(key)

    def get_raw(self, key: bytes) -> Value | None:
        """As ``get``, for those who do not know the part."""
        return self._tables[key_slot(key) >> self.shift].get(key)

    def note_use(self, part: int, key: bytes) -> None:
        """``key`` is used now."""
        now_s = self.changes.now_s
        self.busy[part] = now_s
        if self.uses is not None:
            self.uses[key] = now_s

    def expire_time(self, part: int, key: bytes) -> int:
        """When ``key`` expires, ``NEVER`` also if it does not exist."""
        expires = self._parts[part]._expires
        return NEVER if expires is None else expires.get(key, NEVER)

    def is_expired(self, key: bytes, now: int) -> bool:
        """True if ``key`` exists and its time is over. It lives through the millisecond it expires in, as in Redis."""
        if not self.volatile:
            return False
        return 0 <= self.expire_time(self.part_of(key), key) < now

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

    def keys(self) -> Iterator[bytes]:
        """All keys, part by part, expired ones too. Not for use while the database changes."""
        for part in self._parts:
            yield from part._values

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

    def parts(self) -> "list[Part]":
        """All parts, for a snapshot. The list stays as it is if the database is emptied or swapped."""
        return self._parts

    def track_uses(self, now_s: int) -> dict[bytes, int]:
        """Note from now on when keys are used. It is off at first: it costs a fifth of a GET and 40 bytes a key."""
        if self.uses is None:
            self.uses = {}
            self.busy_before = self.busy.copy()
        return self.uses

    def last_use(self, part: int, key: bytes, now_s: int) -> int:
        """When ``key`` was last used, in unix seconds; of uses before the first question, the latest possible time."""
        return self.track_uses(now_s).get(key, self.busy_before[part])

    # --- one key changes

    def store(self, part: int, key: bytes, value: Value, event: bytes, at: int = NEVER, count: int = 1) -> None:
        """Set or replace a value, which expires ``at``; ``count``: how many changes this is."""
        changes = self.changes
        changes.dirty += count
        if self.views:
            self.warn_views(part, key)
        values = self._tables[part]
        old = values.get(key)
        values[key] = value
        tally = self.tally
        if old is None:
            self.size += 1
            tally.held += len(key) + (len(value) if isinstance(value, bytes) else size_of(value)) + OVERHEAD
        elif isinstance(value, bytes) and isinstance(old, bytes):  # the common case, without a call
            tally.held += len(value) - len(old)
        else:
            self._replaced(old, value)
        if at >= 0:
            self._put_expire(part, key, at)
        elif self.volatile and at == NEVER:
            self._pop_expire(part, key)
        self.busy[part] = changes.now_s
        if self.uses is not None:
            self.uses[key] = changes.now_s
        if tally.held > changes.memory_limit:
            changes.full()
        if self.watchers:
            self._touch(key)
        if changes.listeners and not self.hidden:
            changes.tell(self.index, key, event)
            if at >= 0 and event == SET:
                changes.tell(self.index, key, EXPIRE)

    def before_change(self, part: int, key: bytes, value: Value) -> None:
        """``value``, which ``key`` has, is about to be changed in place; ``store`` must follow, if it was.

        A snapshot that still needs the value as it is takes a copy now.
        """
        if self.views:
            self.warn_views(part, key)
        self.tally.changing = size_of(value)

    def delete(self, part: int, key: bytes, event: bytes, count: int = 1) -> bool:
        """Take ``key`` out; False if there was none. ``count``: how many changes this is."""
        changes = self.changes
        if key not in self._tables[part]:
            return False
        if event != EXPIRED:  # as in Redis, where time is nobody's change
            changes.dirty += count
        value = self._pop(part, key)
        if event == EXPIRED:
            changes.expired(self.index, key)
        if self.watchers:
            self._touch(key)
        if changes.listeners and not self.hidden:
            changes.tell(self.index, key, event)
        if not isinstance(value, bytes) and is_large(value):
            changes.discard(value)
        return True

    def set_expire(self, part: int, key: bytes, at: int) -> None:
        """``key``, which exists, expires at ``at``."""
        assert at >= 0
        changes = self.changes
        changes.dirty += 1
        if self.views:
            self.warn_views(part, key)
        self._put_expire(part, key, at)
        if self.watchers:
            self._touch(key)
        if changes.listeners and not self.hidden:
            changes.tell(self.index, key, EXPIRE)

    def clear_expire(self, part: int, key: bytes) -> bool:
        """``key`` lives on without limit; True if it had one."""
        if self.expire_time(part, key) < 0:
            return False
        changes = self.changes
        changes.dirty += 1
        if self.views:
            self.warn_views(part, key)
        self._pop_expire(part, key)
        if self.watchers:
            self._touch(key)
        if changes.listeners and not self.hidden:
            changes.tell(self.index, key, PERSIST)
        return True

    def move(self, key: bytes, there: "Database", name: bytes, events: tuple[bytes, bytes]) -> None:
        """``key``, which exists, becomes ``name`` in the database ``there``, with its expire time; one change.

        What ``name`` held before is gone. ``events``: what happened here, and there.
        """
        part = self.part_of(key)
        at = self.expire_time(part, key)
        self.changes.dirty += 1
        value = self._pop(part, key)
        if self.watchers:
            self._touch(key)
        if self.changes.listeners:
            self.changes.tell(self.index, key, events[0])
        there.store(there.part_of(name), name, value, events[1], at, 0)

    # --- many keys change

    def clear(self) -> int:
        """Drop everything; how many keys there were."""
        changes = self.changes
        size = self.size
        changes.dirty += size
        for key, watches in self.watchers.items():
            if self.get_raw(key) is not None:
                touched(watches, False)
        old = self._parts
        full = [part for part in old if len(part)]
        for part in full:
            self.tally.held -= part.size()
        # A snapshot goes on reading the old parts, so none of them may get a new life.
        self._parts = [Part() if self.views or len(part) else part for part in old]
        self._tables = [part._values for part in self._parts]
        self._expiring = {}
        self.size = 0
        self.volatile = 0
        self.scan_orders = {}
        self.samples = []
        if self.uses is not None:
            self.uses = {}
        if size > MANY and not self.views:
            for part in full:
                changes.discard(part)
        self.views = []
        if changes.listeners and not self.hidden:
            changes.tell_many(self.index, ALL_PARTS, FLUSHED)
        return size

    def release_part(self, part: int) -> Part:
        """Take all keys of ``part`` out at once; views keep what they still have to give.

        They are in the tally until whoever has taken them says that they are gone.
        """
        for view in self.views:
            view.before_release(part)
        held = self._parts[part]
        fresh = Part()
        self._parts[part] = fresh
        self._tables[part] = fresh._values
        self._expiring.pop(part, None)
        self.size -= len(held)
        self.volatile -= held.volatile
        self.scan_orders.pop(part, None)
        if self.uses is not None:
            for key in held._values:
                self.uses.pop(key, None)
        if self.watchers:
            for key, watches in self.watchers.items():
                if held.get(key) is not None:
                    touched(watches, False)
        if self.changes.listeners and not self.hidden:
            self.changes.tell_many(self.index, part, SLOT_LEFT)
        return held

    def adopt_parts(self, source: "Database", parts: list[int]) -> None:
        """The keys that ``source`` has in ``parts`` become ours, in place of what we have there; no key is touched."""
        changes = self.changes
        for part in parts:
            if not source.size_of(part):
                continue
            if self.size_of(part):
                self.tally.held -= self.release_part(part).size()
            held = source.release_part(part)
            self._parts[part] = held
            self._tables[part] = held._values
            self.size += len(held)
            self.busy[part] = changes.now_s
            if held.volatile:
                self._expiring[part] = held
                self.volatile += held.volatile
            for key, watches in self.watchers.items():
                if held.get(key) is not None:
                    touched(watches, True)
            if changes.listeners:
                changes.tell_many(self.index, part, SLOT_CAME)
        self.tally.held += source.tally.held
        source.tally.held = 0

    def swap(self, other: "Database", now: int, event: bytes = SWAPPED) -> None:
        """Exchange the keys with ``other``; watchers stay. ``now``: what has expired by then is as good as absent."""
        self._touch_swapped(other, now)
        other._touch_swapped(self, now)
        self._parts, other._parts = other._parts, self._parts
        self._tables, other._tables = other._tables, self._tables
        self._expiring, other._expiring = other._expiring, self._expiring
        self.size, other.size = other.size, self.size
        self.tally, other.tally = other.tally, self.tally
        self.volatile, other.volatile = other.volatile, self.volatile
        self.uses, other.uses = other.uses, self.uses
        self.busy, other.busy = other.busy, self.busy
        self.busy_before, other.busy_before = other.busy_before, self.busy_before
        self.scan_orders, other.scan_orders = other.scan_orders, self.scan_orders
        self.samples, other.samples = other.samples, self.samples
        self.views, other.views = other.views, self.views
        for db in (self, other):
            if db.changes.listeners and not db.hidden:
                db.changes.tell_many(db.index, ALL_PARTS, event)

    # --- rules

    def warn_views(self, part: int, key: bytes) -> None:
        for view in self.views:
            view.before_change(part, key)

    def _replaced(self, old: Value, value: Value) -> None:
        """Keep the tally: ``value``, perhaps the same object, is where ``old`` was."""
        if old is value:
            size = size_of(value)
            self.tally.held += size - self.tally.changing
            self.tally.changing = size
        else:
            self.tally.held += size_of(value) - size_of(old)
            if is_large(old):
                self.changes.discard(old)

    def _pop(self, part: int, key: bytes) -> Value:
        """Take out ``key``, which exists."""
        if self.views:
            self.warn_views(part, key)
        value = self._tables[part].pop(key)
        self.size -= 1
        self.tally.held -= len(key) + size_of(value) + OVERHEAD
        if self.volatile:
            self._pop_expire(part, key)
        if self.uses is not None:
            self.uses.pop(key, None)
        return value

    def _put_expire(self, part: int, key: bytes, at: int) -> None:
        held = self._parts[part]
        expires = held._expires
        if expires is None:
            expires = held._expires = {}
            self._expiring[part] = held
        if key not in expires:
            self.volatile += 1
            self.tally.held += EXPIRE_ENTRY
        expires[key] = at

    def _pop_expire(self, part: int, key: bytes) -> None:
        held = self._parts[part]
        expires = held._expires
        if expires is None or expires.pop(key, None) is None:
            return
        self.volatile -= 1
        self.tally.held -= EXPIRE_ENTRY
        if not expires:
            held._expires = None
            del self._expiring[part]

    def _touch(self, key: bytes) -> None:
        watches = self.watchers.get(key)
        if watches is not None:
            touched(watches, self.get_raw(key) is not None)

    def _touch_swapped(self, comes: "Database", now: int) -> None:
        """The keys are about to be exchanged for those of ``comes``."""
        for key, watches in self.watchers.items():
            exists = self.get_raw(key) is not None
            will_exist = comes.get_raw(key) is not None
            if not exists and not will_exist:
                continue
            will_be_expired = will_exist and comes.is_expired(key, now)
            for watch in watches:
                if watch.expired:
                    if not will_exist:
                        watch.expired = False
                    elif not will_be_expired:
                        watch.watcher.broken = True
                elif not exists and will_be_expired:
                    watch.expired = True
                else:
                    watch.watcher.broken = True


@mypyc_attr(allow_interpreted_subclasses=True)
class View:
    """Somebody who has to see the present contents, although they change: ``snapshot.py``."""

    def before_change(self, part: int, key: bytes) -> None:
        """``key`` of ``part`` is about to be set, changed, removed, or given another expire time. It need not exist."""

    def before_release(self, part: int) -> None:
        """All keys of ``part`` are about to leave the database at once."""


class Watcher:
    """Somebody who wants to know that a key was changed: a client's WATCH. ``broken`` is set by the first change."""

    def __init__(self) -> None:
        self.broken: bool = False
        self.watches: list[Watch] = []


class Watch:
    """One key that a ``watcher`` watches; the rules are in ``watch.py``."""

    def __init__(self, watcher: Watcher, db: Database, key: bytes, expired: bool) -> None:
        self.watcher: Watcher = watcher
        self.db: Database = db
        self.key: bytes = key
        self.expired: bool = expired
        """The key had expired already when the watch began, and it has not been deleted since."""


def touched(watches: list[Watch], exists: bool) -> None:
    """A watched key has been changed, or deleted: then it does not exist any more."""
    for watch in watches:
        if watch.expired and not exists:
            watch.expired = False
        else:
            watch.watcher.broken = True


class Keyspace:
    """All databases of a node. One that nobody has used yet costs nothing."""

    def __init__(self, count: int, shift: int = STANDALONE_SHIFT, changes: Changes | None = None) -> None:
        self.databases: list[Database | None] = [None] * count
        self.shift: int = shift
        self.tally: Tally = Tally()
        self.changes: Changes = changes if changes is not None else Changes()

    def __len__(self) -> int:
        return len(self.databases)

    def database(self, index: int) -> Database:
        found = self.databases[index]
        if found is None:
            found = self.databases[index] = Database(index, self.shift, self.tally, self.changes)
        return found

    def used(self) -> list[Database]:
        """The databases that exist, in order."""
        return [db for db in self.databases if db is not None]

    def swap(self, one: int, other: int, now: int) -> None:
        """SWAPDB: a change also if both are the same."""
        self.changes.dirty += 1
        if one != other:
            self.database(one).swap(self.database(other), now)

    def replace(self, loaded: "Keyspace", now: int) -> None:
        """A full sync: what ``loaded`` has stands in place of all that is here. Not dirty: nobody is sent that."""
        assert len(loaded) == len(self)
        for db in loaded.used():
            self.database(db.index)
        for db in self.used():
            db.swap(loaded.database(db.index), now, REPLACED)
        self.tally, loaded.tally = loaded.tally, self.tally
