"""Searches in a bucket of a sorted set: in C they find what those in Python find, and take nothing else."""

from array import array
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.store import plain_search

SCORES = st.sampled_from([float("-inf"), -1.5, -0.0, 0.0, 1.0, 1.0000000000000002, 3.0, float("inf")])
MEMBERS = st.binary(max_size=3)


@given(st.sets(st.tuples(SCORES, MEMBERS), max_size=40), SCORES, MEMBERS)
def test_both_find_the_same(native: ModuleType, held: set[tuple[float, bytes]], score: float, member: bytes) -> None:
    ordered = sorted(held)
    scores, members = array("d", [found for found, _ in ordered]), [found for _, found in ordered]
    for name in ("count_less", "count_up_to"):
        assert getattr(native, name)(scores, score) == getattr(plain_search, name)(scores, score)
    place = native.place_of(scores, members, score, member)
    assert place == plain_search.place_of(scores, members, score, member)
    assert place == sum(pair < (score, member) for pair in ordered)


@pytest.mark.parametrize(
    "arguments",
    [
        (array("d", [1.0]), [b"m"], 1.0),
        (array("d", [1.0]), [b"m"], 1, b"m"),
        (array("d", [1.0]), (b"m",), 1.0, b"m"),
        (array("d", [1.0]), [b"m"], 1.0, "m"),
        (array("d", [1.0]), ["m"], 1.0, b"m"),
        (array("f", [1.0]), [b"m"], 1.0, b"m"),
        ([1.0], [b"m"], 1.0, b"m"),
    ],
)
def test_in_c_what_is_no_bucket_is_refused(native: ModuleType, arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        native.place_of(*arguments)


def test_an_array_can_grow_after_a_search(native: ModuleType) -> None:
    scores = array("d", [1.0])
    with pytest.raises(TypeError):
        native.place_of(scores, ["m"], 1.0, b"m")
    native.count_less(scores, 2.0)
    scores.append(2.0)
    assert native.count_up_to(scores, 2.0) == 2
