"""After everything is healed all nodes end with one topology."""

from collections.abc import Mapping

from gossamer.cluster.topology import Flag, Node, NodeId, Topology
from tests.sim.checkers.checker import Checker
from tests.sim.history import Record, Settled, Violation

TROUBLE = Flag.PFAIL | Flag.FAIL | Flag.HANDSHAKE | Flag.NOADDR


class EveryoneAgrees(Checker):
    kinds = (Settled,)

    def see(self, record: Record) -> None:
        assert isinstance(record, Settled)
        if difference := disagreement(record.views):
            raise Violation(f"the nodes do not agree: {difference}")


def disagreement(views: Mapping[str, Topology], full_coverage: bool = True) -> str:
    """The first difference between the views, or thing amiss in one of them; empty if there is none."""
    ids = sorted(view.me for view in views.values())
    reference: Topology | None = None
    for host, view in views.items():
        if sorted(view.nodes) != ids:
            missing, strange = set(ids) - set(view.nodes), set(view.nodes) - set(ids)
            return f"{host} misses {_short(missing)} and has {_short(strange)} too much"
        if trouble := _trouble(host, view, full_coverage):
            return trouble
        if reference is None:
            reference = view
        elif difference := _difference(host, view, reference):
            return difference
    return ""


def _trouble(host: str, view: Topology, full_coverage: bool) -> str:
    for node in view.nodes.values():
        if node.flags & TROUBLE:
            return f"{host} has flags {node.flags & TROUBLE} on {node.id[:8]}"
        if not node.linked and node.id != view.me:
            return f"{host} has no link to {node.id[:8]}"
    covered = None not in view.owners
    if not view.ok and (covered or not full_coverage):
        return f"{host} says that the cluster is down"
    return ""


def _difference(host: str, view: Topology, reference: Topology) -> str:
    if view.current_epoch != reference.current_epoch:
        return f"{host} is in epoch {view.current_epoch}, another in {reference.current_epoch}"
    for node in view.nodes.values():
        other = reference.nodes[node.id]
        mine, theirs = _told(node), _told(other)
        if mine != theirs:
            return f"{host} has {mine} of {node.id[:8]}, another has {theirs}"
    if view.owners != reference.owners:
        slot = next(s for s, o in enumerate(view.owners) if o != reference.owners[s])
        return f"{host} gives slot {slot} to {view.owners[slot]}, another to {reference.owners[slot]}"
    return ""


def _told(node: Node) -> tuple[object, ...]:
    """What all should tell of a node; others give a replica the config epoch of its primary, it has none itself."""
    epoch = node.config_epoch if node.is_primary else None
    return node.ip, node.port, node.cport, node.primary, epoch, node.shard_id, node.is_primary


def _short(ids: set[NodeId]) -> list[str]:
    return sorted(node[:8] for node in ids)
