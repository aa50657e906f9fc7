"""A database: the only class that alters the data.

Rules kept here:

- Every change passes ``store``, ``delete``, ``set_expire``, ``clear_expire``, ``move``, or one of the methods for many
  keys. Each of them warns the snapshots, counts it (``Changes.dirty``), keeps the books (size, tally), wakes WATCH and
  tells ``Changes`` by the event's name, so no caller can forget one of these.
- A change of one key is counted as soon as the table has taken it. A table that refuses for want of memory is as it was
  before, so then nothing is half changed, and the node goes on. Changes of many keys are counted first. Where a key
  goes for another one that comes (``move``), the other one comes first.
- A value that is changed in place is warned of by ``before_change`` and told of by ``changed``, or by ``store``.
- What many keys or elements have held is not freed here but in pieces (``Changes.discard``).
- A value may be out of memory, with a stub in its place (``spilled.py``). To exchange one for the other is no change.

What a value is, ``kinds.py`` knows. Times are unix milliseconds. Nothing here knows commands or clients; whether a key
whose time is over may be deleted is the caller's question.
"""

from gossamer.node.engine.data.changes import (
    ALL_PARTS,
    DEL,
    EVICTED,
    EXPIRE,
    EXPIRED,
    FLUSHED,
    HEXPIRED,
    PERSIST,
    SET,
    SLOT_CAME,
    SLOT_LEFT,
    SWAPPED,
    Changes,
)
from gossamer.node.engine.data.contents import STANDALONE_SHIFT
from gossamer.node.engine.data.element_expires import ElementExpires
from gossamer.node.engine.data.kinds import STRING, is_freed_lazily, kind_of, size_of
from gossamer.node.engine.data.part import EMPTY, KEEP, NEVER, keys, size_in_tally
from gossamer.node.engine.data.spilled import Unreadable
from gossamer.node.engine.data.tally import EXPIRY, OVERHEAD, Share, Tally
from gossamer.node.engine.data.view import Remains, View
from gossamer.node.engine.data.watch import Watched
from gossamer.node.store.spilled import Spilled
from gossamer.node.store.table import Table
from gossamer.node.types.kind import Kind, Value


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
        self.element_expires: ElementExpires = ElementExpires()
        """Of values of which elements expire."""
        self.changing: Value | None = None
        """What ``before_change`` was told of last, while it is there; ..."""
        self.changing_kind: Kind = STRING
        """... what it is, and what it takes stands in ``share``: of a value that is changed again and again both are
        known."""
        self.views: list[View] = []
        """Snapshots of the present contents that are still being given out; they are told before a change."""

    # --- when keys were used, see node/store/plain_clock.py

    def use(self, part: int, key: bytes) -> Value | None:
        """As ``get``, and ``key`` is used now."""
        return self._tables[part].use(key, self.changes.clock)

    def set_stamp(self, key: bytes, stamp: int) -> None:
        """``key``, which exists, was used when, or as often as, the ``stamp`` says."""
        self._tables[self.part_of(key)].set_stamp(key, stamp)

    # --- one key changes

    def store(self, part: int, key: bytes, value: Value, event: bytes, at: int = NEVER, count: int = 1) -> None:
        """Set or replace a value, which expires ``at``, and counts as a use; ``KEEP``: it expires when it did, and the
        use was counted when it was read. ``count``: how many changes this is."""
        changes = self.changes
        if self.views:
            self.warn_views(part, key)
        table = self._tables[part]
        if table is EMPTY:
            self._open.add(part)
            table = self._tables[part] = Table()
        if at < 0 and not self.volatile:  # the common case, without a call
            old = table.put(key, value, at, changes.clock)
            changes.dirty += count
        else:
            old = self._put_expiring(part, key, value, at, count)
        if old is None:
            self.size += 1
            grown = len(key) + (len(value) if isinstance(value, bytes) else self._arrived(key, value)) + OVERHEAD
        elif isinstance(value, bytes) and isinstance(old, int):  # a string in place of one
            grown = len(value) - old
        else:
            grown = self._replaced(key, old, value)
        self._account(key, grown)
        if changes.listeners and not self.hidden:
            changes.tell(self.index, key, event)
            if at >= 0 and event == SET:
                changes.tell(self.index, key, EXPIRE)

    def before_change(self, key: bytes, value: Value) -> None:
        """``value``, which ``key`` has, is about to be changed in place; ``changed`` must follow, if it was.

        A snapshot that still needs the value as it is takes a copy now.
        """
        if self.views:
            self.warn_views(self.part_of(key), key)
        if value is not self.changing:
            kind = kind_of(value)
            self.changing = value
            self.changing_kind = kind
            self.share.changing = kind.size(value)

    def changed(self, key: bytes, value: Value, event: bytes, count: int = 1) -> None:
        """``value``, of which ``before_change`` was told last, has been changed in place: ``store`` without looking
        for the key. One without elements does not exist: its key is deleted."""
        assert value is self.changing, "told of a value that was not given out to be changed, or is gone"
        changes = self.changes
        changes.dirty += count
        kind = self.changing_kind
        share = self.share
        size = kind.size(value)
        grown = size - share.changing
        share.changing = size
        self._account(key, grown)
        if changes.listeners and not self.hidden:
            changes.tell(self.index, key, event)
        if kind.length(value) == 0:
            self.delete(self.part_of(key), key, DEL, 0)

    def changed_unwatched(self, key: bytes, value: Value, event: bytes, count: int) -> None:
        """As ``changed``, and no WATCH is touched by it."""
        watchers, self.watchers = self.watchers, {}
        try:
            self.changed(key, value, event, count)
        finally:
            self.watchers = watchers

    def exchange(self, part: int, key: bytes, value: Value, other: Value) -> None:
        """``other`` stands for the ``value`` of ``key`` from now on, and has the same contents: nobody is told, for
        nothing changes but what it takes."""
        if self.changing is value:
            self.changing = None
        self._tables[part].put(key, other, KEEP, self.changes.clock)
        self.share.add(size_of(other) - size_of(value))
        changes = self.changes
        if self.share.tally.held > changes.memory_limit:
            changes.full()
        if changes.on_back is not None and isinstance(value, Spilled) and not self.hidden:
            changes.on_back(self.index, key)

    def fetch(self, part: int, key: bytes, spilled: Spilled) -> Value:
        """The value that ``spilled`` stands for at ``key``, which is in memory from now on. Unreadable."""
        value: Value = spilled.vault.load(spilled)
        self.changes.fetched += 1
        self.exchange(part, key, spilled, value)
        return value

    def _account(self, key: bytes, grown: int) -> None:
        """``key`` was changed and takes ``grown`` bytes more: the size, the limit, WATCH."""
        changes = self.changes
        share = self.share
        tally = share.tally
        share.held += grown
        tally.held += grown
        if tally.held > changes.memory_limit:
            changes.full()
        if self.watchers:
            self.touch(key)

    def note_ends(self, key: bytes, value: Value) -> None:
        """Elements of ``value``, which ``key`` has or will have, may expire."""
        at = kind_of(value).soonest(value)
        if at >= 0:
            self.element_expires.note(key, at)

    def expire_elements(self, part: int, key: bytes, now: int, most: int) -> int:
        """Delete about ``most`` elements of the value of ``key`` that are over, or all; how many. It is no change of
        anybody's, as with keys."""
        value = self.get(part, key)
        if value is None:
            return 0
        if isinstance(value, Spilled):
            try:
                value = self.fetch(part, key, value)
            except Unreadable:
                return 0  # whoever asks for the key is told why
        kind = kind_of(value)
        self.before_change(key, value)
        gone = kind.expire(value, now, most)
        if gone:
            self.changes.elements_expired(self.index, key, gone)
            self.changed(key, value, HEXPIRED, 0)
            if kind.length(value) == 0:
                return len(gone)
        self.note_ends(key, value)
        return len(gone)

    def delete(self, part: int, key: bytes, event: bytes, count: int = 1) -> bool:
        """Take ``key`` out; False if there was none. ``count``: how many changes this is."""
        changes = self.changes
        if key not in self._tables[part]:
            return False
        value = self._pop(part, key, 0 if event == EXPIRED else count)  # as in Redis, where time is nobody's change
        if event == EXPIRED:
            changes.expired(self.index, key)
        elif event == EVICTED:
            changes.evicted(self.index, key)
        if self.watchers:
            self.touch(key)
        if changes.listeners and not self.hidden:
            changes.tell(self.index, key, event)
        if not isinstance(value, bytes) and is_freed_lazily(value):
            changes.discard([value])
        return True

    def set_expire(self, part: int, key: bytes, at: int) -> None:
        """``key``, which exists, expires at ``at``."""
        assert at >= 0
        changes = self.changes
        if self.views:
            self.warn_views(part, key)
        self._set_expire(part, key, at)
        if self.watchers:
            self.touch(key)
        if changes.listeners and not self.hidden:
            changes.tell(self.index, key, EXPIRE)

    def clear_expire(self, part: int, key: bytes) -> bool:
        """``key`` lives on without limit; True if it had one."""
        if self.expire_time(part, key) < 0:
            return False
        changes = self.changes
        if self.views:
            self.warn_views(part, key)
        self._set_expire(part, key, NEVER)
        if self.watchers:
            self.touch(key)
        if changes.listeners and not self.hidden:
            changes.tell(self.index, key, PERSIST)
        return True

    def move(self, key: bytes, there: "Database", name: bytes, events: tuple[bytes, bytes]) -> None:
        """``key``, which exists, becomes ``name`` in the database ``there``, with its expire time; one change.

        What ``name`` held before is gone. ``events``: what happened here, and there. The new name comes first, for the
        table may refuse it; the old one can always go.
        """
        part = self.part_of(key)
        if self.views:
            self.warn_views(part, key)
        value = self.get(part, key)
        assert value is not None, "no such key"
        hidden, there.hidden = there.hidden, True  # of the old name is told first
        try:
            there.store(there.part_of(name), name, value, events[1], self.expire_time(part, key), 0)
        finally:
            there.hidden = hidden
        self._pop(part, key, 1)
        changes = self.changes
        if self.watchers:
            self.touch(key)
        if changes.listeners and not self.hidden:
            changes.tell(self.index, key, events[0])
            changes.tell(there.index, name, events[1])

    # --- many keys change

    def clear(self) -> int:
        """Drop everything; how many keys there were."""
        changes = self.changes
        size = self.size
        changes.dirty += size
        self.touch_all()
        self._withdraw()
        full = self.full_parts()
        self._tables = [EMPTY] * self.part_count  # a snapshot goes on reading the old ones
        self._open = set()
        self._expiring = set()
        self.size = 0
        self.volatile = 0
        self.element_expires = ElementExpires()
        self.changing = None
        self._discard(full, changes)
        self.views = []
        if changes.listeners and not self.hidden:
            changes.tell_many(self.index, ALL_PARTS, FLUSHED)
        return size

    def dispose(self, changes: Changes) -> None:
        """Nobody uses the database any more: ``changes`` has its keys freed in pieces."""
        self._withdraw()
        self._discard(self.full_parts(), changes)
        self._tables = []
        self._open = set()
        self.size = 0

    def release_part(self, part: int) -> Table:
        """Take all keys of ``part`` out at once; views keep what they still have to give.

        They are in the tally until whoever has taken them says that they are gone.
        """
        for view in self.views:
            view.before_release(part)
        self.changing = None
        held = self._tables[part]
        self._tables[part] = EMPTY
        self._open.discard(part)
        self._expiring.discard(part)
        self.size -= len(held)
        self.volatile -= held.expiring
        if self.element_expires.of_key:
            for key in keys(held):
                self.element_expires.forget(key)
        if self.watchers:
            self.touch_part(held, False)
        if self.changes.listeners and not self.hidden:
            self.changes.tell_many(self.index, part, SLOT_LEFT)
        return held

    def adopt_parts(self, source: "Database", parts: list[int]) -> None:
        """The keys that ``source`` has in ``parts`` become ours, in place of what we have there; no key is touched."""
        changes = self.changes
        ends = source.element_expires.within(parts, source.shift) if source.element_expires.of_key else {}
        for part in parts:
            if not source.size_of(part):
                continue
            if self.size_of(part):
                self.share.add(-size_in_tally(self.release_part(part)))
            held = source.release_part(part)
            self._tables[part] = held
            self._open.add(part)
            self.size += len(held)
            if held.expiring:
                self._expiring.add(part)
                self.volatile += held.expiring
            if self.watchers:
                self.touch_part(held, True)
            if changes.listeners:
                changes.tell_many(self.index, part, SLOT_CAME)
        for key, at in ends.items():
            self.element_expires.note(key, at)
        moved = source.share.held
        source.share.add(-moved)
        self.share.add(moved)

    def swap(self, other: "Database", now: int, event: bytes = SWAPPED) -> None:
        """Exchange the keys with ``other``; watchers stay. ``now``: what has expired by then is as good as absent."""
        self.touch_swapped(other, now)
        other.touch_swapped(self, now)
        self.changing = other.changing = None
        self._tables, other._tables = other._tables, self._tables
        self._open, other._open = other._open, self._open
        self._expiring, other._expiring = other._expiring, self._expiring
        self.size, other.size = other.size, self.size
        self.share, other.share = other.share, self.share
        self.volatile, other.volatile = other.volatile, self.volatile
        self.element_expires, other.element_expires = other.element_expires, self.element_expires
        self.views, other.views = other.views, self.views
        for db in (self, other):
            if db.changes.listeners and not db.hidden:
                db.changes.tell_many(db.index, ALL_PARTS, event)

    # --- rules

    def warn_views(self, part: int, key: bytes) -> None:
        for view in self.views:
            view.before_change(part, key)

    def _replaced(self, key: bytes, old: Value, value: Value) -> int:
        """``value``, perhaps the same object, is where ``old`` was (``Table.put``); how many bytes more it takes."""
        if old is value:
            if value is not self.changing:
                return 0  # COPY has given two keys one stub
            before, size = self.share.changing, size_of(value)
            self.share.changing = size
            return size - before
        size = size_of(value) if isinstance(value, bytes) else self._arrived(key, value)
        if isinstance(old, int):
            return size - old
        self.changing = None
        if is_freed_lazily(old):
            self.changes.discard([old])
        return size - size_of(old)

    def _arrived(self, key: bytes, value: Value) -> int:
        """``value``, which is no string of bytes, is new at ``key``; its size."""
        self.note_ends(key, value)
        return size_of(value)

    def _withdraw(self) -> None:
        """All keys leave the tally."""
        share = self.share
        self.share = Share(share.tally)
        share.withdraw()

    def _discard(self, full: list[Table], changes: Changes) -> None:
        """Nobody can reach these any more but the views; they are freed in pieces."""
        if full and not self.views:
            changes.discard(full)
        elif full:
            remains = Remains(full, len(self.views))
            for view in self.views:
                view.remains = remains

    def _pop(self, part: int, key: bytes, count: int) -> Value:
        """Take out ``key``, which exists: so many changes."""
        if self.views:
            self.warn_views(part, key)
        table = self._tables[part]
        before = table.expiring if self.volatile else 0
        value = table.remove(key)
        self.changes.dirty += count
        assert value is not None, "no such key"
        if before:
            self._count_expiring(part, table.expiring - before)
        self.changing = None
        self.size -= 1
        self.share.add(-(len(key) + size_of(value) + OVERHEAD))
        if self.element_expires.of_key:
            self.element_expires.forget(key)
        return value

    def _put_expiring(self, part: int, key: bytes, value: Value, at: int, count: int) -> Value | None:
        """As ``Table.put``, where keys expire: so many changes. ``at`` may be ``KEEP``."""
        table = self._tables[part]
        before = table.expiring
        old = table.put(key, value, at, self.changes.clock)
        self.changes.dirty += count
        self._count_expiring(part, table.expiring - before)
        return old

    def _set_expire(self, part: int, key: bytes, at: int) -> None:
        """``key``, which exists, expires ``at``, or ``NEVER``: one change."""
        table = self._tables[part]
        before = table.expiring
        table.set_expire(key, at)
        self.changes.dirty += 1
        self._count_expiring(part, table.expiring - before)

    def _count_expiring(self, part: int, more: int) -> None:
        """So many keys of ``part`` more expire."""
        if not more:
            return
        self.volatile += more
        self.share.add(more * EXPIRY)
        if self._tables[part].expiring:
            self._expiring.add(part)
        else:
            self._expiring.discard(part)
