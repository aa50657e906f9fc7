"""A node that is given damaged payloads and files, and what must be true of it afterwards."""

import resource
from collections import Counter
from collections.abc import Sequence
from typing import Final

from gossamer.node.engine.data.kinds import size_of
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.load import Loader
from gossamer.node.persist.reader import RdbReader
from tests.compat.replies import Answer
from tests.unit.node.commands.one import One
from tests.unit.node.persist.contents import ask

REFUSALS: Final = (b"ERR DUMP payload version or checksum are wrong", b"ERR Bad data format")

GROWTH: Final = 300
"""Bytes of a value for one of its payload, at most: compressed text has 88."""
FREE_BYTES: Final = 1 << 16
LEAP: Final = 32 << 20
"""Bytes that the process may need more than ever before while it reads a payload or file, which has some kilobytes."""

OLD: Final = "there-before"
"""The value of the key that a payload is to replace."""

READS: Final[dict[bytes, Sequence[str]]] = {
    b"string": ("GET k", "STRLEN k", "GETRANGE k 0 10"),
    b"list": ("LRANGE k 0 -1", "LINDEX k 0", "LINDEX k -1", "LLEN k", "LPOS k a"),
    b"set": ("SMEMBERS k", "SCARD k", "SRANDMEMBER k 3", "SISMEMBER k a", "SSCAN k 0"),
    b"hash": ("HGETALL k", "HLEN k", "HRANDFIELD k 3 WITHVALUES", "HGET k a", "HSCAN k 0", "HTTL k FIELDS 1 a"),
    b"zset": (
        "ZRANGE k 0 -1 WITHSCORES",
        "ZCARD k",
        "ZRANK k a",
        "ZCOUNT k -inf +inf",
        "ZSCAN k 0",
        "ZRANGE k - + BYLEX",
    ),
    b"stream": ("XRANGE k - +", "XREVRANGE k + -", "XLEN k", "XINFO STREAM k FULL COUNT 0", "XINFO GROUPS k"),
}
CHANGES: Final[dict[bytes, Sequence[str]]] = {
    b"string": ("APPEND k x", "SETRANGE k 3 y"),
    b"list": ("RPUSH k x", "LPUSH k y", "LSET k 0 z", "LINSERT k AFTER x w", "LREM k 0 x", "LPOP k", "RPOP k"),
    b"set": ("SADD k x 5 " + "y" * 70, "SREM k x", "SPOP k"),
    b"hash": ("HSET k x 1 y " + "y" * 70, "HINCRBY k x 1", "HDEL k x"),
    b"zset": ("ZADD k 1 x 2 " + "y" * 70, "ZINCRBY k 1 x", "ZREMRANGEBYRANK k 0 0", "ZPOPMAX k"),
    b"stream": ("XADD k * x 1", "XTRIM k MAXLEN 2", "XGROUP CREATE k x 0", "XREADGROUP GROUP x c STREAMS k >"),
}


class Restoring:
    """``counts``: what became of the payloads, by reply or by type."""

    def __init__(self) -> None:
        self.one = One()
        self.one.server.access.debug = "yes"
        self.counts: Counter[str] = Counter()
        self._say(f"SET k {OLD}")

    def fresh(self) -> "Restoring":
        """Another node, to go on with."""
        other = Restoring()
        other.counts = self.counts
        return other

    def payload(self, payload: bytes) -> None:
        before, peak = self._state(), peak_memory()
        reply = ask(self.one, "RESTORE", "k", 0, payload, "REPLACE")
        if reply.content == b"OK":
            self._taken(payload)
        else:
            assert reply.content in REFUSALS, reply
            assert self._state() == before, "a refused payload has changed something"
            self.counts[reply.text.decode()] += 1
        assert self.one.server.stats.unexpected_errors == 0
        assert peak_memory() - peak <= LEAP, "a payload has needed much more memory than any before"

    def _state(self) -> tuple[object, ...]:
        """All that a refused payload must leave as it was."""
        keyspace = self.one.server.keyspace
        counted = sum(db.size for db in keyspace.used()), keyspace.tally.held, keyspace.changes.dirty
        return self.one.stored(b"k"), *counted, self.one.server.lazyfree.garbage == []

    def _taken(self, payload: bytes) -> None:
        value = self.one.stored(b"k")
        assert value is not None
        assert size_of(value) <= GROWTH * len(payload) + FREE_BYTES, "the value is much larger than its payload"
        kind = self._say("TYPE k").text
        self.counts[kind.decode()] += 1
        for request in READS[kind]:
            self._say(request)
        self._say("OBJECT ENCODING k")
        self._comes_back()
        for request in CHANGES[kind]:
            reply = ask(self.one, *request.split())
            assert reply.kind != "error" or tolerable(reply), (request, reply)
        if ask(self.one, "EXISTS", "k").number:
            self._comes_back()
        self._say("DEL k again")
        self._say(f"SET k {OLD}")

    def _comes_back(self) -> None:
        """What is dumped can be restored, and is the same."""
        again = ask(self.one, "DUMP", "k").text
        reply = ask(self.one, "RESTORE", "again", 0, again, "REPLACE")
        assert reply.content == b"OK", reply
        one, other = ask(self.one, "DEBUG", "DIGEST-VALUE", "k", "again").items
        assert one == other

    def _say(self, request: str) -> Answer:
        reply = ask(self.one, *request.split())
        assert reply.kind != "error", (request, reply)
        return reply

    def file(self, data: bytes) -> None:
        """A full sync of these bytes, in pieces."""
        reader, keyspace, peak = RdbReader(), One().server.keyspace, peak_memory()
        loader = Loader(keyspace, 0, keep_stale=True)
        try:
            for at in range(0, len(data), PIECE):
                loader.take(reader.feed(data[at : at + PIECE]))
            loader.take(reader.finish())
        except RdbError:
            self.counts["file refused"] += 1
        else:
            self.counts["file loaded"] += 1
        assert peak_memory() - peak <= LEAP, "a file has needed much more memory than any before"


PIECE: Final = 1000


def peak_memory() -> int:
    """Bytes in memory when there were most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def tolerable(reply: Answer) -> bool:
    """Refusals that follow from contents: a stream whose last id is the last of all, a number that is none."""
    return reply.text.startswith(
        (
            b"ERR The ID specified in XADD",
            b"ERR The stream has exhausted",
            b"ERR hash value is not",
            b"ERR resulting score",
            b"BUSYGROUP",
            b"ERR increment",
        )
    )
