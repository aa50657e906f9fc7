"""A sorted set: members, each with a score, ordered by score and then by their bytes (redis.io, "Sorted sets").

A small one is ``packed`` bytes, a large one ``Large``. As in Redis a set becomes large when a member is added that is
longer than ``zset-max-listpack-value`` or one more than ``zset-max-listpack-entries``, and it stays so.

Ranks count from 0, the least score first; a slice from ``start`` to ``stop`` does not include ``stop``.
"""

from math import isnan
from typing import Final, cast

from mypy_extensions import mypyc_attr

from gossamer.node.types.kind import HEADER, Kind, Value
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.zsets import packed
from gossamer.node.types.zsets.bounds import LexRange, ScoreRange
from gossamer.node.types.zsets.large import ADDED, SAME, UPDATED, Large

__all__ = ["ADDED", "SAME", "UPDATED", "ZSET", "ZSet", "ZSetKind"]

OBJECT: Final = 48 + HEADER + 8
"""Bytes of a ``ZSet`` and of what is packed, beside the bytes of elements."""

Slice = tuple[int, int]


@mypyc_attr(acyclic=True)
class ZSet:
    def __init__(self) -> None:
        self.packed: bytes = packed.EMPTY
        """While ``large`` is None."""
        self.large: Large | None = None

    # --- one member

    def length(self) -> int:
        return packed.count(self.packed) if self.large is None else self.large.order.length

    def score(self, member: bytes) -> float | None:
        """The score of ``member``, None if it is not there."""
        if self.large is not None:
            score = self.large.scores.get(member)
            return None if score is None else cast(float, score)
        index = packed.find(self.packed, member)
        return None if index < 0 else packed.score_at(self.packed, index)

    def rank(self, member: bytes) -> int:
        """How many stand before ``member``; -1 if it is not there."""
        if self.large is None:
            return packed.find(self.packed, member)
        score = self.large.scores.get(member)
        return -1 if score is None else self.large.order.rank(cast(float, score), member)

    def add(self, member: bytes, score: float, limits: EncodingLimits) -> int:
        """Give ``member`` a score: SAME, UPDATED or ADDED."""
        assert not isnan(score)
        if self.large is None:
            data = self.packed
            index = packed.find(data, member)
            if index >= 0:
                if packed.score_at(data, index) == score:
                    return SAME
                self.packed = packed.inserted(packed.without(data, index, index + 1), member, score)
                return UPDATED
            if self._fits(member, limits):
                self.packed = packed.inserted(data, member, score)
                return ADDED
            self._grow(packed.count(data) < limits.zset_max_listpack_entries and self.is_short(member, limits))
        return self._put(member, score, limits)

    def fill(self, members: list[bytes], scores: list[float], limits: EncodingLimits) -> None:
        """An empty set gets members with their scores. They are in order, and no two are the same."""
        assert self.length() == 0
        assert len(members) == len(scores)
        longest = max([len(member) for member in members], default=0)
        listpack = len(members) <= limits.zset_max_listpack_entries and longest <= limits.zset_max_listpack_value
        if listpack and len(members) <= packed.MOST and longest <= packed.LONGEST:
            self.packed, self.large = packed.packed(members, scores), None
            return
        large = Large(listpack)
        large.fill(members, [score + 0.0 for score in scores] if listpack else scores)
        self.packed, self.large = packed.EMPTY, large

    def remove(self, member: bytes) -> bool:
        """Take ``member`` away; False if it is not there."""
        if self.large is not None:
            return self.large.remove(member)
        index = packed.find(self.packed, member)
        if index < 0:
            return False
        self.packed = packed.without(self.packed, index, index + 1)
        return True

    def cut(self, start: int, stop: int) -> None:
        """Take the members of a slice away."""
        assert 0 <= start <= stop <= self.length()
        if start == stop:
            return
        if self.large is not None:
            self.large.cut(start, stop)
        else:
            self.packed = packed.without(self.packed, start, stop)

    def pop(self, highest: bool) -> tuple[bytes, float]:
        """Take away the first member, or the last one if it is the ``highest`` that is wanted; there is one."""
        if self.large is not None:
            return self.large.pop(highest)
        place = packed.count(self.packed) - 1 if highest else 0
        found = packed.members(self.packed, place, place + 1)[0], packed.score_at(self.packed, place)
        self.packed = packed.without(self.packed, place, place + 1)
        return found

    # --- many members

    def members(self, start: int, stop: int) -> list[bytes]:
        """The members of a slice."""
        assert 0 <= start <= stop <= self.length()
        if self.large is None:
            return packed.members(self.packed, start, stop)
        out: list[bytes] = []
        if start < stop:
            index, place = self.large.order.find(start)
            while len(out) < stop - start:
                out += self.large.order.buckets[index].members(place, place + stop - start - len(out))
                index, place = index + 1, 0
        return out

    def scores(self, start: int, stop: int) -> list[float]:
        """The scores of a slice."""
        assert 0 <= start <= stop <= self.length()
        if self.large is None:
            return packed.scores(self.packed, start, stop)
        out: list[float] = []
        if start < stop:
            index, place = self.large.order.find(start)
            while len(out) < stop - start:
                out += self.large.order.buckets[index].scores(place, place + stop - start - len(out))
                index, place = index + 1, 0
        return out

    def items(self, start: int, stop: int, reverse: bool = False) -> list[tuple[bytes, float]]:
        """The members and scores of a slice, with ``reverse`` those of the highest ranks first."""
        out = list(zip(self.members(start, stop), self.scores(start, stop), strict=True))
        return out[::-1] if reverse else out

    # --- ranges

    def slice_by_score(self, wanted: ScoreRange) -> Slice:
        """Where the members of a range of scores stand."""
        if wanted.is_empty():
            return 0, 0
        start = self._below(wanted.low, wanted.low_excluded)
        return start, max(start, self._below(wanted.high, not wanted.high_excluded))

    def slice_by_lex(self, wanted: LexRange) -> Slice:
        """Where the members of a range by bytes stand, if all scores are the same."""
        if wanted.is_empty():
            return 0, 0
        return self._before_lex(wanted, False), self._before_lex(wanted, True)

    def _below(self, score: float, inclusive: bool) -> int:
        if self.large is None:
            return packed.below(self.packed, score, inclusive)
        return self.large.order.below(score, inclusive)

    def _before_lex(self, wanted: LexRange, upper: bool) -> int:
        """How many stand before the range or, for its ``upper`` end, are not behind it."""
        low, high = 0, self.length()
        while low < high:
            middle = (low + high) >> 1
            member = self.members(middle, middle + 1)[0]
            before = not wanted.high.below(member) if upper else wanted.low.above(member)
            if before:
                low = middle + 1
            else:
                high = middle
        return low

    # --- the form

    def is_listpack(self) -> bool:
        """Does Redis hold it as a listpack?"""
        return self.large is None or self.large.listpack

    def expect(self, count: int, longest: int, limits: EncodingLimits) -> None:
        """``count`` elements are to come. Redis chooses the form of an empty set by that and by the longest member."""
        too_many = count > limits.zset_max_listpack_entries
        if too_many or (self.length() == 0 and longest > limits.zset_max_listpack_value):
            self._grow(False)

    def shrink(self, limits: EncodingLimits) -> None:
        """Become small if that is allowed: what a command has made anew is as small as can be."""
        large = self.large
        if large is None or large.listpack or self.length() > limits.zset_max_listpack_entries:
            return
        members, scores = self.members(0, self.length()), self.scores(0, self.length())
        self.packed, self.large = packed.EMPTY, None
        self.fill(members, scores, limits)

    def is_short(self, member: bytes, limits: EncodingLimits) -> bool:
        return len(member) <= limits.zset_max_listpack_value

    def _fits(self, member: bytes, limits: EncodingLimits) -> bool:
        most = min(limits.zset_max_listpack_entries, packed.MOST)
        return packed.count(self.packed) < most and len(member) <= min(limits.zset_max_listpack_value, packed.LONGEST)

    def _grow(self, listpack: bool) -> None:
        """Become large; ``listpack``: not in the eyes of a client."""
        if self.large is not None:
            self.large.listpack = self.large.listpack and listpack
            return
        large = Large(listpack)
        large.fill(self.members(0, self.length()), self.scores(0, self.length()))
        self.packed, self.large = packed.EMPTY, large

    def _put(self, member: bytes, score: float, limits: EncodingLimits) -> int:
        large = self.large
        assert large is not None
        if large.listpack:
            score += 0.0  # no listpack has a negative zero
            old = large.scores.get(member)
            if old is None and (self.length() >= limits.zset_max_listpack_entries or not self.is_short(member, limits)):
                large.listpack = False
        return large.put(member, score)

    # --- as a whole

    def size(self) -> int:
        """Bytes beside the object itself."""
        return OBJECT + (len(self.packed) if self.large is None else self.large.bytes)

    def copy(self) -> "ZSet":
        other = ZSet()
        other.packed = self.packed
        if self.large is not None:
            other.large = self.large.copy()
        return other

    def free(self, most: int) -> int:
        """Let go of about ``most`` elements of a set that nobody uses any more; how many are left."""
        if self.large is not None:
            return self.large.free(most)
        self.packed = packed.EMPTY
        return 0

    def scan(self, place: int) -> tuple[list[bytes], int]:
        """Members at a ``place`` that no change of the set moves, and the place behind them; 0 at the end.

        A walk from place 0 meets all members that are there throughout.
        """
        if self.large is None:
            return self.members(0, self.length()), 0
        shard, after = self.large.scores.after(place)
        return list(shard), after


class ZSetKind(Kind):
    def encoding(self, value: Value) -> bytes:
        assert isinstance(value, ZSet)
        return b"listpack" if value.is_listpack() else b"skiplist"

    def size(self, value: Value) -> int:
        assert isinstance(value, ZSet)
        return value.size()

    def length(self, value: Value) -> int:
        assert isinstance(value, ZSet)
        return value.length()

    def effort(self, value: Value) -> int:
        assert isinstance(value, ZSet)
        return 1 if value.is_listpack() else value.length()

    def copy(self, value: Value) -> Value:
        assert isinstance(value, ZSet)
        return value.copy()

    def free(self, value: Value, most: int) -> int:
        assert isinstance(value, ZSet)
        return value.free(most)


ZSET: Final = ZSetKind(b"zset")
