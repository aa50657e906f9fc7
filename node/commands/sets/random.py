"""SPOP and SRANDMEMBER: members by chance. Each has the same, whatever the form of the set."""

from random import Random
from typing import Final

from gossamer.node.commands.numbers import LONG_MAX, integer
from gossamer.node.engine.data.changes import DEL, SPOP
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.stream.journal import deletion
from gossamer.node.engine.table.command import FAST, READONLY, SET, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, RO, RW, first
from gossamer.node.resp.errors import NOT_POSITIVE, SYNTAX, Refusal, int_between
from gossamer.node.resp.reply import Reply, SetReply
from gossamer.node.types.sets.set import Set

TOLD: Final = 1024
"""Members in one SREM that tells of a SPOP, at most."""
NEARLY_ALL: Final = 5
"""A SPOP that takes so many times what it leaves draws what it leaves, not what it takes."""
FEW: Final = 3
"""A sample of less than one in so many is drawn one by one."""


@command("SPOP", arity=-2, flags=WRITE | FAST, keys=first(RW, ACCESS, DELETE), acl=SET)
def spop(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) > 3:
        raise Refusal(SYNTAX)
    key = argv[1]
    if len(argv) == 3:
        count = integer(argv[2], NOT_POSITIVE)
        if count < 0:
            raise Refusal(NOT_POSITIVE)
        return SetReply(pop_several(c, key, count))
    value = c.change(key, Set)
    if value is None:
        return None
    member = value.pop(c.server.rng)
    c.changed(key, value, SPOP)
    c.propagate(b"SREM", key, member)
    return member


def pop_several(c: Call, key: bytes, count: int) -> list[bytes]:
    value = c.change(key, Set)
    if value is None or count == 0:
        return []
    size = value.length
    if count >= size:
        return pop_all(c, key, value)
    left = size - count
    if left * NEARLY_ALL > count:
        popped = [value.pop(c.server.rng) for _ in range(count)]
    else:
        popped = value.keep(left, c.server.rng, c.server.encodings)
    c.changed(key, value, SPOP, count)
    for at in range(0, count, TOLD):
        c.propagate(b"SREM", key, *popped[at : at + TOLD])
    return popped


def pop_all(c: Call, key: bytes, value: Set) -> list[bytes]:
    """The key goes as a whole, so that a large value is freed in pieces."""
    members = value.members()
    c.changed(key, value, SPOP, len(members))
    c.delete(key, DEL, 0)
    c.propagate(deletion(c.server.config, "lazyfree-lazy-server-del"), key)
    return members


@command("SRANDMEMBER", arity=-2, flags=READONLY, keys=first(RO, ACCESS), acl=SET)
def srandmember(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) > 3:
        raise Refusal(SYNTAX)
    rng = c.server.rng
    if len(argv) == 2:
        value = c.read(argv[1], Set)
        return None if value is None else value.draw(rng)
    count = integer(argv[2])
    if count < -LONG_MAX:
        raise Refusal(int_between(-LONG_MAX, LONG_MAX))
    value = c.read(argv[1], Set)
    if value is None:
        return []
    return sample(value, count, rng) if count >= 0 else [value.draw(rng) for _ in range(-count)]


def sample(value: Set, count: int, rng: Random) -> list[bytes]:
    """Different members, ``count`` of them or all."""
    if count >= value.length:
        return value.members()
    if count * FEW > value.length:
        return rng.sample(value.members(), count)
    found: dict[bytes, bool] = {}
    while len(found) < count:
        found[value.draw(rng)] = True
    return list(found)
