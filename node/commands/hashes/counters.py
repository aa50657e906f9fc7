"""Fields of a hash as numbers: HINCRBY and HINCRBYFLOAT. When the field expires stays as it is."""

from typing import Final

from gossamer.node.commands import longdouble
from gossamer.node.commands.counters import float_or_infinity
from gossamer.node.commands.hashes.present import drop_if_over, seen_at
from gossamer.node.commands.numbers import LONG_MAX, LONG_MIN, integer
from gossamer.node.engine.data.changes import HINCRBY, HINCRBYFLOAT
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, FAST, HASH, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, RW, UPDATE, first
from gossamer.node.resp.errors import (
    HASH_NOT_A_FLOAT,
    HASH_NOT_AN_INTEGER,
    INFINITE_INCREMENT,
    NAN_OR_INFINITY,
    NOT_A_FLOAT,
    OVERFLOW,
    Refusal,
)
from gossamer.node.resp.reply import Reply
from gossamer.node.types.hashes.hash import Hash

KEYS: Final = first(RW, ACCESS, UPDATE)
FLAGS: Final = WRITE | DENYOOM | FAST


@command("HINCRBY", arity=4, flags=FLAGS, keys=KEYS, acl=HASH)
def hincrby(c: Call, key: bytes, field: bytes, amount: bytes) -> Reply:
    more = integer(amount)
    value = c.change(key, Hash)
    old = None if value is None else value.get(field, seen_at(c))
    total = more if old is None else integer(old, HASH_NOT_AN_INTEGER) + more
    if total > LONG_MAX or total < LONG_MIN:
        raise Refusal(OVERFLOW)
    shown = b"%d" % total
    if set_number(c, key, value, field, shown, HINCRBY):
        c.propagate(b"HSET", key, field, shown)
    return total


@command("HINCRBYFLOAT", arity=4, flags=FLAGS, keys=KEYS, acl=HASH)
def hincrbyfloat(c: Call, key: bytes, field: bytes, amount: bytes) -> Reply:
    more = float_or_infinity(amount, NOT_A_FLOAT)
    if more is None:
        raise Refusal(INFINITE_INCREMENT)
    value = c.change(key, Hash)
    text = None if value is None else value.get(field, seen_at(c))
    old = float_or_infinity(b"0" if text is None else text, HASH_NOT_A_FLOAT)
    total = None if old is None else longdouble.add(old, more)
    if total is None:
        raise Refusal(NAN_OR_INFINITY)
    shown = longdouble.show(total)
    set_number(c, key, value, field, shown, HINCRBYFLOAT)
    c.propagate(b"HSET", key, field, shown)
    return shown


def set_number(c: Call, key: bytes, value: Hash | None, field: bytes, shown: bytes, event: bytes) -> bool:
    """``field`` is ``shown`` now. True if its time was over, so that it is a new one."""
    over = False
    if value is None:
        value = Hash()
    else:
        over = drop_if_over(c, key, value, field)
    value.put(field, shown, c.server.encodings)
    c.replace(key, value, event)
    return over
