"""Commands on strings (redis.io, "Strings"), but counters, bits and LCS. One function a command.

A string is ``bytes``; one that APPEND or SETRANGE has changed is a ``bytearray`` from then on and grows in place, so
that many small changes cost no copies of the whole. Checks stand in the order in which Redis 7.0.15 makes them.
"""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.commands.string_options import (
    EX,
    GET,
    GETEX_WORDS,
    KEEPTTL,
    NX,
    PERSIST,
    PX,
    SET_WORDS,
    TIMES,
    XX,
    end_time,
    read_options,
)
from gossamer.node.engine.data.changes import APPEND, SET, SETRANGE
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.stream.journal import deletion
from gossamer.node.engine.table.command import DENYOOM, FAST, READONLY, STRING, WRITE, command
from gossamer.node.engine.table.keyspec import (
    ACCESS,
    DELETE,
    INSERT,
    OW,
    RO,
    RW,
    UPDATE,
    Access,
    KeySpec,
    all_keys,
    first,
)
from gossamer.node.resp.errors import OFFSET_OUT_OF_RANGE, STRING_TOO_LONG, Refusal, wrong_arity
from gossamer.node.resp.reply import OK, Reply

READ: Final = first(RO, ACCESS)
CHANGE: Final = first(RW, ACCESS, UPDATE)
OVERWRITE: Final = first(OW, UPDATE)


# --- whole values


@command("GET", arity=2, flags=READONLY | FAST, keys=READ, acl=STRING)
def get(c: Call, key: bytes) -> Reply:
    return c.text(key)


def set_access(argv: list[bytes]) -> Access:
    """SET reads only if GET is among the options."""
    return (RW, ACCESS, UPDATE) if b"GET" in [word.upper() for word in argv[3:]] else (OW, UPDATE)


SET_KEYS: Final = (KeySpec((RW, ACCESS, UPDATE), variable=True, actual=set_access, note="It reads if `GET` is given."),)


@command("SET", arity=-3, flags=WRITE | DENYOOM, keys=SET_KEYS, acl=STRING)
def set_(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) == 3:
        c.store(argv[1], argv[2], SET)
        return OK
    return set_with_options(c, argv)


def set_with_options(c: Call, argv: list[bytes]) -> Reply:
    key = argv[1]
    options = read_options(argv, 3, SET_WORDS)
    flags = options.flags
    end = end_time(options.time, flags, c.now, "set") if flags & TIMES else 0
    old: Reply = None
    if flags & GET:
        c.counting = True
        old = c.text(key)
    if flags & (NX | XX) and c.exists(key) == bool(flags & NX):
        return old
    if end:
        store_until(c, key, argv[2], end)
        return old if flags & GET else OK
    if flags & GET:
        c.propagate(*argv[:3], *[word for word in argv[3:] if word.upper() != b"GET"])
    if flags & KEEPTTL:
        c.exists(key)  # if its time is over, that time is not kept
        c.replace(key, argv[2], SET)
    else:
        c.store(key, argv[2], SET)
    return old if flags & GET else OK


def store_until(c: Call, key: bytes, value: bytes, end: int) -> None:
    """``key`` is ``value`` until ``end`` (unix milliseconds), here and wherever the stream is read."""
    c.store_until(key, value, end, SET)
    c.propagate(b"SET", key, value, b"PXAT", b"%d" % end)


@command("SETNX", arity=3, flags=WRITE | DENYOOM | FAST, keys=first(OW, INSERT), acl=STRING)
def setnx(c: Call, key: bytes, value: bytes) -> Reply:
    if c.exists(key):
        return 0
    c.store(key, value, SET)
    return 1


@command("SETEX", arity=4, flags=WRITE | DENYOOM, keys=OVERWRITE, acl=STRING)
def setex(c: Call, key: bytes, seconds: bytes, value: bytes) -> Reply:
    store_until(c, key, value, end_time(seconds, EX, c.now, "setex"))
    return OK


@command("PSETEX", arity=4, flags=WRITE | DENYOOM, keys=OVERWRITE, acl=STRING)
def psetex(c: Call, key: bytes, milliseconds: bytes, value: bytes) -> Reply:
    store_until(c, key, value, end_time(milliseconds, PX, c.now, "psetex"))
    return OK


@command("GETSET", arity=3, flags=WRITE | DENYOOM | FAST, keys=CHANGE, acl=STRING)
def getset(c: Call, key: bytes, value: bytes) -> Reply:
    c.counting = True
    old = c.text(key)
    c.store(key, value, SET)
    c.propagate(b"SET", key, value)
    return old


