"""Shards that are written to, under single faults; ``GOSSAMER_SIM_SEEDS=10000`` for many seeds, as in test_seeds.py.

By hand: ``python -m tests.sim --shards --seeds 1..10000``.
"""

import os

import pytest

from tests.sim.writes import WriteRun

FEW = 60
BUNDLE = 20


def bundles(share: int = 1) -> list[range]:
    """The seeds to be run; only the first of them where ``share`` says that they are costly: so many times fewer."""
    first, _, last = os.environ.get("GOSSAMER_SIM_SEEDS", str(FEW)).rpartition("..")
    start = int(first or 1)
    end = start + max(1, (int(last) + 1 - start) // share)
    return [range(at, min(at + BUNDLE, end)) for at in range(start, end, BUNDLE)]


def loses_nothing(run: WriteRun, seed: int) -> None:
    run.go()
    assert not run.verdict.lost, f"seed {seed}: {run}: {[str(lost) for lost in run.verdict.lost[:3]]}"
    assert not run.verdict.odd, f"seed {seed}: {run}: {run.verdict.odd[:3]}"


@pytest.mark.once
@pytest.mark.parametrize("seeds", bundles(), ids=lambda seeds: f"{seeds.start}..{seeds.stop - 1}")
def test_no_acknowledged_write_is_lost_to_a_single_fault(seeds: range) -> None:
    for seed in seeds:
        loses_nothing(WriteRun(seed, acks=1), seed)


@pytest.mark.once
def test_without_the_promise_something_is_lost() -> None:
    """The runs are hard enough, and the checker sees it."""
    runs = [WriteRun(seed, acks=0, kinds=["freeze", "cut"]) for seed in range(24)]
    for run in runs:
        run.go()
    assert any(run.verdict.lost for run in runs)
    assert any(run.verdict.odd for run in runs)


@pytest.mark.once
@pytest.mark.parametrize("kind", ["restart", "crash", "freeze", "lost disk"])
def test_each_of_these_alone_and_again(kind: str) -> None:
    for seed in range(4):
        run = WriteRun(seed, acks=1, kinds=[kind])
        run.go()
        assert not run.verdict.lost, (seed, run.verdict.lost)
        assert {strike.kind for strike in run.strikes} == {kind}


@pytest.mark.once
def test_a_lost_disk_costs_nothing_where_a_replica_lives_even_without_the_promise() -> None:
    """Whoever comes back at the address is nobody's primary, however soon it is there."""
    for seed in range(1, 7):
        run = WriteRun(seed, acks=0, kinds=["lost disk"])
        run.go()
        assert not run.verdict.lost, (seed, run.verdict.lost)


def test_one_seed_is_one_history() -> None:
    one, same, other = WriteRun(1), WriteRun(1), WriteRun(2)
    for run in (one, same, other):
        run.go()
    assert one.world.history.digest() == same.world.history.digest() != other.world.history.digest()
