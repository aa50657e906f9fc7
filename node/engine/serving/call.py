"""What a command handler is given: its client, its database, and the only doors to the data.

``value``, ``text``, ``view`` and ``read`` are for what the request reads. ``store``, ``replace``, ``change``,
``delete``, ``move``, ``expire_at`` and ``persist`` are the only ways to change something. They keep the rules that hold
for every command: a key whose time is over does not exist, and a value of another type is refused. What follows from a
change is kept behind them, in ``data/database.py``. Handlers call no clock: ``now`` is the batch's time in unix
milliseconds.
"""

from typing import Final, TypeVar

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.data.changes import DEL
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.kinds import is_large
from gossamer.node.engine.data.part import KEEP, NEVER
from gossamer.node.engine.data.spilled import Unreadable
from gossamer.node.engine.server import Server
from gossamer.node.engine.state import FOLLOWING, PAUSED, SPILLING
from gossamer.node.engine.table.command import Command
from gossamer.node.resp.errors import WRONGTYPE, Refusal, unreadable
from gossamer.node.store.spilled import Spilled
from gossamer.node.store.table import key_slot
from gossamer.node.types.kind import Value

T = TypeVar("T")
NO_KEY: bytes = b""
find_slot: Final = key_slot
"""Compiled, what is ``Final`` here is at hand; what is imported is looked up by its name each time."""


