"""Which values have come into the memory since all keys were looked at in vain?

Where everything that may leave the memory has left it, only such a value can leave next: one that was written since, or
read back. While that holds, nobody needs to look for it among all the keys.
"""

from collections.abc import Callable
from typing import Final

from gossamer.node.engine.data.changes import SLOT_LEFT, Changes, Listener
from gossamer.node.engine.data.database import Database
from gossamer.node.types.kind import Value

MOST: Final = 10_000
"""Of more, samples show some."""


class Arrivals(Listener):
    """Of the keyspace that ``changes`` tells of. ``find``: its numbered database. ``counts``: may the value leave?"""

    def __init__(self, changes: Changes, find: Callable[[int], Database], counts: Callable[[Value], bool]) -> None:
        self.changes: Changes = changes
        self.find: Callable[[int], Database] = find
        self.counts: Callable[[Value], bool] = counts
        self.noting: bool = False
        """A look at all keys has begun, and perhaps ended in vain."""
        self.missed: bool = False
        """Something has come since it began that is not among ``keys``."""
        self.all_noted: bool = False
        """It has ended in vain, and nothing was missed."""
        self.keys: dict[tuple[int, bytes], None] = {}
        """Who came first, or was passed over last, first."""

    def begin(self) -> None:
        """All keys are looked at from now on."""
        if not self.noting:
            self.noting = True
            self.changes.listen(self)
            self.changes.on_back = self.note
        self.missed = False

    def in_vain(self) -> bool:
        """The look at all keys has shown nothing. False if something was missed: that proves nothing then."""
        self.all_noted = self.noting and not self.missed
        return not self.missed

    def end(self) -> None:
        """There are values that may leave beside these."""
        if self.noting:
            self.noting = False
            self.changes.unlisten(self)
            self.changes.on_back = None
        self.all_noted = False
        self.keys = {}

    def are_all(self, databases: list[Database]) -> bool:
        """Has every value that came to one of the ``databases`` been noted? What comes to hidden ones is not told."""
        if not self.all_noted:
            return False
        return all(db.changes is self.changes and not db.hidden for db in databases)

    def next(self) -> tuple[int, bytes] | None:
        """One of them, which is the last in line now; None if there is none."""
        for place in self.keys:
            del self.keys[place]
            self.keys[place] = None
            return place
        return None

    def forget(self, db: int, key: bytes) -> None:
        self.keys.pop((db, key), None)

    def note(self, db: int, key: bytes) -> None:
        """``key`` of database ``db`` was written, or its value came back."""
        found = self.find(db)
        value = found.get(found.part_of(key), key)
        self.forget(db, key)
        if value is None or not self.counts(value):
            return
        if len(self.keys) < MOST:
            self.keys[db, key] = None
        else:
            self._miss()

    def _miss(self) -> None:
        self.missed = True
        self.all_noted = False

    def key_changed(self, db: int, key: bytes, event: bytes) -> None:
        self.note(db, key)

    def keys_changed(self, db: int, part: int, event: bytes) -> None:
        if event != SLOT_LEFT:
            self._miss()
            self.keys = {}
