"""Wall clocks are set, forward or back, and run fast or slow; nobody puts them right again."""

from tests.sim.faults.fault import Fault

HOUR_US = 3_600_000_000


class Clocks(Fault):
    def strike(self) -> None:
        host = self.some_host(up=False)
        if host is None:
            return
        span_us = self.rng.choice((200_000, 2_000_000, 60_000_000, HOUR_US))
        host.clock.offset_us += self.rng.randrange(-span_us, span_us)
        self.world.note(f"clock set to {host.clock.offset_us / 1e6:+.3f} s", host.name)
