"""The large form of a sorted set: a map from members to scores, and the order of the members.

Both have the same objects for members.
"""

from typing import Final, cast

from mypy_extensions import mypyc_attr

from gossamer.node.types.zsets.order import Order
from gossamer.node.types.zsets.scores import Scores

# What giving a member a score came to.
SAME: Final = 0
UPDATED: Final = 1
ADDED: Final = 2

ELEMENT: Final = 144
"""Bytes of an element beside the member's own: its score, two objects' heads, its places in the map and the order."""


@mypyc_attr(acyclic=True)
class Large:
    """``listpack``: Redis would still have it in a listpack, and what is small cannot hold it here."""

    def __init__(self, listpack: bool) -> None:
        self.scores: Scores = Scores()
        self.order: Order = Order()
        self.listpack: bool = listpack
        self.bytes: int = 0

    def fill(self, members: list[bytes], scores: list[float]) -> None:
        """Get the members and scores of an order, while there are none."""
        self.order.fill(scores, members)
        self.scores.fill(cast(list[object], scores), members)
        self.bytes = ELEMENT * len(members) + sum(map(len, members))

    def put(self, member: bytes, score: float) -> int:
        """Give ``member`` a score: SAME, UPDATED or ADDED."""
        boxed: object = score
        old = self.scores.put(member, boxed)
        if old is None:
            self.order.add(score, member)
            self.bytes += len(member) + ELEMENT
            return ADDED
        before = cast(float, old)
        if before == score:
            return SAME
        self.order.move(before, member, score)
        return UPDATED

    def remove(self, member: bytes) -> bool:
        """Take ``member`` away; False if it is not there."""
        score = self.scores.get(member)
        if score is None:
            return False
        self.scores.pop(member)
        self.order.remove(cast(float, score), member)
        self.bytes -= len(member) + ELEMENT
        return True

    def cut(self, start: int, stop: int) -> None:
        """Take away the members from rank ``start`` up to, not including, ``stop``."""
        for member in self.order.cut(start, stop):
            self.scores.pop(member)
            self.bytes -= len(member) + ELEMENT

    def pop(self, highest: bool) -> tuple[bytes, float]:
        """Take away the first or the last member; there is one."""
        found = self.order.pop(highest)
        self.scores.pop(found[0])
        self.bytes -= len(found[0]) + ELEMENT
        return found

    def copy(self) -> "Large":
        other = Large(self.listpack)
        other.scores = self.scores.copy()
        other.order = self.order.copy()
        other.bytes = self.bytes
        return other

    def free(self, most: int) -> int:
        """Let go of about ``most`` elements; how many are left."""
        shards, buckets = self.scores.shards, self.order.buckets
        freed = 0
        while (shards or buckets) and freed < most:
            if shards:
                freed += len(shards.pop()) // 2
            if buckets:
                bucket = buckets.pop()
                freed += len(bucket) // 2
                self.order.length -= len(bucket)
        if not buckets and not shards:
            self.order.length = 0
        return max(self.order.length, len(shards))
