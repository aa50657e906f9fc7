"""The network between some hosts is cut, both ways or one; or connections break."""

from functools import partial

from tests.sim.faults.fault import Fault
from tests.sim.world import Host

Cut = tuple[list[Host], list[Host], bool]


class Cuts(Fault):
    """The hosts fall into two groups."""

    both_ways = True

    def strike(self) -> None:
        hosts = list(self.world.hosts.values())
        self.rng.shuffle(hosts)
        size = self.rng.randrange(1, max(2, len(hosts)))
        cut = (hosts[:size], hosts[size:], self.both_ways)
        self.world.note(f"{_names(cut[0])} cut off{'' if self.both_ways else ' one way'} from {_names(cut[1])}")
        self.world.cut(*cut)
        self.world.timeline.after(self.a_while_us(), partial(self._end, cut))

    def _end(self, cut: Cut) -> None:
        self.world.note(f"{_names(cut[0])} healed to {_names(cut[1])}")
        self.world.heal(*cut)

    def heal(self) -> None:
        self.world.network.heal_all()


class OneWayCuts(Cuts):
    """What one group says does not reach the other."""

    both_ways = False


class Breaks(Fault):
    """All connections between two hosts are reset."""

    def strike(self) -> None:
        one, other = self.rng.sample(list(self.world.hosts), 2)
        self.world.note(f"links between {one} and {other} break")
        self.world.network.break_links(one, other)


def _names(hosts: list[Host]) -> str:
    return ",".join(h.name for h in hosts)
