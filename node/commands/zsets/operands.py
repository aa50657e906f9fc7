"""Operands of ZUNION and its like: a sorted set, a plain set whose members have score 1, or a key that is not there."""

from gossamer.node.engine.serving.call import Call
from gossamer.node.resp.errors import WRONGTYPE, Refusal
from gossamer.node.types.sets.set import Set
from gossamer.node.types.zsets.zset import ZSet


class Operand:
    """A key that is not there: an empty set. ``weight``: what its scores are multiplied by."""

    def __init__(self) -> None:
        self.weight: float = 1.0

    def length(self) -> int:
        return 0

    def score(self, member: bytes) -> float | None:
        """The score of ``member``, None if it is not there."""
        return None

    def items(self) -> list[tuple[bytes, float]]:
        """All members and their scores."""
        return []

    def members(self) -> list[bytes]:
        return []


class SortedOperand(Operand):
    def __init__(self, value: ZSet) -> None:
        super().__init__()
        self.value: ZSet = value

    def length(self) -> int:
        return self.value.length()

    def score(self, member: bytes) -> float | None:
        return self.value.score(member)

    def items(self) -> list[tuple[bytes, float]]:
        return self.value.items(0, self.value.length())

    def members(self) -> list[bytes]:
        return self.value.members(0, self.value.length())


class PlainOperand(Operand):
    def __init__(self, value: Set) -> None:
        super().__init__()
        self.value: Set = value

    def length(self) -> int:
        return self.value.length

    def score(self, member: bytes) -> float | None:
        return 1.0 if self.value.holds(member) else None

    def items(self) -> list[tuple[bytes, float]]:
        return [(member, 1.0) for member in self.value.members()]

    def members(self) -> list[bytes]:
        return self.value.members()


def operand(c: Call, key: bytes) -> Operand:
    """What ``key`` holds; Refusal if that is no set of either sort."""
    value = c.value(key)
    if value is None:
        return Operand()
    if isinstance(value, ZSet):
        return SortedOperand(value)
    if isinstance(value, Set):
        return PlainOperand(value)
    raise Refusal(WRONGTYPE)
