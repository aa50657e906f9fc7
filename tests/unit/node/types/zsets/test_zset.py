"""A sorted set is what a plain dictionary of scores would be, in either form, and its copies stay as they were."""

from math import copysign

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gossamer.node.types.kind import DONE
from gossamer.node.types.limits import EncodingLimits
from gossamer.node.types.zsets import packed
from gossamer.node.types.zsets.bounds import GREATEST, LEAST, MEMBER, LexBound, LexRange, ScoreRange
from gossamer.node.types.zsets.zset import ADDED, SAME, UPDATED, ZSET, ZSet

MEMBERS = st.one_of(st.integers(0, 60).map(lambda n: b"%d" % n), st.binary(max_size=3), st.just(b"x" * 300))
SCORES = st.one_of(
    st.integers(-3, 3).map(float),
    st.sampled_from([-129.0, 128.0, 2.0**15, -(2.0**31), 2.0**31, 2.0**53, 0.5, float("inf"), float("-inf"), -0.0]),
    st.floats(allow_nan=False),
)
Model = dict[bytes, float]


def in_order(model: Model) -> list[tuple[bytes, float]]:
    return [(member, score) for score, member in sorted((score, member) for member, score in model.items())]


def limits_of(entries: int, value: int = 64) -> EncodingLimits:
    limits = EncodingLimits()
    limits.zset_max_listpack_entries = entries
    limits.zset_max_listpack_value = value
    return limits


class Machine(RuleBasedStateMachine):
    @initialize(entries=st.sampled_from([0, 5, 20, 1000]), value=st.sampled_from([2, 64, 1000]))
    def begin(self, entries: int, value: int) -> None:
        self.limits = limits_of(entries, value)
        self.set = ZSet()
        self.model: Model = {}
        self.copies: list[tuple[ZSet, Model]] = []

    @rule(member=MEMBERS, score=SCORES)
    def add(self, member: bytes, score: float) -> None:
        old = self.model.get(member)
        told = self.set.add(member, score, self.limits)
        assert told == (ADDED if old is None else SAME if old == score else UPDATED)
        self.model[member] = score

    @rule(first=st.integers(0, 10_000), count=st.integers(1, 400), step=st.sampled_from([-1.0, 0.0, 1.0]))
    def add_many(self, first: int, count: int, step: float) -> None:
        for number in range(first, first + count):
            self.add(b"m:%d" % number, step * number)

    @rule(member=MEMBERS)
    def remove(self, member: bytes) -> None:
        assert self.set.remove(member) == (self.model.pop(member, None) is not None)

    @rule(start=st.integers(0, 1000), count=st.integers(0, 500))
    def cut(self, start: int, count: int) -> None:
        stop = min(start + count, len(self.model))
        start = min(start, stop)
        self.set.cut(start, stop)
        for member, _ in in_order(self.model)[start:stop]:
            del self.model[member]

    @rule()
    def copy(self) -> None:
        self.copies.append((self.set.copy(), dict(self.model)))

    @rule()
    def go_on_with_a_copy(self) -> None:
        self.copies.append((self.set, dict(self.model)))
        self.set = self.set.copy()

    @rule(member=MEMBERS)
    def look_up(self, member: bytes) -> None:
        score = self.model.get(member)
        assert self.set.score(member) == score
        order = in_order(self.model)
        assert self.set.rank(member) == (-1 if score is None else order.index((member, score)))

    @rule(low=SCORES, high=SCORES, low_excluded=st.booleans(), high_excluded=st.booleans())
    def find(self, low: float, high: float, low_excluded: bool, high_excluded: bool) -> None:
        start, stop = self.set.slice_by_score(ScoreRange(low, high, low_excluded, high_excluded))
        assert self.set.items(start, stop) == [
            (member, score)
            for member, score in in_order(self.model)
            if (low < score if low_excluded else low <= score) and (score < high if high_excluded else score <= high)
        ]

    @rule(start=st.integers(0, 500), count=st.integers(0, 500))
    def slice(self, start: int, count: int) -> None:
        stop = min(start + count, len(self.model))
        start = min(start, stop)
        wanted = in_order(self.model)[start:stop]
        assert self.set.items(start, stop) == wanted
        assert self.set.items(start, stop, reverse=True) == wanted[::-1]

    @invariant()
    def same(self) -> None:
        if hasattr(self, "set"):
            assert self.set.length() == len(self.model)

    def teardown(self) -> None:
        if hasattr(self, "set"):
            for value, model in [*self.copies, (self.set, self.model)]:
                assert value.items(0, value.length()) == in_order(model)
                assert all(value.score(member) == score for member, score in model.items())


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=60, stateful_step_count=30)


def filled(count: int, limits: EncodingLimits, score: float = 0.0) -> ZSet:
    value = ZSet()
    for number in range(count):
        value.add(b"%05d" % number, score, limits)
    return value


