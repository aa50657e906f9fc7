"""Shards that keep their data, on disks that fail; ``GOSSAMER_SIM_SEEDS=500`` for many seeds, as in test_seeds.py.

By hand: ``python -m tests.sim --disks --seeds 1..500``, with ``--appendfsync`` for one policy.
"""

from collections.abc import Iterable

import pytest

from gossamer.node.saving.saves import saves_of
from tests.sim.disks import POLICIES, RDB, DiskRun, DiskStrike, disk_of, process_of
from tests.sim.files import EIO
from tests.sim.history import Violation
from tests.sim.keeping import DataDisk, Keeping
from tests.sim.sealing import WHY_NOT
from tests.sim.test_seeds import seeds
from tests.sim.world import Host


@pytest.mark.once
@pytest.mark.parametrize("seed", seeds(share=6))
def test_no_more_is_lost_than_was_promised(seed: int) -> None:
    run = DiskRun(seed)
    run.go()
    assert not run.broken(), f"seed {seed}: {run}: {run.broken()}"


@pytest.mark.once
@pytest.mark.parametrize("policy", POLICIES)
def test_the_power_goes_for_all(policy: str) -> None:
    run = EverybodyRun(3, policy, acks=0, kinds=["power loss"])
    run.go()
    assert run.deaths >= len(run.world.hosts)
    assert not run.broken(), run.broken()
    if policy == "always":
        assert not run.verdict.lost
        assert not run.verdict.odd


class EverybodyRun(DiskRun):
    layouts = ((1, 0, 0),)

    def victims(self) -> list[Host]:
        return list(self.world.hosts.values())


class LyingRun(EverybodyRun):
    """Nothing is rewritten: a node would not start with a file that is cut short and is not the last."""

    def new_disk(self) -> DataDisk:
        disk = super().new_disk()
        disk.directives += (("auto-aof-rewrite-percentage", "0"),)
        return disk

    def accompany(self, hosts: Iterable[Host]) -> None:
        pass

    def form(self) -> None:
        super().form()
        for host in self.world.hosts.values():
            disk_of(host).files.liars = ".incr.aof"


@pytest.mark.once
@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_an_fsync_that_lies_is_found(policy: str) -> None:
    """The runs are hard enough, and the checker sees it."""
    for seed in range(4):
        run = LyingRun(seed, policy, acks=0, kinds=["power loss"])
        run.go()
        if run.broken().startswith("lost"):
            return
    pytest.fail("nobody has noticed")


needs_a_cipher = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


@needs_a_cipher
@pytest.mark.once
@pytest.mark.parametrize("policy", POLICIES)
def test_sealed_files_promise_the_same(policy: str) -> None:
    for kinds in (["power loss"], ["death at a step"], ["flipped bit"], ["broken disk", "full disk"]):
        run = DiskRun(8, policy, acks=0, kinds=kinds, sealed=True)
        run.go()
        assert not run.broken(), f"{kinds}: {run}: {run.broken()}"


@needs_a_cipher
def test_a_file_that_is_not_sealed_is_found() -> None:
    run = PlainRun(3, "everysec", acks=0, kinds=["kill"], sealed=True)
    with pytest.raises(Violation, match="is not sealed"):
        run.go()


class PlainRun(DiskRun):
    """One node has a file that was written without the key."""

    layouts = ((1, 0, 0),)

    def form(self) -> None:
        super().form()
        disk_of(self.world.hosts["n1"]).files.open("dump.rdb").data += b"REDIS0010"


@needs_a_cipher
def test_one_seed_writes_the_same_sealed_bytes() -> None:
    runs = [DiskRun(4, "everysec", acks=0, kinds=["power loss"], sealed=True) for _ in range(2)]
    for run in runs:
        run.go()
    one, same = [[disk_of(host).files.all() for host in run.world.hosts.values()] for run in runs]
    assert one == same
    assert any(path.endswith(".incr.aof") and data for path, data in one[0].items())


class HoleRun(LyingRun):
    """Fsyncs fail, and the kernel forgets what they were to write; then the power goes for all. ``careless``: nodes do
    not mind, and go on with their files."""

    layouts = ((0, 0, 0),)
    careless = False

    def form(self) -> None:
        super().form()
        for host in self.world.hosts.values():
            files = disk_of(host).files
            files.liars, files.forgets = None, True
        if self.careless:
            self.trust()

    def go(self) -> None:
        self.form()
        self.call()
        for kind in ("broken disk", "power loss"):
            self.kinds = [kind]
            self.strike()
        self.finish()

    def broken_disk(self, _: DiskStrike, hosts: list[Host]) -> None:
        self.fail(hosts, {"fsync": (EIO, 1.0)})

    def unknown_holes(self) -> str:
        return "" if self.careless else super().unknown_holes()

    def trust(self) -> None:
        for host in self.world.running():
            process = host.running
            assert isinstance(process, Keeping)
            process.machine.saves.aof.sink.unsound = False
        self.world.timeline.after(1_000, self.trust)


