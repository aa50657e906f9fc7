"""The tables of allowed transitions: no state is cut off, and what they do not allow is an error."""

import pytest

from gossamer.gossip import detector, election, manual_failover, peers
from gossamer.gossip.states import StateMachine
from tests.unit.transitions import reached


def test_every_state_is_reached_and_has_a_row() -> None:
    elections = reached(election.SUCCESSORS, election.Stage.NOT_STANDING)
    assert elections == set(election.Stage) == set(election.SUCCESSORS)
    failovers = reached(manual_failover.SUCCESSORS, manual_failover.Stage.IDLE)
    assert failovers == set(manual_failover.Stage) == set(manual_failover.SUCCESSORS)
    assert reached(peers.SUCCESSORS, peers.Acquaintance.STRANGER) == set(peers.Acquaintance) == set(peers.SUCCESSORS)
    assert reached(detector.SUCCESSORS, detector.WELL) == set(detector.SUCCESSORS)


def test_an_election_and_a_manual_failover_can_be_given_up_at_every_stage() -> None:
    for stage, following in election.SUCCESSORS.items():
        assert stage is election.Stage.NOT_STANDING or election.Stage.NOT_STANDING in following
    for step, next_steps in manual_failover.SUCCESSORS.items():
        assert step is manual_failover.Stage.IDLE or manual_failover.Stage.IDLE in next_steps


def test_what_the_table_does_not_allow_is_an_error_and_changes_nothing() -> None:
    machine = StateMachine(election.SUCCESSORS, election.Stage.NOT_STANDING)
    with pytest.raises(AssertionError, match="NOT_STANDING is not followed by ASKED"):
        machine.enter(election.Stage.ASKED)
    assert machine.state.name == "NOT_STANDING"
    machine.enter(election.Stage.DELAYED)
    machine.enter(election.Stage.ASKED)
    assert machine.state.name == "ASKED"
