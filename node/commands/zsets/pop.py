"""ZPOPMIN, ZPOPMAX, ZMPOP: the members with the least or the highest scores are taken out and sent."""

from typing import Final

from gossamer.node.commands.numbers import integer_or_none
from gossamer.node.commands.zsets.replies import pairs, scored
from gossamer.node.engine.data.changes import ZPOPMAX, ZPOPMIN
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import FAST, SORTED_SET, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, RW, KeySpec, first
from gossamer.node.resp.errors import COUNT_NOT_POSITIVE, NOT_POSITIVE, NUMKEYS_NOT_POSITIVE, SYNTAX, Refusal
from gossamer.node.resp.reply import NULL_ARRAY, Reply
from gossamer.node.types.zsets.zset import ZSet

POP: Final = first(RW, ACCESS, DELETE)
COUNTED: Final = (KeySpec((RW, ACCESS, DELETE), index=1, count_at=0),)


@command("ZPOPMIN", arity=-2, flags=WRITE | FAST, keys=POP, acl=SORTED_SET)
def zpopmin(c: Call, argv: list[bytes]) -> Reply:
    return pop_one_key(c, argv, False)


@command("ZPOPMAX", arity=-2, flags=WRITE | FAST, keys=POP, acl=SORTED_SET)
def zpopmax(c: Call, argv: list[bytes]) -> Reply:
    return pop_one_key(c, argv, True)


def pop_one_key(c: Call, argv: list[bytes], highest: bool) -> Reply:
    if len(argv) > 3:
        raise Refusal(SYNTAX)
    count = at_least(argv[2], 0, NOT_POSITIVE) if len(argv) == 3 else 1
    value = c.change(argv[1], ZSet)
    if value is None or count == 0:
        return []
    if len(argv) == 2:
        member, score = value.pop(highest)
        c.changed(argv[1], value, ZPOPMAX if highest else ZPOPMIN, 1)
        return [member, score]
    return scored(c, pop(c, argv[1], value, highest, count))


@command("ZMPOP", arity=-4, flags=WRITE, keys=COUNTED, acl=SORTED_SET)
def zmpop(c: Call, argv: list[bytes]) -> Reply:
    request = ManyKeys(argv, 1)
    reply = request.pop(c)
    return NULL_ARRAY if reply is None else reply


class ManyKeys:
    """``numkeys key … MIN|MAX [COUNT count]`` from ``argv[at]`` on; Refusal if it is not understood."""

    def __init__(self, argv: list[bytes], at: int) -> None:
        numkeys = at_least(argv[at], 1, NUMKEYS_NOT_POSITIVE)
        where = at + 1 + numkeys
        if where >= len(argv) or argv[where].upper() not in (b"MIN", b"MAX"):
            raise Refusal(SYNTAX)
        self.keys: list[bytes] = argv[at + 1 : where]
        self.highest: bool = argv[where].upper() == b"MAX"
        self.count: int = 1
        rest = argv[where + 1 :]
        if rest:
            if rest[0].upper() != b"COUNT" or len(rest) < 2:
                raise Refusal(SYNTAX)
            self.count = at_least(rest[1], 1, COUNT_NOT_POSITIVE)
            if len(rest) > 2:
                raise Refusal(SYNTAX)

    def pop(self, c: Call) -> Reply:
        """Key and members from the first of the sets that is there; None if none is."""
        for key in self.keys:
            value = c.change(key, ZSet)
            if value is not None:
                items = pop(c, key, value, self.highest, self.count)
                c.propagate(b"ZPOPMAX" if self.highest else b"ZPOPMIN", key, b"%d" % len(items))
                return [key, pairs(items)]
        return None


def pop(c: Call, key: bytes, value: ZSet, highest: bool, count: int) -> list[tuple[bytes, float]]:
    """Take up to ``count`` members out of ``value``, which ``key`` holds: the first ones of their order."""
    if count == 1:
        items = [value.pop(highest)]
    else:
        length = value.length()
        count = min(count, length)
        start = length - count if highest else 0
        items = value.items(start, start + count, highest)
        value.cut(start, start + count)
    c.changed(key, value, ZPOPMAX if highest else ZPOPMIN, count)
    return items


def at_least(text: bytes, least: int, refusal: bytes) -> int:
    """An integer not below ``least``; Refusal if it is none or less."""
    number = integer_or_none(text)
    if number is None or number < least:
        raise Refusal(refusal)
    return number
