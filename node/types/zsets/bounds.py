"""Ranges of a sorted set: by score, or by the bytes of the members where all scores are the same."""

from typing import Final


class ScoreRange:
    """From ``low`` to ``high``; each is part of it unless it is said to be excluded. Neither is NaN."""

    def __init__(self, low: float, high: float, low_excluded: bool = False, high_excluded: bool = False) -> None:
        self.low: float = low
        self.high: float = high
        self.low_excluded: bool = low_excluded
        self.high_excluded: bool = high_excluded

    def is_empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.low_excluded or self.high_excluded))


LEAST: Final = -1
MEMBER: Final = 0
GREATEST: Final = 1


class LexBound:
    """A ``member``, or, by its ``place``, what is less than every member (LEAST) or greater (GREATEST)."""

    def __init__(self, place: int, member: bytes = b"", excluded: bool = False) -> None:
        self.place: int = place
        self.member: bytes = member
        self.excluded: bool = excluded

    def above(self, member: bytes) -> bool:
        """As the lower bound: does ``member`` stand before the range?"""
        if self.place != MEMBER:
            return self.place == GREATEST
        return member <= self.member if self.excluded else member < self.member

    def below(self, member: bytes) -> bool:
        """As the upper bound: does ``member`` stand behind the range?"""
        if self.place != MEMBER:
            return self.place == LEAST
        return member >= self.member if self.excluded else member > self.member


class LexRange:
    def __init__(self, low: LexBound, high: LexBound) -> None:
        self.low: LexBound = low
        self.high: LexBound = high

    def is_empty(self) -> bool:
        low, high = self.low, self.high
        if low.place == MEMBER == high.place:
            return low.member > high.member or (low.member == high.member and (low.excluded or high.excluded))
        return low.place == GREATEST or high.place == LEAST
