"""Pauses that overlap, and the timer that ends them."""

from typing import Final

from gossamer.node.engine.clients.pause import EVERYTHING, WRITES, Pause
from gossamer.node.engine.deadlines import NEVER, Deadlines
from gossamer.node.engine.state import PAUSED, NodeState

NOW: Final = 1_700_000_000_000


def paused(until: int, flags: int) -> tuple[NodeState, Deadlines, Pause]:
    node, deadlines = NodeState(), Deadlines()
    node.now = NOW
    pause = Pause(node, deadlines)
    pause.begin(until, flags)
    return node, deadlines, pause


def test_of_two_pauses_the_later_end_and_the_wider_kind_win() -> None:
    node, deadlines, pause = paused(NOW + 1000, WRITES)
    pause.begin(NOW + 500, EVERYTHING)
    assert (pause.until, pause.flags, deadlines.first) == (NOW + 1000, EVERYTHING, NOW + 1000)
    assert node.conditions == PAUSED


def test_a_pause_that_is_over_already_never_begins() -> None:
    node, deadlines, _ = paused(NOW, WRITES)
    assert (node.conditions, deadlines.first) == (0, NEVER)


def test_a_pause_that_is_ended_wakes_nobody() -> None:
    node, deadlines, pause = paused(NOW + 1000, WRITES)
    pause.end()
    assert (node.conditions, deadlines.first) == (0, NEVER)
