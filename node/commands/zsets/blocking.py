"""BZPOPMIN, BZPOPMAX, BZMPOP: pops that wait until one of the keys has members. The stream has the plain pop."""

from typing import Final

from gossamer.node.commands.blocking import deadline_of_seconds, wait_for
from gossamer.node.commands.zsets.pop import ManyKeys, pop
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import BLOCKING, FAST, NOSCRIPT, SORTED_SET, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, RW, KeySpec
from gossamer.node.resp.reply import Reply
from gossamer.node.types.zsets.zset import ZSET, ZSet

FLAGS: Final = WRITE | NOSCRIPT | FAST | BLOCKING
KEYS: Final = (KeySpec((RW, ACCESS, DELETE), last=-2),)
COUNTED: Final = (KeySpec((RW, ACCESS, DELETE), index=2, count_at=0),)


@command("BZPOPMIN", arity=-3, flags=FLAGS, keys=KEYS, acl=SORTED_SET)
def bzpopmin(c: Call, argv: list[bytes]) -> Reply:
    return pop_first(c, argv, False)


@command("BZPOPMAX", arity=-3, flags=FLAGS, keys=KEYS, acl=SORTED_SET)
def bzpopmax(c: Call, argv: list[bytes]) -> Reply:
    return pop_first(c, argv, True)


def pop_first(c: Call, argv: list[bytes], highest: bool) -> Reply:
    keys, deadline = argv[1:-1], deadline_of_seconds(c, argv[-1])
    for key in keys:
        value = c.change(key, ZSet)
        if value is not None:
            member, score = pop(c, key, value, highest, 1)[0]
            c.propagate(b"ZPOPMAX" if highest else b"ZPOPMIN", key)
            return [key, member, score]
    return wait_for(c, ZSET, keys, deadline)


@command("BZMPOP", arity=-5, flags=WRITE | BLOCKING, keys=COUNTED, acl=SORTED_SET)
def bzmpop(c: Call, argv: list[bytes]) -> Reply:
    request = ManyKeys(argv, 2)
    deadline = deadline_of_seconds(c, argv[1])
    reply = request.pop(c)
    return wait_for(c, ZSET, request.keys, deadline) if reply is None else reply
