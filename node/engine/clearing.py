"""Keys of slots that belong to other nodes now: out of sight at once, but freed, and told to the replicas, in pieces.

A million keys take a second of work, and nobody should have to wait for that long. They leave the database as whole
tables, which costs nothing, and a piece of them is deleted whenever the clients leave time for it. What follows from
the delay:

- A slot that comes back is done with first (``finish``): else the replicas would be told to delete keys that they have
  got since. Whoever lets keys into a slot sees to that: ``Server.adopt``, and an import before it begins.
- The replicas are told only by the stream that was made when the keys went. A node that has followed another primary
  meanwhile has other data, and other replicas.
- While writes are held back the stream must stand still, and so must this; the machine knows.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from gossamer.node.engine.feed import Feed
from gossamer.node.engine.keyspace import Database, Value
from gossamer.node.engine.tally import Tally, weigh

if TYPE_CHECKING:
    from gossamer.node.engine.server import Server

PIECE: Final = 1000
"""Keys deleted at once, and told in one DEL: well under a millisecond, about one with replicas."""


class Remnant:
    """What there was of one ``slot``: its keys, and when they would have ended."""

    def __init__(
        self, slot: int, db: Database, values: dict[bytes, Value], ends: dict[bytes, int], feed: Feed | None
    ) -> None:
        self.slot: int = slot
        self.db: Database = db
        self.values: dict[bytes, Value] = values
        self.ends: dict[bytes, int] = ends
        self.tally: Tally = db.tally
        self.feed: Feed | None = feed
        """The stream whose replicas have these keys."""


class Clearing:
    """``on_work`` is called when there is something to do."""

    def __init__(self, server: "Server") -> None:
        self.server: Server = server
        self.remnants: list[Remnant] = []
        self.on_work: Callable[[], None] | None = None

    def take(self, db: Database, slot: int) -> dict[bytes, Value]:
        """Remove all keys of ``slot`` from ``db``, where a part is a slot; they are returned to be looked at."""
        values, ends = db.release_part(slot)
        self.remnants.append(Remnant(slot, db, values, ends, self.server.feed))
        if self.on_work is not None:
            self.on_work()
        return values

    def slots(self) -> list[int]:
        """Of which there is something left."""
        return [remnant.slot for remnant in self.remnants]

    def work(self) -> None:
        """Delete a piece."""
        room = PIECE
        while room > 0 and self.remnants:
            remnant = self.remnants[-1]
            room -= self._clear(remnant, room)
            if not remnant.values:
                self.remnants.pop()

    def finish(self, slots: Collection[int]) -> None:
        """Delete at once what is left of these."""
        mine = [remnant for remnant in self.remnants if remnant.slot in slots]
        if not mine:
            return
        self.remnants = [remnant for remnant in self.remnants if remnant.slot not in slots]
        for remnant in mine:
            while remnant.values:
                self._clear(remnant, PIECE)

    def _clear(self, remnant: Remnant, most: int) -> int:
        """Delete so many keys; how many there were."""
        values, ends = remnant.values, remnant.ends
        if len(values) <= most:
            gone = values.copy()
            values.clear()
        else:
            gone = dict([values.popitem() for _ in range(most)])
        keys = list(gone)
        ended = [key for key in keys if ends.pop(key, None) is not None] if ends else []
        remnant.tally.held -= weigh(gone, ended)
        feed = remnant.feed
        if feed is not None and feed is self.server.feed and keys:
            feed.gone(remnant.db, keys)
        return len(keys)
