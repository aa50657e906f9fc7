"""The inner clock: it goes on with the wall clock, and neither steps nor stops of that one show in it."""

import pytest

from gossamer.gossip.clock import JUMP_MS, Clock
from tests.unit.gossip.mesh import START

HOUR_MS = 3_600_000


def test_it_advances_with_the_wall_clock() -> None:
    clock = Clock(START)
    assert not clock.advance(START + JUMP_MS)
    assert not clock.advance(START + JUMP_MS)
    assert (clock.now, clock.gaps_ms) == (START + JUMP_MS, 0)


@pytest.mark.parametrize("step_ms", [-HOUR_MS, -1, JUMP_MS + 1, HOUR_MS])
def test_a_jump_of_the_wall_clock_takes_no_inner_time(step_ms: int) -> None:
    clock = Clock(START)
    clock.advance(START + 100)
    assert clock.advance(START + 100 + step_ms)
    assert clock.now == START + 100
    assert not clock.advance(START + 150 + step_ms)
    assert clock.now == START + 150


def test_only_missing_time_is_a_gap() -> None:
    clock = Clock(START)
    clock.advance(START + HOUR_MS)
    clock.advance(START)
    assert clock.gaps_ms == HOUR_MS
    assert clock.now_with_gaps == START + HOUR_MS


@pytest.mark.parametrize("step_ms", [-HOUR_MS, 0, HOUR_MS])
def test_times_are_shown_as_the_wall_clock_is_set_now(step_ms: int) -> None:
    clock = Clock(START)
    clock.advance(START + step_ms)
    assert clock.to_wall(START - 5) == START - 5 + step_ms
    assert clock.from_wall(clock.to_wall(START - 5)) == START - 5


def test_never_stays_never() -> None:
    clock = Clock(START)
    clock.advance(START - HOUR_MS)
    assert clock.to_wall(0) == 0
    assert clock.from_wall(0) == 0
    assert clock.to_wall(1) == 1, "before the beginning of all time is still not never"


def test_a_planned_rest_is_no_gap() -> None:
    clock = Clock(START)
    clock.due = START + 1000
    assert not clock.advance(START + 1000 + JUMP_MS)
    assert (clock.now, clock.gaps_ms) == (START + 1000 + JUMP_MS, 0)


def test_a_reading_long_after_a_planned_rest_is_a_gap() -> None:
    clock = Clock(START)
    clock.due = START + 1000
    assert clock.advance(START + 1001 + JUMP_MS)
    assert clock.now == START
