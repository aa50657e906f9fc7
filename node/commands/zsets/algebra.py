"""ZUNION, ZINTER, ZDIFF, their STORE forms, and ZINTERCARD: sorted sets and plain sets as operands (score 1).

A score is multiplied by the weight of its set before it is aggregated. What would be NaN is 0. The order in which sets
are added up shows in the last digits and at infinity, so it is Redis': the smallest first, but for differences.
"""

from math import isnan
from typing import Final

from gossamer.node.commands.numbers import integer, integer_or_none
from gossamer.node.commands.zsets.arguments import score_of
from gossamer.node.commands.zsets.operands import Operand, operand
from gossamer.node.commands.zsets.replies import scored
from gossamer.node.engine.data.changes import ZDIFFSTORE, ZINTERSTORE, ZUNIONSTORE
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, READONLY, SORTED_SET, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, OW, RO, UPDATE, KeySpec
from gossamer.node.resp.errors import LIMIT_NEGATIVE, SYNTAX, WEIGHT, Refusal, no_input_keys
from gossamer.node.resp.reply import Reply
from gossamer.node.types.zsets.zset import ZSet

UNION: Final = 0
INTER: Final = 1
DIFF: Final = 2

SUM: Final = 0
MIN: Final = 1
MAX: Final = 2
AGGREGATES: Final = {b"SUM": SUM, b"MIN": MIN, b"MAX": MAX}

KEYS: Final = (KeySpec((RO, ACCESS), count_at=0),)
STORE_KEYS: Final = (KeySpec((OW, UPDATE)), KeySpec((RO, ACCESS), index=2, count_at=0))

Scores = dict[bytes, float]


@command("ZUNION", arity=-3, flags=READONLY, keys=KEYS, acl=SORTED_SET)
def zunion(c: Call, argv: list[bytes]) -> Reply:
    return send(c, Request(c, argv, 1, UNION, "zunion"))


@command("ZINTER", arity=-3, flags=READONLY, keys=KEYS, acl=SORTED_SET)
def zinter(c: Call, argv: list[bytes]) -> Reply:
    return send(c, Request(c, argv, 1, INTER, "zinter"))


@command("ZDIFF", arity=-3, flags=READONLY, keys=KEYS, acl=SORTED_SET)
def zdiff(c: Call, argv: list[bytes]) -> Reply:
    return send(c, Request(c, argv, 1, DIFF, "zdiff"))


@command("ZUNIONSTORE", arity=-4, flags=WRITE | DENYOOM, keys=STORE_KEYS, acl=SORTED_SET)
def zunionstore(c: Call, argv: list[bytes]) -> Reply:
    return store(c, argv[1], Request(c, argv, 2, UNION, "zunionstore"), ZUNIONSTORE)


@command("ZINTERSTORE", arity=-4, flags=WRITE | DENYOOM, keys=STORE_KEYS, acl=SORTED_SET)
def zinterstore(c: Call, argv: list[bytes]) -> Reply:
    return store(c, argv[1], Request(c, argv, 2, INTER, "zinterstore"), ZINTERSTORE)


@command("ZDIFFSTORE", arity=-4, flags=WRITE | DENYOOM, keys=STORE_KEYS, acl=SORTED_SET)
def zdiffstore(c: Call, argv: list[bytes]) -> Reply:
    return store(c, argv[1], Request(c, argv, 2, DIFF, "zdiffstore"), ZDIFFSTORE)


@command("ZINTERCARD", arity=-3, flags=READONLY, keys=KEYS, acl=SORTED_SET)
def zintercard(c: Call, argv: list[bytes]) -> Reply:
    request = Request(c, argv, 1, INTER, "zintercard", count=True)
    sets = by_size(request.sets)
    limit = request.limit or sets[0].length()
    found = 0
    for member in sets[0].members():
        if found == limit:
            break
        if all(other.score(member) is not None for other in sets[1:]):
            found += 1
    return found


def send(c: Call, request: "Request") -> Reply:
    made = request.result()
    members = in_order(made)
    if not request.with_scores:
        return members
    return scored(c, [(member, made[member]) for member in members])


