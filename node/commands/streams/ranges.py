"""XRANGE and XREVRANGE."""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.commands.streams.ids import first_of, last_of
from gossamer.node.commands.streams.range_reply import RangeReply
from gossamer.node.commands.streams.shown import ALL
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import READONLY, STREAM, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, first
from gossamer.node.resp.errors import SYNTAX, Refusal
from gossamer.node.resp.reply import NULL_ARRAY, Reply
from gossamer.node.types.streams.stream import Stream

READ: Final = first(RO, ACCESS)


@command("XRANGE", arity=-4, flags=READONLY, keys=READ, acl=STREAM)
def xrange(c: Call, argv: list[bytes]) -> Reply:
    return entries_between(c, argv, argv[2], argv[3], False)


@command("XREVRANGE", arity=-4, flags=READONLY, keys=READ, acl=STREAM)
def xrevrange(c: Call, argv: list[bytes]) -> Reply:
    return entries_between(c, argv, argv[3], argv[2], True)


def entries_between(c: Call, argv: list[bytes], start: bytes, end: bytes, backward: bool) -> Reply:
    replies = c.server.long_replies
    made = replies.made_for(c.client)
    if made is not None:
        return made.reply
    begin, last = first_of(start), last_of(end)
    count = read_count(argv)
    stream = c.read(argv[1], Stream)
    if stream is None:
        return []
    if count == 0:
        return NULL_ARRAY
    cursor = stream.backward(begin, last) if backward else stream.cursor(begin, last)
    return replies.make(c.client, RangeReply(stream, cursor, count))


def read_count(argv: list[bytes]) -> int:
    """What the options behind the interval say; a negative count is none."""
    count = ALL
    for at in range(4, len(argv), 2):
        if argv[at].upper() != b"COUNT" or at + 1 == len(argv):
            raise Refusal(SYNTAX)
        count = max(integer(argv[at + 1]), 0)
    return count
