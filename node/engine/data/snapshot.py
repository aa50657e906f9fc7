"""All keys as they were at one moment, given out part by part while writes go on: no fork, no long pause.

Opening a snapshot copies nothing. Each database tells its open views of a change just before it happens
(``Database.views``), and what a view then does depends on the part that the key belongs to:

- still to come: what the key was is noted, once; the part is put right when its turn comes;
- being given out: if the key is still to come, its value is made safe from a change in place;
- given out already: nothing.

A part's turn begins with a copy of its dictionary of references. That copy is the longest step: some 20 µs for the
4,000 keys that a part has in a standalone node of a million. Memory beyond it is what was written before its turn came.
A whole database that is dropped or swapped (FLUSHDB, SWAPDB) costs nothing: the view goes with the contents, not the
number.

A value other than ``bytes`` can change in place, so a note of it is a copy of it. A copy takes no longer than a step,
however large the value is (``kinds.py``), and ``take`` gives out a large value as such a copy, so that whoever has it
may go through it in steps while the key changes.
"""

from typing import Final

from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.kinds import Value, copy_of, is_large
from gossamer.node.engine.data.part import NEVER, Part
from gossamer.node.engine.data.view import View

NONE: Final = -1
"""No part is being given out."""


class DatabaseView(View):
    """One database as it was when the view was opened.

    ``begin_part`` until it says False; each time, ``take`` every key out of ``pending``, whenever there is time: the
    keys of the present part that are still to be given out.
    """

    def __init__(self, db: Database, numbers: list[int]) -> None:
        super().__init__()
        whole = len(numbers) == db.part_count
        self.index: int = db.index
        self.keys: int = db.size if whole else sum([db.size_of(part) for part in numbers])
        """How many keys the view has in all."""
        self.volatile: int = db.volatile if whole else sum([db.volatile_of(part) for part in numbers])
        """How many of them expire one day."""
        self.pending: dict[bytes, Value] = {}
        self.parts: list[Part] = db.parts()
        self.to_come: list[int] = [part for part in reversed(numbers) if db.size_of(part)]
        self.awaited: set[int] = set(self.to_come)
        self.apart: bool = False
        """``parts`` is a list of the view's own."""
        self.current: int = NONE
        self.safe: set[bytes] = set()
        """Keys of the present part whose value nobody else holds any more."""
        self.expires: dict[bytes, int] = {}
        """When keys of the present part expire."""
        self.noted: dict[int, dict[bytes, Note]] = {}

    def before_change(self, part: int, key: bytes) -> None:
        if part == self.current:
            value = self.pending.get(key)
            if value is not None and not isinstance(value, bytes) and key not in self.safe:
                self.pending[key] = copy_of(value)
                self.safe.add(key)
        elif part in self.awaited:
            self.note(part, key)

    def before_release(self, part: int) -> None:
        """The part goes to another database, or nowhere, but what it was is still to be given out: keep a copy.

        Nobody warns of changes there, so values that can change in place are copied too.
        """
        if part == self.current:
            for key in list(self.pending):
                self.before_change(part, key)
        if part not in self.awaited:
            return
        if not self.apart:
            self.apart = True
            self.parts = self.parts.copy()
        self.parts[part] = self.parts[part].copy()

    def note(self, part: int, key: bytes) -> None:
        """Remember what ``key`` is, unless something is remembered already."""
        notes = self.noted.get(part)
        if notes is None:
            notes = self.noted[part] = {}
        elif key in notes:
            return
        held = self.parts[part]
        value = held.get(key)
        notes[key] = Note(None, NEVER) if value is None else Note(copy_of(value), held.expire_time(key))

    def begin_part(self) -> bool:
        """Go on to the next part that has keys; False if all have been given out."""
        assert not self.pending, "the present part is not done"
        self.current = NONE
        while self.to_come:
            part = self.to_come.pop()
            self.awaited.discard(part)
            self.safe = set()
            self.pending, self.expires = self.parts[part].tables()
            notes = self.noted.pop(part, None)
            if notes is not None:
                self.put_right(notes)
            if self.pending:
                self.current = part
                return True
        assert not self.awaited
        self.expires = {}
        return False

    def put_right(self, notes: dict[bytes, "Note"]) -> None:
        for key, was in notes.items():
            self.expires.pop(key, None)
            if was.value is None:
                self.pending.pop(key, None)
                continue
            self.pending[key] = was.value
            self.safe.add(key)
            if was.expire >= 0:
                self.expires[key] = was.expire

    def take(self) -> tuple[bytes, Value]:
        """One of the pending keys with its value, which stays as it is for one step, or for good if it takes more."""
        key, value = self.pending.popitem()
        if is_large(value) and key not in self.safe:
            value = copy_of(value)
        return key, value

    def expire_of(self, key: bytes) -> int:
        """When a key of the present part expires, in unix milliseconds; -1 if never."""
        return self.expires.get(key, NEVER) if self.expires else NEVER


class Note:
    """What a key was: its value, None if it was not there, and its expire time."""

    def __init__(self, value: Value | None, expire: int) -> None:
        self.value: Value | None = value
        self.expire: int = expire


class Snapshot:
    """``parts``: only these parts of each database, in this order (in cluster mode a part is a slot); None: all.
    ``beside``: databases that are part of it although the keyspace does not show them.

    Several snapshots may be open at once. ``close`` must follow, also after a failure: until then writes pay for it.
    """

    def __init__(
        self, keyspace: Keyspace, parts: list[int] | None = None, beside: list[Database] | None = None
    ) -> None:
        self.keyspace: Keyspace = keyspace
        self.beside: list[Database] = beside or []
        self.views: list[DatabaseView] = []
        for db in keyspace.used() + self.beside:
            wanted = parts if parts is not None else list(range(db.part_count))
            view = DatabaseView(db, wanted)
            if view.keys:
                self.views.append(view)
                db.views.append(view)

    @property
    def keys(self) -> int:
        """How many keys it has in all."""
        return sum([view.keys for view in self.views])

    def close(self) -> None:
        """Writes no longer care for this snapshot; what has not been given out of it is lost."""
        for db in self.keyspace.used() + self.beside:
            # Not by number: SWAPDB takes a view along with the contents.
            db.views = [view for view in db.views if view not in self.views]
        for view in self.views:
            view.end(self.keyspace.changes)
        self.views = []
