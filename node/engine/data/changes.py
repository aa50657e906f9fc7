"""The one place that hears of every change of the data, and the names of what can happen to a key.

``Database`` is the only module that alters keys, and each of its methods tells ``Changes`` what happened. Here is
counted how much has changed (``dirty``), and here stand those who want to know: whoever has to tell clients or other
nodes of changes is a ``Listener``, and needs no other place.

The names are those of Redis' keyspace events (notify.c and the callers of ``notifyKeyspaceEvent`` in 7.0). Names of
what happens to many keys at once are our own: Redis tells clients nothing of it.
"""

from collections.abc import Callable, Sequence
from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.store.table import Clock

# one key, any type
DEL: Final = b"del"
EXPIRE: Final = b"expire"
EXPIRED: Final = b"expired"
EVICTED: Final = b"evicted"
PERSIST: Final = b"persist"
RENAME_FROM: Final = b"rename_from"
RENAME_TO: Final = b"rename_to"
MOVE_FROM: Final = b"move_from"
MOVE_TO: Final = b"move_to"
COPY_TO: Final = b"copy_to"
RESTORE: Final = b"restore"
# one key, strings
SET: Final = b"set"
APPEND: Final = b"append"
SETRANGE: Final = b"setrange"
SETBIT: Final = b"setbit"
INCRBY: Final = b"incrby"
INCRBYFLOAT: Final = b"incrbyfloat"
PFADD: Final = b"pfadd"
# one key, what SORT makes
SORTSTORE: Final = b"sortstore"
# one key, sets
SADD: Final = b"sadd"
SREM: Final = b"srem"
SPOP: Final = b"spop"
SINTERSTORE: Final = b"sinterstore"
SUNIONSTORE: Final = b"sunionstore"
SDIFFSTORE: Final = b"sdiffstore"
# one key, sorted sets
ZADD: Final = b"zadd"
ZINCR: Final = b"zincr"
ZREM: Final = b"zrem"
ZREMRANGEBYRANK: Final = b"zremrangebyrank"
ZREMRANGEBYSCORE: Final = b"zremrangebyscore"
ZREMRANGEBYLEX: Final = b"zremrangebylex"
ZPOPMIN: Final = b"zpopmin"
ZPOPMAX: Final = b"zpopmax"
ZUNIONSTORE: Final = b"zunionstore"
ZINTERSTORE: Final = b"zinterstore"
ZDIFFSTORE: Final = b"zdiffstore"
ZRANGESTORE: Final = b"zrangestore"
# one key, places
GEORADIUSSTORE: Final = b"georadiusstore"
GEOSEARCHSTORE: Final = b"geosearchstore"
# one key, streams
XADD: Final = b"xadd"
XDEL: Final = b"xdel"
XTRIM: Final = b"xtrim"
XSETID: Final = b"xsetid"
XGROUP_CREATE: Final = b"xgroup-create"
XGROUP_SETID: Final = b"xgroup-setid"
XGROUP_DESTROY: Final = b"xgroup-destroy"
XGROUP_CREATECONSUMER: Final = b"xgroup-createconsumer"
XGROUP_DELCONSUMER: Final = b"xgroup-delconsumer"
# one key, lists
LPUSH: Final = b"lpush"
RPUSH: Final = b"rpush"
LPOP: Final = b"lpop"
RPOP: Final = b"rpop"
LSET: Final = b"lset"
LINSERT: Final = b"linsert"
LREM: Final = b"lrem"
LTRIM: Final = b"ltrim"
# one key, hashes
HSET: Final = b"hset"
HDEL: Final = b"hdel"
HINCRBY: Final = b"hincrby"
HINCRBYFLOAT: Final = b"hincrbyfloat"
HEXPIRE: Final = b"hexpire"
HEXPIRED: Final = b"hexpired"
HPERSIST: Final = b"hpersist"
# one key, without an event of Redis
XREADGROUP: Final = b"xreadgroup"
XACK: Final = b"xack"
XCLAIM: Final = b"xclaim"
"""Entries of a group were delivered, acknowledged, given to another consumer."""
MIGRATED: Final = b"migrated"
"""MIGRATE has deleted the key: another node has it."""
LOADED: Final = b"loaded"
"""The key was read from an RDB."""
COUNTED: Final = b"counted"
"""A HyperLogLog remembers the cardinality that PFCOUNT has found."""
ENCODED: Final = b"encoded"
"""The value has another form, and the same contents."""
# many keys
FLUSHED: Final = b"flushed"
SWAPPED: Final = b"swapped"
REPLACED: Final = b"replaced"
"""A full sync: what the primary has stands in place of what was there."""
SLOT_LEFT: Final = b"slot-left"
SLOT_CAME: Final = b"slot-came"

