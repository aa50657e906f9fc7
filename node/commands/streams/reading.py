"""XREAD and XREADGROUP: what is new in several streams, or what a consumer has got already.

A request that finds nothing may wait. It is run anew when one of its keys has changed. So ``$`` is made the id that it
means before the wait begins.
"""

from typing import Final

from gossamer.node.commands.blocking import deadline_of_milliseconds, wait_for
from gossamer.node.commands.numbers import integer
from gossamer.node.commands.streams.delivery import Delivery
from gossamer.node.commands.streams.effects import tell_consumer
from gossamer.node.commands.streams.ids import strict_id
from gossamer.node.commands.streams.shown import ALL, encoded
from gossamer.node.engine.data.changes import XGROUP_CREATECONSUMER, XREADGROUP
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import BLOCKING, READONLY, STREAM, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, KeySpec
from gossamer.node.resp.errors import (
    GROUP_IS_MISSING,
    NEW_WITHOUT_GROUP,
    NEWEST_OF_GROUP,
    SYNTAX,
    XREAD_GROUP,
    XREAD_NOACK,
    Refusal,
    no_group_to_read,
    unbalanced,
)
from gossamer.node.resp.reply import NULL_ARRAY, MapReply, Reply
from gossamer.node.types.streams.ids import LAST, id_text
from gossamer.node.types.streams.kind import STREAM as STREAMS
from gossamer.node.types.streams.stream import Stream

NEWEST: Final = b"$"
NEW: Final = b">"
NO_WAIT: Final = -1


class ReadOptions:
    """``keys`` and ``ids`` belong together, one by one."""

    def __init__(self, c: Call, argv: list[bytes], of_group: bool) -> None:
        self.group: bytes = b""
        self.named: bool = False
        """The request names a group."""
        self.consumer: bytes = b""
        self.count: int = ALL
        self.deadline: int = NO_WAIT
        """Until when it waits for something new (unix milliseconds; 0: for ever)."""
        self.pending: bool = True
        """What is delivered waits for an acknowledgement."""
        self.first_key: int = 0
        """Where in the request the keys begin."""
        at = 1
        while at < len(argv) and not self.first_key:
            at = self._read(c, argv, at, of_group)
        if not self.first_key:
            raise Refusal(SYNTAX)
        if of_group and not self.named:
            raise Refusal(GROUP_IS_MISSING)
        self.first_id: int = self.first_key + (len(argv) - self.first_key) // 2
        self.keys: list[bytes] = argv[self.first_key : self.first_id]

    def _read(self, c: Call, argv: list[bytes], at: int, of_group: bool) -> int:
        """Read the option at ``at``; where the next one is."""
        option = argv[at].upper()
        more = len(argv) - at - 1
        if option == b"BLOCK" and more:
            self.deadline = deadline_of_milliseconds(c, argv[at + 1])
            return at + 2
        if option == b"COUNT" and more:
            count = integer(argv[at + 1])
            self.count = count if count > 0 else ALL
            return at + 2
        if option == b"STREAMS" and more:
            if more % 2:
                raise Refusal(unbalanced(of_group))
            self.first_key = at + 1
            return at + 1
        if option == b"GROUP" and more >= 2:
            if not of_group:
                raise Refusal(XREAD_GROUP)
            self.group, self.consumer = argv[at + 1], argv[at + 2]
            self.named = True
            return at + 3
        if option == b"NOACK":
            if not of_group:
                raise Refusal(XREAD_NOACK)
            self.pending = False
            return at + 1
        raise Refusal(SYNTAX)


Found = list[list[Reply]]
"""The key of a stream and its entries, each. A key may be asked for twice."""


# --- XREAD

READ: Final = (KeySpec((RO, ACCESS), keyword=b"STREAMS", last=-1, limit=2),)
READ_OF_GROUP: Final = (KeySpec((RO, ACCESS), index=4, keyword=b"STREAMS", last=-1, limit=2),)


@command("XREAD", arity=-4, flags=READONLY | BLOCKING, keys=READ, acl=STREAM)
def xread(c: Call, argv: list[bytes]) -> Reply:
    options = ReadOptions(c, argv, False)
    ids: list[int] = []
    for index, key in enumerate(options.keys):
        stream = c.read(key, Stream)
        ids.append(id_to_read_from(argv[options.first_id + index], stream))
    found: Found = []
    for index, key in enumerate(options.keys):
        stream = c.read(key, Stream)
        if stream is not None and stream.length and stream.top() > ids[index]:
            found.append([key, encoded(stream.cursor(ids[index] + 1), options.count)])
    if found:
        return MapReply(found)
    for index, entry_id in enumerate(ids):
        if argv[options.first_id + index] == NEWEST:
            argv[options.first_id + index] = id_text(entry_id)
    return wait(c, options)


def id_to_read_from(word: bytes, stream: Stream | None) -> int:
    """The id behind which XREAD begins."""
    if word == NEWEST:
        return 0 if stream is None else stream.last_id
    if word == NEW:
        raise Refusal(NEW_WITHOUT_GROUP)
    return strict_id(word)


def wait(c: Call, options: ReadOptions) -> Reply:
    """There is nothing: wait for it, if that is wanted. A group's reader is told when the group has gone."""
    if options.deadline == NO_WAIT:
        return NULL_ARRAY
    return wait_for(c, STREAMS, options.keys, options.deadline, gone=options.named)


# --- XREADGROUP


@command("XREADGROUP", arity=-7, flags=WRITE | BLOCKING, keys=READ_OF_GROUP, acl=STREAM)
def xreadgroup(c: Call, argv: list[bytes]) -> Reply:
    options = ReadOptions(c, argv, True)
    c.counting = True
    c.propagate_nothing()
    ids: list[int] = []
    for index, key in enumerate(options.keys):
        stream = c.read(key, Stream)
        if stream is None or options.group not in stream.groups:
            raise Refusal(no_group_to_read(key, options.group))
        ids.append(id_of_consumer(argv[options.first_id + index]))
    found: Found = []
    for index, key in enumerate(options.keys):
        entries = read_of_group(c, key, ids[index], options)
        if entries is not None:
            found.append([key, entries])
    return MapReply(found) if found else wait(c, options)


def id_of_consumer(word: bytes) -> int:
    """The id behind which XREADGROUP begins; ``LAST``: behind all that the group has read."""
    if word == NEWEST:
        raise Refusal(NEWEST_OF_GROUP)
    return LAST if word == NEW else strict_id(word)


def read_of_group(c: Call, key: bytes, entry_id: int, options: ReadOptions) -> list[Reply] | None:
    """What the consumer gets from the stream at ``key``; None if there is nothing new."""
    stream = c.change(key, Stream)
    assert stream is not None
    assert options.named
    group = stream.group(options.group)
    assert group is not None
    consumer = group.consumer(options.consumer)
    made = consumer is None
    if consumer is None:
        consumer = group.add_consumer(options.consumer, c.now)
    consumer.seen_ms = c.now
    delivery = Delivery(c, key, stream, group, consumer)
    found: list[Reply] | None = None
    if entry_id != LAST:
        found = delivery.history(entry_id + 1, options.count)
    elif delivery.has_new():
        found = delivery.new(options.count, options.pending)
    if made and (entry_id != LAST or found is None or not options.pending):
        tell_consumer(c, key, group, options.consumer)
    changes = made + (found is not None)
    if changes:
        c.changed_unwatched(key, stream, XGROUP_CREATECONSUMER if made else XREADGROUP, changes)
    return found
