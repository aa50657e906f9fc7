"""Buckets of sorted sets: the one in C and its twin do what a sorted list does."""

import gc
import sys
from array import array
from bisect import insort
from random import Random
from types import ModuleType
from typing import Any, Final, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.store import plain_bucket

SCORES: Final = (float("-inf"), -1.5, -0.0, 0.0, 1.0, 1.0000000000000002, 3.0, float("inf"))
Pairs: TypeAlias = list[tuple[float, bytes]]
Bucket: TypeAlias = Any
"""Of either module."""


@pytest.fixture(params=["plain", "native"])
def made(request: pytest.FixtureRequest) -> type[Bucket]:
    if request.param == "plain":
        return plain_bucket.Bucket
    found: type[Bucket] = request.getfixturevalue("native").Bucket
    return found


def bucket_of(made: type[Bucket], pairs: Pairs) -> Bucket:
    return made([score for score, _ in pairs], [member for _, member in pairs])


def pairs_of(bucket: Bucket) -> Pairs:
    pairs = list(zip(bucket.scores(0, 1000), bucket.members(0, 1000), strict=True))
    assert len(bucket) == len(pairs)
    assert not pairs or (bucket.low, bucket.first) == pairs[0]
    return pairs


def unlike(rng: Random, pairs: Pairs) -> tuple[float, bytes]:
    """A pair whose member is not among ``pairs``."""
    taken = {member for _, member in pairs}
    while (member := bytes(rng.choices(b"ab\0", k=rng.randrange(6)))) in taken:
        continue
    return rng.choice(SCORES), member


@pytest.mark.parametrize("seed", range(30))
def test_any_changes_are_those_of_a_sorted_list(made: type[Bucket], seed: int) -> None:
    rng = Random(seed)
    pairs: Pairs = []
    bucket = made()
    for _ in range(400):
        change(rng, bucket, pairs)
        assert pairs_of(bucket) == pairs
        score, member = unlike(rng, pairs)
        assert bucket.find(score, member) == sum(pair < (score, member) for pair in pairs)
        assert bucket.below(score, False) == sum(found < score for found, _ in pairs)
        assert bucket.below(score, True) == sum(found <= score for found, _ in pairs)
        if rng.random() < 0.02:
            bucket = divided(rng, bucket, pairs)


def change(rng: Random, bucket: Bucket, pairs: Pairs) -> None:
    chance = rng.random()
    if (chance < 0.6 and len(pairs) < 130) or not pairs:
        pair = unlike(rng, pairs)
        insort(pairs, pair)
        assert bucket.add(*pair) == pairs.index(pair)
    elif chance < 0.7:
        score, member = pairs.pop(rng.randrange(len(pairs)))
        bucket.remove(score, member)
    elif chance < 0.9:
        place = rng.randrange(len(pairs))
        score, member = pairs.pop(place)
        new = rng.choice(SCORES)
        inner = 0 < place < len(pairs)
        stays = inner and pairs[place - 1][0] < new < pairs[place][0]
        assert bucket.move(score, member, new) is stays
        if stays:
            pairs.insert(place, (new, member))
    elif chance < 0.95:
        place = rng.randrange(len(pairs))
        assert bucket.pop(place) == pairs.pop(place)[::-1]
    else:
        start = rng.randrange(len(pairs))
        stop = start + rng.randrange(40)
        assert bucket.cut(start, stop) == [member for _, member in pairs[start:stop]]
        del pairs[start:stop]


def divided(rng: Random, bucket: Bucket, pairs: Pairs) -> Bucket:
    """The same in another bucket: a copy, or both parts of it joined."""
    copy = bucket.copy()
    place = rng.randrange(len(pairs) + 1)
    other = copy.split(place)
    assert pairs_of(copy) == pairs[:place]
    assert pairs_of(other) == pairs[place:]
    assert pairs_of(bucket) == pairs, "a copy has its own members"
    copy.join(other)
    assert pairs_of(other) == pairs[place:]
    return copy


@given(st.data())
def test_a_member_is_found_by_score_and_bytes(native: ModuleType, data: st.DataObject) -> None:
    pair = st.tuples(st.sampled_from(SCORES), st.binary(max_size=3))
    pairs = sorted(data.draw(st.lists(pair, max_size=40, unique_by=lambda found: found[1])))
    score, member = data.draw(pair)
    places = {bucket_of(made, pairs).find(score, member) for made in (native.Bucket, plain_bucket.Bucket)}
    assert places == {sum(found < (score, member) for found in pairs)}


