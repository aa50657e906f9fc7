"""Searches among scores: in C they find what those in Python find, and take nothing else."""

from array import array
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.store import plain_search

SCORES = st.sampled_from([float("-inf"), -1.5, -0.0, 0.0, 1.0, 1.0000000000000002, 3.0, float("inf")])


@given(st.lists(SCORES, max_size=40), SCORES)
def test_both_find_the_same(native: ModuleType, held: list[float], score: float) -> None:
    scores = array("d", sorted(held))
    less, up_to = native.count_less(scores, score), native.count_up_to(scores, score)
    assert less == plain_search.count_less(scores, score) == sum(found < score for found in held)
    assert up_to == plain_search.count_up_to(scores, score) == sum(found <= score for found in held)


@pytest.mark.parametrize("arguments", [(array("d", [1.0]), 1), (array("f", [1.0]), 1.0), ([1.0], 1.0), ()])
def test_in_c_what_are_no_scores_is_refused(native: ModuleType, arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        native.count_less(*arguments)


def test_an_array_can_grow_after_a_search(native: ModuleType) -> None:
    scores = array("d", [1.0])
    with pytest.raises(TypeError):
        native.count_less(scores, "1")
    native.count_less(scores, 2.0)
    scores.append(2.0)
    assert native.count_up_to(scores, 2.0) == 2
