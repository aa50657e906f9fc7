"""Whether the checkers see a fault that a test has planted in the product."""

from collections.abc import Callable

from tests.sim.history import Violation
from tests.sim.writes import WriteRun


def finds_fault(make: Callable[[int], WriteRun], seeds: int) -> bool:
    """Does one of so many runs end with a Violation, or with writes that were lost or are odd?"""
    for seed in range(seeds):
        run = make(seed)
        try:
            run.go()
        except Violation:
            return True
        if run.verdict.lost or run.verdict.odd:
            return True
    return False