@command("GETDEL", arity=2, flags=WRITE | FAST, keys=first(RW, ACCESS, DELETE), acl=STRING)
def getdel(c: Call, key: bytes) -> Reply:
    c.counting = True
    old = c.text(key)
    if old is not None:
        c.delete(key)
        c.propagate(b"DEL", key)
    return old


GETEX_KEYS: Final = (KeySpec((RW, ACCESS, UPDATE), note="It updates the time to live."),)


@command("GETEX", arity=-2, flags=WRITE | FAST, keys=GETEX_KEYS, acl=STRING)
def getex(c: Call, argv: list[bytes]) -> Reply:
    key = argv[1]
    options = read_options(argv, 2, GETEX_WORDS)
    c.counting = True
    value = c.text(key)
    if value is None:
        return None
    if options.flags & TIMES:
        end = end_time(options.time, options.flags, c.now, "getex")
        if end <= c.now:
            c.delete(key)
            c.propagate(deletion(c.server.config, "lazyfree-lazy-expire"), key)
        else:
            c.expire_at(key, end)
            c.propagate(b"PEXPIREAT", key, b"%d" % end)
    elif options.flags & PERSIST:
        c.persist(key)
        c.propagate(b"PERSIST", key)
    return value


# --- several keys


@command("MGET", arity=-2, flags=READONLY | FAST, keys=all_keys(RO, ACCESS), acl=STRING)
def mget(c: Call, argv: list[bytes]) -> Reply:
    out: list[Reply] = []
    for value in c.values(argv[1:]):
        if isinstance(value, bytearray):
            value = bytes(value)
        out.append(value if isinstance(value, bytes) else None)
    return out


MSET_KEYS: Final = (KeySpec((OW, UPDATE), last=-1, step=2),)
MSETNX_KEYS: Final = (KeySpec((OW, INSERT), last=-1, step=2),)


@command("MSET", arity=-3, flags=WRITE | DENYOOM, keys=MSET_KEYS, acl=STRING)
def mset(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) % 2 == 0:
        raise Refusal(wrong_arity("mset"))
    c.store_all(argv[1::2], argv[2::2], SET)
    return OK


@command("MSETNX", arity=-3, flags=WRITE | DENYOOM, keys=MSETNX_KEYS, acl=STRING)
def msetnx(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) % 2 == 0:
        raise Refusal(wrong_arity("msetnx"))
    for at in range(1, len(argv), 2):
        if c.exists(argv[at]):
            return 0
    c.store_all(argv[1::2], argv[2::2], SET)
    return 1


# --- parts of values


@command("STRLEN", arity=2, flags=READONLY | FAST, keys=first(RO), acl=STRING)
def strlen(c: Call, key: bytes) -> Reply:
    value = c.view(key)
    return 0 if value is None else len(value)


@command("APPEND", arity=3, flags=WRITE | DENYOOM | FAST, keys=first(RW, INSERT), acl=STRING)
def append(c: Call, key: bytes, tail: bytes) -> Reply:
    value = c.mutable(key)
    if value is None:
        c.store(key, tail, APPEND)
        return len(tail)
    check_length(c, len(value) + len(tail))
    value += tail
    c.replace(key, value, APPEND)
    return len(value)


@command("SETRANGE", arity=4, flags=WRITE | DENYOOM, keys=first(RW, UPDATE), acl=STRING)
def setrange(c: Call, key: bytes, offset: bytes, part: bytes) -> Reply:
    start = integer(offset)
    if start < 0:
        raise Refusal(OFFSET_OUT_OF_RANGE)
    if not part:
        value = c.view(key)
        return 0 if value is None else len(value)
    text = c.view(key)
    check_length(c, start + len(part))
    grown = c.mutable(key) if text is not None else None
    if grown is None:
        grown = bytearray()
    if start > len(grown):
        grown += bytes(start - len(grown))
    grown[start : start + len(part)] = part
    c.replace(key, grown, SETRANGE)
    return len(grown)


def check_length(c: Call, size: int) -> None:
    """A string may not be longer than the longest argument."""
    if size > c.server.limits.max_bulk:
        raise Refusal(STRING_TOO_LONG)


@command("GETRANGE", arity=4, flags=READONLY, keys=READ, acl=STRING)
def getrange(c: Call, key: bytes, start: bytes, end: bytes) -> Reply:
    low, high = integer(start), integer(end)
    value = c.view(key)
    if not value or (low < 0 and high < 0 and low > high):
        return b""
    size = len(value)
    low = max(low + size, 0) if low < 0 else low
    high = max(high + size, 0) if high < 0 else high
    part = value[low : high + 1]
    return part if isinstance(part, bytes) else bytes(part)


@command("SUBSTR", arity=4, flags=READONLY, keys=READ, acl=STRING)
def substr(c: Call, key: bytes, start: bytes, end: bytes) -> Reply:
    return getrange(c, key, start, end)
