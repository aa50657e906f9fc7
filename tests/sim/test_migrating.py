"""Slots that move at one stroke, under faults; a third of ``GOSSAMER_SIM_SEEDS``, which is as in test_writes.py.

By hand: ``python -m tests.sim --moves --atomic --seeds 1..1000``.
"""

from collections.abc import Sequence

import pytest

from gossamer.node.migration.context import JobContext
from gossamer.node.migration.job import Job
from gossamer.node.migration.source import Export
from gossamer.node.migration.states import GRANTED
from tests.sim.migrating import MigrateRun, Moment, Move, slot_of
from tests.sim.planted import finds_fault
from tests.sim.serving import PORT
from tests.sim.test_writes import bundles, loses_nothing
from tests.sim.world import Host
from tests.sim.writes import tag_in


@pytest.mark.once
@pytest.mark.parametrize("seeds", bundles(share=3), ids=lambda seeds: f"{seeds.start}..{seeds.stop - 1}")
def test_every_job_ends_and_no_key_is_lost_or_doubled(seeds: range) -> None:
    for seed in seeds:
        loses_nothing(MigrateRun(seed), seed)


@pytest.mark.once
def test_without_the_promise_too_all_jobs_end_and_every_key_has_one_home() -> None:
    for seed in range(6):
        MigrateRun(seed, acks=0).go()


def test_one_seed_is_one_history() -> None:
    one, same, other = MigrateRun(1), MigrateRun(1), MigrateRun(2)
    for run in (one, same, other):
        run.go()
    assert one.world.history.digest() == same.world.history.digest() != other.world.history.digest()


# The target comes back at another address


class AloneRun(MigrateRun):
    """Nobody has replicas, so nobody takes the place of a node that is away. The target has no slots: it takes some as
    soon as it is back, while others wait until they know whether they still own theirs."""

    layouts = ((0, 0, 0),)

    def draw_tags(self) -> list[str]:
        return [tag_in(0), tag_in(1)]

    def form(self) -> None:
        super().form()
        new = self.world.add_host("new")
        self.world.tell(self.world.hosts["n1"], "CLUSTER", "MEET", new.ip, str(PORT))
        self.wait(self.disagreement, "agreement")


def begun(dead: bool) -> tuple[AloneRun, Move]:
    """A job on its way to a target that may be ``dead``: a dial that nobody answers takes half a minute."""
    run = AloneRun(1, acks=0)
    run.form()
    run.call()
    run.pace(10_000)
    run.world.advance(1000)
    source, target = run.world.hosts["n1"], run.world.hosts["new"]
    run.world.network.connect_timeout_us = 30_000_000
    if dead:
        run.world.kill(target, silently=True)
    move = Move(source, target, [(slot_of(tag_in(0)), slot_of(tag_in(0)))])
    run.order(move)
    return run, move


def end_of(run: AloneRun, move: Move) -> Job:
    run.wait(run.disagreement, "agreement", 5_000_000)
    run.wait(run.unfinished, "end of the job", 5_000_000)
    job = move.job_at(move.source)
    assert job is not None
    return job


def comes_back_elsewhere(run: AloneRun, target: Host) -> None:
    before = target.ip
    run.world.restart(target, ip=run.world.new_address())
    run.wait(lambda: "" if place_of(run, target) not in ("", before) else "the new address", "news", 5_000_000)


def place_of(run: AloneRun, target: Host) -> str:
    """As the source knows it."""
    return run.world.hosts["n1"].running.gossip.snapshot().nodes[target.id].ip


def test_a_target_that_moves_while_it_is_dialled_is_dialled_where_it_is() -> None:
    run, move = begun(dead=True)
    run.world.advance(100)
    job = move.job_at(move.source)
    assert job is not None
    assert job.state.value == "connecting"
    comes_back_elsewhere(run, move.target)
    job = end_of(run, move)
    assert job.state.value == "success", job.text
    run.finish()
    run.check_owners()
    assert run.values_at(move.target).keys() == {move.ranges[0][0]}
    assert not run.verdict.lost
    assert not run.verdict.odd


def test_a_target_that_moves_later_ends_the_job_and_the_next_one_finds_it() -> None:
    """What it had is gone with it; nothing has left the source."""
    run, move = begun(dead=False)
    run.when(Moment(0, True, "snapshotting", 0), [move])
    run.world.kill(move.target, silently=True)
    comes_back_elsewhere(run, move.target)
    assert end_of(run, move).state.value == "failed"
    again = Move(move.source, move.target, move.ranges)
    run.order(again)
    job = end_of(run, again)
    assert job.state.value == "success", job.text
    run.finish()
    run.check_owners()
    assert not run.verdict.lost
    assert not run.verdict.odd


# What was planted is found


def is_found(kinds: Sequence[str] = (), twice: float = 0) -> bool:
    def make(seed: int) -> MigrateRun:
        run = MigrateRun(seed, kinds=kinds)
        run.twice = twice
        return run

    return finds_fault(make, 30)


@pytest.mark.once
def test_a_source_that_grants_while_it_still_takes_writes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Export, "_hold", lambda self: None)
    assert is_found()


@pytest.mark.once
def test_a_source_that_grants_while_it_takes_an_epoch_itself_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobContext, "may_grant", lambda self, target: True)
    monkeypatch.setattr(JobContext, "may_take", lambda self: True)
    assert is_found(twice=1)


@pytest.mark.once
def test_a_source_that_opens_again_when_the_connection_breaks_after_the_grant_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faithful = Export.disconnected

    def faithless(self: Export, why: str) -> None:
        if self.state == GRANTED:
            self.fail("it will not have come to anything")
        faithful(self, why)

    monkeypatch.setattr(Export, "disconnected", faithless)
    assert is_found(["reset"])
