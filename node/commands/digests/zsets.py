"""What DEBUG DIGEST mixes of a sorted set: each member with its score, whatever their order."""

from typing import Final

from gossamer.node.commands.digests.mixing import added, mixed
from gossamer.node.resp.doubles import digits_of
from gossamer.node.types.kind import DONE, STEP, Value
from gossamer.node.types.zsets.zset import ZSet

MARK: Final = (3).to_bytes(4, "big")


def digest(before: int, value: Value, at: int, now: int) -> tuple[int, int]:
    """``before`` with the members of a step mixed in, and where the next step begins."""
    assert isinstance(value, ZSet)
    stop = min(at + STEP, value.length())
    made = mixed(before, MARK) if at == 0 else before
    for member, score in value.items(at, stop):
        made = added(made, mixed(mixed(0, member), digits_of(score)))
    return made, stop if stop < value.length() else DONE
