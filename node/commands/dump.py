"""DUMP and RESTORE: values as bytes that other servers take (redis.io, "Generic"; cluster.c of Redis 7.0).

Checks of RESTORE, in the order a client sees them: options, then whether the key is there, the time to live, version
and checksum of the payload, the value in it, and at last whether the time to live leads beyond all times (7.0 takes the
key for ended then, and deletes what was there). Only what has passed them all replaces a key.
"""

from typing import Final

from gossamer.node.commands.numbers import LONG_MAX, integer
from gossamer.node.engine.clients.long_reply import LongReply
from gossamer.node.engine.clients.waiting import RETRY
from gossamer.node.engine.data.changes import RESTORE, Changes
from gossamer.node.engine.data.clock import stamp_of
from gossamer.node.engine.data.kinds import is_large
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.stream.journal import deletion
from gossamer.node.engine.table.command import ASKING, DANGEROUS, DENYOOM, KEYSPACE, READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, OW, RO, UPDATE, first
from gossamer.node.persist.codes import RdbError
from gossamer.node.persist.dump import Dump, Restoration
from gossamer.node.resp.errors import (
    BUSYKEY,
    DUMP_FORMAT,
    DUMP_PAYLOAD,
    FREQ_OUT_OF_RANGE,
    IDLETIME_NEGATIVE,
    SYNTAX,
    TTL_NEGATIVE,
    Refusal,
    invalid_expire,
    unreadable,
)
from gossamer.node.resp.reply import OK, Failure, Reply
from gossamer.node.types.kind import Value

MAX_FREQ: Final = 255
UNTOLD: Final = -1


@command("DUMP", arity=2, flags=READONLY, keys=first(RO, ACCESS), acl=KEYSPACE)
def dump(c: Call, key: bytes) -> Reply:
    replies = c.server.long_replies
    made = replies.made_for(c.client)
    if made is not None:
        return made.reply
    value = c.held(key)  # one that is not in memory is copied from where it is
    return None if value is None else replies.make(c.client, DumpReply(value))


class DumpReply(LongReply):
    """DUMP's, of ``value`` as it is now."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.dump: Dump = Dump(value)
        self.pieces: list[bytes] = []

    def step(self) -> None:
        try:
            self.pieces.append(self.dump.next())
        except RdbError as error:  # it is not in memory, and cannot be read
            self.reply = Failure(unreadable(str(error)))
            self.done = True
            return
        if self.dump.done:
            self.reply = b"".join(self.pieces)
            self.pieces = []
            self.done = True


@command(
    "RESTORE",
    arity=-4,
    flags=WRITE | DENYOOM,
    keys=first(OW, UPDATE),
    acl=(KEYSPACE, DANGEROUS),
)
def restore(c: Call, argv: list[bytes]) -> Reply:
    return restore_key(c, argv, "restore")


@command(
    "RESTORE-ASKING",
    arity=-4,
    flags=WRITE | DENYOOM | ASKING,
    keys=first(OW, UPDATE),
    acl=(KEYSPACE, DANGEROUS),
)
def restore_asking(c: Call, argv: list[bytes]) -> Reply:
    return restore_key(c, argv, "restore-asking")


def restore_key(c: Call, argv: list[bytes], name: str) -> Reply:
    options = RestoreOptions(argv)
    key = argv[1]
    if not options.replace and c.exists(key):
        raise Refusal(BUSYKEY)
    ttl = integer(argv[2])
    if ttl < 0:
        raise Refusal(TTL_NEGATIVE)
    value = read_payload(c, argv[3])
    if value is None:
        return RETRY
    if ttl == 0:
        c.store(key, value, RESTORE)
    else:
        at = ttl if options.absolute else ttl + c.now
        if at > LONG_MAX:
            raise Refusal(invalid_expire(name))
        if at <= c.now and c.server.lazy_expire_deletes:
            c.delete(key)
            c.propagate(deletion(c.server.config, "lazyfree-lazy-server-del"), key)
            return OK
        c.store_until(key, value, at, RESTORE)
        words = [word for word in argv[4:] if word.upper() != b"ABSTTL"]
        c.propagate(b"RESTORE", key, b"%d" % at, argv[3], *words, b"ABSTTL")
    stamp = stamp_of(c.server.changes.clock, options.idle_s, options.freq)
    if stamp >= 0:
        c.db.set_stamp(key, stamp)
    return OK


def read_payload(c: Call, payload: bytes) -> Value | None:
    """The value in ``payload``; None if the client waits until it is read. Refusal."""
    replies = c.server.long_replies
    made = replies.made_for(c.client)
    if made is None:
        restoration = Restoration(payload, not c.server.skip_checksums, c.server.limits.max_bulk, c.server.encodings)
        made = RestoreReply(restoration, c.db.changes)
        if replies.make(c.client, made) is RETRY:
            return None
    assert isinstance(made, RestoreReply)
    if made.refusal:
        raise Refusal(made.refusal)
    return made.restoration.value


class RestoreReply(LongReply):
    """Of RESTORE, which replies when the value is read, or when it turns out (``refusal``) that there is none."""

    def __init__(self, restoration: Restoration, changes: Changes) -> None:
        super().__init__()
        self.restoration: Restoration = restoration
        self.refusal: bytes = b""
        self._changes: Changes = changes

    def step(self) -> None:
        try:
            self.restoration.step()
            self.done = self.restoration.done
        except RdbError:
            self.refusal = DUMP_PAYLOAD if self.restoration.version < 0 else DUMP_FORMAT
            self.done = True

    def close(self) -> None:
        value = self.restoration.value
        if value is not None and not self.restoration.done and is_large(value):
            self._changes.discard([value])


class RestoreOptions:
    """The words behind the payload."""

    def __init__(self, argv: list[bytes]) -> None:
        self.replace: bool = False
        self.absolute: bool = False
        """The time to live is a unix time."""
        self.idle_s: int = UNTOLD
        self.freq: int = UNTOLD
        at = 4
        while at < len(argv):
            word = argv[at].upper()
            if word == b"REPLACE":
                self.replace = True
            elif word == b"ABSTTL":
                self.absolute = True
            elif word == b"IDLETIME" and at + 1 < len(argv) and self.freq == UNTOLD:
                at += 1
                self.idle_s = number(argv[at], LONG_MAX, IDLETIME_NEGATIVE)
            elif word == b"FREQ" and at + 1 < len(argv) and self.idle_s == UNTOLD:
                at += 1
                self.freq = number(argv[at], MAX_FREQ, FREQ_OUT_OF_RANGE)
            else:
                raise Refusal(SYNTAX)
            at += 1


def number(text: bytes, limit: int, refusal: bytes) -> int:
    """An integer from 0 to ``limit``."""
    value = integer(text)
    if not 0 <= value <= limit:
        raise Refusal(refusal)
    return value
