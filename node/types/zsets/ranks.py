"""How many members stand before a bucket: a Fenwick tree of the sizes of buckets.

Its entry ``i`` is the sum of the sizes that end with bucket ``i``, as many as the lowest bit of ``i`` (counted from 1)
says. A size changes and a sum is asked for in as many steps as the number of buckets has bits. When buckets come or go
the tree is not ``valid`` any more, and it is made anew when somebody asks: many changes may come before that.
"""

from typing import TYPE_CHECKING

from mypy_extensions import mypyc_attr

if TYPE_CHECKING:
    from mypy_extensions import i64


@mypyc_attr(acyclic=True)
class Ranks:
    def __init__(self) -> None:
        self.sums: list[int] = [0]
        """Entry 0 is none."""
        self.valid: bool = False

    def fill(self, sizes: list[int]) -> None:
        count: i64 = len(sizes)
        sums = [0]
        sums += sizes
        at: i64 = 1
        while at <= count:
            above = at + (at & -at)
            if above <= count:
                sums[above] += sums[at]
            at += 1
        self.sums = sums
        self.valid = True

    def add(self, index: int, count: int) -> None:
        """Bucket ``index`` has ``count`` members more."""
        if not self.valid:
            return
        sums = self.sums
        end: i64 = len(sums)
        at: i64 = index + 1
        while at < end:
            sums[at] += count
            at += at & -at

    def before(self, index: int) -> int:
        """Members of all buckets before ``index``."""
        assert self.valid
        total: i64 = 0
        at: i64 = index
        while at > 0:
            total += self.sums[at]
            at &= at - 1
        return total

    def find(self, rank: int) -> tuple[int, int]:
        """The bucket with the member of ``rank``, and its place there."""
        assert self.valid
        sums = self.sums
        end: i64 = len(sums)
        left: i64 = rank
        at: i64 = 0
        step: i64 = 1 << (len(sums).bit_length() - 1)
        while step > 0:
            ahead = at + step
            if ahead < end and sums[ahead] <= left:
                at = ahead
                left -= sums[ahead]
            step >>= 1
        return at, left
