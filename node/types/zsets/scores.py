"""Which score a member has: the map of a large sorted set, in shards by hash, about ``FILL`` members in each.

When there are more members than that, one shard is divided, and when there are many fewer, two become one (linear
hashing): so no change takes longer because the map is large. A copy shares the shards; each of the two then replaces a
shard that it shares before it changes it.
"""

from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.store.bucket import give_score, shard_of
from gossamer.node.types.reverse import BITS, reverse

FILL: Final = 200
SPARSE: Final = 50
"""Members a shard below which there are fewer shards."""

SHARD_OF: Final = shard_of
GIVE: Final = give_score
"""Under these names compiled code has them at hand and looks for nothing."""

Shard = dict[bytes, object]
"""The scores are floats, as objects."""


@mypyc_attr(acyclic=True)
class Scores:
    def __init__(self) -> None:
        self.shards: list[Shard] = [{}]
        self.own: list[bool] = [True]
        """By shard: no copy shares it."""
        self.mask: int = 0
        """The bits of a hash by which a shard is found: as many as the last shard's number has."""
        self.length: int = 0

    def get(self, member: bytes) -> object:
        """The score of ``member``, None if it has none."""
        return self.shards[SHARD_OF(member, len(self.shards))].get(member)

    def fill(self, scores: list[object], members: list[bytes]) -> None:
        """Put ``members`` where none is: all shards there will be are made first."""
        assert self.length == 0
        count = len(members) // FILL + 1
        self.shards = [{} for _ in range(count)]
        self.own = [True] * count
        self.mask = (1 << (count - 1).bit_length()) - 1
        for index, member in enumerate(members):
            self.shards[SHARD_OF(member, count)][member] = scores[index]
        self.length = len(members)

    def put(self, member: bytes, score: object) -> object:
        """Give ``member`` another score, unless it is equal; the old one, None if it is new."""
        old = GIVE(self.shard(SHARD_OF(member, len(self.shards))), member, score)
        if old is None:
            self.length += 1
            if self.length > FILL * len(self.shards):
                self._split()
        return old

    def pop(self, member: bytes) -> None:
        """``member``, which is there, goes."""
        del self.shard(SHARD_OF(member, len(self.shards)))[member]
        self.length -= 1
        if self.length < SPARSE * len(self.shards) and len(self.shards) > 1:
            self._merge()

    def copy(self) -> "Scores":
        other = Scores()
        other.shards = self.shards.copy()
        other.own = [False] * len(other.shards)
        self.own = other.own.copy()
        other.mask = self.mask
        other.length = self.length
        return other

    def index_of(self, number: int) -> int:
        """The shard of the members whose hash is ``number``: the last ones have not all been divided yet."""
        index = number & self.mask
        return index if index < len(self.shards) else index & (self.mask >> 1)

    def shard(self, index: int) -> Shard:
        """A shard that may be changed."""
        if not self.own[index]:
            self.shards[index] = self.shards[index].copy()
            self.own[index] = True
        return self.shards[index]

    def after(self, place: int) -> tuple[Shard, int]:
        """The shard at ``place`` in the order of reversed hashes, and the place behind it; 0 behind the last.

        A walk from place 0 meets all members that are there throughout, however many shards come and go meanwhile:
        what a shard is divided into stands where it stood.
        """
        index = self.index_of(reverse(place))
        divided = index + ((self.mask + 1) >> 1) < len(self.shards) or index > self.mask >> 1
        bits = self.mask.bit_length() if divided else self.mask.bit_length() - 1
        end = ((place >> (BITS - bits)) + 1) << (BITS - bits)
        return self.shards[index], end & ((1 << BITS) - 1)

    def _split(self) -> None:
        last = len(self.shards)
        self.mask = (1 << last.bit_length()) - 1
        index = last & (self.mask >> 1)
        old = self.shard(index)
        self.shards.append({})
        self.own.append(True)
        new = self.shards[last]
        for member in list(old):
            if SHARD_OF(member, last + 1) == last:
                new[member] = old.pop(member)

    def _merge(self) -> None:
        last = len(self.shards) - 1
        index = last & (self.mask >> 1)
        self.shard(index).update(self.shards.pop())
        self.own.pop()
        self.mask = (1 << (last - 1).bit_length()) - 1
