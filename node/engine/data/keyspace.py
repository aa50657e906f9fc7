"""All databases of a node."""

from gossamer.node.engine.data.changes import FLUSHED, REPLACED, SWAPPED, Changes
from gossamer.node.engine.data.contents import STANDALONE_SHIFT
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.tally import Tally


class Keyspace:
    """All databases of a node. One that nobody has used yet costs nothing."""

    def __init__(self, count: int, shift: int = STANDALONE_SHIFT, changes: Changes | None = None) -> None:
        self.databases: list[Database | None] = [None] * count
        self.shift: int = shift
        self.tally: Tally = Tally()
        self.changes: Changes = changes if changes is not None else Changes()
        self.beside: list[Keyspace] = []
        """What is being loaded: it takes memory too."""
        self.parent: Keyspace | None = None
        """It is being loaded beside this one."""

    def apart(self) -> "Keyspace":
        """An empty keyspace of the same shape, for data that are being loaded: nobody is told what changes there."""
        other = Keyspace(len(self), self.shift, Changes(self.changes.clock))
        other.changes.by_use = self.changes.by_use
        self.beside.append(other)
        other.parent = self
        return other

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

    def clear(self, databases: list[Database]) -> None:
        """Drop everything in ``databases``, which are some of these, or all."""
        for db in databases:
            db.clear()
        self.changes.tell_whole(FLUSHED)

    def swap(self, one: int, other: int, now: int) -> None:
        """SWAPDB: a change also if both are the same."""
        self.changes.dirty += 1
        if one != other:
            self.database(one).swap(self.database(other), now)
            self.changes.tell_whole(SWAPPED)

    def replace(self, loaded: "Keyspace", now: int) -> None:
        """A full sync: what ``loaded`` has stands in place of all that is here, which is freed in pieces.

        Not dirty: nobody is sent that. ``loaded`` is used up.
        """
        assert len(loaded) == len(self)
        for db in loaded.used():
            self.database(db.index)
        for db in self.used():
            db.swap(loaded.database(db.index), now, REPLACED)
        self.changes.tell_whole(REPLACED)
        self.tally, loaded.tally = loaded.tally, self.tally
        self.tally.buffers = loaded.tally.buffers
        loaded.dispose(self.changes)

    def dispose(self, changes: Changes) -> None:
        """Nobody uses it any more: ``changes`` has its keys freed in pieces."""
        if self.parent is not None:
            self.parent.beside.remove(self)
            self.parent = None
        for db in self.used():
            db.dispose(changes)
