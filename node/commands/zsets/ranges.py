"""ZRANGE and its like: members by rank, by score or by their bytes, sent or stored.

In reverse order the ends of a range by score or by bytes are given the higher one first. LIMIT takes a part of what was
found: a negative offset takes nothing, a negative count all.
"""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.commands.zsets.arguments import lex_range, score_range, slice_of
from gossamer.node.commands.zsets.replies import scored
from gossamer.node.engine.data.changes import ZRANGESTORE
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, READONLY, SORTED_SET, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, OW, RO, UPDATE, KeySpec, first
from gossamer.node.resp.errors import LIMIT_WITHOUT_BY, SYNTAX, WITHSCORES_BYLEX, Refusal
from gossamer.node.resp.reply import Reply
from gossamer.node.types.zsets.bounds import LexRange, ScoreRange
from gossamer.node.types.zsets.zset import Slice, ZSet

UNSAID: Final = 0
RANK: Final = 1
SCORE: Final = 2
LEX: Final = 3

READ: Final = first(RO, ACCESS)
STORE: Final = (KeySpec((OW, UPDATE)), KeySpec((RO, ACCESS), index=2))


@command("ZRANGE", arity=-4, flags=READONLY, keys=READ, acl=SORTED_SET)
def zrange(c: Call, argv: list[bytes]) -> Reply:
    return send(c, argv[1], Wanted(argv, 2, UNSAID))


@command("ZREVRANGE", arity=-4, flags=READONLY, keys=READ, acl=SORTED_SET)
def zrevrange(c: Call, argv: list[bytes]) -> Reply:
    return send(c, argv[1], Wanted(argv, 2, RANK, True))


@command("ZRANGEBYSCORE", arity=-4, flags=READONLY, keys=READ, acl=SORTED_SET)
def zrangebyscore(c: Call, argv: list[bytes]) -> Reply:
    return send(c, argv[1], Wanted(argv, 2, SCORE))


@command("ZREVRANGEBYSCORE", arity=-4, flags=READONLY, keys=READ, acl=SORTED_SET)
def zrevrangebyscore(c: Call, argv: list[bytes]) -> Reply:
    return send(c, argv[1], Wanted(argv, 2, SCORE, True))


@command("ZRANGEBYLEX", arity=-4, flags=READONLY, keys=READ, acl=SORTED_SET)
def zrangebylex(c: Call, argv: list[bytes]) -> Reply:
    return send(c, argv[1], Wanted(argv, 2, LEX))


@command("ZREVRANGEBYLEX", arity=-4, flags=READONLY, keys=READ, acl=SORTED_SET)
def zrevrangebylex(c: Call, argv: list[bytes]) -> Reply:
    return send(c, argv[1], Wanted(argv, 2, LEX, True))


@command("ZRANGESTORE", arity=-5, flags=WRITE | DENYOOM, keys=STORE, acl=SORTED_SET)
def zrangestore(c: Call, argv: list[bytes]) -> Reply:
    wanted = Wanted(argv, 3, UNSAID, store=True)
    value = c.read(argv[2], ZSet)
    start, stop = (0, 0) if value is None else wanted.part(value)
    if value is None or start == stop:
        c.delete(argv[1])
        return 0
    made = ZSet()
    made.fill(value.members(start, stop), value.scores(start, stop), c.server.encodings)
    c.store(argv[1], made, ZRANGESTORE)
    return stop - start


def send(c: Call, key: bytes, wanted: "Wanted") -> Reply:
    value = c.read(key, ZSet)
    if value is None:
        return []
    start, stop = wanted.part(value)
    if wanted.with_scores:
        return scored(c, value.items(start, stop, wanted.reverse))
    members = value.members(start, stop)
    return members[::-1] if wanted.reverse else members


class Wanted:
    """What a request asks for, whose range begins at ``argv[at]``; Refusal if it is not understood.

    ``by`` and ``reverse`` are what the command's name says; where it says nothing (UNSAID) the options do.
    """

    def __init__(self, argv: list[bytes], at: int, by: int, reverse: bool = False, store: bool = False) -> None:
        self.reverse: bool = reverse
        self.with_scores: bool = False
        self.offset: int = 0
        self.count: int = -1
        self.by: int = by
        self.start: int = 0
        self.stop: int = 0
        self.scores: ScoreRange | None = None
        self.lex: LexRange | None = None
        self._read_options(argv, at + 2, by == UNSAID, store)
        self._check()
        self._read_range(argv[at], argv[at + 1])

    def _read_options(self, argv: list[bytes], at: int, free: bool, store: bool) -> None:
        while at < len(argv):
            word = argv[at].upper()
            if word == b"WITHSCORES" and not store:
                self.with_scores = True
            elif word == b"LIMIT" and at + 2 < len(argv):
                self.offset, self.count = integer(argv[at + 1]), integer(argv[at + 2])
                at += 2
            elif word == b"REV" and free and not self.reverse:
                self.reverse = True
            elif word in (b"BYSCORE", b"BYLEX") and self.by == UNSAID:
                self.by = SCORE if word == b"BYSCORE" else LEX
            else:
                raise Refusal(SYNTAX)
            at += 1
        if self.by == UNSAID:
            self.by = RANK

    def _check(self) -> None:
        if self.count != -1 and self.by == RANK:
            raise Refusal(LIMIT_WITHOUT_BY)
        if self.with_scores and self.by == LEX:
            raise Refusal(WITHSCORES_BYLEX)

    def _read_range(self, one: bytes, other: bytes) -> None:
        if self.by == RANK:
            self.start, self.stop = integer(one), integer(other)
            return
        low, high = (other, one) if self.reverse else (one, other)
        if self.by == SCORE:
            self.scores = score_range(low, high)
        else:
            self.lex = lex_range(low, high)

    def part(self, value: ZSet) -> Slice:
        """Where in ``value`` the wanted members stand."""
        if self.scores is not None:
            return self._limited(value.slice_by_score(self.scores))
        if self.lex is not None:
            return self._limited(value.slice_by_lex(self.lex))
        length = value.length()
        start, stop = slice_of(self.start, self.stop, length)
        return (length - stop, length - start) if self.reverse else (start, stop)

    def _limited(self, part: Slice) -> Slice:
        start, stop = part
        if self.offset < 0 or self.offset >= stop - start:
            return 0, 0
        count = stop - start - self.offset
        if 0 <= self.count < count:
            count = self.count
        if self.reverse:
            return stop - self.offset - count, stop - self.offset
        return start + self.offset, start + self.offset + count
