"""What lists are to everybody who handles values of any type."""

from typing import TYPE_CHECKING, Final

from gossamer.node.types.kind import DONE, HEADER, STEP, Kind, Value
from gossamer.node.types.lists.list import List

if TYPE_CHECKING:
    from mypy_extensions import i64

REFERENCE: Final = 8
OBJECT: Final = 88 + HEADER + 8
"""Of a list and of its run, beside the items."""
SINGLE: Final = REFERENCE + HEADER
"""Bytes that an item at the end of a chain takes beside its own."""


class ListKind(Kind):
    def encoding(self, value: Value) -> bytes:
        assert isinstance(value, List)
        return b"quicklist" if value.quicklist else b"listpack"

    def size(self, value: Value) -> int:
        assert isinstance(value, List)
        chain = value.chain
        held: i64 = value.bytes
        if chain is None:
            return OBJECT + held
        front: i64 = len(chain.front)
        back: i64 = len(chain.back)
        runs: i64 = len(chain.runs)
        return OBJECT + held + SINGLE * (front + back) + (SINGLE + REFERENCE) * runs

    def length(self, value: Value) -> int:
        assert isinstance(value, List)
        return value.length

    def effort(self, value: Value) -> int:
        """One for each run, as Redis counts the nodes of its list."""
        assert isinstance(value, List)
        return 1 if value.chain is None else value.chain.parts()

    def copy(self, value: Value) -> Value:
        assert isinstance(value, List)
        return value.copy()

    def free(self, value: Value, most: int) -> int:
        """From the end: a list that is being freed is a chain, and its ends are short."""
        assert isinstance(value, List)
        chain = value.chain
        if chain is None or not chain.runs:
            value.chain, value.length = None, 0
            return 0
        left = most
        while chain.runs and left > 0:
            left -= chain.counts.pop()
            chain.runs.pop()
        value.length -= most - left
        return value.length


LIST: Final = ListKind(b"list")


def step(value: Value, at: int) -> tuple[list[bytes], int]:
    """The elements of the step at ``at``, and where the next one begins."""
    assert isinstance(value, List)
    stop = min(at + STEP, value.length)
    return value.elements(at, stop), stop if stop < value.length else DONE
