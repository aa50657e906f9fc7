"""Commands that wait until there is a list: BLPOP, BRPOP, BLMOVE, BRPOPLPUSH, BLMPOP.

In the stream of writes they are what they have done: a plain pop or move.
"""

from typing import Final

from gossamer.node.commands.blocking import deadline_of_seconds, wait_for
from gossamer.node.commands.lists.moves import MOVED, move
from gossamer.node.commands.lists.pops import PopWish, is_left, pop_one
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import BLOCKING, DENYOOM, LIST, NOSCRIPT, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, RW, KeySpec
from gossamer.node.resp.reply import Reply
from gossamer.node.types.lists import kind
from gossamer.node.types.lists.list import List

POPPED: Final = (KeySpec((RW, ACCESS, DELETE), last=-2),)
POPPING: Final = WRITE | NOSCRIPT | BLOCKING


@command("BLPOP", arity=-3, flags=POPPING, keys=POPPED, acl=LIST)
def blpop(c: Call, argv: list[bytes]) -> Reply:
    return pop(c, argv, True)


@command("BRPOP", arity=-3, flags=POPPING, keys=POPPED, acl=LIST)
def brpop(c: Call, argv: list[bytes]) -> Reply:
    return pop(c, argv, False)


def pop(c: Call, argv: list[bytes], left: bool) -> Reply:
    deadline = deadline_of_seconds(c, argv[-1])
    keys = argv[1:-1]
    for key in keys:
        value = c.change(key, List)
        if value is not None:
            c.propagate(b"LPOP" if left else b"RPOP", key)
            return [key, pop_one(c, key, value, left)]
    return wait_for(c, kind.LIST, keys, deadline)


BLMPOP_KEYS: Final = (KeySpec((RW, ACCESS, DELETE), index=2, count_at=0),)


@command("BLMPOP", arity=-5, flags=WRITE | BLOCKING, keys=BLMPOP_KEYS, acl=LIST)
def blmpop(c: Call, argv: list[bytes]) -> Reply:
    wish = PopWish(argv, 2)
    deadline = deadline_of_seconds(c, argv[1])
    popped = wish.fulfil(c)
    return wait_for(c, kind.LIST, wish.keys, deadline) if popped is None else popped


@command("BLMOVE", arity=6, flags=POPPING | DENYOOM, keys=MOVED, acl=LIST)
def blmove(c: Call, source: bytes, target: bytes, off: bytes, onto: bytes, timeout: bytes) -> Reply:
    from_left, to_left = is_left(off), is_left(onto)
    deadline = deadline_of_seconds(c, timeout)
    element = move(c, source, target, from_left, to_left)
    if element is None:
        return wait_for(c, kind.LIST, [source], deadline, None)
    c.propagate(b"LMOVE", source, target, off, onto)
    return element


@command("BRPOPLPUSH", arity=4, flags=POPPING | DENYOOM, keys=MOVED, acl=LIST)
def brpoplpush(c: Call, source: bytes, target: bytes, timeout: bytes) -> Reply:
    deadline = deadline_of_seconds(c, timeout)
    element = move(c, source, target, False, True)
    if element is None:
        return wait_for(c, kind.LIST, [source], deadline, None)
    c.propagate(b"RPOPLPUSH", source, target)
    return element
