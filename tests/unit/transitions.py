"""What the tests of tables of allowed transitions share."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

S = TypeVar("S")


def reached(successors: Mapping[S, Iterable[S]], start: S) -> set[S]:
    """``start`` and all that can come of it. KeyError if a state has no row."""
    found, waiting = {start}, [start]
    while waiting:
        new = set(successors[waiting.pop()]) - found
        found |= new
        waiting += new
    return found
