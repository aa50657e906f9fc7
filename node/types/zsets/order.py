"""The order of a large sorted set: its members by score, then by their bytes, in buckets of at most ``MOST``.

``lows`` has the first score of each bucket, so that a search looks into one bucket only; ``Ranks`` counts the members
of those before it. A copy shares the buckets; each of the two then replaces a bucket that it shares before it changes
it. Scores stand side by side, as numbers: a search through objects would wait for the memory of each.
"""

from array import array
from typing import TYPE_CHECKING, Final

from mypy_extensions import mypyc_attr

from gossamer.node.store.search import count_less, count_up_to, place_of
from gossamer.node.types.zsets.ranks import Ranks

if TYPE_CHECKING:
    from mypy_extensions import i64

MOST: Final = 128
"""Members of a bucket: more are divided."""
FILL: Final = 96
"""Members of a bucket that is made at once."""
FEW: Final = 32
"""A bucket with fewer is joined with its neighbour, if the two have no more than ``JOINED``."""
JOINED: Final = 80


@mypyc_attr(acyclic=True)
class Bucket:
    """``scores[i]`` belongs to ``members[i]``."""

    def __init__(self, scores: "array[float]", members: list[bytes]) -> None:
        self.scores: array[float] = scores
        self.members: list[bytes] = members

    def find(self, score: float, member: bytes) -> int:
        """How many are less than ``score`` with ``member``."""
        return place_of(self.scores, self.members, score, member)

    def below(self, score: float, inclusive: bool) -> int:
        """How many have a score less than ``score``, or equal to it if ``inclusive``."""
        return count_up_to(self.scores, score) if inclusive else count_less(self.scores, score)

    def copy(self) -> "Bucket":
        return Bucket(self.scores[:], self.members.copy())


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

    def index_of(self, score: float, member: bytes) -> "i64":
        """The last bucket that begins with ``score`` and ``member`` or less; the first one if none does."""
        lows = self.lows
        high: i64 = count_up_to(lows, score)
        if high == 0:
            return 0
        if lows[high - 1] != score:
            return high - 1
        low: i64 = count_less(lows, score)
        while low < high:
            middle = (low + high) >> 1
            if self.buckets[middle].members[0] <= member:
                low = middle + 1
            else:
                high = middle
        return low - 1 if low else 0

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
        if rank < len(self.buckets[0].members):
            return 0, rank
        last = len(self.buckets) - 1
        behind = self.length - len(self.buckets[last].members)
        if rank >= behind:
            return last, rank - behind
        self.count()
        return self.ranks.find(rank)

    def count(self) -> None:
        if not self.ranks.valid:
            self.ranks.fill([len(bucket.members) for bucket in self.buckets])

    # --- changing

    def add(self, score: float, member: bytes) -> None:
        """Put ``member``, which is not there, at its place."""
        self.length += 1
        if not self.buckets:
            self._insert(0, Bucket(array("d", (score,)), [member]))
            return
        index = self.index_of(score, member)
        bucket = self.bucket(index)
        place = bucket.find(score, member)
        if len(bucket.members) >= MOST:
            index, place = self._make_room(index, place)
            bucket = self.buckets[index]
        bucket.scores.insert(place, score)
        bucket.members.insert(place, member)
        if place == 0:
            self.lows[index] = score
        self.ranks.add(index, 1)

    def fill(self, scores: list[float], members: list[bytes]) -> None:
        """Put ``members``, which are in order, where none is."""
        assert not self.buckets
        numbers = array("d", scores)
        for start in range(0, len(members), FILL):
            self._insert(len(self.buckets), Bucket(numbers[start : start + FILL], members[start : start + FILL]))
        self.length = len(members)

    def remove(self, score: float, member: bytes) -> None:
        """Take ``member``, which is there with ``score``, away."""
        index = self.index_of(score, member)
        bucket = self.bucket(index)
        place = bucket.find(score, member)
        assert bucket.members[place] == member
        del bucket.scores[place]
        del bucket.members[place]
        self.length -= 1
        self._shrunk(index, 1)

    def move(self, score: float, member: bytes, new: float) -> None:
        """``member``, which is there with ``score``, goes to where its ``new`` score belongs."""
        index = self.index_of(score, member)
        bucket = self.bucket(index)
        place = bucket.find(score, member)
        assert bucket.members[place] == member
        if self._stays(bucket, place, new):
            bucket.scores[place] = new
            return
        del bucket.scores[place]
        del bucket.members[place]
        self.length -= 1
        self._shrunk(index, 1)
        self.add(new, member)

    def _stays(self, bucket: Bucket, place: int, score: float) -> bool:
        """May the member at ``place``, none of the first and last, have ``score`` where it is?"""
        scores = bucket.scores
        inner = 0 < place < len(scores) - 1
        return inner and scores[place - 1] < score < scores[place + 1]

    def cut(self, start: int, stop: int) -> list[bytes]:
        """Take away the members from rank ``start`` up to, not including, ``stop``; who they were."""
        gone: list[bytes] = []
        while start < stop:
            index, place = self.find(start)
            bucket = self.bucket(index)
            taken = bucket.members[place : place + stop - start]
            gone += taken
            del bucket.scores[place : place + len(taken)]
            del bucket.members[place : place + len(taken)]
            self.length -= len(taken)
            stop -= len(taken)
            self._shrunk(index, len(taken))
        return gone

    def pop(self, highest: bool) -> tuple[bytes, float]:
        """Take away the first member, or the last one if it is the ``highest`` that is wanted; there is one."""
        index = len(self.buckets) - 1 if highest else 0
        bucket = self.bucket(index)
        place = len(bucket.members) - 1 if highest else 0
        member, score = bucket.members[place], bucket.scores[place]
        del bucket.scores[place]
        del bucket.members[place]
        self.length -= 1
        self._shrunk(index, 1)
        return member, score

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

    def _make_room(self, index: int, place: int) -> tuple[int, int]:
        """Divide bucket ``index``, which is full; where its ``place`` is then.

        At either end of the order it stays full and a new one begins: that is where sorted members come in.
        """
        bucket = self.buckets[index]
        if index == len(self.buckets) - 1 and place == MOST:
            self._insert(index + 1, Bucket(array("d"), []))
            return index + 1, 0
        if index == 0 and place == 0:
            self._insert(0, Bucket(array("d"), []))
            return 0, 0
        half = MOST >> 1
        self._insert(index + 1, Bucket(bucket.scores[half:], bucket.members[half:]))
        del bucket.scores[half:]
        del bucket.members[half:]
        return (index, place) if place <= half else (index + 1, place - half)

    def _insert(self, index: int, bucket: Bucket) -> None:
        self.buckets.insert(index, bucket)
        self.lows.insert(index, bucket.scores[0] if bucket.scores else 0.0)
        self.own.insert(index, True)
        self.ranks.valid = False

    def _shrunk(self, index: int, count: int) -> None:
        """Bucket ``index`` has lost ``count`` members: it goes if it is empty, and joins a neighbour if it is small."""
        bucket = self.buckets[index]
        size = len(bucket.members)
        if size == 0:
            self._drop(index)
            return
        self.lows[index] = bucket.scores[0]
        self.ranks.add(index, -count)
        if size >= FEW:
            return
        for left in (index - 1, index):
            if 0 <= left < len(self.buckets) - 1 and self._together(left) <= JOINED:
                self._join(left)
                return

    def _together(self, left: int) -> int:
        return len(self.buckets[left].members) + len(self.buckets[left + 1].members)

    def _join(self, left: int) -> None:
        bucket, right = self.bucket(left), self.buckets[left + 1]
        bucket.scores += right.scores
        bucket.members += right.members
        self._drop(left + 1)

    def _drop(self, index: int) -> None:
        del self.buckets[index]
        del self.lows[index]
        del self.own[index]
        self.ranks.valid = False
