"""The operator at work at the wrong moment: ordinary CLUSTER commands to any node, in any state."""

from gossamer.cluster.slots import SLOTS
from tests.sim.faults.fault import Fault

DISPUTED = range(0, SLOTS, SLOTS // 8)
"""The few slots that all resharding is about, so that steps for one slot meet."""


class Wishes(Fault):
    def tell(self, *request: str) -> None:
        host = self.some_host()
        if host is not None:
            self.world.tell(host, "CLUSTER", *request)

    def some_id(self) -> str:
        host = self.some_host(up=False)
        assert host is not None
        return host.id


class Epochs(Wishes):
    def strike(self) -> None:
        self.tell(self.rng.choice(("BUMPEPOCH", "BUMPEPOCH", "SAVECONFIG")))


class Resharding(Wishes):
    """Slots are opened, moved and closed at random; the one step that has to name the owner is done at several
    nodes.
    """

    costs = frozenset({"slots"})

    def strike(self) -> None:
        slot, node = str(self.rng.choice(DISPUTED)), self.some_id()
        step = self.rng.choice(("MIGRATING", "IMPORTING", "NODE", "NODE", "STABLE", "ADD", "DEL"))
        if step in {"ADD", "DEL"}:
            self.tell(f"{step}SLOTS", slot)
        elif step == "STABLE":
            self.tell("SETSLOT", slot, step)
        else:
            for _ in range(self.rng.randrange(1, 4)):
                self.tell("SETSLOT", slot, step, node)


class Forgetting(Wishes):
    """A node is forgotten by some, or met again. Whoever has forgotten it tells the others to, for a minute."""

    costs = frozenset({"members", "slots", "a minute"})

    def strike(self) -> None:
        host = self.some_host(up=False)
        assert host is not None
        if self.rng.random() < 0.6:
            self.tell("FORGET", host.id)
        else:
            self.tell("MEET", host.ip, "7000")


class Resets(Wishes):
    costs = frozenset({"members", "slots"})

    def strike(self) -> None:
        self.tell("RESET", self.rng.choice(("SOFT", "HARD")))
