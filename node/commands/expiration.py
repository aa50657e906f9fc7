"""When keys end: EXPIRE and its family set it, TTL and its family tell it (redis.io, "Generic").

Times are kept in unix milliseconds. Options are checked first, then the number, then whether it overflows, then
the key; a time that is past already deletes the key.
"""

from typing import Final

from gossamer.node.commands.numbers import LONG_MAX, LONG_MIN, integer
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.stream.journal import deletion
from gossamer.node.engine.table.command import FAST, KEYSPACE, READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, RW, UPDATE, first
from gossamer.node.resp.errors import (
    EXPIRE_GT_AND_LT,
    EXPIRE_NX_AND_OTHERS,
    Refusal,
    invalid_expire,
    unsupported_option,
)
from gossamer.node.resp.reply import Reply

NX: Final = 1
XX: Final = 2
GT: Final = 4
LT: Final = 8
CONDITIONS: Final = {b"NX": NX, b"XX": XX, b"GT": GT, b"LT": LT}

CHANGE: Final = WRITE | FAST
TELL: Final = READONLY | FAST
CHANGED: Final = first(RW, UPDATE)
TOLD: Final = first(RO, ACCESS)

NO_KEY: Final = -2
NEVER: Final = -1


@command("EXPIRE", arity=-3, flags=CHANGE, keys=CHANGED, acl=KEYSPACE)
def expire(c: Call, argv: list[bytes]) -> Reply:
    return set_end(c, argv, "expire", 1000, c.now)


@command("PEXPIRE", arity=-3, flags=CHANGE, keys=CHANGED, acl=KEYSPACE)
def pexpire(c: Call, argv: list[bytes]) -> Reply:
    return set_end(c, argv, "pexpire", 1, c.now)


@command("EXPIREAT", arity=-3, flags=CHANGE, keys=CHANGED, acl=KEYSPACE)
def expireat(c: Call, argv: list[bytes]) -> Reply:
    return set_end(c, argv, "expireat", 1000, 0)


@command("PEXPIREAT", arity=-3, flags=CHANGE, keys=CHANGED, acl=KEYSPACE)
def pexpireat(c: Call, argv: list[bytes]) -> Reply:
    return set_end(c, argv, "pexpireat", 1, 0)


def set_end(c: Call, argv: list[bytes], name: str, unit: int, origin: int) -> int:
    """The key of ``argv`` ends ``argv[2]`` times ``unit`` milliseconds after ``origin``; 1 if that was done, else 0."""
    conditions = read_conditions(argv[3:])
    at = integer(argv[2]) * unit
    if not LONG_MIN <= at <= LONG_MAX or at + origin > LONG_MAX:
        raise Refusal(invalid_expire(name))
    at += origin
    key = argv[1]
    if c.held(key) is None or (conditions and not allowed(conditions, c.expire_time(key), at)):
        return 0
    if at <= c.now and c.server.lazy_expire_deletes:
        c.delete(key)
        c.propagate(deletion(c.server.config, "lazyfree-lazy-expire"), key)
    else:
        c.expire_at(key, at)
        # The conditions (NX and its like) stay: they hold wherever the key is the same.
        c.propagate(b"PEXPIREAT", key, b"%d" % at, *argv[3:])
    return 1


def read_conditions(words: list[bytes]) -> int:
    conditions = 0
    for word in words:
        flag = CONDITIONS.get(word.upper(), 0)
        if not flag:
            raise Refusal(unsupported_option(word))
        conditions |= flag
    if conditions & NX and conditions & (XX | GT | LT):
        raise Refusal(EXPIRE_NX_AND_OTHERS)
    if conditions & GT and conditions & LT:
        raise Refusal(EXPIRE_GT_AND_LT)
    return conditions


def allowed(conditions: int, present: int, at: int) -> bool:
    """May a key that ends at ``present`` (``NEVER``: it does not, which is later than any end) end at ``at``?"""
    if conditions & NX and present != NEVER:
        return False
    if conditions & XX and present == NEVER:
        return False
    if conditions & GT and (present == NEVER or at <= present):
        return False
    return not (conditions & LT and present != NEVER and at >= present)


@command("PERSIST", arity=2, flags=CHANGE, keys=CHANGED, acl=KEYSPACE)
def persist(c: Call, key: bytes) -> Reply:
    return int(c.held(key) is not None and c.persist(key))


@command("TTL", arity=2, flags=TELL, keys=TOLD, acl=KEYSPACE)
def ttl(c: Call, key: bytes) -> Reply:
    return seconds(left(c, key))


@command("PTTL", arity=2, flags=TELL, keys=TOLD, acl=KEYSPACE)
def pttl(c: Call, key: bytes) -> Reply:
    return left(c, key)


@command("EXPIRETIME", arity=2, flags=TELL, keys=TOLD, acl=KEYSPACE)
def expiretime(c: Call, key: bytes) -> Reply:
    return seconds(end(c, key))


@command("PEXPIRETIME", arity=2, flags=TELL, keys=TOLD, acl=KEYSPACE)
def pexpiretime(c: Call, key: bytes) -> Reply:
    return end(c, key)


def end(c: Call, key: bytes) -> int:
    """When ``key`` ends, in unix milliseconds; ``NEVER``, or ``NO_KEY``."""
    return NO_KEY if c.get_untouched(key) is None else c.expire_time(key)


def left(c: Call, key: bytes) -> int:
    at = end(c, key)
    return at if at < 0 else max(at - c.now, 0)


def seconds(milliseconds: int) -> int:
    """To the nearest second; what is no time stays as it is."""
    return milliseconds if milliseconds < 0 else (milliseconds + 500) // 1000
