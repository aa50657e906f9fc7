"""Elements are put on the ends of a list: LPUSH, RPUSH and their kin."""

from gossamer.node.engine.data.changes import LPUSH, RPUSH
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, FAST, LIST, WRITE, command
from gossamer.node.engine.table.keyspec import INSERT, RW, first
from gossamer.node.resp.reply import Reply
from gossamer.node.types.lists.list import List

PUSHED = first(RW, INSERT)
PUSHING = WRITE | DENYOOM | FAST


@command("LPUSH", arity=-3, flags=PUSHING, keys=PUSHED, acl=LIST)
def lpush(c: Call, argv: list[bytes]) -> Reply:
    return push(c, argv, True, True)


@command("RPUSH", arity=-3, flags=PUSHING, keys=PUSHED, acl=LIST)
def rpush(c: Call, argv: list[bytes]) -> Reply:
    return push(c, argv, False, True)


@command("LPUSHX", arity=-3, flags=PUSHING, keys=PUSHED, acl=LIST)
def lpushx(c: Call, argv: list[bytes]) -> Reply:
    return push(c, argv, True, False)


@command("RPUSHX", arity=-3, flags=PUSHING, keys=PUSHED, acl=LIST)
def rpushx(c: Call, argv: list[bytes]) -> Reply:
    return push(c, argv, False, False)


def push(c: Call, argv: list[bytes], left: bool, create: bool) -> int:
    """Put ``argv[2:]`` on an end of the list at ``argv[1]``, one after the other; its length."""
    key = argv[1]
    present = c.change(key, List)
    if present is None and not create:
        return 0
    value = List() if present is None else present
    count = len(argv) - 2
    if not value.quicklist:
        value.will_grow(count, sum([len(element) for element in argv[2:]]), c.server.encodings)
    for at in range(2, count + 2):
        if left:
            value.push_left(argv[at])
        else:
            value.push_right(argv[at])
    if present is None:
        c.store(key, value, LPUSH if left else RPUSH)
    else:
        c.changed(key, value, LPUSH if left else RPUSH, count)
    return value.length
