"""The checker of collections finds what was planted in their history, and lets pass what concurrency allows."""

import pytest

from tests.sim.checkers.elements import lost_elements, strange_elements
from tests.sim.operations import DONE, REFUSED, UNKNOWN, Operation


def put(value: str, began: int, ended: int, outcome: str = DONE) -> Operation:
    return Operation(1, "k", "RPUSH", value, began, ended, outcome)


def take(value: str | None, began: int, ended: int, outcome: str = DONE) -> Operation:
    return Operation(2, "k", "LPOP", value, began, ended, outcome)


def read(value: str, began: int, ended: int) -> Operation:
    return Operation(3, "k", "LRANGE", value, began, ended, DONE)


ALLOWED = {
    "nothing": ([take(None, 1, 2), read("", 3, 4)], ""),
    "what was put in is there": ([put("a", 1, 2), put("b", 3, 4), read("a b", 5, 6)], "a b"),
    "what was taken is gone": ([put("a", 1, 2), take("a", 3, 4), read("", 5, 6)], ""),
    "taken while it was put in": ([put("a", 1, 9), take("a", 2, 3)], ""),
    "a read meanwhile finds it or not": ([put("a", 1, 9), read("", 2, 3), read("a", 4, 5), take("a", 6, 9)], ""),
    "unknown, and not done": ([put("a", 1, 2, UNKNOWN), read("", 3, 4)], ""),
    "unknown, and done": ([put("a", 1, 2, UNKNOWN), read("a", 3, 4)], "a"),
    "somebody unknown took it": ([put("a", 1, 2), take(None, 3, 4, UNKNOWN), read("", 5, 6)], ""),
    "nobody unknown took it": ([put("a", 1, 2), take(None, 3, 4, UNKNOWN), read("a", 5, 6)], "a"),
}
STRANGE = {
    "there twice": ([put("a", 1, 2)], "a a"),
    "taken twice": ([put("a", 1, 2), take("a", 3, 4), take("a", 5, 6)], ""),
    "taken and there": ([put("a", 1, 2), take("a", 3, 4)], "a"),
    "refused and there": ([put("a", 1, 2, REFUSED)], "a"),
    "taken, and nobody put it in": ([take("a", 1, 2)], ""),
    "taken before it was put in": ([take("a", 1, 2), put("a", 3, 4)], ""),
    "found after it was taken": ([put("a", 1, 2), take("a", 3, 4), read("a", 5, 6)], ""),
    "not found after it was put in": ([put("a", 1, 2), read("", 3, 4)], "a"),
    "not found, and only one can have taken": (
        [put("a", 1, 2), put("b", 1, 2), take(None, 3, 4, UNKNOWN), read("", 5, 6)], "a",
    ),
    "found twice": ([put("a", 1, 2), read("a a", 3, 4)], "a"),
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_allowed_passes(name: str) -> None:
    operations, final = ALLOWED[name]
    assert not strange_elements(operations, final.split())
    assert not lost_elements(operations, final.split())


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_strange_is_found(name: str) -> None:
    operations, final = STRANGE[name]
    assert strange_elements(operations, final.split())


def test_a_lost_element_is_found() -> None:
    operations = [put("a", 1, 2), put("b", 3, 4), put("c", 5, 6)]
    assert [o.value for o in lost_elements(operations, ["a"])] == ["b", "c"]


def test_who_may_have_taken_excuses_one_element() -> None:
    operations = [put("a", 1, 2), put("b", 3, 4), take(None, 5, 6, UNKNOWN)]
    assert [o.value for o in lost_elements(operations, [])] == ["b"]
    assert not lost_elements(operations, ["a"])


def test_what_may_be_lost_was_not_taken_where_something_else_is_missing() -> None:
    """The older one went with the power; the other one was taken by who never heard of it."""
    operations = [put("a", 1, 2), put("b", 3, 4), take(None, 5, 6, UNKNOWN)]
    assert [o.value for o in lost_elements(operations, [], lambda o: o.value == "a")] == ["a"]
    assert [o.value for o in lost_elements([*operations, put("c", 7, 8)], [], lambda o: o.value == "a")] == ["c", "a"]
