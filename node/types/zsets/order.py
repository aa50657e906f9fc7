"""The order of a large sorted set: its members by score, then by their bytes, in buckets of at most ``MOST``.

``lows`` has the first score of each bucket, so that a search looks into one bucket only; ``Ranks`` counts the members
of those before it. A copy shares the buckets; each of the two then replaces a bucket that it shares before it changes
it.
"""

from array import array
from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.store.bucket import Bucket, count_less, count_up_to, order_add, order_index, order_leave, order_pop
from gossamer.node.types.zsets.ranks import Ranks

INDEX: Final = order_index
ADD: Final = order_add
LEAVE: Final = order_leave
POP: Final = order_pop
"""Under these names compiled code has them at hand and looks for nothing."""
STAYS: Final = -2
"""What ``LEAVE`` says of a member that had no need to; -1 stands for what is more than one step."""

MOST: Final = 128
"""Members of a bucket: more are divided."""
FILL: Final = 96
"""Members of a bucket that is made at once."""
FEW: Final = 32
"""A bucket with fewer is joined with its neighbour, if the two have no more than ``JOINED``."""
JOINED: Final = 80


@mypyc_attr(acyclic=True)
class Order:
    def __init__(self) -> None:
        self.buckets: list[Bucket] = []
        """None of them is empty."""
        self.lows: array[float] = array("d")
        self.own: list[bool] = []
        """By bucket: no copy shares it."""
        self.ranks: Ranks = Ranks()
        self.length: int = 0

    # --- searching

    def index_of(self, score: float, member: bytes) -> int:
        """The last bucket that begins with ``score`` and ``member`` or less; the first one if none does."""
        return INDEX(self.buckets, self.own, self.lows, score, member)

    def rank(self, score: float, member: bytes) -> int:
        """How many stand before ``score`` with ``member``."""
        if not self.buckets:
            return 0
        index = self.index_of(score, member)
        return self.start(index) + self.buckets[index].find(score, member)

    def below(self, score: float, inclusive: bool) -> int:
        """How many have a score less than ``score``, or equal to it if ``inclusive``."""
        index = count_up_to(self.lows, score) if inclusive else count_less(self.lows, score)
        return 0 if index == 0 else self.start(index - 1) + self.buckets[index - 1].below(score, inclusive)

    def start(self, index: int) -> int:
        """The rank of the first member of bucket ``index``."""
        if index == 0:
            return 0
        self.count()
        return self.ranks.before(index)

    def find(self, rank: int) -> tuple[int, int]:
        """The bucket with the member of ``rank``, and its place there."""
        assert 0 <= rank < self.length
        if rank < len(self.buckets[0]):
            return 0, rank
        last = len(self.buckets) - 1
        behind = self.length - len(self.buckets[last])
        if rank >= behind:
            return last, rank - behind
        self.count()
        return self.ranks.find(rank)

    def count(self) -> None:
        if not self.ranks.valid:
            self.ranks.fill([len(bucket) for bucket in self.buckets])

    # --- changing

    def add(self, score: float, member: bytes) -> None:
        """Put ``member``, which is not there, at its place."""
        place = ADD(self.buckets, self.own, self.lows, score, member, MOST)
        if place >= 0:
            self.length += 1
            self.ranks.add(place, 1)
            return
        self._add_slowly(score, member)

    def _add_slowly(self, score: float, member: bytes) -> None:
        """``add`` where there is no bucket, or it is full or shared."""
        if not self.buckets:
            self._insert(0, Bucket([score], [member]))
            self.length += 1
            return
        index = self.index_of(score, member)
        bucket = self.bucket(index)
        if len(bucket) >= MOST:
            index = self._make_room(index, bucket.find(score, member))
            bucket = self.buckets[index]
        if bucket.add(score, member) == 0:
            self.lows[index] = score
        self.length += 1
        self.ranks.add(index, 1)

    def fill(self, scores: list[float], members: list[bytes]) -> None:
        """Put ``members``, which are in order, where none is."""
        assert not self.buckets
        for start in range(0, len(members), FILL):
            self._insert(len(self.buckets), Bucket(scores[start : start + FILL], members[start : start + FILL]))
        self.length = len(members)

    def remove(self, score: float, member: bytes) -> None:
        """Take ``member``, which is there with ``score``, away."""
        index = self.index_of(score, member)
        self.bucket(index).remove(score, member)
        self.length -= 1
        self._shrunk(index, 1)

    def move(self, score: float, member: bytes, new: float) -> None:
        """``member``, which is there with ``score``, goes to where its ``new`` score belongs."""
        place = LEAVE(self.buckets, self.own, self.lows, score, member, new, FEW)
        if place == STAYS:
            return
        if place >= 0:
            self.length -= 1
            self.ranks.add(place, -1)
        elif self._move_slowly(score, member, new):
            return
        self.add(new, member)

    def _move_slowly(self, score: float, member: bytes, new: float) -> bool:
        """True if ``member`` has its ``new`` score where it stood; else it is not there any more."""
        index = self.index_of(score, member)
        if self.bucket(index).move(score, member, new):
            return True
        self.length -= 1
        self._shrunk(index, 1)
        return False

    def cut(self, start: int, stop: int) -> list[bytes]:
        """Take away the members from rank ``start`` up to, not including, ``stop``; who they were."""
        gone: list[bytes] = []
        while start < stop:
            index, place = self.find(start)
            taken = self.bucket(index).cut(place, place + stop - start)
            gone += taken
            self.length -= len(taken)
            stop -= len(taken)
            self._shrunk(index, len(taken))
        return gone

    def pop(self, highest: bool) -> tuple[bytes, float]:
        """Take away the first member, or the last one if it is the ``highest`` that is wanted; there is one."""
        found = POP(self.buckets, self.own, self.lows, highest, FEW)
        if found is not None:
            self.length -= 1
            self.ranks.add(len(self.buckets) - 1 if highest else 0, -1)
            return found
        return self._pop_slowly(highest)

    def _pop_slowly(self, highest: bool) -> tuple[bytes, float]:
        """``pop`` from a bucket that has few members, or is shared."""
        index = len(self.buckets) - 1 if highest else 0
        bucket = self.bucket(index)
        popped = bucket.pop(len(bucket) - 1 if highest else 0)
        self.length -= 1
        self._shrunk(index, 1)
        return popped

    def bucket(self, index: int) -> Bucket:
        """A bucket that may be changed."""
        if not self.own[index]:
            self.buckets[index] = self.buckets[index].copy()
            self.own[index] = True
        return self.buckets[index]

    def copy(self) -> "Order":
        other = Order()
        other.buckets = self.buckets.copy()
        other.lows = self.lows[:]
        other.own = [False] * len(other.buckets)
        self.own = other.own.copy()
        other.length = self.length
        return other

    def _make_room(self, index: int, place: int) -> int:
        """Divide bucket ``index``, which is full; in which of the two its ``place`` is then.

        At either end of the order it stays full and a new one begins: that is where sorted members come in.
        """
        if index == len(self.buckets) - 1 and place == MOST:
            self._insert(index + 1, Bucket())
            return index + 1
        if index == 0 and place == 0:
            self._insert(0, Bucket())
            return 0
        half = MOST >> 1
        self._insert(index + 1, self.buckets[index].split(half))
        return index if place <= half else index + 1

    def _insert(self, index: int, bucket: Bucket) -> None:
        self.buckets.insert(index, bucket)
        self.lows.insert(index, bucket.low if len(bucket) else 0.0)
        self.own.insert(index, True)
        self.ranks.valid = False

    def _shrunk(self, index: int, count: int) -> None:
        """Bucket ``index`` has lost ``count`` members: it goes if it is empty, and joins a neighbour if it is small."""
        bucket = self.buckets[index]
        size = len(bucket)
        if size == 0:
            self._drop(index)
            return
        self.lows[index] = bucket.low
        self.ranks.add(index, -count)
        if size >= FEW:
            return
        for left in (index - 1, index):
            if 0 <= left < len(self.buckets) - 1 and self._together(left) <= JOINED:
                self._join(left)
                return

    def _together(self, left: int) -> int:
        return len(self.buckets[left]) + len(self.buckets[left + 1])

    def _join(self, left: int) -> None:
        self.bucket(left).join(self.buckets[left + 1])
        self._drop(left + 1)

    def _drop(self, index: int) -> None:
        del self.buckets[index]
        del self.lows[index]
        del self.own[index]
        self.ranks.valid = False