ALL_PARTS: Final = -1
NEVER_FULL: Final = 1 << 60


@mypyc_attr(allow_interpreted_subclasses=True)
class Listener:
    """Somebody who is told of changes right after they happened: notifications, tracking, blocked clients, eviction."""

    def key_changed(self, db: int, key: bytes, event: bytes) -> None:
        """``event`` happened to ``key`` of database ``db``."""

    def keys_changed(self, db: int, part: int, event: bytes) -> None:
        """``event`` happened to all keys of a part of database ``db``, or of ``ALL_PARTS``."""

    def whole_changed(self, event: bytes) -> None:
        """``event`` happened to one or more databases as wholes; ``keys_changed`` has told of each."""


class Changes:
    """What the databases of one node have in common when they change.

    Those whose names begin with ``on_`` are set by the node; a keyspace that is being loaded has none.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock if clock is not None else Clock()
        """Notes when keys are used, or how often. The node sets its time."""
        self.by_use: bool = False
        """A ``maxmemory-policy`` goes by the uses of keys: then an RDB tells them."""
        self.dirty: int = 0
        """Changes since the start, as Redis counts them. It moves before anything can be half changed, so that an
        exception is known to have left the data so: before many keys change, and right after a table has taken one."""
        self.memory_limit: int = NEVER_FULL
        """Bytes in the tally above which ``on_full`` is called."""
        self.fetched: int = 0
        """Values that were not in memory, and were read because a request needed them while it ran."""
        self.on_back: Callable[[int, bytes], None] | None = None
        """The value of a key has come back into the memory."""
        self.listeners: list[Listener] = []
        self.on_full: Callable[[], None] | None = None
        self.on_expired: Callable[[int, bytes], None] | None = None
        """A key was deleted because its time is over: no command tells the replicas."""
        self.on_evicted: Callable[[int, bytes], None] | None = None
        """A key was deleted because there was no room for it."""
        self.on_elements_expired: Callable[[int, bytes, list[bytes]], None] | None = None
        """As ``on_expired``, of elements of a key's value."""
        self.on_garbage: Callable[[Sequence[object]], None] | None = None
        """Values that are freed lazily, or parts of a database, that nobody can reach any more."""

    def listen(self, listener: Listener) -> None:
        assert listener not in self.listeners
        self.listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        self.listeners.remove(listener)

    def tell(self, db: int, key: bytes, event: bytes) -> None:
        for listener in self.listeners:
            listener.key_changed(db, key, event)

    def tell_many(self, db: int, part: int, event: bytes) -> None:
        for listener in self.listeners:
            listener.keys_changed(db, part, event)

    def tell_whole(self, event: bytes) -> None:
        for listener in self.listeners:
            listener.whole_changed(event)

    def full(self) -> None:
        if self.on_full is not None:
            self.on_full()

    def expired(self, db: int, key: bytes) -> None:
        if self.on_expired is not None:
            self.on_expired(db, key)

    def evicted(self, db: int, key: bytes) -> None:
        if self.on_evicted is not None:
            self.on_evicted(db, key)

    def elements_expired(self, db: int, key: bytes, elements: list[bytes]) -> None:
        if self.on_elements_expired is not None:
            self.on_elements_expired(db, key, elements)

    def discard(self, garbage: Sequence[object]) -> None:
        """``garbage`` takes long to free. Without a collector it goes at once, with the caller's references."""
        if self.on_garbage is not None:
            self.on_garbage(garbage)
