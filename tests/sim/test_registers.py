"""The checker of client histories finds what was planted in them, and lets pass what concurrency allows."""

import pytest

from tests.sim.checkers.registers import judge, lost_writes, oddities
from tests.sim.operations import DONE, REFUSED, UNKNOWN, Operation

NEVER = -1


def w(value: str, began: int, ended: int, outcome: str = DONE) -> Operation:
    return Operation(1, "k", "SET", value, began, ended, outcome)


def r(value: str | None, began: int, ended: int) -> Operation:
    return Operation(2, "k", "GET", value, began, ended, DONE)


ALLOWED = {
    "nothing": [r(None, 1, 2)],
    "one after the other": [w("a", 1, 2), r("a", 3, 4), w("b", 5, 6), r("b", 7, 8)],
    "a read during a write finds the old or the new": [w("a", 1, 2), w("b", 3, 9), r("a", 4, 5), r("b", 6, 7)],
    "concurrent writes in either order": [w("a", 1, 9), w("b", 2, 8), r("a", 10, 11)],
    "a write of unknown outcome that happened late": [w("a", 1, 2, UNKNOWN), w("b", 3, 4), r("b", 5, 6), r("a", 7, 8)],
    "a write of unknown outcome that never happened": [w("a", 1, 2), w("b", 3, 4, UNKNOWN), r("a", 5, 6)],
    "a refused write": [w("a", 1, 2), w("b", 3, 4, REFUSED), r("a", 5, 6)],
    "two reads of one write": [w("a", 1, 9), r("a", 2, 3), r("a", 20, 21)],
}
WRONG = {
    "a stale read": [w("a", 1, 2), w("b", 3, 4), r("a", 5, 6)],
    "nothing is found after a write": [w("a", 1, 2), r(None, 3, 4)],
    "a value comes back": [w("a", 1, 2), w("b", 3, 9), r("b", 4, 5), r("a", 6, 7)],
    "a value goes when it was seen": [w("a", 1, 2), w("b", 3, 9, UNKNOWN), r("b", 4, 5), r("a", 6, 7)],
    "the future": [r("a", 1, 2), w("a", 3, 4)],
    "what nobody wrote": [w("a", 1, 2), r("x", 3, 4)],
    "what was refused": [w("a", 1, 2, REFUSED), r("a", 3, 4)],
    "a write vanishes while the old value is found": [w("a", 1, 2), r("a", 3, 4), w("b", 5, 6), r("a", 7, 8)],
    "two readers disagree on the order": [
        w("a", 1, 9), w("b", 2, 8), r("a", 10, 11), r("b", 12, 13), r("a", 14, 15),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_passes(name: str) -> None:
    assert not oddities(ALLOWED[name])


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found(name: str) -> None:
    assert oddities(WRONG[name])


@pytest.mark.parametrize(
    ("operations", "final", "lost"),
    [
        ([w("a", 1, 2)], "a", []),
        ([w("a", 1, 2)], None, ["a"]),
        ([w("a", 1, 2), w("b", 3, 4)], "a", ["b"]),
        ([w("a", 1, 2), w("b", 3, 4)], "b", []),
        ([w("a", 1, 9), w("b", 2, 8)], "a", []),
        ([w("a", 1, 2), w("b", 3, 4, UNKNOWN)], "a", []),
        ([w("a", 1, 2, UNKNOWN), w("b", 3, 4)], "a", []),
        ([w("a", 1, 2, REFUSED)], None, []),
        ([w("a", 1, 2), w("b", 3, 4), w("c", 5, 6)], None, ["a", "b", "c"]),
    ],
)
def test_lost_writes_are_those_that_nothing_has_overwritten(
    operations: list[Operation], final: str | None, lost: list[str]
) -> None:
    assert [o.value for o in lost_writes(operations, final)] == lost


def test_a_verdict_is_over_all_keys() -> None:
    verdict = judge({"k": WRONG["a stale read"], "l": [w("a", 1, 2)]}, {"k": "b", "l": None})
    assert [o.value for o in verdict.lost] == ["a"]
    assert len(verdict.odd) == 1
    assert verdict.odd[0].startswith("k: ")


def test_open_operations_are_no_evidence() -> None:
    assert not oddities([w("a", 1, NEVER, "open"), r(None, 2, 3)])
