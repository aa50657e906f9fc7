"""Members are taken out of a sorted set: by name, or all of a range."""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.commands.zsets.arguments import lex_range, score_range, slice_of
from gossamer.node.engine.data.changes import ZREM, ZREMRANGEBYLEX, ZREMRANGEBYRANK, ZREMRANGEBYSCORE
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import FAST, SORTED_SET, WRITE, command
from gossamer.node.engine.table.keyspec import DELETE, RW, first
from gossamer.node.resp.reply import Reply
from gossamer.node.types.zsets.zset import Slice, ZSet

REMOVE: Final = first(RW, DELETE)


@command("ZREM", arity=-3, flags=WRITE | FAST, keys=REMOVE, acl=SORTED_SET)
def zrem(c: Call, argv: list[bytes]) -> Reply:
    value = c.change(argv[1], ZSet)
    if value is None:
        return 0
    removed = 0
    for member in argv[2:]:
        if value.remove(member):
            removed += 1
    if removed:
        c.changed(argv[1], value, ZREM, removed)
    return removed


@command("ZREMRANGEBYRANK", arity=4, flags=WRITE, keys=REMOVE, acl=SORTED_SET)
def zremrangebyrank(c: Call, key: bytes, start: bytes, stop: bytes) -> Reply:
    low, high = integer(start), integer(stop)
    value = c.change(key, ZSet)
    return 0 if value is None else cut(c, key, value, slice_of(low, high, value.length()), ZREMRANGEBYRANK)


@command("ZREMRANGEBYSCORE", arity=4, flags=WRITE, keys=REMOVE, acl=SORTED_SET)
def zremrangebyscore(c: Call, key: bytes, low: bytes, high: bytes) -> Reply:
    wanted = score_range(low, high)
    value = c.change(key, ZSet)
    return 0 if value is None else cut(c, key, value, value.slice_by_score(wanted), ZREMRANGEBYSCORE)


@command("ZREMRANGEBYLEX", arity=4, flags=WRITE, keys=REMOVE, acl=SORTED_SET)
def zremrangebylex(c: Call, key: bytes, low: bytes, high: bytes) -> Reply:
    wanted = lex_range(low, high)
    value = c.change(key, ZSet)
    return 0 if value is None else cut(c, key, value, value.slice_by_lex(wanted), ZREMRANGEBYLEX)


def cut(c: Call, key: bytes, value: ZSet, part: Slice, event: bytes) -> int:
    """Take a slice away; how many members it had."""
    start, stop = part
    if start < stop:
        value.cut(start, stop)
        c.changed(key, value, event, stop - start)
    return stop - start
