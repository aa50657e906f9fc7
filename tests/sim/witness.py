"""What the nodes come to believe, told by name: the changes between the topologies that they publish.

Nodes that saw the same of somebody, in the same order, are told of in one line: ``n2,n3: n1 PFAIL, FAIL``.
"""

from collections.abc import Iterator

from gossamer.cluster.topology import Flag, Node, NodeId, Topology, owned_ranges
from tests.sim.history import Published, Record, Started
from tests.sim.world import World

STATES = ((Flag.FAIL, "FAIL"), (Flag.PFAIL, "PFAIL"), (Flag.NOADDR, "without address"))


class Witness:
    """Listens to the history of ``world``; ``tell`` gives the lines of what was seen since it was asked last."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._views: dict[str, Topology] = {}
        self._seen: dict[tuple[str, str], list[str]] = {}
        world.history.listeners.setdefault(Started, []).append(self._see)
        world.history.listeners.setdefault(Published, []).append(self._see)

    def _see(self, record: Record) -> None:
        if isinstance(record, Started):
            self._views[record.host] = record.topology
        elif isinstance(record, Published):
            before, self._views[record.host] = self._views[record.host], record.topology
            for subject, what in self._changes(before, record.topology):
                self._seen.setdefault((record.host, subject), []).append(what)

    def tell(self) -> list[str]:
        lines: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for (observer, subject), texts in self._seen.items():
            lines.setdefault((subject, tuple(texts)), []).append(observer)
        self._seen.clear()
        return [f"{','.join(sorted(who))}: {subject} {', '.join(texts)}" for (subject, texts), who in lines.items()]

    def names(self) -> dict[NodeId, str]:
        """Nodes by the names of their hosts; what a host was before it lost its disk is ``old-n1``."""
        out: dict[NodeId, str] = {}
        for host in self._world.hosts.values():
            out.update(dict.fromkeys(host.ids, f"old-{host.name}"))
            out[host.id] = host.name
        return out

    def _changes(self, before: Topology, now: Topology) -> Iterator[tuple[str, str]]:
        names = self.names()
        for node_id in [*before.nodes, *(n for n in now.nodes if n not in before.nodes)]:
            if name := names.get(node_id):
                old, new = before.nodes.get(node_id), now.nodes.get(node_id)
                for what in _node_changes(old, new, node_id == now.me):
                    yield name, what
                if old is not None and new is not None and old.primary != new.primary:
                    yield name, _role(new, names)
        if before.owners is not now.owners:
            yield from _slot_changes(before, now, names)
        if before.ok != now.ok:
            yield "cluster", "ok" if now.ok else "down"


def _node_changes(before: Node | None, now: Node | None, myself: bool) -> Iterator[str]:
    """Epochs of others are left out: they are published whenever something else is."""
    if now is None:
        yield "forgotten"
    elif before is None:
        yield "known"
    else:
        if _state(before) != _state(now):
            yield _state(now)
        if now.ip and before.ip and before.ip != now.ip:
            yield f"moved to {now.ip}"
        if myself and before.config_epoch != now.config_epoch:
            yield f"epoch {now.config_epoch}"


def _state(node: Node) -> str:
    return next((word for flag, word in STATES if node.flags & flag), "well")


def _role(node: Node, names: dict[NodeId, str]) -> str:
    return f"replica of {names.get(node.primary, node.primary)}" if node.primary else "primary"


def _ailment(node: Node) -> str:
    return "" if _state(node) == "well" else f" {_state(node)}"


def _slot_changes(before: Topology, now: Topology, names: dict[NodeId, str]) -> Iterator[tuple[str, str]]:
    for owner, first, last in owned_ranges(now):
        if before.owners[first : last + 1] != now.owners[first : last + 1]:
            changed = [s for s in range(first, last + 1) if before.owners[s] != owner]
            yield names.get(owner, owner), f"owns {span(changed)}"
    for owner, first, last in owned_ranges(before):
        lost = [s for s in range(first, last + 1) if now.owners[s] is None]
        if lost:
            yield names.get(owner, owner), f"no longer owns {span(lost)}"


def span(slots: list[int]) -> str:
    """``5-9``, or ``7``, or ``5..9 (3 slots)`` if there are gaps."""
    if len(slots) == 1:
        return str(slots[0])
    if slots[-1] - slots[0] + 1 == len(slots):
        return f"{slots[0]}-{slots[-1]}"
    return f"{slots[0]}..{slots[-1]} ({len(slots)} slots)"


def table(world: World, witness: Witness) -> list[str]:
    """Who believes what right now, hosts of one opinion in one line each."""
    names = witness.names()
    opinions: dict[str, list[str]] = {}
    for host, view in world.views().items():
        slots: dict[NodeId, list[str]] = {}
        for owner, first, last in owned_ranges(view):
            slots.setdefault(owner, []).append(span(list(range(first, last + 1))))
        nodes = sorted((names.get(n.id, "somebody"), n) for n in view.nodes.values() if not n.has(Flag.HANDSHAKE))
        words = [f"{name}{_ailment(n)} {_standing(n, names, slots.get(n.id, ['-']))}" for name, n in nodes]
        text = f"{'ok' if view.ok else 'down'} in epoch {view.current_epoch}: {'; '.join(words)}"
        opinions.setdefault(text, []).append(host)
    return [f"{','.join(hosts)}: {text}" for text, hosts in opinions.items()]


def _standing(node: Node, names: dict[NodeId, str], slots: list[str]) -> str:
    return _role(node, names) if node.primary else f"epoch {node.config_epoch} {' '.join(slots)}"
