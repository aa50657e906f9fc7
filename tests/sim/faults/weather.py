"""Slowness and unreliability: nodes, disks and the network, for a while."""

from attrs import evolve

from tests.sim.faults.fault import Fault
from tests.sim.network import Weather


class SlowNodes(Fault):
    """A node looks at everything late."""

    def strike(self) -> None:
        host = self.some_host()
        if host is not None:
            host.running.lag_us = self.rng.choice((500, 5_000, 30_000))
            self.world.note(f"slow by {host.running.lag_us} us", host.name)

    def heal(self) -> None:
        for host in self.world.running():
            host.running.lag_us = 0


class SlowDisks(Fault):
    def strike(self) -> None:
        host = self.some_host(up=False)
        if host is not None:
            host.disk.latency_us = self.rng.choice((0, 10_000, 100_000, 1_000_000))
            self.world.note(f"disk takes {host.disk.latency_us} us", host.name)

    def heal(self) -> None:
        for host in self.world.hosts.values():
            host.disk.latency_us = min(host.disk.latency_us, 10_000)


class Storms(Fault):
    """Everything takes longer, each message differently."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._calm = self.world.network.weather

    def strike(self) -> None:
        jitter_us = self.rng.choice((2_000, 20_000, 100_000))
        self.change(evolve(self.world.network.weather, base_us=self.rng.randrange(20_000), jitter_us=jitter_us))

    def change(self, weather: Weather) -> None:
        self.world.network.weather = weather
        self.world.note(str(weather))

    def heal(self) -> None:
        self.change(self._calm)


class Chaos(Storms):
    """Whole messages vanish, come twice and overtake each other, on links that stay up."""

    def strike(self) -> None:
        some = (0.0, 0.01, 0.1, 0.3)
        pick = self.rng.choice
        self.change(
            evolve(self.world.network.weather, lose=pick(some), duplicate=pick(some), reorder=pick(some), split=0.0)
        )
