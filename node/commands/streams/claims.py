"""Pending entries that change their owner: XCLAIM, XAUTOCLAIM.

Replicas are told of each entry by an XCLAIM of its own that says all that is known of it, so that it may be run twice.
"""

from typing import Final

from gossamer.node.commands.numbers import LONG_MAX, integer
from gossamer.node.commands.streams.effects import tell_claim, tell_consumer, tell_group
from gossamer.node.commands.streams.ids import EDGES, NO_ID, first_of, id_or_none, strict_id
from gossamer.node.commands.streams.shown import shown
from gossamer.node.engine.data.changes import XCLAIM, XGROUP_CREATECONSUMER
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import FAST, STREAM, WRITE, command
from gossamer.node.engine.table.keyspec import DELETE, RW, UPDATE, first
from gossamer.node.resp.errors import (
    COUNT_POSITIVE,
    SYNTAX,
    XAUTOCLAIM_MIN_IDLE,
    XCLAIM_IDLE,
    XCLAIM_MIN_IDLE,
    XCLAIM_RETRYCOUNT,
    XCLAIM_TIME,
    Refusal,
    no_group,
    unrecognized_claim,
)
from gossamer.node.resp.reply import Reply
from gossamer.node.types.streams.cursor import Cursor
from gossamer.node.types.streams.group import Consumer, Group
from gossamer.node.types.streams.ids import id_text
from gossamer.node.types.streams.pending import Nack, PendingCursor
from gossamer.node.types.streams.stream import Stream

UNSET: Final = -1
VALUED: Final = (b"IDLE", b"TIME", b"RETRYCOUNT", b"LASTID")
"""Options of XCLAIM that a value follows."""
DEFAULT_COUNT: Final = 100
MOST: Final = LONG_MAX // 16
"""The largest COUNT of XAUTOCLAIM."""
ATTEMPTS: Final = 10
"""XAUTOCLAIM looks at so many entries for each that it may return."""


class Claim:
    """The consumer ``name`` of a group gets entries that others have: who asks for it, and what was said."""

    def __init__(self, c: Call, key: bytes, name: bytes) -> None:
        self.c: Call = c
        self.key: bytes = key
        self.name: bytes = name
        self.idle_ms: int = 0
        """Entries that were delivered later than so long ago stay where they are."""
        self.delivered_ms: int = c.now
        self.deliveries: int = UNSET
        self.force: bool = False
        """Entries that are not pending become so."""
        self.ids_only: bool = False
        self.last_id: int = 0
        self.changes: int = 0
        self.claimed: list[Reply] = []

    def begin(self, stream: Stream, group: Group) -> None:
        """The options have been read."""
        self.stream: Stream = stream
        self.group: Group = group
        found = group.consumer(self.name)
        self.made: bool = found is None
        self.owner: Consumer = group.add_consumer(self.name, self.c.now) if found is None else found
        self.owner.seen_ms = self.c.now

    def is_busy(self, nack: Nack) -> bool:
        """Has its owner got the entry too short a time ago?"""
        return self.idle_ms > 0 and self.c.now - nack.delivered_ms < self.idle_ms

    def drop(self, entry_id: int, nack: Nack) -> None:
        """A pending entry has been deleted: nobody has it any more."""
        tell_claim(self.c, self.key, self.group, entry_id, nack)
        self.group.acknowledge(entry_id)
        self.changes += 1

    def take(self, cursor: Cursor, deliveries: int) -> None:
        """The owner gets the entry that ``cursor`` is at, which has been delivered so often."""
        if self.deliveries >= 0:
            deliveries = self.deliveries
        elif not self.ids_only:
            deliveries += 1
        self.group.assign(cursor.id, self.owner, self.delivered_ms, deliveries)
        self.owner.active_ms = self.c.now
        tell_claim(self.c, self.key, self.group, cursor.id, Nack(self.name, self.delivered_ms, deliveries))
        self.changes += 1
        self.claimed.append(id_text(cursor.id) if self.ids_only else shown(cursor))

    def end(self) -> None:
        """Tell of what has changed."""
        if self.made:
            if not self.claimed:
                tell_consumer(self.c, self.key, self.group, self.name)
            self.changes += 1
        if self.changes:
            self.c.changed_unwatched(
                self.key, self.stream, XGROUP_CREATECONSUMER if self.made else XCLAIM, self.changes
            )


