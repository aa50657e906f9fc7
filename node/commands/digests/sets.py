"""A set's part in DEBUG DIGEST: the order of its members does not count."""

from typing import Final

from gossamer.node.commands.digests.mixing import hashed, mixed
from gossamer.node.types.kind import Value
from gossamer.node.types.sets.set import Set

MARK: Final = (2).to_bytes(4, "big")


def digest(before: int, value: Value, at: int, now: int) -> tuple[int, int]:
    assert isinstance(value, Set)
    if at == 0:
        before = mixed(before, MARK)
    members, at = value.step(at)
    for member in members:
        before ^= hashed(member)
    return before, at
