"""What is freed in pieces: the keys of slots that belong to other nodes now, and large values that nobody can reach.

A million keys or elements take a second of work, and nobody should have to wait for that long. The keys of a slot leave
the database as one whole, which costs nothing, and a piece of them is deleted, and told to the replicas, whenever the
clients leave time for it. What follows from the delay:

- A slot that comes back is done with first (``finish``): else the replicas would be told to delete keys that they have
  got since. Code that lets keys into a slot sees to that: ``Server.adopt``, and an import before it begins.
- The replicas are told only by the stream that was made when the keys went. A node that has followed another primary
  meanwhile has other data, and other replicas.
- While writes are held back the stream must stand still, and so must this; the machine knows.

Garbage (a value of many elements, the parts of a database that was emptied, what a full sync replaces) is known to
nobody: it is in no tally, and no stream tells of it.

INFO counts objects as Redis does with every ``lazyfree-lazy-…`` at yes: a key of a database that was emptied or of a
slot, and a value that Redis frees by its thread. Such a value of few elements is freed at once here.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from gossamer.node.config import Config
from gossamer.node.engine.data.changes import Changes
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.kinds import is_large, kind_of, size_of
from gossamer.node.engine.data.part import batch
from gossamer.node.engine.data.tally import EXPIRY, OVERHEAD, Share
from gossamer.node.engine.insight.stats import Stats
from gossamer.node.engine.stream.journal import Journal, deletion
from gossamer.node.engine.stream.stream import Stream
from gossamer.node.store.table import Table
from gossamer.node.types.kind import Value

PIECE: Final = 250
"""Keys or elements freed at once, and keys told in one DEL: 0.03 ms, and about one where each key is its page's last.

That is so at the end of a table, where a thousand keys give a thousand pages back to the kernel: 3 to 5 ms.
"""


class DroppedSlot:
    """What there was of one ``slot``."""

    def __init__(self, slot: int, db: Database, keys: Table, stream: Stream | None) -> None:
        self.slot: int = slot
        self.db: Database = db
        self.keys: Table = keys
        self.share: Share = db.share
        self.stream: Stream | None = stream
        """The stream whose replicas have these keys."""


class LazyFree:
    """``on_work`` is called when there is something to do. ``journal`` is told of keys when they are deleted."""

    def __init__(self, changes: Changes, journal: Journal, stats: Stats, config: Config) -> None:
        self.journal: Journal = journal
        self.stats: Stats = stats
        self.config: Config = config
        self.dropped: list[DroppedSlot] = []
        self.garbage: list[Value] = []
        """Large values, and parts of databases."""
        self.on_work: Callable[[], None] | None = None
        self.on_deleted: Callable[[list[bytes]], None] | None = None
        """Called with the keys of slots when they are deleted."""
        changes.on_garbage = self.discard

    @property
    def pending(self) -> bool:
        """Is there something to do?"""
        return bool(self.dropped or self.garbage)

    def take(self, db: Database, slot: int) -> None:
        """Remove all keys of ``slot`` from ``db``, where a part is a slot."""
        self.dropped.append(DroppedSlot(slot, db, db.release_part(slot), self.journal.stream))
        self._wake()

    def discard(self, garbage: Sequence[Value]) -> None:
        """Free ``garbage``, which nobody can reach any more, by and by."""
        late = [value for value in garbage if isinstance(value, Table) or is_large(value)]
        self.stats.lazyfreed_objects += len(garbage) - len(late)
        if late:
            self.garbage += late
            self._wake()

    def count(self) -> int:
        """Objects that are still to be freed."""
        keys = sum(len(dropped.keys) for dropped in self.dropped)
        return keys + sum(len(value) if isinstance(value, Table) else 1 for value in self.garbage)

    def slots(self) -> list[int]:
        """Of which there is something left."""
        return [dropped.slot for dropped in self.dropped]

    def work(self) -> None:
        """Free a piece."""
        room = PIECE
        while room > 0 and self.dropped:
            dropped = self.dropped[-1]
            room -= self._clear(dropped, room)
            if not len(dropped.keys):
                self.dropped.pop()
        while room > 0 and self.garbage:
            room -= self._free(room)

    def finish(self, slots: Collection[int]) -> None:
        """Delete at once what is left of these."""
        mine = [dropped for dropped in self.dropped if dropped.slot in slots]
        if not mine:
            return
        self.dropped = [dropped for dropped in self.dropped if dropped.slot not in slots]
        for dropped in mine:
            while len(dropped.keys):
                self._clear(dropped, PIECE)

    def _wake(self) -> None:
        if self.on_work is not None:
            self.on_work()

    def _clear(self, dropped: DroppedSlot, most: int) -> int:
        """Delete so many keys; how many there were."""
        table = dropped.keys
        items = batch(table, most)
        for key, value, at in items:
            table.remove(key)
            dropped.share.add(-(len(key) + size_of(value) + OVERHEAD + (EXPIRY if at >= 0 else 0)))
            if is_large(value):
                self.garbage.append(value)
            else:
                self.stats.lazyfreed_objects += 1
        keys = [key for key, _, _ in items]
        if self.on_deleted is not None:
            self.on_deleted(keys)
        journal = self.journal
        if keys and dropped.stream is journal.stream:
            journal.deleted(dropped.db.index, keys, deletion(self.config, "lazyfree-lazy-server-del"))
            journal.release()
        return len(keys)

    def _free(self, most: int) -> int:
        """Free so much of the last piece of garbage; how much it was, at least 1."""
        last = self.garbage.pop()
        if isinstance(last, Table):
            before = len(last)
            large = [value for value in last.drop(most) if is_large(value)]
            self.garbage += large
            left = len(last)
            self.stats.lazyfreed_objects += before - left - len(large)
        else:
            before = kind_of(last).length(last)
            left = kind_of(last).free(last, most)
            self.stats.lazyfreed_objects += int(not left)
        assert left < before or left == 0, "nothing was freed"
        if left:
            self.garbage.append(last)
        return max(before - left, 1)
