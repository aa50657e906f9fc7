"""Two clusters in one network, whose nodes get each other's addresses, are told to meet, and change sides.

What must hold: each keeps its identity and its nodes, whatever happens, and agrees in the end. Nodes have hostnames, so
that nobody is lost for good; the operator forgets, in the end, who has changed sides.
"""

from collections.abc import Mapping
from random import Random

from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Topology
from gossamer.gossip.identity import WHOLE_MS
from tests.sim.checkers import all_checkers
from tests.sim.checkers.agreement import disagreement
from tests.sim.checkers.checker import attach
from tests.sim.checkers.identity import OneIdentityATable
from tests.sim.faults.cuts import Breaks, Cuts, OneWayCuts
from tests.sim.faults.fault import Fault
from tests.sim.faults.stops import Freezes
from tests.sim.faults.weather import SlowDisks, SlowNodes, Storms
from tests.sim.history import Settled, Violation
from tests.sim.network import Weather
from tests.sim.world import Host, World

SIZE = 3
TIMEOUT_MS = 1000
KINDS: tuple[type[Fault], ...] = (Freezes, Cuts, OneWayCuts, Breaks, Storms, SlowNodes, SlowDisks)


class Neighbours:
    """``sides``: the hosts of the two clusters; each has one without slots, which may change sides."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.world = World(Random(self.rng.getrandbits(64)), TIMEOUT_MS)
        self.world.named = True
        self.faults = [kind(self.world, self.rng) for kind in self.rng.sample(KINDS, self.rng.randrange(3))]
        self.sides: tuple[list[Host], list[Host]] = ([], [])
        self.identities: list[str] = []
        self.turncoats: list[Host] = []
        self.one_identity = OneIdentityATable(strict=True)
        attach([*all_checkers(), self.one_identity], self.world.history)

    def go(self) -> None:
        for side, letter in zip(self.sides, "ab", strict=True):
            self.form(side, letter)
        self.converge()
        self.world.advance(WHOLE_MS + 3000)
        self.identities = [self.world.views()[side[0].name].cluster for side in self.sides]
        assert all(self.identities)
        self.world.network.weather = Weather(self.rng.randrange(50, 5_000), self.rng.choice((0, 1_000, 10_000)))
        troubles = (self.exchange, self.exchange, self.introduce, self.introduce, self.turn)
        for _ in range(self.rng.randrange(3, 10)):
            self.rng.choice(troubles)()
            if self.faults and self.rng.random() < 0.5:
                self.rng.choice(self.faults).strike()
            self.world.advance(self.rng.randrange(3000))
        for fault in self.faults:
            fault.heal()
        self.converge()
        self.one_identity.see(Settled(self.world.now_us, "", self.world.views(), {}, 1))

    def form(self, side: list[Host], letter: str) -> None:
        world = self.world
        side += [world.add_host(f"{letter}{number + 1}") for number in range(SIZE + 1)]
        for at, host in enumerate(side[:SIZE]):
            first, last = SLOTS * at // SIZE, SLOTS * (at + 1) // SIZE - 1
            world.ask(host, "CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
        for host in side[1:]:
            world.ask(side[0], "CLUSTER", "MEET", host.ip, "7000")

    def __str__(self) -> str:
        return f"two clusters of {SIZE + 1}, {[type(fault).__name__ for fault in self.faults]}"

    def outcome(self) -> str:
        changed = ", ".join(host.name for host in self.turncoats)
        return f"two clusters still{', ' + changed + ' was reset' if changed else ''}"

    # Troubles

    def exchange(self) -> None:
        """A node of each side is killed, and comes back where the other was."""
        one, other = (self.rng.choice(side) for side in self.sides)
        self.world.note(f"{one.name} and {other.name} exchange addresses")
        for host in (one, other):
            if host.up:
                self.world.kill(host, silently=self.rng.random() < 0.3)
        one.ip, other.ip = other.ip, one.ip
        for host in self.rng.sample((one, other), 2):
            self.world.start(host)
            self.world.advance(self.rng.randrange(2000))

    def introduce(self) -> None:
        """Somebody is told to meet an address, whoever is there."""
        hosts = self.world.running()
        self.world.tell(self.rng.choice(hosts), "CLUSTER", "MEET", self.rng.choice(hosts).ip, "7000")

    def turn(self) -> None:
        """The node without slots is reset and met by the other side, and nobody is told to forget it."""
        source, target = self.rng.sample(self.sides, 2)
        host = source[-1]
        if len(source) <= SIZE or self.turncoats or not host.up or host.running.frozen:
            return
        self.world.note(f"{host.name} changes sides")
        self.world.ask(host, "CLUSTER", "RESET", "SOFT")
        source.remove(host)
        target.insert(0, host)
        self.turncoats.append(host)

    # The end

    def converge(self) -> None:
        world, began_us = self.world, self.world.now_us
        while difference := self.difference():
            waited_ms = (world.now_us - began_us) // 1000
            if waited_ms > 10_000 + 20 * TIMEOUT_MS:
                raise Violation(f"no agreement after {waited_ms} ms: {difference}")
            self.put_right()
            world.advance(500)

    def put_right(self) -> None:
        """What only an operator can do: who has changed sides is met, and forgotten where it was.

        An introduction may have brought it back before; then it has not changed sides.
        """
        views = self.world.views()
        for host in self.turncoats:
            joined = views[host.name].cluster
            for at, side in enumerate(self.sides):
                if joined == self.identities[at] and host not in side:
                    self.sides[1 - at].remove(host)
                    side.insert(0, host)
            side, other = self.sides if host in self.sides[0] else self.sides[::-1]
            if not joined:
                self.world.tell(side[-1], "CLUSTER", "MEET", host.ip, "7000")
            elif host.id in views[side[-1].name].nodes:
                for former in other:
                    if host.id in views[former.name].nodes:
                        self.world.tell(former, "CLUSTER", "FORGET", host.id)

    def difference(self) -> str:
        views = self.world.views()
        for at, side in enumerate(self.sides):
            mine: Mapping[str, Topology] = {host.name: views[host.name] for host in side}
            if different := disagreement(mine):
                return different
            found = {view.cluster for view in mine.values()}
            if self.identities and found != {self.identities[at]}:
                return f"identities {found}, not {self.identities[at]}"
        return ""
