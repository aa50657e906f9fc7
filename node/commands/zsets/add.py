"""ZADD and ZINCRBY: members get scores.

All scores are read before anything changes. What changes nothing is no change: nobody is told and replicas hear of
nothing.
"""

from math import isnan
from typing import Final

from gossamer.node.commands.zsets.arguments import score_of
from gossamer.node.engine.data.changes import ZADD, ZINCR
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, FAST, SORTED_SET, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, RW, UPDATE, first
from gossamer.node.resp.doubles import read_double
from gossamer.node.resp.errors import (
    NOT_A_FLOAT,
    SCORE_NAN,
    SYNTAX,
    ZADD_COMPARISONS,
    ZADD_INCR_PAIRS,
    ZADD_NX_AND_XX,
    Refusal,
)
from gossamer.node.resp.reply import Reply
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.zsets.zset import ADDED, SAME, ZSet

NX: Final = 1
XX: Final = 2
GT: Final = 4
LT: Final = 8
CH: Final = 16
INCR: Final = 32
OPTIONS: Final = {b"NX": NX, b"XX": XX, b"GT": GT, b"LT": LT, b"CH": CH, b"INCR": INCR}
CONDITIONS: Final = NX | XX | GT | LT | INCR
"""With any of them the old score matters."""

SKIPPED: Final = -1
"""What happened to a member that a condition keeps out; else what ``ZSet.add`` says."""


@command("ZADD", arity=-4, flags=WRITE | DENYOOM | FAST, keys=first(RW, UPDATE), acl=SORTED_SET)
def zadd(c: Call, argv: list[bytes]) -> Reply:
    return add_one(c, argv) if len(argv) == 4 else add(c, argv, 0)


def add_one(c: Call, argv: list[bytes]) -> Reply:
    """What nearly all are: one member, and no option."""
    text, member, limits = argv[2], argv[3], c.server.encodings
    read = read_double(text)
    if read is None:
        raise Refusal(SYNTAX if text.upper() in OPTIONS else NOT_A_FLOAT)
    score: float = read
    value = c.change(argv[1], ZSet)
    if value is None:
        value = ZSet()
        value.expect(1, len(member), limits)
        value.add(member, score, limits)
        c.replace(argv[1], value, ZADD, 1)
        return 1
    told = value.add(member, score, limits)
    if told == SAME:
        return 0
    value.expect(1, 0, limits)
    c.changed(argv[1], value, ZADD, 1)
    return 1 if told == ADDED else 0


@command("ZINCRBY", arity=4, flags=WRITE | DENYOOM | FAST, keys=first(RW, ACCESS, UPDATE), acl=SORTED_SET)
def zincrby(c: Call, key: bytes, increment: bytes, member: bytes) -> Reply:
    return add(c, [b"", key, increment, member], INCR)


def add(c: Call, argv: list[bytes], flags: int) -> Reply:
    """Both commands: the options count for ZINCRBY too, which has no room for any."""
    at = 2
    while at < len(argv):
        option = OPTIONS.get(argv[at].upper(), 0)
        if not option:
            break
        flags |= option
        at += 1
    count = (len(argv) - at) // 2
    if count == 0 or (len(argv) - at) % 2:
        raise Refusal(SYNTAX)
    check(flags, count)
    scores = [score_of(argv[index]) for index in range(at, len(argv), 2)]
    key, limits = argv[1], c.server.encodings
    value = c.change(key, ZSet)
    new = value is None
    if value is None:
        if flags & XX:
            return None if flags & INCR else 0
        value = ZSet()
        value.expect(count, len(argv[at + 1]), limits)
    adding = Adding(value, flags, limits)
    for index, score in enumerate(scores):
        adding.give(argv[at + 2 * index + 1], score)
    changes = adding.added + adding.updated
    if changes:
        event = ZINCR if flags & INCR else ZADD
        if new:
            c.replace(key, value, event, changes)
        else:
            value.expect(count, 0, limits)
            c.changed(key, value, event, changes)
    if flags & INCR:
        return None if adding.skipped else adding.score
    return changes if flags & CH else adding.added


def check(flags: int, count: int) -> None:
    """Refusal if the options contradict each other."""
    if flags & NX and flags & XX:
        raise Refusal(ZADD_NX_AND_XX)
    if bool(flags & NX) + bool(flags & GT) + bool(flags & LT) > 1:
        raise Refusal(ZADD_COMPARISONS)
    if flags & INCR and count > 1:
        raise Refusal(ZADD_INCR_PAIRS)


class Adding:
    """Members of ``value`` are given scores under the conditions of ``flags``; what came of it.

    ``score``: the last one given, ``skipped``: a condition kept a member out.
    """

    def __init__(self, value: ZSet, flags: int, limits: EncodingLimits) -> None:
        self.value: ZSet = value
        self.flags: int = flags
        self.limits: EncodingLimits = limits
        self.added: int = 0
        self.updated: int = 0
        self.skipped: bool = False
        self.score: float = 0.0

    def give(self, member: bytes, score: float) -> None:
        told = self._give_if(member, score) if self.flags & CONDITIONS else self.value.add(member, score, self.limits)
        if told == ADDED:
            self.added += 1
        elif told == SKIPPED:
            self.skipped = True
        elif told != SAME:
            self.updated += 1

    def _give_if(self, member: bytes, score: float) -> int:
        flags = self.flags
        old = self.value.score(member)
        if old is None:
            if flags & XX:
                return SKIPPED
        elif flags & NX:
            return SKIPPED
        else:
            if flags & INCR:
                score += old
                if isnan(score):
                    raise Refusal(SCORE_NAN)
            if (flags & LT and score >= old) or (flags & GT and score <= old):
                return SKIPPED
        self.score = score
        return self.value.add(member, score, self.limits)
