"""Lists as a whole and in part: LLEN, LRANGE, LTRIM."""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.engine.data.changes import LTRIM
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import FAST, LIST, READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, RO, RW, first
from gossamer.node.resp.reply import OK, Raw, Reply
from gossamer.node.types.lists.list import List

NOTHING: Final = Raw(b"*0\r\n")


@command("LLEN", arity=2, flags=READONLY | FAST, keys=first(RO), acl=LIST)
def llen(c: Call, key: bytes) -> Reply:
    value = c.read(key, List)
    return 0 if value is None else value.length


@command("LRANGE", arity=4, flags=READONLY, keys=first(RO, ACCESS), acl=LIST)
def lrange(c: Call, key: bytes, start: bytes, stop: bytes) -> Reply:
    low, high = integer(start), integer(stop)
    value = c.read(key, List)
    if value is None:
        return NOTHING
    size = value.length
    begin = max(low + size, 0) if low < 0 else low
    end = min(high + size if high < 0 else high, size - 1) + 1
    if begin >= end:
        return NOTHING
    return Raw(b"*%d\r\n%b" % (end - begin, value.joined(begin, end)))


@command("LTRIM", arity=4, flags=WRITE, keys=first(RW, DELETE), acl=LIST)
def ltrim(c: Call, key: bytes, start: bytes, stop: bytes) -> Reply:
    low, high = integer(start), integer(stop)
    value = c.change(key, List)
    if value is None:
        return OK
    size = value.length
    begin = max(low + size, 0) if low < 0 else low
    end = min(high + size if high < 0 else high, size - 1) + 1
    if begin >= end:
        begin = end = size
    value.delete(end, size)
    value.delete(0, begin)
    value.has_shrunk(c.server.encodings)
    c.changed(key, value, LTRIM, size - value.length)
    return OK
