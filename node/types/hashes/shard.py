"""A shard of a large hash: some fields with their values.

It is ``bytes``, in the form of a small hash (``packed.py``), while none of its texts is too long for that: it is never
changed but replaced, so copies share it. One long text makes it ``Loose``: a dictionary, of which whoever shares it
makes a copy before it is changed.
"""

from itertools import islice
from sys import getsizeof
from typing import TYPE_CHECKING, Final, TypeAlias

from mypy_extensions import mypyc_attr

from gossamer.node.types.hashes import packed as small
from gossamer.node.types.hashes.packed import LONGEST, find, value_at

if TYPE_CHECKING:
    from mypy_extensions import i64

# Bytes of a field with its value beside their own.
PACKED_PAIR: Final = 6
"""Two lengths, and its part of an object of about a dozen."""
LOOSE_PAIR: Final = 2 * getsizeof(b"") + 60
"""Two objects, and an entry of a dictionary."""


class Mark:
    """Whose it is: what has the mark of a hash is shared with no copy."""


@mypyc_attr(acyclic=True)
class Loose:
    def __init__(self, mark: Mark, pairs: dict[bytes, bytes]) -> None:
        self.mark: Mark = mark
        self.pairs: dict[bytes, bytes] = pairs


Shard: TypeAlias = bytes | Loose

EMPTY: Final = b""


def value_in(shard: Shard, field: bytes) -> bytes | None:
    if isinstance(shard, Loose):
        return shard.pairs.get(field)
    if len(field) > LONGEST:
        return None
    at = find(shard, field)
    return None if at < 0 else value_at(shard, at)


def pairs_in(shard: Shard) -> int:
    if isinstance(shard, Loose):
        return len(shard.pairs)
    size: i64 = len(shard)
    at: i64 = 0
    texts: i64 = 0
    while at < size:
        at += 1 + shard[at]
        texts += 1
    return texts >> 1


def nth(shard: Shard, place: int) -> bytes:
    """The field number ``place``, counted from 0; there is one."""
    if isinstance(shard, Loose):
        return next(islice(shard.pairs, place, None))
    at: i64 = 0
    left: i64 = 2 * place
    while left > 0:
        at += 1 + shard[at]
        left -= 1
    return shard[at + 1 : at + 1 + shard[at]]


def pairs_of(shard: Shard) -> list[bytes]:
    """Fields and values in turn."""
    if not isinstance(shard, Loose):
        return small.pairs(shard)
    found: list[bytes] = []
    for field, value in shard.pairs.items():
        found.append(field)
        found.append(value)
    return found


def shard_of(mark: Mark, pairs: list[bytes]) -> Shard:
    """Of fields and values in turn."""
    for text in pairs:
        if len(text) > LONGEST:
            return Loose(mark, dict(zip(pairs[::2], pairs[1::2], strict=True)))
    return small.pack(pairs)


def cost(shard: Shard) -> int:
    """Bytes that its pairs take."""
    if not isinstance(shard, Loose):
        return len(shard) + pairs_in(shard) * (PACKED_PAIR - 2)
    size = 0
    for field, value in shard.pairs.items():
        size += len(field) + len(value) + LOOSE_PAIR
    return size
