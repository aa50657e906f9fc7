"""What a group has delivered and nobody has acknowledged: XACK, XPENDING."""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.commands.streams.ids import first_of, last_of, strict_id
from gossamer.node.engine.data.changes import XACK
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import FAST, READONLY, STREAM, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, RW, UPDATE, first
from gossamer.node.resp.errors import SYNTAX, Refusal, no_group
from gossamer.node.resp.reply import NULL_ARRAY, Reply
from gossamer.node.types.streams.group import Group
from gossamer.node.types.streams.ids import id_text
from gossamer.node.types.streams.pending import PendingCursor
from gossamer.node.types.streams.stream import Stream

MOST_WORDS: Final = 9


@command("XACK", arity=-4, flags=WRITE | FAST, keys=first(RW, UPDATE), acl=STREAM)
def xack(c: Call, argv: list[bytes]) -> Reply:
    c.counting = True
    stream = c.change(argv[1], Stream)
    if stream is None or argv[2] not in stream.groups:
        return 0
    ids = [strict_id(word) for word in argv[3:]]
    group = stream.group(argv[2])
    assert group is not None
    acknowledged = 0
    for entry_id in ids:
        acknowledged += group.acknowledge(entry_id)
    if acknowledged:
        c.changed_unwatched(argv[1], stream, XACK, acknowledged)
    return acknowledged


class PendingFilter:
    """Which pending entries XPENDING is asked for."""

    def __init__(self, argv: list[bytes]) -> None:
        self.idle_ms: int = 0
        at = 3
        if argv[3].upper() == b"IDLE":
            self.idle_ms = integer(argv[4])
            if len(argv) < 8:
                raise Refusal(SYNTAX)
            at = 5
        self.count: int = max(integer(argv[at + 2]), 0)
        self.first: int = first_of(argv[at])
        self.last: int = last_of(argv[at + 1])
        self.consumer: bytes | None = argv[at + 3] if at + 3 < len(argv) else None


@command("XPENDING", arity=-3, flags=READONLY, keys=first(RO, ACCESS), acl=STREAM)
def xpending(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) != 3 and not 6 <= len(argv) <= MOST_WORDS:
        raise Refusal(SYNTAX)
    chosen = PendingFilter(argv) if len(argv) > 3 else None
    stream = c.read(argv[1], Stream)
    group = None if stream is None else stream.groups.get(argv[2])
    if group is None:
        raise Refusal(no_group(argv[1], argv[2]))
    return summary(group) if chosen is None else listed(group, chosen, c.now)


def summary(group: Group) -> Reply:
    """How much is pending, from where to where, and with whom."""
    pending = group.pending
    if not pending.count:
        return [0, None, None, NULL_ARRAY]
    owners: list[Reply] = []
    for name in sorted(group.consumers):
        count = group.consumers[name].pending
        if count:
            owners.append([name, b"%d" % count])
    return [pending.count, id_text(pending.first()), id_text(pending.last()), owners]


def listed(group: Group, chosen: PendingFilter, now: int) -> Reply:
    """Each pending entry that is ``chosen``: its id, its owner, how long ago it was delivered, and how often."""
    out: list[Reply] = []
    if chosen.consumer is not None and chosen.consumer not in group.consumers:
        return out
    cursor = PendingCursor(group.pending, chosen.first, chosen.consumer)
    while len(out) < chosen.count and cursor.next() and cursor.id <= chosen.last:
        idle_ms = now - cursor.nack.delivered_ms
        if not chosen.idle_ms or idle_ms >= chosen.idle_ms:
            out.append([id_text(cursor.id), cursor.nack.owner, max(idle_ms, 0), cursor.nack.deliveries])
    return out
