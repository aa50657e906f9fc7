"""What was measured, before anybody prints it: figures by case and contender, their medians, ratios and goals. Pure."""

from collections.abc import Iterable
from statistics import median
from typing import Final

from attrs import Factory, define, frozen

BAR: Final = "▏▎▍▌▋▊▉█"
"""A block in eighths."""


@frozen
class Goal:
    """``contender`` is to reach ``factor`` times each peer's figure, or times that of ``beside`` alone, or ``factor``
    itself if ``absolute``.
    """

    contender: str
    factor: float
    at_least: bool
    cases: tuple[str, ...] = ()
    """Which rows; empty for all."""
    absolute: bool = False
    beside: str = ""

    def applies(self, contender: str, case: str) -> bool:
        return contender == self.contender and (not self.cases or case in self.cases)

    def met(self, value: float) -> bool:
        return value >= self.factor if self.at_least else value <= self.factor

    def __str__(self) -> str:
        times = "" if self.absolute else " ×"
        return f"{'≥' if self.at_least else '≤'} {self.factor:g}{times}{' ' + self.beside if self.beside else ''}"


@define
class Figures:
    """One table: ``values[case][contender]`` holds a figure a round, in ``unit``."""

    title: str
    unit: str
    goals: tuple[Goal, ...] = ()
    digits: int = 2
    values: dict[str, dict[str, list[float]]] = Factory(dict)

    def add(self, case: str, contender: str, value: float) -> None:
        self.values.setdefault(case, {}).setdefault(contender, []).append(value)

    def median(self, case: str, contender: str) -> float:
        return median(self.values[case][contender])

    def ratio(self, case: str, contender: str, peer: str) -> float | None:
        """Ours over theirs, of the medians; None where one of them was not measured or theirs is nothing."""
        row = self.values[case]
        if contender not in row or peer not in row:
            return None
        theirs = median(row[peer])
        return median(row[contender]) / theirs if theirs else None

    def verdict(self, case: str, contender: str, peers: Iterable[str]) -> str:
        """The goals and whether they are met, beside every peer measured; empty without a goal."""
        goals = [goal for goal in self.goals if goal.applies(contender, case)]
        return "; ".join(self._judge(goal, case, [goal.beside] if goal.beside else peers) for goal in goals)

    def _judge(self, goal: Goal, case: str, peers: Iterable[str]) -> str:
        if goal.absolute:
            return f"{goal} {'met' if goal.met(self.median(case, goal.contender)) else 'missed'}"
        found = {peer: ratio for peer in peers if (ratio := self.ratio(case, goal.contender, peer)) is not None}
        missed = [peer for peer, ratio in found.items() if not goal.met(ratio)]
        if not found:
            return str(goal)
        if not missed:
            return f"{goal} met"
        return f"{goal} missed" + (f" beside {', '.join(missed)}" if len(missed) < len(found) else "")


def bar(value: float, most: float, width: int = 16) -> str:
    """``value`` as a bar, ``width`` characters for ``most``."""
    eighths = round(value / most * width * 8) if most > 0 else 0
    whole, part = divmod(min(eighths, width * 8), 8)
    return BAR[-1] * whole + (BAR[part - 1] if part else "")


def number(value: float, digits: int) -> str:
    """With ``digits`` decimals, but none for large numbers, which get separators."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.{digits}f}"
