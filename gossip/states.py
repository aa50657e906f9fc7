"""State machines as tables: which state may follow which. A change that the table does not have is an error of ours.

The idea is that of h11's ``_state.py``: the table is the documentation, and an assert at every change holds it.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeVar

S = TypeVar("S", bound=Enum)


class StateMachine(Generic[S]):
    """``state`` changes by ``enter`` alone."""

    def __init__(self, successors: Mapping[S, frozenset[S]], state: S) -> None:
        self.state: S = state
        self._successors = successors

    def enter(self, state: S) -> None:
        assert state in self._successors[self.state], f"{self.state.name} is not followed by {state.name}"
        self.state = state
