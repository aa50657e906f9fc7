"""HRANDFIELD: fields drawn at random, each with the same chance. Those that are over are not drawn.

A count draws fields that are all different, in no order that means something; a negative one draws as often as it says,
whatever came before.
"""

from random import Random
from typing import Final

from gossamer.node.commands.hashes.present import seen_at
from gossamer.node.commands.numbers import LONG_MAX, integer
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import HASH, READONLY, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, first
from gossamer.node.resp.errors import COUNT_OUT_OF_RANGE, SYNTAX, Refusal, int_between
from gossamer.node.resp.reply import Reply
from gossamer.node.types.hashes.draw import Draw
from gossamer.node.types.hashes.hash import Hash

READ: Final = first(RO, ACCESS)


@command("HRANDFIELD", arity=-2, flags=READONLY, keys=READ, acl=HASH)
def hrandfield(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) == 2:
        value = c.read(argv[1], Hash)
        return None if value is None else one(value, c.server.rng, seen_at(c))
    count, with_values = read_count(argv)
    value = c.read(argv[1], Hash)
    if value is None or count == 0:
        return []
    draw = Draw(value, c.server.rng, seen_at(c))
    fields = draw.different(count) if count > 0 else draw.times(-count)
    if not with_values:
        return fields
    return with_their_values(value, fields, c.client.resp3)


def one(value: Hash, rng: Random, now: int) -> bytes | None:
    drawn = Draw(value, rng, now).times(1)
    return drawn[0] if drawn else None


def read_count(argv: list[bytes]) -> tuple[int, bool]:
    """The count, and whether WITHVALUES stands behind it."""
    count = integer(argv[2])
    if count < -LONG_MAX:
        raise Refusal(int_between(-LONG_MAX, LONG_MAX))
    if len(argv) == 3:
        return count, False
    if len(argv) > 4 or argv[3].upper() != b"WITHVALUES":
        raise Refusal(SYNTAX)
    if abs(count) > LONG_MAX // 2:
        raise Refusal(COUNT_OUT_OF_RANGE)
    return count, True


def with_their_values(value: Hash, fields: list[bytes], in_pairs: bool) -> list[Reply]:
    found: list[Reply] = []
    for field in fields:
        text = value.get(field)
        if in_pairs:
            found.append([field, text])
        else:
            found.append(field)
            found.append(text)
    return found
