"""The tables of allowed transitions of a node: no state is cut off, and what they do not allow is an error.

Those of the gossip are in ``tests/unit/gossip/test_states.py``.
"""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Final

import pytest

from gossamer.node.engine.server import Server
from gossamer.node.machine import Machine
from gossamer.node.migration.job import Job
from gossamer.node.migration.states import (
    CONNECTING,
    ENDS,
    EXPORT_SUCCESSORS,
    FAILED,
    IMPORT_SUCCESSORS,
    ON_PRIMARY,
    REPLICA_SUCCESSORS,
    WAITING_FOR_ACK,
    JobState,
    Successors,
)
from gossamer.node.replication import failover, shutdown
from gossamer.node.replication.failover import Failover
from gossamer.node.replication.link_state import (
    ABANDONED,
    CONNECT,
    SUCCESSORS,
    TALKING,
    TIMEOUTS,
    LinkState,
)
from gossamer.node.replication.link_status import LinkStatus
from gossamer.node.replication.shutdown import Shutdown
from gossamer.node.saving import aof
from gossamer.node.saving.aof import Aof
from tests.unit.transitions import reached

JOBS: Final[dict[JobState, Successors]] = {
    CONNECTING: EXPORT_SUCCESSORS,
    WAITING_FOR_ACK: IMPORT_SUCCESSORS,
    ON_PRIMARY: REPLICA_SUCCESSORS,
}
"""Each table by the state in which such a job begins."""

Part = Aof | Failover | Shutdown

PARTS: Final[dict[str, tuple[Callable[[Machine], Part], str, Mapping[str, tuple[str, ...]], str]]] = {
    "Aof": (lambda machine: machine.saves.aof, "state", aof.NEXT, aof.OFF),
    "Failover": (lambda machine: machine.replication.failover, "state", failover.NEXT, failover.NONE),
    "Shutdown": (lambda machine: machine.replication.shutdown, "stage", shutdown.NEXT, shutdown.STAYING),
}
"""What keeps its state by itself: where it is, the attribute, its table and the state in which it begins."""


def test_every_state_is_reached_and_has_a_row() -> None:
    assert reached(SUCCESSORS, CONNECT) == set(LinkState) == set(SUCCESSORS)
    for begin, successors in JOBS.items():
        assert reached(successors, begin) == set(successors)
    assert set().union(*JOBS.values()) == set(JobState)
    for _, _, following, first in PARTS.values():
        assert reached(following, first) == set(following)


def test_a_link_can_be_abandoned_and_a_job_can_fail_at_every_stage() -> None:
    for state, following in SUCCESSORS.items():
        assert state is ABANDONED or ABANDONED in following
    for successors in JOBS.values():
        for stage, next_stages in successors.items():
            assert not next_stages if stage in ENDS else FAILED in next_stages


def test_every_state_of_a_connection_has_a_word_for_silence() -> None:
    assert TIMEOUTS.keys() == TALKING


def test_what_the_table_of_a_link_or_a_job_does_not_allow_is_an_error_and_changes_nothing() -> None:
    server = Server()
    for after in set(LinkState) - SUCCESSORS[CONNECT]:
        status = LinkStatus(server)
        with pytest.raises(AssertionError, match=f"CONNECT is not followed by {after.name}"):
            status.enter(after)
        assert status.state is CONNECT
    for begin, successors in JOBS.items():
        for state in set(JobState) - successors[begin]:
            job = Job(server, "j", [(0, 1)], "a" * 40, "b" * 40, successors)
            with pytest.raises(AssertionError, match=f"{begin.name} is not followed by {state.name}"):
                job.enter(state)
            assert job.state is begin


@pytest.mark.parametrize("name", PARTS)
def test_what_the_table_of_a_part_does_not_allow_is_an_error_and_changes_nothing(name: str) -> None:
    part_of, attribute, successors, first = PARTS[name]
    part = part_of(Machine(Server()))
    assert getattr(part, attribute) == first
    for before, after in product(successors, repeat=2):
        if after not in successors[before]:
            setattr(part, attribute, before)
            with pytest.raises(AssertionError, match=f" does not go from '?{before}'? to '?{after}'?$"):
                part._enter(after)
            assert getattr(part, attribute) == before