@command("XCLAIM", arity=-6, flags=WRITE | FAST, keys=first(RW, UPDATE), acl=STREAM)
def xclaim(c: Call, argv: list[bytes]) -> Reply:
    c.counting = True
    c.propagate_nothing()
    stream = c.change(argv[1], Stream)
    group = None if stream is None else stream.group(argv[2])
    if stream is None or group is None:
        raise Refusal(no_group(argv[1], argv[2]))
    claim = Claim(c, argv[1], argv[3])
    claim.idle_ms = integer(argv[4], XCLAIM_MIN_IDLE)
    ids = leading_ids(argv)
    read_claim_options(claim, argv, 5 + len(ids))
    claim.begin(stream, group)
    ahead = claim.last_id > group.last_id
    if ahead:
        group.last_id = claim.last_id
    for entry_id in ids:
        claim_one(claim, entry_id)
    if ahead and not claim.changes:
        tell_group(c, argv[1], group)
        claim.changes += 1
    claim.end()
    return claim.claimed


def leading_ids(argv: list[bytes]) -> list[int]:
    """The ids of XCLAIM, up to the first word that is none."""
    ids: list[int] = []
    for word in argv[5:]:
        entry_id = NO_ID if word in EDGES else id_or_none(word)
        if entry_id == NO_ID:
            break
        ids.append(entry_id)
    return ids


def read_claim_options(claim: Claim, argv: list[bytes], at: int) -> None:
    now = claim.c.now
    while at < len(argv):
        option = argv[at].upper()
        if option == b"FORCE":
            claim.force = True
        elif option == b"JUSTID":
            claim.ids_only = True
        elif at + 1 == len(argv) or option not in VALUED:
            raise Refusal(unrecognized_claim(argv[at]))
        else:
            at += 1
            if option == b"IDLE":
                claim.delivered_ms = now - integer(argv[at], XCLAIM_IDLE)
            elif option == b"TIME":
                claim.delivered_ms = integer(argv[at], XCLAIM_TIME)
            elif option == b"RETRYCOUNT":
                claim.deliveries = integer(argv[at], XCLAIM_RETRYCOUNT)
            else:
                claim.last_id = strict_id(argv[at])
        at += 1
    if not 0 <= claim.delivered_ms <= now:
        claim.delivered_ms = now  # clients count with clocks of their own


def claim_one(claim: Claim, entry_id: int) -> None:
    nack = claim.group.pending.get(entry_id)
    found = claim.stream.find(entry_id)
    if found is None:
        if nack is not None:
            claim.drop(entry_id, nack)
    elif nack is None:
        if claim.force:
            claim.take(found, 1)
    elif not claim.is_busy(nack):
        claim.take(found, nack.deliveries)


@command("XAUTOCLAIM", arity=-6, flags=WRITE | FAST, keys=first(RW, DELETE), acl=STREAM)
def xautoclaim(c: Call, argv: list[bytes]) -> Reply:
    c.counting = True
    c.propagate_nothing()
    claim = Claim(c, argv[1], argv[3])
    claim.idle_ms = integer(argv[4], XAUTOCLAIM_MIN_IDLE)
    start = first_of(argv[5])
    count = read_autoclaim_options(claim, argv)
    stream = c.change(argv[1], Stream)
    group = None if stream is None else stream.group(argv[2])
    if stream is None or group is None:
        raise Refusal(no_group(argv[1], argv[2]))
    claim.begin(stream, group)
    cursor = PendingCursor(group.pending, start)
    deleted = claim_idle(claim, cursor, count)
    following = cursor.id if cursor.next() else 0
    claim.end()
    return [id_text(following), claim.claimed, deleted]


def read_autoclaim_options(claim: Claim, argv: list[bytes]) -> int:
    """How many entries may be claimed."""
    count = DEFAULT_COUNT
    at = 6
    while at < len(argv):
        option = argv[at].upper()
        if option == b"COUNT" and at + 1 < len(argv):
            at += 1
            count = integer(argv[at], COUNT_POSITIVE)
            if not 0 < count <= MOST:
                raise Refusal(COUNT_POSITIVE)
        elif option == b"JUSTID":
            claim.ids_only = True
        else:
            raise Refusal(SYNTAX)
        at += 1
    return count


def claim_idle(claim: Claim, cursor: PendingCursor, count: int) -> list[Reply]:
    """Claim up to ``count`` entries that ``cursor`` comes to; the ids of those that have been deleted, which count."""
    deleted: list[Reply] = []
    attempts = count * ATTEMPTS
    while attempts and count and cursor.next():
        attempts -= 1
        found = claim.stream.find(cursor.id)
        if found is None:
            claim.drop(cursor.id, cursor.nack)
            deleted.append(id_text(cursor.id))
        elif claim.is_busy(cursor.nack):
            continue
        else:
            claim.take(found, cursor.nack.deliveries)
        count -= 1
    return deleted
