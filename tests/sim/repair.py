"""What an operator does after the trouble, by ordinary commands: only what the cluster cannot know by itself.

- ``members``: a node that lives under a new id has to be met, and its old id forgotten.
- ``slots``: slots whose owner is no more, or has given them up, get an owner; half-done migrations are closed.
"""

from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Flag, Topology, owned_ranges
from tests.sim.world import Host, World


def repair(world: World, costs: set[str]) -> None:
    """One round; more may be needed when the nodes have heard of each other."""
    if "members" in costs:
        _members(world)
    if "slots" in costs:
        _slots(world)


def _members(world: World) -> None:
    views = world.views()
    living = {view.me for view in views.values()}
    hosts = world.running()
    for host in hosts:
        for node in views[host.name].nodes.values():
            if node.id not in living and not node.has(Flag.HANDSHAKE):
                world.tell(host, "CLUSTER", "FORGET", node.id)
    first = hosts[0]
    for host in hosts[1:]:
        if not (_knows(views[first.name], host) and all(_knows(views[host.name], h) for h in hosts)):
            world.tell(first, "CLUSTER", "MEET", host.ip, "7000")


def _knows(view: Topology, host: Host) -> bool:
    node = view.nodes.get(host.id)
    return node is not None and not node.has(Flag.HANDSHAKE | Flag.NOADDR)


def _slots(world: World) -> None:
    """A slot counts as served if one node claims it for itself; what others believe of it is hearsay."""
    hosts, views = world.running(), world.views()
    claimed: set[int] = set()
    for host in hosts:
        view = views[host.name]
        for owner, first_slot, last_slot in owned_ranges(view):
            if owner == view.me:
                claimed.update(range(first_slot, last_slot + 1))
        for slot in sorted({*view.migrating, *view.importing}):
            world.tell(host, "CLUSTER", "SETSLOT", str(slot), "STABLE")
    orphans = sorted(set(range(SLOTS)) - claimed)
    if orphans:
        first = hosts[0]
        owners = views[first.name].owners
        believed = [slot for slot in orphans if owners[slot] is not None]
        if believed:
            world.tell(first, "CLUSTER", "DELSLOTS", *map(str, believed))
        world.tell(first, "CLUSTER", "ADDSLOTS", *map(str, orphans))
        world.tell(first, "CLUSTER", "BUMPEPOCH")