def store(c: Call, key: bytes, request: "Request", event: bytes) -> Reply:
    made = request.result()
    if not made:
        c.delete(key)
        return 0
    members = in_order(made)
    value = ZSet()
    value.fill(members, [made[member] for member in members], c.server.encodings)
    c.store(key, value, event)
    return len(members)


def in_order(made: Scores) -> list[bytes]:
    """The members by score, and by their bytes where scores are the same."""
    members = sorted(made, key=made.__getitem__)
    at = 0
    while at < len(members):
        score, end = made[members[at]], at + 1
        while end < len(members) and made[members[end]] == score:
            end += 1
        if end - at > 1:
            members[at:end] = sorted(members[at:end])
        at = end
    return members


def by_size(sets: list[Operand]) -> list[Operand]:
    return sorted(sets, key=size_of)


def size_of(source: Operand) -> int:
    return source.length()


class Request:
    """A request whose number of keys is ``argv[at]``; Refusal if it is not understood, or a key is of another type.

    ``name``: the command's; ``count``: it is ZINTERCARD.
    """

    def __init__(self, c: Call, argv: list[bytes], at: int, operation: int, name: str, count: bool = False) -> None:
        numkeys = integer(argv[at])
        if numkeys < 1:
            raise Refusal(no_input_keys(name))
        if numkeys > len(argv) - at - 1:
            raise Refusal(SYNTAX)
        self.operation: int = operation
        self.sets: list[Operand] = [operand(c, key) for key in argv[at + 1 : at + 1 + numkeys]]
        self.aggregate: int = SUM
        self.with_scores: bool = False
        self.limit: int = 0
        at += 1 + numkeys
        stores = name.endswith("store")
        while at < len(argv):
            word, left = argv[at].upper(), len(argv) - at - 1
            if word == b"WEIGHTS" and operation != DIFF and not count and left >= numkeys:
                for index in range(numkeys):
                    self.sets[index].weight = score_of(argv[at + 1 + index], WEIGHT)
                at += numkeys
            elif word == b"AGGREGATE" and operation != DIFF and not count and left:
                at += 1
                if argv[at].upper() not in AGGREGATES:
                    raise Refusal(SYNTAX)
                self.aggregate = AGGREGATES[argv[at].upper()]
            elif word == b"WITHSCORES" and not stores and not count:
                self.with_scores = True
            elif word == b"LIMIT" and count and left:
                at += 1
                limit = integer_or_none(argv[at])
                if limit is None or limit < 0:
                    raise Refusal(LIMIT_NEGATIVE)
                self.limit = limit
            else:
                raise Refusal(SYNTAX)
            at += 1

    def result(self) -> Scores:
        if self.operation == DIFF:
            return difference(self.sets)
        sets = by_size(self.sets)
        return union(sets, self.aggregate) if self.operation == UNION else intersection(sets, self.aggregate)


def union(sets: list[Operand], aggregate: int) -> Scores:
    made: Scores = {}
    for source in sets:
        for member, score in source.items():
            value = weighed(score, source.weight)
            old = made.get(member)
            made[member] = value if old is None else together(old, value, aggregate)
    return made


def intersection(sets: list[Operand], aggregate: int) -> Scores:
    """The smallest set comes first."""
    made: Scores = {}
    for member, first in sets[0].items():
        value = weighed(first, sets[0].weight)
        for other in sets[1:]:
            score = other.score(member)
            if score is None:
                break
            value = together(value, score * other.weight, aggregate)
        else:
            made[member] = value
    return made


def difference(sets: list[Operand]) -> Scores:
    """What only the first set has, with its scores."""
    others = sets[1:]
    made: Scores = {}
    for member, score in sets[0].items():
        for other in others:
            if other.score(member) is not None:
                break
        else:
            made[member] = score
    return made


def weighed(score: float, weight: float) -> float:
    value = score * weight
    return 0.0 if isnan(value) else value


def together(old: float, new: float, aggregate: int) -> float:
    """Two scores of one member as one. ``new`` may be NaN: then it counts only for a sum."""
    if aggregate == MIN:
        return new if new < old else old
    if aggregate == MAX:
        return new if new > old else old
    total = old + new
    return 0.0 if isnan(total) else total
