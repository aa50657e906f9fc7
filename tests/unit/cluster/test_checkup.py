"""What is wrong with a cluster is found, told once, and in words that name the nodes."""

from collections.abc import Callable

import pytest
from attrs import evolve

from gossamer.cluster.checkup import Views, agree, examine
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Flag, Node, NodeId, Topology


def node(name: str, epoch: int = 0, primary: str | None = None) -> Node:
    flags = Flag.SLAVE if primary else Flag.MASTER
    return Node(name, "h", 7000 + ord(name[0]) - ord("a"), 17000, flags=flags, primary=primary, config_epoch=epoch)


def sound() -> dict[NodeId, Topology]:
    """Two primaries, ``a`` with the lower half and a replica ``c``, and ``b``."""
    nodes = {one.id: one for one in (node("a", 1), node("b", 2), node("c", primary="a"))}
    owners = ("a",) * (SLOTS // 2) + ("b",) * (SLOTS // 2)
    return {name: Topology(name, nodes, owners, ok=True) for name in nodes}


def seen(views: Views) -> list[tuple[str, str]]:
    return [(finding.kind, finding.text) for finding in examine(views, {}, {})]


def but(views: Views, me: NodeId, other: NodeId, change: Callable[[Node], Node]) -> dict[NodeId, Topology]:
    """``views`` in which ``me`` takes ``other`` for something else."""
    view = views[me]
    return {**views, me: evolve(view, nodes={**view.nodes, other: change(view.nodes[other])})}


def test_of_a_sound_cluster_nothing_is_told() -> None:
    assert seen(sound()) == []
    assert agree(sound())


def test_a_replicas_epoch_and_the_times_of_pings_may_differ() -> None:
    views = but(sound(), "b", "c", lambda c: evolve(c, config_epoch=9, ping_sent=5, linked=True))
    assert seen(views) == []
    assert agree(views)


def test_slots_that_nobody_owns_are_told_once_if_all_say_so_and_by_whom_if_not() -> None:
    views = sound()
    bare = {me: evolve(view, owners=(*view.owners[:-3], None, None, None)) for me, view in views.items()}
    assert seen(bare) == [("uncovered", "slots 16381-16383 without an owner")]
    views["c"] = bare["c"]
    assert seen(views) == [("uncovered", "slots 16381-16383 without an owner, as h:7002 says")]
    assert not agree(views)


def test_owners_that_differ_are_told_by_range() -> None:
    views = sound()
    views["b"] = evolve(views["b"], owners=("b", *views["b"].owners[1:]))
    assert seen(views) == [("disputed", "slot 0 with owners that differ: h:7000, h:7001")]
    assert not agree(views)


def test_open_slots_are_told_on_each_end() -> None:
    views = sound()
    views["a"] = evolve(views["a"], migrating={1: "b", 2: "b"})
    views["b"] = evolve(views["b"], importing={1: "a"})
    assert seen(views) == [
        ("open", "slots 1-2 on h:7000, leaving for h:7001"),
        ("open", "slot 1 on h:7001, arriving from h:7000"),
    ]


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda b: evolve(b, flags=b.flags | Flag.FAIL), ("failed", "h:7001 is failed, as h:7000 says")),
        (lambda b: evolve(b, flags=b.flags | Flag.PFAIL), ("suspected", "h:7001 is suspected, as h:7000 says")),
        (
            lambda b: evolve(b, primary="a", flags=Flag.SLAVE),
            ("roles", "h:7001 is a primary, and h:7000 takes it for a replica of h:7000"),
        ),
    ],
)
def test_what_one_node_thinks_of_another_is_told(change: Callable[[Node], Node], finding: tuple[str, str]) -> None:
    assert seen(but(sound(), "a", "b", change)) == [finding]


def test_a_node_that_somebody_does_not_know_is_told_with_who() -> None:
    views = sound()
    known = dict(views["b"].nodes)
    del known["c"]
    views["b"] = evolve(views["b"], nodes=known)
    assert seen(views) == [("unknown", "h:7001 does not know h:7002")]
    assert not agree(views)


def test_equal_epochs_of_primaries_a_state_that_is_not_ok_silence_and_a_broken_link_are_told() -> None:
    views = {me: but(sound(), me, "b", lambda b: evolve(b, config_epoch=1))[me] for me in sound()}
    assert seen(views) == [("epochs", "h:7000, h:7001 have the same config epoch 1")]
    views = sound()
    views["a"] = evolve(views["a"], ok=False)
    assert seen(views) == [("state", "cluster_state is fail, as h:7000 says")]
    views = sound()
    del views["b"]
    found = examine(
        views, {"b": "cannot be reached: Connection refused"}, {"c": "the link is down"}, [("a", "b", "0-5, 7")]
    )
    assert [finding.text for finding in found] == [
        "h:7001 cannot be reached: Connection refused",
        "slots 0-5, 7 move from h:7000 to h:7001",
        "h:7002 is not in sync with its primary: the link is down",
    ]
    assert [finding.nodes for finding in found] == [("b",), ("a", "b"), ("c",)]
