"""DEBUG DIGEST: one number for all data, the same on every server that holds the same (debug.c of Redis 7.0).

It is made in steps, of the data as it was at one moment, so that much of it holds nobody up.

SHA-1 sums are mixed and exclusive-ored so that the order of the keys does not matter. A time to live counts only as
being there.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from gossamer.node.commands.digests import hashes, lists, sets, streams, zsets
from gossamer.node.commands.digests.mixing import MASK, added, hashed, mixed
from gossamer.node.engine.clients.long_reply import LongReply
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.kinds import STRING, copy_of, is_large, kind_of
from gossamer.node.engine.data.snapshot import DatabaseView, Snapshot
from gossamer.node.engine.data.spilled import Unreadable, in_memory
from gossamer.node.resp.errors import unreadable
from gossamer.node.resp.reply import Failure, Reply, Status
from gossamer.node.types.hashes.kind import HASH
from gossamer.node.types.kind import DONE, STEP, Kind, Value
from gossamer.node.types.lists.kind import LIST
from gossamer.node.types.sets.set import SET
from gossamer.node.types.streams.kind import STREAM
from gossamer.node.types.zsets.zset import ZSET

STRING_MARK: Final = (0).to_bytes(4, "big")
KEY_WORK: Final = 4
"""A key counts for as much work as so many elements."""
EXPIRES: Final = b"!!expire!!"


Digest: TypeAlias = Callable[[int, Value, int, int], tuple[int, int]]
"""A digest to go on with, a value, a position and the moment of which is told, to the digest and the next position."""


def string(digest: int, value: Value, at: int, now: int) -> tuple[int, int]:
    assert isinstance(value, (bytes, bytearray))
    return mixed(mixed(digest, STRING_MARK), value), DONE


DIGESTS: Final[dict[Kind, Digest]] = {
    STRING: string,
    LIST: lists.digest,
    ZSET: zsets.digest,
    SET: sets.digest,
    STREAM: streams.digest,
    HASH: hashes.digest,
}


class ValueDigest:
    """Of one ``value``, which must stay as it is meanwhile, mixed into ``digest``.

    ``expires``: it has a time to live. ``now`` (unix milliseconds) hides elements that are over; 0 shows all.
    Unreadable.
    """

    def __init__(self, digest: int, value: Value, expires: bool, now: int = 0) -> None:
        self.digest: int = digest
        self.value: Value = in_memory(value)
        self.expires: bool = expires
        self.now: int = now
        self.at: int = 0

    def step(self) -> int:
        """Go on until ``at`` is DONE; how much work that was, in elements."""
        kind = kind_of(self.value)
        self.digest, self.at = DIGESTS[kind](self.digest, self.value, self.at, self.now)
        if self.at == DONE and self.expires:
            self.digest ^= hashed(EXPIRES)
        return KEY_WORK + min(kind.length(self.value), STEP)


def value_digest(digest: int, value: Value, expires: bool) -> int:
    """All steps at once."""
    made = ValueDigest(digest, value, expires)
    while made.at != DONE:
        made.step()
    return made.digest


class ValueDigests(LongReply):
    """DEBUG DIGEST-VALUE: 40 hexadecimal digits for each of ``values`` as they are now, and zeros for None.

    With each value stands whether it has a time to live.
    """

    def __init__(self, values: list[tuple[Value | None, bool]], now: int) -> None:
        super().__init__()
        self.found: list[Reply] = []
        self.left: list[ValueDigest | None] = []
        for value, expires in reversed(values):
            kept = copy_of(value) if value is not None and is_large(value) else value
            self.left.append(None if kept is None else ValueDigest(0, kept, expires, now))

    def step(self) -> None:
        room = STEP
        while self.left and room > 0:
            present = self.left[-1]
            room -= KEY_WORK if present is None else present.step()
            if present is None or present.at == DONE:
                self.found.append(Status(b"0" * 40 if present is None else b"%040x" % present.digest))
                self.left.pop()
        if not self.left:
            self.reply = self.found
            self.done = True


class DataDigest(LongReply):
    """DEBUG DIGEST of ``keyspace`` as it is now: 40 hexadecimal digits, zeros for no data."""

    def __init__(self, keyspace: Keyspace, now: int = 0) -> None:
        super().__init__()
        self.now: int = now
        self.snapshot: Snapshot = Snapshot(keyspace)
        self.views: list[DatabaseView] = self.snapshot.views[::-1]
        """The last one is being gone through."""
        self.total: int = 0
        self.value: ValueDigest | None = None
        self._begin_database()

    def close(self) -> None:
        self.snapshot.close()

    def step(self) -> None:
        try:
            self._go_through(STEP)
        except Unreadable as error:
            self.reply = Failure(unreadable(error.text))
            self.done = True

    def _go_through(self, room: int) -> None:
        while self.views and room > 0:
            view = self.views[-1]
            if self.value is not None:
                room -= self._go_on(self.value)
            elif view.pending or view.begin_piece():
                key, value = view.take()
                self.value = ValueDigest(mixed(0, key), value, view.expire_of(key) >= 0, self.now)
            else:
                self.views.pop()
                self._begin_database()
        if not self.views:
            self.reply = Status(b"%040x" % (self.total & MASK))
            self.done = True

    def _begin_database(self) -> None:
        if self.views:
            self.total = mixed(self.total, self.views[-1].index.to_bytes(4, "big"))

    def _go_on(self, present: ValueDigest) -> int:
        work = present.step()
        if present.at == DONE:
            self.total = added(self.total, present.digest)
            self.value = None
        return work


def digest_of_all(keyspace: Keyspace) -> bytes:
    """What DEBUG DIGEST tells, at once."""
    made = DataDigest(keyspace)
    while not made.done:
        made.step()
    made.close()
    assert isinstance(made.reply, Status)
    return made.reply.text
