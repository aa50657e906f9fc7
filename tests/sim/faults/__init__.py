"""What can go wrong: each file holds one kind of trouble, with its way back. The swarm mixes them."""

from tests.sim.faults.clocks import Clocks
from tests.sim.faults.cuts import Breaks, Cuts, OneWayCuts
from tests.sim.faults.fault import Fault
from tests.sim.faults.operator import Epochs, Forgetting, Resets, Resharding
from tests.sim.faults.relocation import Relocation
from tests.sim.faults.stops import Crashes, Freezes, LostDisks, Moves
from tests.sim.faults.weather import Chaos, SlowDisks, SlowNodes, Storms

FAULTS: list[type[Fault]] = [
    Cuts, OneWayCuts, Breaks, Freezes, Crashes, Moves, LostDisks, Clocks, SlowNodes, SlowDisks, Storms, Chaos, Epochs,
    Resharding, Forgetting, Resets, Relocation,
]  # fmt: skip

__all__ = ["FAULTS", "Fault"]
