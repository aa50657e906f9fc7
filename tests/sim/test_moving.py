"""A slot moves, and a node fails between two steps; ``GOSSAMER_SIM_SEEDS`` as in test_writes.py.

By hand: ``python -m tests.sim --moves --seeds 1..1000``.
"""

import pytest

from tests.sim.moving import MoveRun
from tests.sim.test_writes import bundles, loses_nothing


@pytest.mark.once
@pytest.mark.parametrize("seeds", bundles(), ids=lambda seeds: f"{seeds.start}..{seeds.stop - 1}")
def test_the_slot_has_one_owner_and_no_key_is_lost_or_doubled(seeds: range) -> None:
    for seed in seeds:
        loses_nothing(MoveRun(seed), seed)


def test_without_a_fault_all_keys_arrive() -> None:
    run = MoveRun(1)
    run.form()
    run.call()
    run.world.advance(2000)
    source, target = run.world.hosts["n1"], run.world.hosts["n2"]
    for host, request in run.plan(source, target, (source.id, target.id)):
        assert run.demand(host, *request).startswith(b"+OK"), run.steps
    run.wait(run.lack, "agreement")
    run.finish()
    run.check_slot()
    assert run.owner() is target
    assert not run.verdict.lost
    assert not run.verdict.odd
    assert run.keys_at(target)


@pytest.mark.parametrize("end", ["source", "target"])
def test_the_slot_stays_open_when_one_of_the_two_is_replaced(end: str) -> None:
    """By its replica, which knows from the stream; and the other end knows that it is the successor."""
    run = MoveRun(2)
    run.form()
    hosts = run.world.hosts
    source, target = hosts["n1"], hosts["n2"]
    steps = run.plan(source, target, (source.id, target.id))
    for _ in range(2):
        host, request = next(steps)
        run.demand(host, *request)
    run.world.advance(100)
    dead, heir = (source, hosts["n4"]) if end == "source" else (target, hosts["n5"])
    run.world.kill(dead)
    run.world.advance(4000)
    assert heir.running.gossip.me.is_primary
    giver, taker = (heir, target) if end == "source" else (source, heir)
    assert giver.running.gossip.snapshot().migrating == {run.slot: taker.id}
    assert taker.running.gossip.snapshot().importing == {run.slot: giver.id}
