"""Strings as numbers: INCR and its like (redis.io, "Strings as counters"). A time to live stays.

The value must be a number in exactly the form Redis would write it; see ``numbers.py`` and ``longdouble.py``.
"""

from gossamer.node.commands import longdouble
from gossamer.node.commands.numbers import LONG_MAX, LONG_MIN, integer
from gossamer.node.engine.data.changes import INCRBY, INCRBYFLOAT
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, FAST, STRING, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, RW, UPDATE, first
from gossamer.node.resp.errors import DECREMENT_OVERFLOW, NAN_OR_INFINITY, NOT_A_FLOAT, OVERFLOW, Refusal
from gossamer.node.resp.reply import Reply

KEYS = first(RW, ACCESS, UPDATE)
FLAGS = WRITE | DENYOOM | FAST


@command("INCR", arity=2, flags=FLAGS, keys=KEYS, acl=STRING)
def incr(c: Call, key: bytes) -> Reply:
    return add(c, key, 1)


@command("DECR", arity=2, flags=FLAGS, keys=KEYS, acl=STRING)
def decr(c: Call, key: bytes) -> Reply:
    return add(c, key, -1)


@command("INCRBY", arity=3, flags=FLAGS, keys=KEYS, acl=STRING)
def incrby(c: Call, key: bytes, amount: bytes) -> Reply:
    return add(c, key, integer(amount))


@command("DECRBY", arity=3, flags=FLAGS, keys=KEYS, acl=STRING)
def decrby(c: Call, key: bytes, amount: bytes) -> Reply:
    less = integer(amount)
    if less == LONG_MIN:
        raise Refusal(DECREMENT_OVERFLOW)
    return add(c, key, -less)


def add(c: Call, key: bytes, amount: int) -> int:
    old = c.view(key)
    total = amount if old is None else integer(old) + amount
    if total > LONG_MAX or total < LONG_MIN:
        raise Refusal(OVERFLOW)
    c.replace(key, b"%d" % total, INCRBY)
    return total


@command("INCRBYFLOAT", arity=3, flags=FLAGS, keys=KEYS, acl=STRING)
def incrbyfloat(c: Call, key: bytes, amount: bytes) -> Reply:
    old = c.text(key)
    a = float_or_infinity(b"0" if old is None else old, NOT_A_FLOAT)
    b = float_or_infinity(amount, NOT_A_FLOAT)
    total = None if a is None or b is None else longdouble.add(a, b)
    if total is None:
        raise Refusal(NAN_OR_INFINITY)
    shown = longdouble.show(total)
    c.replace(key, shown, INCRBYFLOAT)
    c.propagate(b"SET", key, shown, b"KEEPTTL")
    return shown


def float_or_infinity(text: bytes, refusal: bytes) -> longdouble.LongDouble | None:
    """The number that ``text`` is, None for an infinite one; Refusal if it is none."""
    number = longdouble.parse(text)
    if number is None and not longdouble.is_infinity(text):
        raise Refusal(refusal)
    return number