def test_what_is_not_there_is_told_and_nothing_changes(made: type[Bucket]) -> None:
    pairs = [(1.0, b"a"), (1.0, b"c"), (2.0, b"b")]
    bucket = bucket_of(made, pairs)
    for score, member in ((1.0, b"b"), (2.0, b"a"), (3.0, b"d"), (0.0, b"a"), (1.0, b"ab")):
        with pytest.raises(KeyError):
            bucket.remove(score, member)
        with pytest.raises(KeyError):
            bucket.move(score, member, 9.0)
    for call in (bucket.pop, bucket.split):
        with pytest.raises(IndexError):
            call(4)
        with pytest.raises(IndexError):
            call(-1)
    with pytest.raises(IndexError):
        bucket.cut(4, 5)
    assert pairs_of(bucket) == pairs
    with pytest.raises(IndexError):
        _ = made().low
    with pytest.raises(IndexError):
        _ = made().first
    with pytest.raises(TypeError):
        made([1.0], [])


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("add", (1, b"m")), ("add", (1.0, "m")), ("add", (1.0,)), ("remove", (1.0, 1)), ("move", (1.0, b"m")),
        ("move", (1.0, b"m", 2)), ("find", ()), ("below", (1, True)), ("pop", ("0",)), ("split", (0.5,)),
        ("join", ([],)), ("members", (0,)), ("scores", (0, "1")), ("cut", (None, None)),
    ],
)  # fmt: skip
def test_in_c_other_arguments_are_refused(native: ModuleType, method: str, arguments: tuple[object, ...]) -> None:
    bucket = native.Bucket([1.0], [b"m"])
    with pytest.raises(TypeError):
        getattr(bucket, method)(*arguments)
    with pytest.raises(TypeError):
        bucket.join(bucket)
    with pytest.raises(TypeError):
        native.Bucket([1.0, 2.0], [b"m", "n"])
    with pytest.raises(TypeError):
        native.Bucket(array("d", [1.0]), [b"m"])
    assert pairs_of(bucket) == [(1.0, b"m")]


def test_in_c_members_are_let_go_of(native: ModuleType) -> None:
    """Each way out of a bucket gives its reference back."""
    members = [b"member %d" % number for number in range(64)]
    before = [sys.getrefcount(member) for member in members]
    bucket = native.Bucket([float(number) for number in range(64)], list(members))
    other = bucket.split(32)
    copy = other.copy()
    bucket.join(copy)
    bucket.remove(0.0, members[0])
    bucket.move(1.0, members[1], 99.0)
    bucket.pop(0)
    bucket.cut(0, 5)
    with pytest.raises(KeyError):
        bucket.remove(0.0, members[0])
    del bucket, other, copy
    gc.collect()
    assert [sys.getrefcount(member) for member in members] == before


def test_in_c_without_memory_nothing_has_changed(native: ModuleType) -> None:
    pairs = [(float(number), b"%03d" % number) for number in range(16)]
    bucket = bucket_of(native.Bucket, pairs)
    full = bucket.copy()
    native.fail_after(0)
    try:
        for call in (lambda: bucket.add(99.0, b"x"), bucket.copy, lambda: bucket.split(3), lambda: bucket.join(full)):
            with pytest.raises(MemoryError):
                call()
        bucket.cut(1, 15)
    finally:
        native.fail_after(-1)
    assert pairs_of(bucket) == [pairs[0], pairs[15]]
    assert pairs_of(full) == pairs


def test_in_c_memory_follows_the_members(native: ModuleType) -> None:
    bucket = native.Bucket()
    empty = sys.getsizeof(bucket)
    for number in range(128):
        bucket.add(float(number), b"%d" % number)
    assert 128 * 16 <= sys.getsizeof(bucket) - empty <= 144 * 16
    bucket.split(10)
    assert sys.getsizeof(bucket) - empty <= (10 + 48) * 16
    bucket.cut(0, 10)
    assert sys.getsizeof(bucket) - empty <= 48 * 16
