"""Whether a cluster is sound, judged by what each of its nodes tells: views in, findings out, none if all is well.

One sick thing is one finding, however many nodes tell of it. What passes by itself (a suspicion, a replica that is
still being sent its data) is a finding too: who asks wants to know whether the cluster is sound now.
"""

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from gossamer.cluster.topology import Flag, Node, NodeId, Topology, ranges

Views = Mapping[NodeId, Topology]
"""What each node that could be asked tells of the cluster."""


@frozen
class Finding:
    """``kind`` is a word for programs, ``text`` a line for people, ``nodes`` the ids that it is about."""

    kind: str
    text: str
    nodes: tuple[NodeId, ...] = ()


def examine(
    views: Views,
    silent: Mapping[NodeId, str],
    unsynced: Mapping[NodeId, str],
    moving: Sequence[tuple[NodeId, NodeId, str]] = (),
) -> list[Finding]:
    """``silent``: nodes that could not be asked, and why; ``unsynced``: replicas, and what is wrong with their link;
    ``moving``: slots that nodes hand over between themselves just now, from whom, to whom, and which."""
    names = Names(views)
    return [
        *(Finding("unreachable", f"{names[node]} {why}", (node,)) for node, why in silent.items()),
        *_failed(views, names),
        *_strangers(views, names),
        *_uncovered(views, names),
        *_disputed(views, names),
        *_roles(views, names),
        *_epochs(views, names),
        *_open(views, names),
        *(
            Finding("moving", f"slots {slots} move from {names[source]} to {names[target]}", (source, target))
            for source, target, slots in moving
        ),
        *(
            Finding("unsynced", f"{names[node]} is not in sync with its primary: {why}", (node,))
            for node, why in unsynced.items()
        ),
        *_states(views, names),
    ]


def agree(views: Views) -> bool:
    """Whether all tell the same of who is there, who follows whom, and who owns what under which epoch."""
    return len({opinion(view) for view in views.values()}) <= 1


def opinion(view: Topology) -> tuple[object, ...]:
    """What has to be the same on all nodes. A replica's epoch is its primary's, told late or not at all."""
    nodes = [
        (node.id, node.primary, 0 if node.primary else node.config_epoch, node.has(Flag.FAIL))
        for node in view.nodes.values()
        if not node.has(Flag.HANDSHAKE)
    ]
    return tuple(sorted(nodes, key=lambda told: told[0])), view.owners


class Names:
    """How nodes are called in texts: by address as they or the others tell it, by id if nobody does."""

    def __init__(self, views: Views) -> None:
        self._known: dict[NodeId, Node] = {}
        for view in views.values():
            self._known.update(
                (node.id, node) for node in view.nodes.values() if node.ip and node.id not in self._known
            )

    def __getitem__(self, node: NodeId) -> str:
        known = self._known.get(node)
        return f"{known.ip}:{known.port}" if known else node

    def all(self, nodes: list[NodeId]) -> str:
        return ", ".join(self[node] for node in nodes)


def _failed(views: Views, names: Names) -> Iterator[Finding]:
    for flag, word in ((Flag.FAIL, "failed"), (Flag.PFAIL, "suspected")):
        tellers: dict[NodeId, list[NodeId]] = {}
        for me, view in views.items():
            for node in view.nodes.values():
                if node.has(flag):
                    tellers.setdefault(node.id, []).append(me)
        for node_id, told in tellers.items():
            yield Finding(word, f"{names[node_id]} is {word}, as {names.all(told)} says", (node_id,))


def _strangers(views: Views, names: Names) -> Iterator[Finding]:
    everybody = {node.id for view in views.values() for node in view.nodes.values() if not node.has(Flag.HANDSHAKE)}
    for me, view in views.items():
        known = {node.id for node in view.nodes.values() if not node.has(Flag.HANDSHAKE)}
        if unknown := sorted(everybody - known):
            yield Finding("unknown", f"{names[me]} does not know {names.all(unknown)}", (me, *unknown))


def _uncovered(views: Views, names: Names) -> Iterator[Finding]:
    """Slots without an owner, once where all tell the same."""
    by_slots: dict[tuple[int, ...], list[NodeId]] = {}
    for me, view in views.items():
        if bare := tuple(view.slots_of(None)):
            by_slots.setdefault(bare, []).append(me)
    for bare, tellers in by_slots.items():
        where = "" if len(tellers) == len(views) else f", as {names.all(tellers)} says"
        yield Finding("uncovered", f"{slots_text(list(bare))} without an owner{where}", tuple(tellers))


def _disputed(views: Views, names: Names) -> Iterator[Finding]:
    """Slots whose owners differ, by who is taken for the owner; who knows none is left to ``_uncovered``."""
    told = list(views.values())
    cases: dict[tuple[NodeId, ...], list[int]] = {}
    if len({view.owners for view in told}) > 1:
        for slot, opinions in enumerate(zip(*(view.owners for view in told), strict=True)):
            owners = tuple(sorted({owner for owner in opinions if owner is not None}))
            if len(owners) > 1:
                cases.setdefault(owners, []).append(slot)
    for owners, slots in cases.items():
        yield Finding("disputed", f"{slots_text(slots)} with owners that differ: {names.all(list(owners))}", owners)


def _roles(views: Views, names: Names) -> Iterator[Finding]:
    for me, view in views.items():
        for node in view.nodes.values():
            own = views[node.id].myself if node.id in views else node
            if own.primary != node.primary:
                yield Finding(
                    "roles",
                    f"{names[node.id]} is {_role(own, names)}, and {names[me]} takes it for {_role(node, names)}",
                    (node.id, me),
                )


def _role(node: Node, names: Names) -> str:
    return f"a replica of {names[node.primary]}" if node.primary else "a primary"


def _epochs(views: Views, names: Names) -> Iterator[Finding]:
    holders: dict[int, list[NodeId]] = {}
    for me, view in views.items():
        if view.myself.is_primary:
            holders.setdefault(view.myself.config_epoch, []).append(me)
    for epoch, nodes in holders.items():
        if len(nodes) > 1:
            yield Finding("epochs", f"{names.all(nodes)} have the same config epoch {epoch}", tuple(nodes))


def _open(views: Views, names: Names) -> Iterator[Finding]:
    for me, view in views.items():
        for way, ends in (("leaving for", view.migrating), ("arriving from", view.importing)):
            for other in dict.fromkeys(ends.values()):
                slots = sorted(slot for slot, end in ends.items() if end == other)
                yield Finding("open", f"{slots_text(slots)} on {names[me]}, {way} {names[other]}", (me, other))


def _states(views: Views, names: Names) -> Iterator[Finding]:
    if down := [me for me, view in views.items() if not view.ok]:
        yield Finding("state", f"cluster_state is fail, as {names.all(down)} says", tuple(down))


def slots_text(slots: list[int]) -> str:
    """``slot 7``, ``slots 1-3, 7``."""
    pieces = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges(slots))
    return f"slot {pieces}" if len(slots) == 1 else f"slots {pieces}"
