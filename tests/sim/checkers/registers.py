"""Each key is a register: once a write is acknowledged, nobody finds what was there before it.

Every value is written once, so what must hold can be told without a search (Gibbons and Korach, "Testing Shared
Memories", 1997). The operations with one value are its write and the reads that found it. The register surely holds the
value from the first end among them to the last beginning, if that is later: no other value may hold then as well, and
none may have its whole life within. A write whose outcome is unknown may happen at any time from its beginning on, or
never.
"""

from collections.abc import Callable, Iterable, Mapping
from math import inf

from attrs import define, field, frozen

from tests.sim.checkers.elements import lost_elements, never, strange_elements
from tests.sim.operations import DONE, OF_COLLECTIONS, REFUSED, UNKNOWN, Operation

START: float = -1
"""When nothing was written yet."""


@define
class Life:
    """One value of a key: ``first_end`` and ``last_begin`` of the operations that have it."""

    value: str | None
    written: float
    first_end: float
    last_begin: float
    reads: list[Operation] = field(factory=list)

    def read(self, operation: Operation) -> None:
        self.reads.append(operation)
        self.first_end = min(self.first_end, operation.ended_us)
        self.last_begin = max(self.last_begin, operation.began_us)

    @property
    def sure(self) -> bool:
        return self.first_end < self.last_begin


@frozen
class Verdict:
    """``lost``: acknowledged writes that are gone though nothing has overwritten them; ``odd``: all other mistakes."""

    lost: list[Operation]
    odd: list[str]


def judge(
    by_key: Mapping[str, list[Operation]],
    final: Mapping[str, str | None],
    may_be_lost: Callable[[Operation], bool] = never,
) -> Verdict:
    """``final`` is what the keys hold when all has ended. ``may_be_lost``: nobody has promised to keep it."""
    lost: list[Operation] = []
    odd: list[str] = []
    for key, operations in by_key.items():
        if operations[0].verb in OF_COLLECTIONS:
            elements = (final[key] or "").split()
            lost += lost_elements(operations, elements, may_be_lost)
            odd += [f"{key}: {text}" for text in strange_elements(operations, elements)]
        else:
            lost += lost_writes(operations, final[key])
            odd += [f"{key}: {text}" for text in oddities(operations)]
    return Verdict(lost, odd)


def lost_writes(operations: Iterable[Operation], final: str | None) -> list[Operation]:
    """Acknowledged writes that began when the write of the ``final`` value had been acknowledged already."""
    writes = [o for o in operations if o.writes]
    ends = {o.value: o.ended_us for o in writes if o.outcome == DONE}
    if final is not None and final not in ends:
        return []  # an unknown outcome: it may have come last
    settled = START if final is None else ends[final]
    return [o for o in writes if o.outcome == DONE and o.began_us > settled]


def oddities(operations: list[Operation]) -> list[str]:
    """Why these operations on one key, which have ended, cannot have happened in any order; empty if they can."""
    lives: dict[str | None, Life] = {None: Life(None, START, START, START)}
    refused: set[str | None] = set()
    for o in operations:
        if o.writes and o.outcome in (DONE, UNKNOWN):
            end = o.ended_us if o.outcome == DONE else inf
            lives[o.value] = Life(o.value, o.began_us, end, o.began_us)
        elif o.writes and o.outcome == REFUSED:
            refused.add(o.value)
    found: list[str] = []
    for o in operations:
        if o.writes or o.outcome != DONE:
            continue
        life = lives.get(o.value)
        if life is None:
            why = "whose write was refused" if o.value in refused else "that nobody wrote"
            found.append(f"{o} found a value {why}")
        elif o.ended_us < life.written:
            found.append(f"{o} found a value that was written later")
        else:
            life.read(o)
    return found + clashes([life for life in lives.values() if life.first_end < inf])


def clashes(lives: list[Life]) -> list[str]:
    sure = [life for life in lives if life.sure]
    both = [
        f"{one.value} was surely there in {span(one)}, and {other.value} in {span(other)}"
        for at, one in enumerate(sure)
        for other in sure[at + 1 :]
        if one.first_end < other.last_begin and other.first_end < one.last_begin
    ]
    within = [
        f"{one.value} was there within {span(one)}, when {other.value} surely was: {span(other)}"
        for one in lives
        for other in sure
        if not one.sure and other.first_end < one.last_begin and one.first_end < other.last_begin
    ]
    return both + within


def span(life: Life) -> str:
    low, high = sorted((life.first_end, life.last_begin))
    return f"{low / 1e6:.6f}..{high / 1e6:.6f}"
