"""One run: options drawn from the seed, a cluster formed, faults for a while, then everything is healed and must
converge.

Which kinds of faults are mixed, how the network is and how long a node timeout is differ from seed to seed, because
rare combinations are where the mistakes are. What a fault may cost that nobody but an operator brings back is brought
back after healing by ordinary commands, and only what the faults of this run may cost.
"""

from random import Random

from attrs import frozen

from gossamer.cluster.slots import SLOTS
from gossamer.gossip.peers import BAN_MS
from tests.sim.checkers import all_checkers
from tests.sim.checkers.agreement import disagreement
from tests.sim.checkers.checker import attach
from tests.sim.faults import FAULTS, Fault
from tests.sim.history import Settled, Violation
from tests.sim.network import Weather
from tests.sim.repair import repair
from tests.sim.traffic import traffic
from tests.sim.world import World

QUIET_MS = 2000
"""How long a settled cluster is watched."""


@frozen
class Options:
    nodes: int
    node_timeout_ms: int
    weather: Weather
    faults: tuple[type[Fault], ...]
    strikes: int
    every_ms: int
    disk_us: int
    calm_start: bool

    def __str__(self) -> str:
        names = " ".join(f.__name__ for f in self.faults)
        start = "formed in peace" if self.calm_start else "formed under fire"
        return (
            f"{self.nodes} nodes, node timeout {self.node_timeout_ms} ms, {start}, {self.strikes} strikes of [{names}] "
            f"every {self.every_ms} ms, disk {self.disk_us} us, {self.weather}"
        )


def draw(rng: Random, nodes: int | None) -> Options:
    """A mix of a few kinds of faults; sometimes of none, sometimes of many. Long runs are of few messages."""
    count = rng.randrange(3, 8)
    faults = tuple(rng.sample(FAULTS, rng.choice((0, 1, 2, 2, 3, 3, 4, 6))))
    long = any("a minute" in fault.costs for fault in faults)
    return Options(
        nodes or (min(count, 4) if long else count),
        2000 if long else rng.choice((300, 500, 1000, 2000)),
        Weather(rng.randrange(50, 5_000), rng.choice((0, 100, 1_000, 10_000)), split=rng.choice((0.0, 0.05))),
        faults,
        rng.randrange(4, 16),
        rng.choice((50, 300, 1000)),
        rng.choice((0, 500, 5_000, 20_000)),
        rng.random() < 0.8,
    )


class Run:
    """``seed`` decides everything; ``nodes`` overrides how many there are."""

    def __init__(self, seed: int, nodes: int | None = None) -> None:
        self.rng = Random(seed)
        self.options = draw(self.rng, nodes)
        self.world = World(Random(self.rng.getrandbits(64)), self.options.node_timeout_ms)
        self.costs: set[str] = set()
        self.converged_ms = 0
        """How long after healing all agreed."""
        attach(all_checkers(), self.world.history)

    def __str__(self) -> str:
        return str(self.options)

    def outcome(self) -> str:
        return f"agreed after {self.converged_ms} ms"

    def go(self) -> None:
        options, world = self.options, self.world
        world.network.weather = options.weather
        world.named = any(kind.named for kind in options.faults)
        faults = [kind(world, self.rng) for kind in options.faults]
        self.form()
        for fault in faults:
            self.costs |= fault.costs
        if options.calm_start:
            self.converge()
        else:
            self.costs |= {"members", "slots"}
        traffic(world, Random(self.rng.getrandbits(64)), 40_000)
        if faults:
            for _ in range(options.strikes):
                self.rng.choice(faults).strike()
                world.advance(self.rng.randrange(2 * options.every_ms))
        world.note("everything is healed")
        for fault in faults:
            fault.heal()
        self.converge()
        self.watch()

    def form(self) -> None:
        world, count = self.world, self.options.nodes
        for number in range(1, count + 1):
            world.add_host(f"n{number}").disk.latency_us = self.options.disk_us
        hosts = list(world.hosts.values())
        for at, host in enumerate(hosts):
            world.tell(host, "CLUSTER", "ADDSLOTSRANGE", str(SLOTS * at // count), str(SLOTS * (at + 1) // count - 1))
        for host in hosts[1:]:
            world.tell(hosts[0], "CLUSTER", "MEET", host.ip, "7000")

    def converge(self) -> None:
        """Let time pass until all agree; repair what the faults may have cost."""
        world = self.world
        healed_us = world.now_us
        patience_ms = 10_000 + 12 * self.options.node_timeout_ms
        if "a minute" in self.costs:
            patience_ms += BAN_MS
        rounds = 0
        while difference := disagreement(world.views()):
            waited_ms = (world.now_us - healed_us) // 1000
            if waited_ms > patience_ms:
                raise Violation(f"no agreement {waited_ms} ms after healing: {difference}")
            rounds += 1
            if rounds % 8 == 0 and self.costs:
                repair(world, self.costs)
            world.advance(250)
        self.converged_ms = (world.now_us - healed_us) // 1000
        world.note(f"all agree after {self.converged_ms} ms")

    def watch(self) -> None:
        """Agreement must last, and be quiet."""
        world = self.world
        world.advance(500)
        before = {h.name: sum(h.running.gossip.sent) for h in world.running()}
        world.advance(QUIET_MS)
        sent = {h.name: sum(h.running.gossip.sent) - before[h.name] for h in world.running()}
        world.history.add(Settled(world.now_us, "", world.views(), sent, QUIET_MS))
