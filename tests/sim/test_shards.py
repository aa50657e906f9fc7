"""Shards with replicas under fire; ``GOSSAMER_SIM_SEEDS=500`` for many seeds, as in test_seeds.py."""

from collections.abc import Sequence

import pytest
from attrs import evolve

from tests.sim.faults.cuts import Cuts, OneWayCuts
from tests.sim.faults.fault import Fault
from tests.sim.faults.stops import Crashes, Freezes
from tests.sim.faults.weather import SlowNodes
from tests.sim.shards import PRIMARIES, TIMEOUT_MS, DeathsAtOnce, QuickRestarts, ShardRun
from tests.sim.test_seeds import seeds


def led(run: ShardRun) -> set[str]:
    return {host.name for host in run.leaders()}


@pytest.mark.parametrize("seed", seeds())
def test_shards_agree_in_the_end_and_nobody_was_suspected_in_haste(seed: int) -> None:
    ShardRun(seed).go()


@pytest.mark.parametrize("kinds", [[SlowNodes], [QuickRestarts]], ids=lambda kinds: kinds[0].__name__)
def test_slow_and_quickly_restarted_nodes_keep_their_roles(kinds: Sequence[type[Fault]]) -> None:
    for seed in range(4):
        run = ShardRun(seed, kinds)
        run.go()
        assert led(run) == {"n1", "n2", "n3"}
        assert not run.suspicion.hasty


@pytest.mark.parametrize("kinds", [[Freezes], [Cuts], [OneWayCuts]], ids=lambda kinds: kinds[0].__name__)
def test_silence_is_never_taken_for_refusal(kinds: Sequence[type[Fault]]) -> None:
    for seed in range(4):
        run = ShardRun(seed, kinds)
        run.go()
        assert not run.suspicion.hasty


def test_primaries_that_die_at_once_leave_no_slot_behind() -> None:
    for seed in range(4):
        ShardRun(seed, [DeathsAtOnce]).go()


@pytest.mark.parametrize("silently", [False, True], ids=["killed", "power lost"])
def test_a_killed_process_is_replaced_in_a_moment_and_a_lost_host_after_the_timeout(silently: bool) -> None:
    run = ShardRun(1, [Crashes])
    run.form()
    run.converge()
    world = run.world
    world.advance(TIMEOUT_MS)
    victim = world.hosts["n1"]
    world.kill(victim, silently)
    world.advance(1000)
    assert (victim.name in led(run)) == silently
    world.advance(2 * TIMEOUT_MS)
    assert victim.name not in led(run)
    assert len(led(run)) == PRIMARIES


@pytest.mark.parametrize("fast", [True, False], ids=["fast failover", "without"])
@pytest.mark.parametrize("lost", ["reset", "disk"])
def test_a_primary_whose_id_has_gone_from_its_address_is_replaced(lost: str, fast: bool) -> None:
    run = ShardRun(1, [Crashes])
    world = run.world
    world.config = evolve(world.config, fast_failover=fast)
    run.form()
    run.converge()
    world.advance(TIMEOUT_MS)
    gone = world.hosts["n1"]
    old = gone.id
    if lost == "reset":
        assert world.ask(gone, "CLUSTER", "RESET", "HARD") == b"+OK\r\n"
    else:
        world.restart(gone, lost=True)
    world.advance(4 * TIMEOUT_MS)
    views = {name: view for name, view in world.views().items() if name != "n1"}
    for view in views.values():
        assert view.ok
        assert None not in view.owners
        assert old not in view.owners
        assert len(set(view.owners)) == PRIMARIES
