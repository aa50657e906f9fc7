"""Shards of sorted sets: those in C are those of the twin, and scores are given in both alike."""

import sys
from types import ModuleType
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.store import plain_shards


@pytest.fixture(params=["plain", "native"])
def shards(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "plain":
        return plain_shards
    module: ModuleType = request.getfixturevalue("native")
    return module


@given(st.binary(max_size=40), st.integers(1, 1 << 40))
def test_both_find_the_same_shard(native: ModuleType, member: bytes, count: int) -> None:
    assert native.shard_of(member, count) == plain_shards.shard_of(member, count)


@given(st.binary(max_size=40), st.integers(1, 70))
def test_a_shard_is_divided_into_itself_and_the_new_last_one(native: ModuleType, member: bytes, count: int) -> None:
    before, after = native.shard_of(member, count), native.shard_of(member, count + 1)
    assert 0 <= before < count
    assert after in (before, count)
    if count & (count - 1) == 0:
        assert before == crc32(member) % count


@pytest.mark.parametrize("wrong", [(b"m", 0), (b"m", -1), ("m", 1), (b"m", 1.0), (b"m",), (b"m", 1 << 64)])
def test_what_is_no_number_of_shards_is_refused(native: ModuleType, wrong: tuple[object, ...]) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        native.shard_of(*wrong)


def test_the_old_score_is_told_and_an_equal_one_stays(shards: ModuleType) -> None:
    held: dict[bytes, object] = {}
    one, again, two = float("1.5"), float("1.5"), float("-2")
    assert shards.give_score(held, b"m", one) is None
    assert shards.give_score(held, b"m", again) is one
    assert held[b"m"] is one
    assert shards.give_score(held, b"m", two) is one
    assert shards.give_score(held, b"n", 0.0) is None
    assert held == {b"m": -2.0, b"n": 0.0}


def test_in_c_what_is_no_score_is_refused_and_changes_nothing(native: ModuleType) -> None:
    held: dict[bytes, object] = {b"m": 1}
    refused: list[tuple[object, ...]] = [(held, b"m", 1), (held, "m", 1.0), ([], b"m", 1.0), (held, b"m")]
    for wrong in [*refused, (held, b"m", 1.0)]:
        with pytest.raises(TypeError):
            native.give_score(*wrong)
    assert held == {b"m": 1}


def test_in_c_references_are_neither_lost_nor_kept(native: ModuleType) -> None:
    held: dict[bytes, object] = {}
    one, two = float("7.25"), float("8.25")
    before = sys.getrefcount(one), sys.getrefcount(two)
    for _ in range(100):
        native.give_score(held, b"m", one)
        native.give_score(held, b"m", two)
    assert (sys.getrefcount(one), sys.getrefcount(two)) == (before[0], before[1] + 1)
