"""Clients that ask for keys all the time, wherever they like."""

from functools import partial
from random import Random

from tests.sim.world import World


def traffic(world: World, rng: Random, every_us: int) -> None:
    """One request now, and the next one later."""
    hosts = world.running()
    if hosts:
        key = f"key:{rng.randrange(1000)}"
        request = ("SET", key, "x") if rng.random() < 0.5 else ("GET", key)
        world.tell(rng.choice(hosts), *request)
    world.timeline.after(rng.randrange(1, 2 * every_us), partial(traffic, world, rng, every_us))