class Call:
    """The context of one request. It is made once per client and used for all its requests, one after the other."""

    def __init__(self, server: Server, client: Client) -> None:
        self.server: Server = server
        self.client: Client = client
        self.db: Database = client.db
        self.word: bytes = b""
        self.command: Command | None = None
        """What ``word`` means, the name of the last request: pipelines repeat it, and to compare it costs little."""
        self.now: int = 0
        self.counting: bool = False
        """The command reads: lookups count as keyspace hits and misses."""
        self.privileged: bool = False
        """The client is this node's primary, which alone decides when a key expires."""
        self.effects: list[list[bytes]] | None = None
        """What the stream of writes says instead of the request itself."""
        self.monitored: list[bytes] | None = None
        """The request that waits, if MONITOR was told of it."""
        self.route_key: bytes = NO_KEY
        self.route_slot: int = 0
        """The slot of ``route_key``, the key whose slot was asked for last."""

    def slot_of(self, key: bytes) -> int:
        if key is not self.route_key:
            self.route_slot = find_slot(key)
            self.route_key = key
        return self.route_slot

    def part_of(self, key: bytes) -> int:
        """The part of the database that ``key`` belongs to."""
        return self.slot_of(key) >> self.db.shift

    # --- telling

    def forget_effects(self) -> None:
        """Another request is run."""
        self.effects = None

    def propagate(self, *words: bytes) -> None:
        """The stream of writes tells of this request in these words; called again, in all of them.

        For whatever does not do the same wherever and whenever it runs: times that count from now, sums of floats,
        commands that also read. A request that does not call this goes out as it is, if it has changed something.
        """
        self.propagate_list(list(words))

    def propagate_list(self, words: list[bytes]) -> None:
        """As ``propagate``, for commands that run often: arguments in a list cost less."""
        if self.effects is None:
            self.effects = []
        self.effects.append(words)

    def propagate_nothing(self) -> None:
        """The stream of writes tells of this request only what ``propagate`` says from now on, perhaps nothing."""
        self.effects = []

    # --- reading

    def value(self, key: bytes) -> Value | None:
        """The value of ``key``, whatever its type; None if there is none. Counts as a use of the key."""
        db = self.db
        if key is not self.route_key:  # this is ``part_of`` without its calls
            self.route_slot = find_slot(key)
            self.route_key = key
        part = self.route_slot >> db.shift
        value = db.get(part, key) if self.client.no_touch else db.use(part, key)
        if value is not None and db.volatile and self._expire_if_needed(key):
            value = None
        if self.counting:
            stats = self.server.stats
            if value is None:
                stats.keyspace_misses += 1
            else:
                stats.keyspace_hits += 1
        if self.server.conditions & SPILLING and value is not None:
            return self._read(key, value)
        return value

    def held(self, key: bytes) -> Value | None:
        """As ``value``, for who does not look into it: one that is not in memory stays a stub."""
        value = self.get_untouched(key)
        if value is not None and not self.client.no_touch:
            self.db.use(self.part_of(key), key)
        return value

    def values(self, keys: list[bytes]) -> list[Value | None]:
        """As ``value``, of several keys."""
        found: list[Value | None] = []
        for index, slot in enumerate(self.db.route(keys)):
            self.route_key = keys[index]
            self.route_slot = slot
            found.append(self.value(keys[index]))
        return found

    def text(self, key: bytes) -> bytes | None:
        """The string at ``key``, None if there is none; WRONGTYPE if it is something else."""
        value = self.value(key)
        if value is None or isinstance(value, bytes):
            return value
        if isinstance(value, bytearray):
            return bytes(value)
        raise Refusal(WRONGTYPE)

    def view(self, key: bytes) -> bytes | bytearray | None:
        """As ``text``, but without a copy of a long string: look at it, do not keep or change it."""
        value = self.value(key)
        if value is None or isinstance(value, (bytes, bytearray)):
            return value
        raise Refusal(WRONGTYPE)

    def read(self, key: bytes, cls: type[T]) -> T | None:
        """The value of ``key`` if it is a ``cls``, None if there is none; WRONGTYPE if it is something else."""
        value = self.value(key)
        if value is None or isinstance(value, cls):
            return value
        raise Refusal(WRONGTYPE)

    def get_raw(self, key: bytes) -> Value | None:
        """As ``held``, but nothing is counted."""
        db = self.db
        value = db.get(self.part_of(key), key)
        if value is not None and db.volatile and self._expire_if_needed(key):
            return None
        return value

    def get_untouched(self, key: bytes) -> Value | None:
        """As ``held``, counted as a hit or a miss, but not as a use of the key: for EXISTS, TTL, OBJECT …"""
        value = self.get_raw(key)
        if self.counting:
            stats = self.server.stats
            if value is None:
                stats.keyspace_misses += 1
            else:
                stats.keyspace_hits += 1
        return value

    def exists(self, key: bytes) -> bool:
        return self.get_raw(key) is not None

    def expire_time(self, key: bytes) -> int:
        """When ``key``, which exists, expires (unix milliseconds); -1 if never."""
        return self.db.expire_time(self.part_of(key), key) if self.db.volatile else -1

    # --- changing
    #
    # Each of these is told what happens by the name of the event, see data/changes.py.

    def store(self, key: bytes, value: Value, event: bytes, count: int = 1) -> None:
        """Set ``key`` to ``value`` whatever it was before; a time to live it had is gone.

        ``count``: how many changes that is to be for the counter of changes.
        """
        if key is not self.route_key:
            self.route_slot = find_slot(key)
            self.route_key = key
        db = self.db
        db.store(self.route_slot >> db.shift, key, value, event, NEVER, count)

    def store_all(self, keys: list[bytes], values: list[bytes], event: bytes) -> None:
        """As ``store``, of several keys."""
        db = self.db
        shift = db.shift
        for index, slot in enumerate(self.db.route(keys)):
            db.store(slot >> shift, keys[index], values[index], event)

    def store_until(self, key: bytes, value: Value, at: int, event: bytes) -> None:
        """As ``store``, and the key expires at ``at`` (unix milliseconds; negative: never). One change."""
        self.db.store(self.part_of(key), key, value, event, max(at, NEVER))
        if at >= 0:
            self._note_expire(key)

    def replace(self, key: bytes, value: Value, event: bytes, count: int = 1) -> None:
        """As ``store``, with a changed form of what the value was before; a time to live stays.

        ``count`` 0: Redis tells of it but does not count it.
        """
        assert count >= 0
        self.db.store(self.part_of(key), key, value, event, KEEP, count)

    def mutable(self, key: bytes) -> bytearray | None:
        """The string at ``key`` to be changed in place, None if there is none; ``replace`` must follow if it was."""
        value = self.view(key)
        if value is None:
            return None
        if isinstance(value, bytes):
            return bytearray(value)
        self.db.before_change(key, value)
        return value

    def change(self, key: bytes, cls: type[T]) -> T | None:
        """The value of ``key``, a ``cls``, to be changed in place; None if there is none. WRONGTYPE.

        The door for all types but strings: a running snapshot has its copy and the old size is noted when this
        returns. ``changed`` must follow if it was changed, before any other key is.
        """
        value = self.read(key, cls)
        if value is not None:
            self.db.before_change(key, value)
        return value

    def changed(self, key: bytes, value: Value, event: bytes, count: int = 1) -> None:
        """What ``change`` gave out has been changed. A value without elements does not exist: its key is deleted."""
        self.db.changed(key, value, event, count)

    def changed_unwatched(self, key: bytes, value: Value, event: bytes, count: int = 1) -> None:
        """As ``changed``, of a part of the value that WATCH leaves aside, with Redis: groups of a stream."""
        self.db.changed_unwatched(key, value, event, count)

    def also(self, key: bytes, event: bytes) -> None:
        """What has just happened to ``key`` is ``event``, too."""
        if self.db.changes.listeners:
            self.db.changes.tell(self.db.index, key, event)

    def discard(self, garbage: Value) -> None:
        """Free ``garbage``, a value that nobody can reach any more, in pieces if it takes long."""
        if is_large(garbage):
            self.db.changes.discard([garbage])

    def move(self, key: bytes, there: "Call", name: bytes, events: tuple[bytes, bytes]) -> None:
        """``key``, which exists, becomes ``name`` in the database of ``there``, with its time to live; one change.

        What ``name`` held before is gone. ``events``: what happens here, and there.
        """
        expires = self.expire_time(key) >= 0
        self.db.move(key, there.db, name, events)
        if expires:
            there._note_expire(name)

    def delete(self, key: bytes, event: bytes = DEL, count: int = 1) -> bool:
        """Remove ``key``; True if it was there. ``count``: 0 if what happened is counted already."""
        return self.get_raw(key) is not None and self.db.delete(self.part_of(key), key, event, count)

    def expire_at(self, key: bytes, at: int) -> None:
        """``key``, which exists, expires at ``at`` (unix milliseconds)."""
        self.db.set_expire(self.part_of(key), key, at)
        self._note_expire(key)

    def expires_within(self, key: bytes, value: Value) -> None:
        """Elements of ``value``, which ``key`` has, have got an end: they will be deleted in time."""
        self.db.note_ends(key, value)

    def persist(self, key: bytes) -> bool:
        """``key`` no longer expires; True if it did."""
        return self.db.clear_expire(self.part_of(key), key)

    def select(self, index: int) -> None:
        """The client works on database ``index`` from now on."""
        self.db = self.client.db = self.server.keyspace.database(index)

    def on(self, index: int) -> "Call":
        """The same call seen from database ``index``: for COPY and MOVE."""
        other = Call(self.server, self.client)
        other.db = self.server.keyspace.database(index)
        other.now = self.now
        return other

    # --- rules

    def _read(self, key: bytes, value: Value) -> Value:
        """``value``, which ``key`` has, brought back if it is not in memory. Refusal if it cannot be read.

        Not so for the stream of a primary: who cannot run it is no copy any more.
        """
        self.server.vm.lookups += 1
        if not isinstance(value, Spilled):
            return value
        try:
            return self.db.fetch(self.part_of(key), key, value)
        except Unreadable as error:
            if self.privileged:
                raise
            raise Refusal(unreadable(error.text)) from None

    def _expire_if_needed(self, key: bytes) -> bool:
        """True if ``key``, which exists, has expired; it is deleted then, where this node may do that."""
        db = self.db
        part = self.part_of(key)
        at = db.expire_time(part, key)
        if at < 0 or at >= self.now or self.privileged:
            return False
        server = self.server
        # A replica that takes writes deletes what has expired only to write in its place.
        may = server.lazy_expire_deletes or not (self.counting or server.conditions & FOLLOWING)
        if may and not server.conditions & PAUSED:
            server.expiry.drop(db, part, key)
        return True

    def _note_expire(self, key: bytes) -> None:
        """A key gets an expire time. On a replica, and not from the primary, nobody else will delete it then."""
        if not self.server.lazy_expire_deletes and not self.privileged:
            self.server.expiry.own.add((self.db.index, key))
