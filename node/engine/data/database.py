"""A database: the only class that alters the data.

Rules kept here:

- Every change passes ``store``, ``delete``, ``set_expire``, ``clear_expire``, ``move``, or one of the methods for many
  keys. Each of them counts it first (``Changes.dirty``), warns the snapshots, keeps the books (size, tally, last use),
  wakes WATCH and tells ``Changes`` by the event's name, so no caller can forget one of these.
- A value that is changed in place is warned of by ``before_change`` and told of by ``store``.
- What many keys or elements have held is not freed here but in pieces (``Changes.discard``).

What a value is, ``kinds.py`` knows. Times are unix milliseconds. Nothing here knows commands or clients; whether a key
whose time is over may be deleted is the caller's question.
"""

from typing import Final

from gossamer.node.engine.data.changes import (
    ALL_PARTS,
    EXPIRE,
    EXPIRED,
    FLUSHED,
    PERSIST,
    SET,
    SLOT_CAME,
    SLOT_LEFT,
    SWAPPED,
    Changes,
)
from gossamer.node.engine.data.contents import STANDALONE_SHIFT
from gossamer.node.engine.data.kinds import Value, is_large, size_of
from gossamer.node.engine.data.part import NEVER, Part
from gossamer.node.engine.data.scan_order import ScanOrder
from gossamer.node.engine.data.tally import EXPIRE_ENTRY, OVERHEAD, Share, Tally
from gossamer.node.engine.data.view import Remains, View
from gossamer.node.engine.data.watch import Watched

KEEP: Final = -2
"""The key expires when it did before."""


class Database(Watched):
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
        super().__init__(shift)
        self.index: int = index
        self.share: Share = Share(tally if tally is not None else Tally())
        self.changes: Changes = changes if changes is not None else Changes()
        self.hidden: bool = hidden
        self.uses: dict[bytes, int] | None = None
        """When keys were last used, in unix seconds; None until somebody wants to know (``track_uses``)."""
        self.busy: list[int] = [0] * self.part_count
        """When any key of a part was last used, in unix seconds: all that is known of keys used before ``uses``."""
        self.busy_before: list[int] = []
        """``busy`` as it was when ``uses`` began."""
        self.scan_orders: dict[int, ScanOrder] = {}
        """Orders in which SCAN goes through large parts, while it does; the least recently used first."""
        self.samples: list[bytes] = []
        """Keys drawn in advance for RANDOMKEY; they may be gone by now."""
        self.views: list[View] = []
        """Snapshots of the present contents that are still being given out; they are told before a change."""

    # --- when keys were used

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
        if old is None:
            self.size += 1
            grown = len(key) + (len(value) if isinstance(value, bytes) else size_of(value)) + OVERHEAD
        elif isinstance(value, bytes) and isinstance(old, bytes):  # the common case, without a call
            grown = len(value) - len(old)
        else:
            grown = self._replaced(old, value)
        share = self.share
        tally = share.tally
        share.held += grown
        tally.held += grown
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
            self.touch(key)
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
        self.share.changing = size_of(value)

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
            self.touch(key)
        if changes.listeners and not self.hidden:
            changes.tell(self.index, key, event)
        if not isinstance(value, bytes) and is_large(value):
            changes.discard([value])
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
            self.touch(key)
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
            self.touch(key)
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
            self.touch(key)
        if self.changes.listeners:
            self.changes.tell(self.index, key, events[0])
        there.store(there.part_of(name), name, value, events[1], at, 0)

    # --- many keys change

    def clear(self) -> int:
        """Drop everything; how many keys there were."""
        changes = self.changes
        size = self.size
        changes.dirty += size
        self.touch_all()
        self._withdraw()
        full = self.full_parts()
        # A snapshot goes on reading the old parts, so none of them may get a new life.
        self._parts = [Part() if self.views or len(part) else part for part in self._parts]
        self._tables = [part._values for part in self._parts]
        self._expiring = {}
        self.size = 0
        self.volatile = 0
        self.scan_orders = {}
        self.samples = []
        uses = self.uses
        if uses is not None:
            self.uses = {}
        self._discard(full, uses, changes)
        self.views = []
        if changes.listeners and not self.hidden:
            changes.tell_many(self.index, ALL_PARTS, FLUSHED)
        return size

    def dispose(self, changes: Changes) -> None:
        """Nobody uses the database any more: ``changes`` has its keys freed in pieces."""
        self._withdraw()
        self._discard(self.full_parts(), self.uses, changes)
        self._parts = []
        self._tables = []
        self.size = 0

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
            self.touch_part(held, False)
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
                self.share.add(-self.release_part(part).size())
            held = source.release_part(part)
            self._parts[part] = held
            self._tables[part] = held._values
            self.size += len(held)
            self.busy[part] = changes.now_s
            if held.volatile:
                self._expiring[part] = held
                self.volatile += held.volatile
            if self.watchers:
                self.touch_part(held, True)
            if changes.listeners:
                changes.tell_many(self.index, part, SLOT_CAME)
        moved = source.share.held
        source.share.add(-moved)
        self.share.add(moved)

    def swap(self, other: "Database", now: int, event: bytes = SWAPPED) -> None:
        """Exchange the keys with ``other``; watchers stay. ``now``: what has expired by then is as good as absent."""
        self.touch_swapped(other, now)
        other.touch_swapped(self, now)
        self._parts, other._parts = other._parts, self._parts
        self._tables, other._tables = other._tables, self._tables
        self._expiring, other._expiring = other._expiring, self._expiring
        self.size, other.size = other.size, self.size
        self.share, other.share = other.share, self.share
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

    def _replaced(self, old: Value, value: Value) -> int:
        """``value``, perhaps the same object, is where ``old`` was; how many bytes more it takes."""
        if old is value:
            before, size = self.share.changing, size_of(value)
            self.share.changing = size
            return size - before
        if is_large(old):
            self.changes.discard([old])
        return size_of(value) - size_of(old)

    def _withdraw(self) -> None:
        """All keys leave the tally."""
        share = self.share
        self.share = Share(share.tally)
        share.withdraw()

    def _discard(self, full: list[Part], uses: dict[bytes, int] | None, changes: Changes) -> None:
        """Nobody can reach these any more but the views; they are freed in pieces."""
        if uses:
            changes.discard([uses])
        if full and not self.views:
            changes.discard(full)
        elif full:
            remains = Remains(full, len(self.views))
            for view in self.views:
                view.remains = remains

    def _pop(self, part: int, key: bytes) -> Value:
        """Take out ``key``, which exists."""
        if self.views:
            self.warn_views(part, key)
        value = self._tables[part].pop(key)
        self.size -= 1
        self.share.add(-(len(key) + size_of(value) + OVERHEAD))
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
            self.share.add(EXPIRE_ENTRY)
        expires[key] = at

    def _pop_expire(self, part: int, key: bytes) -> None:
        held = self._parts[part]
        expires = held._expires
        if expires is None or expires.pop(key, None) is None:
            return
        self.volatile -= 1
        self.share.add(-EXPIRE_ENTRY)
        if not expires:
            held._expires = None
            del self._expiring[part]
