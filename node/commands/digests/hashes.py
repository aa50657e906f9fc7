"""What DEBUG DIGEST mixes of a hash (debug.c of Redis 7.2): each field with its value. Ends do not count, and
fields that are over are not there, as with Valkey."""

from typing import Final

from gossamer.node.commands.digests.mixing import added, mixed
from gossamer.node.types.hashes.hash import Hash
from gossamer.node.types.kind import Value

MARK: Final = (4).to_bytes(4, "big")


def digest(before: int, value: Value, at: int, now: int) -> tuple[int, int]:
    assert isinstance(value, Hash)
    if at == 0:
        before = mixed(before, MARK)
    texts, at = value.pairs(at, now)
    for place in range(0, len(texts), 2):
        before = added(before, mixed(mixed(0, texts[place]), texts[place + 1]))
    return before, at
