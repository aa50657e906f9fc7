"""ZRANDMEMBER: members by chance; with a positive count all different ones, with a negative one each drawn anew."""

from typing import Final

from gossamer.node.commands.numbers import LONG_MAX, integer
from gossamer.node.commands.zsets.replies import scored
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import READONLY, SORTED_SET, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, first
from gossamer.node.resp.errors import OUT_OF_LONG, SYNTAX, Refusal, int_between
from gossamer.node.resp.reply import Reply
from gossamer.node.types.zsets.zset import ZSet

HALF: Final = LONG_MAX // 2


@command("ZRANDMEMBER", arity=-2, flags=READONLY, keys=first(RO, ACCESS), acl=SORTED_SET)
def zrandmember(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) == 2:
        value = c.read(argv[1], ZSet)
        return None if value is None else draw(c, value, -1)[0]
    count = integer(argv[2])
    if count < -LONG_MAX:
        raise Refusal(int_between(-LONG_MAX, LONG_MAX))
    with_scores = len(argv) == 4
    if len(argv) > 4 or (with_scores and argv[3].upper() != b"WITHSCORES"):
        raise Refusal(SYNTAX)
    if with_scores and not -HALF <= count <= HALF:
        raise Refusal(OUT_OF_LONG)
    value = c.read(argv[1], ZSet)
    if value is None or count == 0:
        return []
    members = draw(c, value, count)
    if not with_scores:
        return members
    return scored(c, [(member, score_in(value, member)) for member in members])


def draw(c: Call, value: ZSet, count: int) -> list[bytes]:
    """As many members, or as there are; a negative ``count`` draws exactly so many, and one may come twice."""
    rng, length = c.server.rng, value.length()
    if count >= length:
        return value.members(0, length)
    if count < 0:
        return [member_at(value, rng.randrange(length)) for _ in range(-count)]
    return [member_at(value, rank) for rank in rng.sample(range(length), count)]


def member_at(value: ZSet, rank: int) -> bytes:
    return value.members(rank, rank + 1)[0]


def score_in(value: ZSet, member: bytes) -> float:
    score = value.score(member)
    assert score is not None
    return score
