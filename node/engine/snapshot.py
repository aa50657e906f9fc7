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

A value other than ``bytes`` can change in place, so a note of it is a copy of it; whoever changes one in place calls
``Database.before_change`` first.
"""

from typing import Final

from gossamer.node.engine.keyspace import Database, Keyspace, Value, View
from gossamer.node.engine.values import duplicate

NONE: Final = -1
"""No part is being given out."""


class DatabaseView(View):
    """One database as it was when the view was opened.

    ``begin_part`` until it says False; each time, take every key out of ``pending``, whenever there is time: the keys
    of the present part that are still to be given out. ``end_of`` tells when they end.
    """

    def __init__(self, db: Database, parts: list[int]) -> None:
        self.index: int = db.index
        self.keys: int = db.size if len(parts) == len(db.values) else sum([len(db.values[part]) for part in parts])
        """How many keys the view has in all."""
        self.volatile: int = db.volatile if len(parts) == len(db.values) else count_ends(db, parts)
        """How many of them end one day."""
        self.pending: dict[bytes, Value] = {}
        self.values: list[dict[bytes, Value]] = db.values
        self.expires: dict[int, dict[bytes, int]] = db.expires
        self.to_come: list[int] = [part for part in reversed(parts) if db.values[part]]
        self.awaited: set[int] = set(self.to_come)
        self.apart: bool = False
        """``values`` and ``expires`` are tables of the view's own."""
        self.current: int = NONE
        self.safe: set[bytes] = set()
        """Keys of the present part whose value nobody else holds any more."""
        self.ends: dict[bytes, int] = {}
        self.noted: dict[int, dict[bytes, Note]] = {}

    def before_change(self, part: int, key: bytes) -> None:
        if part == self.current:
            value = self.pending.get(key)
            if value is not None and not isinstance(value, bytes) and key not in self.safe:
                self.pending[key] = duplicate(value)
                self.safe.add(key)
        elif part in self.awaited:
            self.note(part, key)

    def before_release(self, part: int) -> None:
        """The part goes to another database, or nowhere, but what it was is still to be given out: keep a copy."""
        if part not in self.awaited:
            return
        if not self.apart:
            self.apart = True
            self.values = self.values.copy()
            self.expires = self.expires.copy()
        self.values[part] = self.values[part].copy()
        ends = self.expires.get(part)
        if ends is not None:
            self.expires[part] = ends.copy()

    def note(self, part: int, key: bytes) -> None:
        """Remember what ``key`` is, unless something is remembered already."""
        notes = self.noted.get(part)
        if notes is None:
            notes = self.noted[part] = {}
        elif key in notes:
            return
        value = self.values[part].get(key)
        if value is None:
            notes[key] = Note(None, -1)
            return
        ends = self.expires.get(part)
        at = -1 if ends is None else ends.get(key, -1)
        notes[key] = Note(value if isinstance(value, bytes) else duplicate(value), at)

    def begin_part(self) -> bool:
        """Go on to the next part that has keys; False if all have been given out."""
        assert not self.pending, "the present part is not done"
        self.current = NONE
        while self.to_come:
            part = self.to_come.pop()
            self.awaited.discard(part)
            self.safe = set()
            self.pending = dict(self.values[part])
            self.ends = dict(self.expires.get(part, NO_ENDS))
            notes = self.noted.pop(part, None)
            if notes is not None:
                self.put_right(notes)
            if self.pending:
                self.current = part
                return True
        self.awaited.clear()
        self.ends = {}
        return False

    def put_right(self, notes: dict[bytes, "Note"]) -> None:
        for key, was in notes.items():
            self.ends.pop(key, None)
            if was.value is None:
                self.pending.pop(key, None)
                continue
            self.pending[key] = was.value
            self.safe.add(key)
            if was.end >= 0:
                self.ends[key] = was.end

    def end_of(self, key: bytes) -> int:
        """When a key of the present part ends, in unix milliseconds; -1 if never."""
        return self.ends.get(key, -1)


class Note:
    """What a key was: its value, None if it was not there, and its end, -1 for never."""

    def __init__(self, value: Value | None, end: int) -> None:
        self.value: Value | None = value
        self.end: int = end


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
            wanted = parts if parts is not None else list(range(len(db.values)))
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
        self.views = []


NO_ENDS: Final[dict[bytes, int]] = {}


def count_ends(db: Database, parts: list[int]) -> int:
    return sum([len(db.expires.get(part, NO_ENDS)) for part in parts])
