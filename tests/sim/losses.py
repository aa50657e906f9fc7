"""How much was lost, over many runs: how long before a fault the writes were acknowledged that did not survive it."""

from collections.abc import Sequence

from attrs import define, field

from tests.sim.timeline import Micros
from tests.sim.writes import Strike, WriteRun


@define
class Tally:
    """Over the strikes of one kind."""

    strikes: int = 0
    lossy: int = 0
    newest: list[Micros] = field(factory=list)
    """Of each strike that lost something: how long before it the newest lost write was acknowledged."""
    oldest: list[Micros] = field(factory=list)
    during: list[Micros] = field(factory=list)
    """Of each strike that lost writes which were acknowledged while it lasted: how long after it began the last was."""

    def __str__(self) -> str:
        return (
            f"{self.lossy} of {self.strikes} lost writes. Acknowledged before it: newest {spread(self.newest)}, oldest "
            f"{spread(self.oldest)}; during it, up to {spread(self.during)}"
        )


@define
class Losses:
    kinds: dict[str, Tally] = field(factory=dict)
    runs: int = 0
    written: int = 0
    lost: int = 0

    def add(self, run: WriteRun) -> None:
        self.runs += 1
        self.written += run.acknowledged
        self.lost += len(run.verdict.lost)
        for strike, ages in run.losses():
            tally = self.kinds.setdefault(named(strike), Tally())
            tally.strikes += 1
            before = [age for age in ages if age >= 0]
            tally.lossy += bool(ages)
            if len(before) < len(ages):
                tally.during.append(-min(ages))
            if before:
                tally.newest.append(min(before))
                tally.oldest.append(max(before))

    def report(self) -> list[str]:
        lines = [f"{self.runs} runs, {self.written} acknowledged writes, {self.lost} lost"]
        lines += [f"  {kind}: {tally}" for kind, tally in sorted(self.kinds.items())]
        return lines


def named(strike: Strike) -> str:
    whom = "of a primary" if strike.primary else "of a replica"
    return f"{strike.kind} {whom}, {'which was replaced' if strike.replaced else 'which stayed'}"


def spread(ages: Sequence[Micros]) -> str:
    """Median, 99th percentile and maximum, in milliseconds."""
    if not ages:
        return "none"
    ordered = sorted(ages)
    at = [ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100], ordered[-1]]
    return " / ".join(f"{age / 1000:.1f}" for age in at) + " ms"
