"""Values that are not in memory, as those see them who handle values of any type.

A stub (``node/store/spilled.py``) is a value of a kind of its own, which answers what a stub knows: the name of the
type, the encoding, what it takes in memory. Its copy is itself, for it never changes. Who needs the contents reads
them: ``Database.fetch`` brings the value back to where the stub stands, ``in_memory`` only looks at it.
"""

from typing import Final

from gossamer.node.store.spilled import Spilled
from gossamer.node.types.kind import Kind, Value

STUB: Final = 136
"""Bytes of a stub and the number of its place."""


class Unreadable(Exception):
    """A value cannot be read back; ``text`` says from where, and why."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text: str = text


class SpilledKind(Kind):
    """Stands for values of ``kind``."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind.name)
        self.kind: Kind = kind

    def encoding(self, value: Value) -> bytes:
        assert isinstance(value, Spilled)
        return value.encoding

    def size(self, value: Value) -> int:
        return STUB  # what is still to be written is counted by whoever writes it

    def length(self, value: Value) -> int:
        return 1

    def soonest(self, value: Value) -> int:
        assert isinstance(value, Spilled)
        return value.soonest

    def copy(self, value: Value) -> Value:
        return value

    def free(self, value: Value, most: int) -> int:
        return 0


def in_memory(value: Value) -> Value:
    """``value``, read if it is a stub, which stays one: for those who only look at it. Unreadable."""
    return value.vault.load(value) if isinstance(value, Spilled) else value
