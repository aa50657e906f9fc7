"""Searches in a bucket of a sorted set, in Python: what ``search.h`` does in C, and what both promise.

``scores`` ascend, ``members`` of the same score ascend by their bytes, and each has the score at its own index.
"""

from array import array
from bisect import bisect_left, bisect_right


def count_less(scores: "array[float]", score: float) -> int:
    """How many of ``scores`` are less than ``score``."""
    return bisect_left(scores, score)


def count_up_to(scores: "array[float]", score: float) -> int:
    """How many of ``scores`` are not greater than ``score``."""
    return bisect_right(scores, score)


def place_of(scores: "array[float]", members: list[bytes], score: float, member: bytes) -> int:
    """How many members stand before ``member`` with ``score``, which may be there or not."""
    place = bisect_left(scores, score)
    if place == len(scores) or scores[place] != score:
        return place
    return bisect_left(members, member, place, bisect_right(scores, score, place))
