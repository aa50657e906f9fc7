"""What a command handler is given: its client, its database, and the only doors to the data.

``read`` and ``value`` are for what the request reads; ``store``, ``amend``, ``delete``, ``expire_at`` and ``persist``
are the only ways to change something. They keep the rules that hold for every command: a key whose time is over does
not exist, a change wakes WATCH and counts as dirty. Handlers call no clock: ``now`` is the batch's time in unix
milliseconds.
"""

from typing import TypeVar

from gossamer.cluster.slots import key_slot
from gossamer.node.engine.client import Client
from gossamer.node.engine.keyspace import Database, Value
from gossamer.node.engine.server import FOLLOWING, FULL, PAUSED, Server
from gossamer.node.resp.errors import WRONGTYPE, Refusal

T = TypeVar("T")
NO_KEY: bytes = b""


class Call:
    """The context of one request. It is made once per client and used for all its requests, one after the other."""

    def __init__(self, server: Server, client: Client) -> None:
        self.server: Server = server
        self.client: Client = client
        self.db: Database = client.db
        self.now: int = 0
        self.counting: bool = False
        """The command reads: lookups count as keyspace hits and misses."""
        self.privileged: bool = False
        """The client is this node's primary, which alone decides when a key ends."""
        self.route_key: bytes = NO_KEY
        self.route_slot: int = 0
        """The slot of ``route_key``, which dispatch has worked out already."""

    def part_of(self, key: bytes) -> int:
        """The part of the database that ``key`` belongs to."""
        slot = self.route_slot if key is self.route_key else key_slot(key)
        return slot >> self.db.shift

    # --- reading

    def value(self, key: bytes) -> Value | None:
        """The value of ``key``, whatever its type; None if there is none. Counts as a use of the key."""
        db = self.db
        part = (self.route_slot if key is self.route_key else key_slot(key)) >> db.shift
        value = db.values[part].get(key)
        if value is not None and db.volatile and self._over(key):
            value = None
        if self.counting:
            stats = self.server.stats
            if value is None:
                stats.keyspace_misses += 1
            else:
                stats.keyspace_hits += 1
        if value is not None:
            now_s = self.server.now_s
            db.busy[part] = now_s
            if db.uses is not None:
                db.uses[key] = now_s
        return value

    def text(self, key: bytes) -> bytes | None:
        """The string at ``key``, None if there is none; WRONGTYPE if it is something else."""
        value = self.value(key)
        if value is None or isinstance(value, bytes):
            return value
        if isinstance(value, bytearray):
            return bytes(value)
        raise Refusal(WRONGTYPE)

    def octets(self, key: bytes) -> bytes | bytearray | None:
        """As ``text``, but without a copy of a long string: look at it, do not keep or change it."""
        value = self.value(key)
        if value is None or isinstance(value, (bytes, bytearray)):
            return value
        raise Refusal(WRONGTYPE)

    def read(self, key: bytes, kind: type[T]) -> T | None:
        """The value of ``key`` if it is a ``kind``, None if there is none; WRONGTYPE if it is something else."""
        value = self.value(key)
        if value is None or isinstance(value, kind):
            return value
        raise Refusal(WRONGTYPE)

    def peek(self, key: bytes) -> Value | None:
        """As ``value``, but nothing is counted."""
        db = self.db
        value = db.values[self.part_of(key)].get(key)
        if value is not None and db.volatile and self._over(key):
            return None
        return value

    def look(self, key: bytes) -> Value | None:
        """As ``value``, counted as a hit or a miss, but not as a use of the key: for EXISTS, TTL, OBJECT …"""
        value = self.peek(key)
        if self.counting:
            stats = self.server.stats
            if value is None:
                stats.keyspace_misses += 1
            else:
                stats.keyspace_hits += 1
        return value

    def exists(self, key: bytes) -> bool:
        return self.peek(key) is not None

    def expire_time(self, key: bytes) -> int:
        """When ``key``, which exists, ends (unix milliseconds); -1 if never."""
        return self.db.expire_time(self.part_of(key), key) if self.db.volatile else -1

    # --- changing

    def store(self, key: bytes, value: Value) -> None:
        """Set ``key`` to ``value`` whatever it was before; a time to live it had is gone."""
        db = self.db
        part = (self.route_slot if key is self.route_key else key_slot(key)) >> db.shift
        if db.volatile:
            db.clear_expire(part, key)
        self._put(part, key, value)

    def store_until(self, key: bytes, value: Value, at: int) -> None:
        """As ``store``, and the key ends at ``at`` (unix milliseconds; negative: never). One change."""
        part = self.part_of(key)
        if at >= 0:
            self.db.set_expire(part, key, at)
            if not self.server.lazy_expire_deletes:
                self._mind_end(key)
        elif self.db.volatile:
            self.db.clear_expire(part, key)
        self._put(part, key, value)

    def move(self, key: bytes, there: "Call", name: bytes) -> None:
        """``key``, which exists, becomes ``name`` in the database of ``there``, with its time to live; one change.

        What ``name`` held before is gone.
        """
        at = self.expire_time(key)
        self.server.changing += 1
        value = self.db.remove(self.part_of(key), key)
        assert value is not None
        if self.db.watchers:
            self.server.touch_key(self.db, key)
        there.store_until(name, value, at)
        self.server.changing -= 1

    def amend(self, key: bytes, value: Value) -> None:
        """Set ``key`` to ``value``, a changed form of what it was before; a time to live stays."""
        self._put(self.part_of(key), key, value)

    def changeable(self, key: bytes) -> bytearray | None:
        """The string at ``key`` to be changed in place, None if there is none; ``amend`` must follow."""
        value = self.octets(key)
        if value is None:
            return None
        if isinstance(value, bytes):
            return bytearray(value)
        if self.db.views:
            self.db.before_change(self.part_of(key), key)
        self.db.tally.changing = len(value)
        return value

    def delete(self, key: bytes) -> bool:
        """Remove ``key``; True if it was there."""
        if self.peek(key) is None:
            return False
        self.server.changing += 1
        self.db.remove(self.part_of(key), key)
        self._changed(key)
        self.server.changing -= 1
        return True

    def expire_at(self, key: bytes, at: int) -> None:
        """``key``, which exists, ends at ``at`` (unix milliseconds)."""
        self.db.set_expire(self.part_of(key), key, at)
        if not self.server.lazy_expire_deletes:
            self._mind_end(key)
        self._changed(key)

    def persist(self, key: bytes) -> bool:
        """``key`` no longer ends; True if it did."""
        if not self.db.clear_expire(self.part_of(key), key):
            return False
        self._changed(key)
        return True

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

    def _over(self, key: bytes) -> bool:
        """True if the time of ``key``, which exists, is over; it is deleted then, where this node may do that."""
        db = self.db
        part = self.part_of(key)
        at = db.expire_time(part, key)
        if at < 0 or at >= self.now or self.privileged:
            return False
        server = self.server
        # A replica that takes writes deletes what is over only to write in its place.
        may = server.lazy_expire_deletes or not (self.counting or server.conditions & FOLLOWING)
        if may and not server.conditions & PAUSED:
            server.drop_expired(db, part, key)
        return True

    def _mind_end(self, key: bytes) -> None:
        """A key gets an end on a replica: if that does not come from the primary, nobody else will delete it."""
        if not self.privileged:
            self.server.own_ends.add((self.db.index, key))

    def _put(self, part: int, key: bytes, value: Value) -> None:
        db = self.db
        server = self.server
        server.dirty += 1  # first: should anything fail behind it, the data may be half changed
        db.put(part, key, value)
        db.busy[part] = server.now_s
        if db.uses is not None:
            db.uses[key] = server.now_s
        if db.tally.held > server.memory_limit:
            server.conditions |= FULL
        if db.watchers:
            server.touch_key(db, key)

    def _changed(self, key: bytes) -> None:
        server = self.server
        server.dirty += 1
        if self.db.watchers:
            server.touch_key(self.db, key)
