"""Runs like those of swarm.py, of shards with replicas: primaries die, hang, restart and are cut off, and replicas may
take over.

Nothing is replicated here, so every replica may stand however old its data (``cluster-replica-validity-factor 0``); who
is convicted and who leads is what is looked at. The node timeout is long, so that haste shows.
"""

from collections.abc import Sequence
from functools import partial
from random import Random

from attrs import evolve

from gossamer.cluster.slots import SLOTS
from tests.sim.checkers import all_checkers
from tests.sim.checkers.agreement import disagreement
from tests.sim.checkers.checker import attach
from tests.sim.checkers.ownership import OneOwnerPerSlotAndEpoch
from tests.sim.checkers.suspicion import SuspicionNeedsSilenceOrDeath
from tests.sim.faults.cuts import Breaks, Cuts, OneWayCuts
from tests.sim.faults.fault import Fault
from tests.sim.faults.stops import Crashes, Freezes, Moves
from tests.sim.faults.weather import SlowDisks, SlowNodes, Storms
from tests.sim.history import Settled, Violation
from tests.sim.network import Weather
from tests.sim.world import Host, World

PRIMARIES = 3
MORE: Sequence[int] = (5, 7, 9)
"""How many primaries there are where several die at once."""
TIMEOUT_MS = 6000
GRACE_US = 200_000
"""A restart that takes less costs nobody the role."""


class QuickRestarts(Crashes):
    """Killed and started again at once."""

    def strike(self) -> None:
        host = self.some_host()
        if host is not None:
            self.world.note("restarts", host.name)
            self.world.kill(host)
            self.world.timeline.after(self.rng.randrange(GRACE_US), partial(self._return, host))


class DeathsAtOnce(Crashes):
    """Several primaries are killed, or lose power, in one moment; a majority of them lives. Later they come back."""

    def strike(self) -> None:
        leading = [host for host in self.world.running() if host.running.gossip.me.is_voter]
        most = (len(leading) - 1) // 2
        if most < 1:
            return
        silently = self.rng.random() < 0.3
        away_us = self.a_while_us()
        for host in self.rng.sample(leading, self.rng.randrange(1, most + 1)):
            self.world.note("dies with others", host.name)
            self.world.kill(host, silently)
            self.world.timeline.after(away_us, partial(self._return, host))


KINDS: Sequence[type[Fault]] = (
    DeathsAtOnce, QuickRestarts, Crashes, Moves, Freezes, SlowNodes, SlowDisks, Cuts, OneWayCuts, Breaks, Storms,
)  # fmt: skip


class ShardRun:
    """Three primaries with a replica or two each, or more if several are to die at once.

    ``kinds`` overrides which faults the seed mixes.
    """

    def __init__(self, seed: int, kinds: Sequence[type[Fault]] | None = None) -> None:
        self.rng = Random(seed)
        self.kinds = self.rng.sample(KINDS, self.rng.randrange(1, 5)) if kinds is None else list(kinds)
        self.primaries = self.rng.choice(MORE) if DeathsAtOnce in self.kinds else PRIMARIES
        self.world = World(Random(self.rng.getrandbits(64)), TIMEOUT_MS)
        self.world.config = evolve(self.world.config, replica_validity_factor=0)
        self.suspicion = SuspicionNeedsSilenceOrDeath()
        attach([*all_checkers(), self.suspicion], self.world.history)

    def go(self) -> None:
        self.form()
        self.converge()
        self.world.network.weather = Weather(self.rng.randrange(50, 5_000), self.rng.choice((0, 1_000, 10_000)))
        faults = [kind(self.world, self.rng) for kind in self.kinds]
        for _ in range(self.rng.randrange(3, 12)):
            self.rng.choice(faults).strike()
            self.world.advance(self.rng.randrange(4000))
        self.world.note("everything is healed")
        for fault in faults:
            fault.heal()
        self.converge()
        self.look_at_the_end()

    def look_at_the_end(self) -> None:
        """No slot is lost, and none has two owners."""
        views = self.world.views()
        OneOwnerPerSlotAndEpoch().see(Settled(self.world.now_us, "", views, {}, 1))
        for host, view in views.items():
            if None in view.owners:
                raise Violation(f"{host} has no owner of slot {view.owners.index(None)}")

    def form(self) -> None:
        world, per_shard = self.world, 1 if self.primaries > PRIMARIES else self.rng.randrange(1, 3)
        hosts = [world.add_host(f"n{n + 1}") for n in range(self.primaries * (1 + per_shard))]
        for at, host in enumerate(hosts[: self.primaries]):
            first, last = SLOTS * at // self.primaries, SLOTS * (at + 1) // self.primaries - 1
            world.ask(host, "CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
        for host in hosts[1:]:
            world.ask(hosts[0], "CLUSTER", "MEET", host.ip, "7000")
        self.converge()
        for at, host in enumerate(hosts[self.primaries :]):
            reply = world.ask(host, "CLUSTER", "REPLICATE", hosts[at % self.primaries].id)
            assert reply == b"+OK\r\n", reply

    def converge(self) -> None:
        world, began_us = self.world, self.world.now_us
        while difference := disagreement(world.views()):
            waited_ms = (world.now_us - began_us) // 1000
            if waited_ms > 10_000 + 12 * TIMEOUT_MS:
                raise Violation(f"no agreement after {waited_ms} ms: {difference}")
            world.advance(250)

    def __str__(self) -> str:
        return f"{len(self.world.hosts)} nodes, node timeout {TIMEOUT_MS} ms, {[kind.__name__ for kind in self.kinds]}"

    def outcome(self) -> str:
        return f"{self.suspicion.suspicions} suspicions, {self.suspicion.hasty} of them before the node timeout"

    def leaders(self) -> list[Host]:
        """Who owns slots, as the first host believes."""
        owners = set(next(iter(self.world.views().values())).owners)
        return [host for host in self.world.hosts.values() if host.id in owners]
