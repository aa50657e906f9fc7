"""Which slots are served at once, and when that has to be worked out again."""

import pytest
from attrs import evolve

from gossamer.cluster.route import served_slots, serves_alike
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Flag, Node, Topology

ME, OTHER = "a" * 40, "b" * 40
NODES = {
    ME: Node(ME, "10.0.0.1", 7000, 17000, flags=Flag.MYSELF | Flag.MASTER),
    OTHER: Node(OTHER, "10.0.0.2", 7000, 17000),
}
VIEW = Topology(ME, NODES, (ME,) * 100 + (OTHER,) * (SLOTS - 100), ok=True)


def test_a_primary_serves_its_slots_while_the_cluster_is_up() -> None:
    assert sum(served_slots(VIEW)) == 100
    assert not any(served_slots(evolve(VIEW, ok=False)))
    assert not served_slots(evolve(VIEW, migrating={5: OTHER}))[5]


def test_news_of_other_nodes_changes_nothing() -> None:
    assert serves_alike(VIEW, evolve(VIEW, current_epoch=9, nodes={**NODES, OTHER: evolve(NODES[OTHER], flags=9)}))


@pytest.mark.parametrize(
    "after",
    [
        evolve(VIEW, ok=False),
        evolve(VIEW, migrating={5: OTHER}),
        evolve(VIEW, owners=(OTHER, *VIEW.owners[1:])),
        evolve(VIEW, nodes={**NODES, ME: evolve(NODES[ME], flags=Flag.MYSELF | Flag.SLAVE)}),
    ],
    ids=["down", "migrating", "owner", "replica"],
)
def test_what_changes_the_slots_served_is_noticed(after: Topology) -> None:
    assert served_slots(VIEW) != served_slots(after)
    assert not serves_alike(VIEW, after)