class CarelessRun(HoleRun):
    careless = True


@pytest.mark.once
def test_a_hole_in_a_file_is_no_more_when_the_disk_works_again() -> None:
    """The checker demands it: of nodes that do not write their files anew it says so."""
    found = 0
    for seed in range(6):
        run = HoleRun(seed, "everysec", acks=0)
        run.go()
        assert not run.broken(), f"seed {seed}: {run.broken()}"
        careless = CarelessRun(seed, "everysec", acks=0)
        careless.go()
        found += careless.broken().startswith("lost")
    assert found


class KilledRun(HoleRun):
    """The same with nodes that are killed in the fsync that fails, and so cannot know of the hole. ``careless``: what
    they find they take for what the disk has."""

    def broken_disk(self, strike: DiskStrike, hosts: list[Host]) -> None:
        for host in hosts:
            disk_of(host).files.fatal = True
            disk_of(host).files.writes_over = not self.careless
        super().broken_disk(strike, hosts)
        for host in hosts:
            disk_of(host).files.fatal = False

    def trust(self) -> None:
        """They do so by themselves."""


class CarelessKilledRun(KilledRun):
    careless = True


@pytest.mark.once
@pytest.mark.parametrize("policy", ["always", "everysec"])
def test_a_hole_that_nobody_knows_of_is_no_more_at_the_next_start(policy: str) -> None:
    found = 0
    for seed in range(4):
        run = KilledRun(seed, policy, acks=0)
        run.go()
        assert not run.broken(), f"seed {seed}: {run.broken()}"
        careless = CarelessKilledRun(seed, policy, acks=0)
        careless.go()
        found += careless.broken().startswith("lost")
    assert found


def whole(policy: str) -> DiskRun:
    """Shards that were written to, and whose clients have stopped."""
    run = EverybodyRun(1, policy, acks=0)
    run.form()
    run.call()
    run.world.advance(3000)
    for caller in run.callers:
        caller.stopping = True
    run.world.advance(500)
    return run


def test_a_node_that_loads_says_so_and_its_replica_waits() -> None:
    run = whole("always")
    host = run.world.hosts["n1"]
    run.world.restart(host)
    assert not keeping(run, "n1").has_begun
    assert run.world.ask(host, "DBSIZE").startswith(b"-LOADING "), "the file is not read to its end"
    run.wait(run.lack, "recovery")
    assert keeping(run, "n1").has_begun


def test_with_an_rdb_a_replica_resumes_by_partial_sync() -> None:
    run = whole(RDB)
    replica = run.world.hosts["n4"]
    run.wait(lambda: "" if run.world.ask(replica, "SAVE") == b"+OK\r\n" else "another save is under way", "save")
    before = keeping(run, "n1").machine.server.stats.full_syncs
    run.world.restart(replica)
    run.wait(run.lack, "recovery")
    assert keeping(run, "n1").machine.server.stats.full_syncs == before
    assert saves_of(keeping(run, "n4").machine.server).loaded_keys > 0


def keeping(run: DiskRun, name: str) -> Keeping:
    return process_of(run.world.hosts[name])


def test_one_seed_is_one_history() -> None:
    one, same, other = DiskRun(4), DiskRun(4), DiskRun(5)
    for run in (one, same, other):
        run.go()
    assert one.world.history.digest() == same.world.history.digest() != other.world.history.digest()


@pytest.mark.once
def test_values_leave_the_memory_and_come_back() -> None:
    """In these runs for certain, as in half of all."""
    left = back = 0
    for seed in range(1, 4):
        run = DiskRun(seed, kinds=["kill"])
        run.spilling = "yes"
        run.go()
        assert not run.broken(), (seed, run.broken())
        for host in run.world.hosts.values():
            machine = host.process.machine if host.process is not None else None
            if machine is not None and machine.vm.fetches is not None:
                left += machine.vm.put_away
                back += machine.vm.fetches.done + machine.server.changes.fetched
    assert left > 10
    assert back > 2
