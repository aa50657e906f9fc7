"""Keys and slots under way to another node: which requests wait for them."""

from typing import Final

import pytest

from gossamer.cluster.slots import key_slot
from gossamer.node import commands as commands
from gossamer.node.engine.slots.leaving import Leaving
from gossamer.node.engine.state import LEAVING, NodeState
from gossamer.node.engine.table.command import DECLARED

SLOT: Final = key_slot(b"x")


def touched(leaving: Leaving, request: bytes) -> bool:
    argv = request.split()
    return leaving.touched_by(DECLARED[argv[0]], argv)


def test_requests_are_looked_at_until_the_last_key_and_the_last_slot_are_free() -> None:
    node = NodeState()
    leaving = Leaving(node)
    leaving.hold_keys([b"a"])
    leaving.hold_slots([SLOT])
    leaving.free_keys([b"a"])
    assert node.conditions == LEAVING
    assert not leaving.freed
    leaving.free_slots([SLOT])
    assert node.conditions == 0
    assert leaving.freed


@pytest.mark.parametrize(
    ("request_", "waits"),
    [
        (b"set a 1", True),
        (b"get a", False),
        (b"set {x}b 1", True),
        (b"get {x}b", False),
        (b"set other 1", False),
        (b"flushall", True),
    ],
)
def test_who_would_change_what_is_under_way_waits(request_: bytes, waits: bool) -> None:
    leaving = Leaving(NodeState())
    leaving.hold_keys([b"a"])
    leaving.hold_slots([SLOT])
    assert touched(leaving, request_) == waits


def test_readers_wait_for_slots_that_may_be_served_elsewhere() -> None:
    leaving = Leaving(NodeState())
    leaving.hold_slots([SLOT], readers=True)
    assert touched(leaving, b"get x")
    assert not touched(leaving, b"get other")
    leaving.free_slots([SLOT])
    assert not touched(leaving, b"get x")
