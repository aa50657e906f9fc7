"""Slots that move at one stroke, under faults; a third of ``GOSSAMER_SIM_SEEDS``, which is as in test_writes.py.

By hand: ``python -m tests.sim --moves --atomic --seeds 1..1000``.
"""

from collections.abc import Sequence

import pytest

from gossamer.node.migration.context import JobContext
from gossamer.node.migration.source import Export
from gossamer.node.migration.states import GRANTED
from tests.sim.history import Violation
from tests.sim.migrating import MigrateRun
from tests.sim.test_writes import bundles, loses_nothing


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


# What was planted is found


def is_found(kinds: Sequence[str] = (), twice: float = 0) -> bool:
    for seed in range(30):
        run = MigrateRun(seed, kinds=kinds)
        run.twice = twice
        try:
            run.go()
        except Violation:
            return True
        if run.verdict.lost or run.verdict.odd:
            return True
    return False


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
