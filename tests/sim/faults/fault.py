"""What a fault is: it strikes now and then, and in the end it is healed."""

from random import Random

from tests.sim.world import Host, World


class Fault:
    """``costs``: what the cluster may lose to it that only an operator brings back (``members``, ``slots``), or only
    time.
    """

    costs: frozenset[str] = frozenset()
    named = False
    """Whether the nodes need hostnames to survive it."""

    def __init__(self, world: World, rng: Random) -> None:
        self.world = world
        self.rng = rng

    def strike(self) -> None:
        """Do harm, and plan its end if it ends by itself."""
        raise NotImplementedError

    def heal(self) -> None:
        """Undo all that is left of it."""

    def a_while_us(self) -> int:
        """Often short, sometimes several node timeouts."""
        return int(
            self.world.config.node_timeout_ms
            * 1000
            * self.rng.choice((0.05, 0.5, 1.5, 3, 5))
            * (0.5 + self.rng.random())
        )

    def some_host(self, up: bool = True) -> Host | None:
        hosts = self.world.running() if up else list(self.world.hosts.values())
        return self.rng.choice(hosts) if hosts else None
