"""Searches among ``scores`` that ascend, in Python: what ``search.h`` does in C, and what both promise."""

from array import array
from bisect import bisect_left, bisect_right


def count_less(scores: "array[float]", score: float) -> int:
    """How many of ``scores`` are less than ``score``."""
    return bisect_left(scores, score)


def count_up_to(scores: "array[float]", score: float) -> int:
    """How many of ``scores`` are not greater than ``score``."""
    return bisect_right(scores, score)
