"""All keys as they were at one moment, given out piece by piece while writes go on: no fork, no pause.

Opening a snapshot copies nothing. A view walks through the tables of its database (``Table.items``), and the database
tells its open views of a change just before it happens (``Database.views``). What a view then does depends on where the
key stands:

- the walk is still to come there: what the key was is noted, once, and put right when the walk comes;
- it is in the piece that is being given out: its value is made safe from a change in place;
- it has been given out: nothing.

Reading a piece is the longest step, a fraction of a millisecond. Memory beyond it is what was written before the walk
came. A whole database that is dropped or swapped (FLUSHDB, SWAPDB) costs nothing: the view goes with the contents, not
the number.

A value other than ``bytes`` can change in place, so a note of it is a copy of it. A copy takes no longer than a step,
however large the value is (``kinds.py``), and ``take`` gives out a large value as such a copy, so that whoever has it
may go through it in steps while the key changes.
"""

from typing import Final

from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.kinds import copy_of, is_large
from gossamer.node.engine.data.notes import Note, Notes
from gossamer.node.engine.data.part import NEVER, copied
from gossamer.node.engine.data.view import View
from gossamer.node.store.table import Table
from gossamer.node.types.kind import Value

NONE: Final = -1
"""No part is being given out."""

PIECE: Final = 1000
"""Keys that are read from a table at once."""

END: Final = 1 << 64
"""Behind all positions of a table."""


class DatabaseView(View):
    """One database as it was when the view was opened.

    ``begin_piece`` until it says False; each time, ``take`` every key out of ``pending``, whenever there is time: the
    keys of the present piece that are still to be given out.
    """

    def __init__(self, db: Database, numbers: list[int]) -> None:
        super().__init__()
        whole = len(numbers) == db.part_count
        self.index: int = db.index
        self.keys: int = db.size if whole else sum([db.size_of(part) for part in numbers])
        """How many keys the view has in all."""
        self.volatile: int = db.volatile if whole else sum([db.volatile_of(part) for part in numbers])
        """How many of them expire one day."""
        self.piece: int = PIECE
        self.pending: dict[bytes, Value] = {}
        self.tables: list[Table] = db.tables()
        self.to_come: list[int] = [part for part in reversed(numbers) if db.size_of(part)]
        self.awaited: set[int] = set(self.to_come)
        self.apart: bool = False
        """``tables`` is a list of the view's own."""
        self.current: int = NONE
        """The part that the piece belongs to."""
        self.cursor: int = END
        """Where the walk through it goes on: what stands before was in a piece."""
        self.safe: set[bytes] = set()
        """Keys of the present piece whose value nobody else holds any more."""
        self.expires: dict[bytes, int] = {}
        """When keys of the present piece expire."""
        self.noted: dict[int, Notes] = {}

    def before_change(self, part: int, key: bytes) -> None:
        if part == self.current:
            value = self.pending.get(key)
            if value is not None:
                if not isinstance(value, bytes) and key not in self.safe:
                    self.pending[key] = copy_of(value)
                    self.safe.add(key)
            elif self.cursor != END and self.tables[part].position(key) >= self.cursor:
                self.note(part, key)
        elif part in self.awaited:
            self.note(part, key)

    def before_release(self, part: int) -> None:
        """The part goes to another database, or nowhere, but what it was is still to be given out: keep a copy.

        Nobody warns of changes there, so values that can change in place are copied too.
        """
        if part == self.current:
            for key in list(self.pending):
                self.before_change(part, key)
            if self.cursor == END:
                return
        elif part not in self.awaited:
            return
        if not self.apart:
            self.apart = True
            self.tables = self.tables.copy()
        self.tables[part] = copied(self.tables[part])

    def note(self, part: int, key: bytes) -> None:
        notes = self.noted.get(part)
        if notes is None:
            notes = self.noted[part] = Notes(self.tables[part])
        notes.add(key)

    def begin_piece(self) -> bool:
        """Go on to the next keys; False if all have been given out."""
        assert not self.pending, "the present piece is not done"
        while not self.pending:
            if self.cursor == END and not self._begin_part():
                return False
            self._read_piece()
        return True

    def _begin_part(self) -> bool:
        """Go on to the next part that had keys; False if there is none."""
        self.noted.pop(self.current, None)
        self.current = NONE
        self.expires = {}
        if not self.to_come:
            assert not self.awaited
            return False
        self.current = self.to_come.pop()
        self.awaited.discard(self.current)
        self.cursor = 0
        return True

    def _read_piece(self) -> None:
        cursor, items = self.tables[self.current].items(self.cursor, self.piece)
        self.cursor = cursor or END
        self.safe = set()
        self.pending = {key: value for key, value, _ in items}
        self.expires = {key: at for key, _, at in items if at >= 0}
        notes = self.noted.get(self.current)
        if notes is not None:
            self._put_right(notes.take_below(self.cursor))

    def _put_right(self, notes: list[tuple[bytes, Note]]) -> None:
        for key, was in notes:
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
        """When a key of the present piece expires, in unix milliseconds; -1 if never."""
        return self.expires.get(key, NEVER) if self.expires else NEVER

    def stamp_of(self, key: bytes) -> int:
        """What is noted of the uses of a key of the present piece; -1 if it is gone by now. A snapshot keeps no notes
        of that: who wants to know hears of later uses, too."""
        return self.tables[self.current].stamp(key)


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
