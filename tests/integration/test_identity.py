"""Two clusters of real processes stay two; other servers do not mind what keeps them apart."""

import shutil
from collections.abc import Sequence
from typing import Final

import pytest

from tests.integration.clusters import (
    CLUSTER,
    demand,
    form,
    info,
    my_id,
    start_together,
    view,
    wait_failed,
    wait_peace,
    wait_until,
)
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program

pytestmark = pytest.mark.once  # nothing of it is compiled

TIMEOUT_MS: Final = 2000
OPTIONS: Final = (*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS))


def cluster(nodes: Nodes, kinds: Sequence[Program]) -> list[Node]:
    made = [nodes.make(*OPTIONS, program=kind) for kind in kinds]
    start_together(made)
    form(made)
    return made


def identity(node: Node) -> str:
    return info(node).get("cluster_identity", "")


def wait_identity(made: Sequence[Node]) -> str:
    """Until all of ours have one and the same."""
    wait_until(
        lambda: len({identity(node) for node in made}) == 1 and identity(made[0]) != "", "they share an identity"
    )
    return identity(made[0])


@pytest.mark.parametrize("kind", [REDIS, VALKEY], ids=lambda kind: kind.name)
def test_other_servers_skip_the_identity_on_the_bus_and_in_nodes_conf(nodes: Nodes, kind: Program) -> None:
    made = cluster(nodes, (GOSSAMER, GOSSAMER, kind))
    told = wait_identity(made[:2])
    heard = int(info(made[2])["cluster_stats_messages_received"])
    wait_until(
        lambda: int(info(made[2])["cluster_stats_messages_received"]) > heard + 4, "pings that carry it have come"
    )
    wait_peace(made)
    assert "nknown" not in made[2].log()
    assert made[2].log().count("xtension") == 0
    kept = made[0].home / "nodes.conf"
    wait_until(lambda: f"clusterId {told}" in kept.read_text(), "it is in nodes.conf")
    # In the place of ours the other server comes back from the same file as the same node.
    before = my_id(made[0])
    made[0].stop()
    successor = nodes.make(*OPTIONS, program=kind)
    successor.port, successor.bus_port = made[0].port, made[0].bus_port
    shutil.copy(kept, successor.home / "nodes.conf")
    successor.start()
    assert my_id(successor) == before
    wait_peace([successor, *made[1:]])


def test_a_node_at_the_address_of_a_dead_one_of_another_cluster_brings_nobody(nodes: Nodes) -> None:
    ours, theirs = cluster(nodes, (GOSSAMER,) * 3), cluster(nodes, (GOSSAMER,) * 2)
    assert wait_identity(ours) != wait_identity(theirs)
    dead, moved = ours[2], theirs[1]
    gone, others, known = my_id(dead), ours[:2], set(view(ours[0]))
    dead.kill()
    wait_failed(others, gone)
    moved.stop()
    moved.port, moved.bus_port = dead.port, dead.bus_port
    moved.start()
    wait_until(lambda: all("noaddr" in view(node)[gone].flags for node in others), "who is there is not who was")
    wait_peace(theirs)
    for node in others:  # as a script does that knows nothing but addresses
        demand(node, "CLUSTER", "MEET", *moved.address)
    demand(theirs[0], "CLUSTER", "MEET", *others[0].address)
    refusing = (*others, theirs[0])
    for node in refusing:
        node.wait_log("belongs to another cluster")
    wait_until(
        lambda: all("cluster_stats_messages_foreign_received" in info(node) for node in refusing), "it is counted"
    )
    wait_peace(theirs)
    assert all(set(view(node)) == known for node in others)
    assert len(view(theirs[0])) == 2


def test_a_node_that_is_reset_may_be_met_by_another_cluster(nodes: Nodes) -> None:
    ours, theirs = cluster(nodes, (GOSSAMER,) * 3), nodes.start(*OPTIONS)
    demand(theirs, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    assert wait_identity(ours) != wait_identity([theirs])
    demand(theirs, "CLUSTER", "RESET")
    assert identity(theirs) == ""
    demand(theirs, "CLUSTER", "MEET", *ours[1].address)
    wait_peace([*ours, theirs])
    wait_identity([*ours, theirs])