def test_it_grows_with_one_member_more_than_allowed_and_never_shrinks_by_itself() -> None:
    value = filled(8, limits_of(8))
    assert ZSET.encoding(value) == b"listpack"
    value.add(b"00000", 5.0, limits_of(8))
    assert ZSET.encoding(value) == b"listpack"
    value.add(b"more", 0.0, limits_of(8))
    assert ZSET.encoding(value) == b"skiplist"
    value.cut(1, 9)
    assert ZSET.encoding(value) == b"skiplist"
    value.shrink(limits_of(8))
    assert ZSET.encoding(value) == b"listpack"
    assert value.items(0, 1) == [(b"00001", 0.0)]


def test_it_grows_with_a_member_longer_than_allowed() -> None:
    value = ZSet()
    value.add(b"x" * 64, 0.0, limits_of(8))
    assert ZSET.encoding(value) == b"listpack"
    value.add(b"x" * 65, 0.0, limits_of(8))
    assert ZSET.encoding(value) == b"skiplist"


@pytest.mark.parametrize(("count", "length"), [(packed.MOST + 1, 5), (3, packed.LONGEST + 1)])
def test_what_the_small_form_cannot_hold_is_a_listpack_all_the_same(count: int, length: int) -> None:
    limits = limits_of(1000, 1000)
    value = ZSet()
    for number in range(count):
        value.add(b"%05d" % number * (length // 5) + b"x", 1.0, limits)
    assert ZSET.encoding(value) == b"listpack"
    assert value.length() == count
    value.add(b"y" * 1001, 1.0, limits)
    assert ZSET.encoding(value) == b"skiplist"


@pytest.mark.parametrize(("entries", "zero"), [(10, 1.0), (0, -1.0)])
def test_only_a_large_set_keeps_a_negative_zero(entries: int, zero: float) -> None:
    value = ZSet()
    value.add(b"a", -0.0, limits_of(entries))
    score = value.score(b"a")
    assert score is not None
    assert copysign(1.0, score) == zero


@pytest.mark.parametrize("entries", [0, 1000])
@given(low=MEMBERS, high=MEMBERS, low_excluded=st.booleans(), high_excluded=st.booleans())
def test_ranges_by_bytes(entries: int, low: bytes, high: bytes, low_excluded: bool, high_excluded: bool) -> None:
    value = filled(30, limits_of(entries))
    wanted = LexRange(LexBound(MEMBER, low, low_excluded), LexBound(MEMBER, high, high_excluded))
    assert value.members(*value.slice_by_lex(wanted)) == [
        member
        for member in value.members(0, 30)
        if (low < member if low_excluded else low <= member) and (member < high if high_excluded else member <= high)
    ]


def test_the_least_and_the_greatest_bound() -> None:
    value = filled(3, limits_of(10))
    least, greatest, middle = LexBound(LEAST), LexBound(GREATEST), LexBound(MEMBER, b"00001")
    assert value.slice_by_lex(LexRange(least, greatest)) == (0, 3)
    assert value.slice_by_lex(LexRange(least, middle)) == (0, 2)
    assert value.slice_by_lex(LexRange(middle, greatest)) == (1, 3)
    assert value.slice_by_lex(LexRange(greatest, least)) == (0, 0)
    assert value.slice_by_lex(LexRange(greatest, greatest)) == (0, 0)


@pytest.mark.parametrize("change", [-1, 0, 1])
def test_a_scan_meets_all_that_stays(change: int) -> None:
    """However the set grows or shrinks meanwhile."""
    limits = limits_of(0)
    value = filled(3000, limits)
    stays = set(value.members(0, 500))
    met: set[bytes] = set()
    place, turn = 0, 0
    while place or not turn:
        members, place = value.scan(place)
        met |= set(members)
        turn += 1
        for number in range(100):
            if change > 0:
                value.add(b"new:%d:%d" % (turn, number), 1.0, limits)
            elif change < 0 and value.length() > 500:
                value.cut(500, 501)
    assert stays <= met


def test_nothing_takes_longer_than_a_bucket_or_a_shard() -> None:
    value = filled(20_000, limits_of(0))
    large = value.large
    assert large is not None
    assert max(len(bucket) for bucket in large.order.buckets) <= 256
    assert max(len(shard) for shard in large.scores.shards) < 1000
    value.cut(100, 19_900)
    assert len(large.order.buckets) < 10
    assert len(large.scores.shards) < 10


def test_a_value_is_freed_in_pieces() -> None:
    value = filled(5000, limits_of(0))
    left = [ZSET.length(value)]
    while left[-1]:
        left.append(ZSET.free(value, 1000))
    assert len(left) > 4
    assert left == sorted(left, reverse=True)
    assert DONE not in left
