"""Steps through buckets: in C and in Python they do what a sorted list does, or nothing."""

from array import array
from bisect import insort
from random import Random
from types import ModuleType
from typing import Any, Final, TypeAlias

import pytest

from gossamer.node.store import plain_zorder

Means: TypeAlias = Any
"""Either module."""
Pairs: TypeAlias = list[tuple[float, bytes]]
SCORES: Final = (float("-inf"), -1.5, 0.0, 1.0, 3.0, float("inf"))
MOST: Final = 8
FEW: Final = 2


class Order:
    def __init__(self, means: Means, parts: list[Pairs]) -> None:
        self.means = means
        self.buckets = [means.Bucket([score for score, _ in part], [member for _, member in part]) for part in parts]
        self.own = [True] * len(parts)
        self.lows = array("d", [part[0][0] for part in parts])

    def words(self, *rest: object) -> tuple[object, ...]:
        return (self.buckets, self.own, self.lows, *rest)

    def pairs(self) -> Pairs:
        assert list(self.lows) == [bucket.low for bucket in self.buckets]
        scores = [score for bucket in self.buckets for score in bucket.scores(0, 1000)]
        return list(zip(scores, [m for bucket in self.buckets for m in bucket.members(0, 1000)], strict=True))


@pytest.fixture(params=["plain", "native"])
def means(request: pytest.FixtureRequest) -> Means:
    if request.param == "plain":
        return plain_zorder  # it has the twin's buckets, too
    return request.getfixturevalue("native")


def divided(rng: Random, pairs: Pairs) -> list[Pairs]:
    parts = []
    while pairs:
        size = rng.randint(1, MOST)
        parts.append(pairs[:size])
        pairs = pairs[size:]
    return parts


def some(rng: Random) -> Pairs:
    return sorted((rng.choice(SCORES), b"%d" % number) for number in range(rng.randrange(60)))


@pytest.mark.parametrize("seed", range(60))
def test_a_step_is_what_it_is_in_a_sorted_list_or_nothing(means: Means, seed: int) -> None:
    rng = Random(seed)
    pairs = some(rng)
    order = Order(means, divided(rng, pairs))
    for number in range(40):
        sizes = [len(bucket) for bucket in order.buckets]
        order.own = [rng.random() < 0.8 for _ in order.own]
        if pairs and rng.random() < 0.6:
            score, member = rng.choice(pairs)
            new = rng.choice(SCORES)
            index = means.order_index(*order.words(score, member))
            place = means.order_leave(*order.words(score, member, new, FEW))
            allowed = order.own[index] and sizes[index] > FEW
            assert place in ((index, plain_zorder.STAYS) if allowed else (plain_zorder.NOT_IN_ONE_STEP,))
            if allowed:
                pairs.remove((score, member))
            if place == plain_zorder.STAYS:
                insort(pairs, (new, member))
        else:
            score, member = rng.choice(SCORES), b"new%d" % number
            index = means.order_index(*order.words(score, member))
            place = means.order_add(*order.words(score, member, MOST))
            allowed = bool(order.buckets) and order.own[index] and sizes[index] < MOST
            assert place == (index if allowed else plain_zorder.NOT_IN_ONE_STEP)
            if allowed:
                insort(pairs, (score, member))
        assert order.pairs() == pairs


@pytest.mark.parametrize("highest", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_the_first_or_the_last_is_popped_while_its_bucket_has_some(means: Means, seed: int, highest: bool) -> None:
    rng = Random(seed)
    pairs = some(rng)
    order = Order(means, divided(rng, pairs))
    end = -1 if highest else 0
    for _ in range(20):
        order.own = [rng.random() < 0.8 for _ in order.own]
        allowed = bool(pairs) and order.own[end] and len(order.buckets[end]) > FEW
        found = means.order_pop(*order.words(highest, FEW))
        assert found == ((pairs[end][1], pairs[end][0]) if allowed else None)
        if allowed:
            del pairs[end]
        assert order.pairs() == pairs


def test_a_score_between_two_others_stays_where_it_is(means: Means) -> None:
    order = Order(means, [[(1.0, b"a"), (2.0, b"b"), (3.0, b"c")]])
    assert means.order_leave(*order.words(2.0, b"b", 2.5, 0)) == plain_zorder.STAYS
    assert order.pairs() == [(1.0, b"a"), (2.5, b"b"), (3.0, b"c")]
    assert means.order_leave(*order.words(1.0, b"a", 1.5, 0)) == 0
    assert order.pairs() == [(2.5, b"b"), (3.0, b"c")]


def test_who_is_not_there_cannot_leave(means: Means) -> None:
    order = Order(means, [[(1.0, b"a"), (2.0, b"b")]])
    with pytest.raises(KeyError):
        means.order_leave(*order.words(1.0, b"b", 2.0, 0))
    assert order.pairs() == [(1.0, b"a"), (2.0, b"b")]


def test_without_buckets_nothing_is_done(means: Means) -> None:
    order = Order(means, [])
    assert means.order_index(*order.words(1.0, b"a")) == 0
    assert means.order_add(*order.words(1.0, b"a", MOST)) == plain_zorder.NOT_IN_ONE_STEP
    assert means.order_leave(*order.words(1.0, b"a", 2.0, FEW)) == plain_zorder.NOT_IN_ONE_STEP
    assert means.order_pop(*order.words(False, FEW)) is None


def test_in_c_what_is_no_order_is_refused_and_can_still_grow(native: ModuleType) -> None:
    order = Order(native, [[(1.0, b"a")], [(1.0, b"b")]])
    buckets, own, lows = order.buckets, order.own, order.lows
    for wrong, error in (
        ((buckets, own, lows, 1, b"a", MOST), TypeError),
        ((buckets, own, lows, 1.0, "a", MOST), TypeError),
        ((buckets, own, lows, 1.0, b"a", "8"), TypeError),
        ((buckets, own, lows, 1.0, b"a"), TypeError),
        ((buckets, own, array("f", lows), 1.0, b"a", MOST), TypeError),
        ((buckets, own, lows[:1], 1.0, b"a", MOST), ValueError),
        ((buckets, own[:1], lows, 1.0, b"a", MOST), ValueError),
        (([b"no", b"bucket"], own, lows, 1.0, b"a", MOST), TypeError),
        ((buckets, own, memoryview(lows.tobytes()).cast("d"), 1.0, b"a", MOST), ValueError),
    ):
        with pytest.raises(error):
            native.order_add(*wrong)
    with pytest.raises(TypeError):
        native.order_leave(*order.words(1.0, b"a", 2, 0))
    with pytest.raises(TypeError):
        native.order_leave(*order.words(1.0, b"a", 2.0, "0"))
    for words in (order.words(False), order.words(1, 0), order.words(False, "0"), (buckets, own, None, False, 0)):
        with pytest.raises(TypeError):
            native.order_pop(*words)
    lows.append(2.0)
    assert [pairs for bucket in buckets for pairs in bucket.members(0, 9)] == [b"a", b"b"]


def test_in_c_without_memory_nothing_changes(own: ModuleType) -> None:
    pairs = [(float(number), b"%d" % number) for number in range(16)]
    order = Order(own, [pairs])
    own.fail_after(0)
    with pytest.raises(MemoryError):
        own.order_add(*order.words(0.5, b"new", 128))
    own.fail_after(-1)
    assert order.pairs() == pairs
    assert own.order_add(*order.words(0.5, b"new", 128)) == 0
