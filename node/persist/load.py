"""Puts what an RDB tells into a keyspace.

What is no key is collected: remarks (a replica looks for ``repl-id`` there) and functions, which nobody here can run.
"""

from node.engine.keyspace import Database, Keyspace
from node.persist.codes import RdbError
from node.persist.events import Aux, Event, Function, Key, SelectDb


class Loader:
    """``now``: unix milliseconds. ``keep_stale``: keep keys whose time is over, as a replica must.

    The keyspace should be empty; a key that is there already, or twice in the RDB, is an error, as in Redis.
    """

    def __init__(self, keyspace: Keyspace, now: int, keep_stale: bool) -> None:
        self.keyspace: Keyspace = keyspace
        self.now: int = now
        self.keep_stale: bool = keep_stale
        self.keys: int = 0
        """How many keys were put in."""
        self.stale: int = 0
        """How many were dropped."""
        self.aux: dict[bytes, bytes] = {}
        self.functions: list[bytes] = []
        self._db: Database = keyspace.database(0)

    def take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Key):
                self._put(event)
            elif isinstance(event, SelectDb):
                self._select(event.db)
            elif isinstance(event, Aux):
                self.aux[event.name] = event.value
            elif isinstance(event, Function):
                self.functions.append(event.source)

    def _select(self, index: int) -> None:
        if index >= len(self.keyspace):
            raise RdbError(f"the data has a database {index}, but there are only {len(self.keyspace)} here")
        self._db = self.keyspace.database(index)

    def _put(self, event: Key) -> None:
        if 0 <= event.end < self.now and not self.keep_stale:
            self.stale += 1
            return
        db, key = self._db, event.key
        part = db.part_of(key)
        before = db.size
        db.put(part, key, event.value)
        if db.size == before:
            raise RdbError(f"key {key[:128]!r} of database {db.index} occurs twice")
        if event.end >= 0:
            db.set_expire(part, key, event.end)
        if event.idle_s >= 0:
            now_s = self.now // 1000
            db.track_uses(now_s)[key] = now_s - event.idle_s
        self.keys += 1
