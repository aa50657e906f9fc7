"""Real replicas of real primaries that die: our primaries are the majority that elects them."""

from collections.abc import Sequence
from typing import Final

import pytest

from deploy.form import shares
from tests.integration.clusters import (
    CLUSTER,
    OK,
    demand,
    form,
    info,
    my_id,
    myself,
    start_together,
    view,
    wait_state,
    wait_until,
)
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program

TIMEOUT_MS: Final = 1500
KEY: Final = "06S"
"""In slot 0."""


def shard(nodes: Nodes, program: Program) -> tuple[list[Node], Node]:
    """Three primaries, of which the first is no node of ours, and its replica, which is in sync."""
    kinds = (program, GOSSAMER, GOSSAMER, program)
    options = (*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS), "--repl-diskless-sync-delay", "0")
    made = [nodes.make(*options, program=kind) for kind in kinds]
    start_together(made)
    primaries, replica = made[:3], made[3]
    form(primaries)
    assert primaries[0].ask("SET", KEY, "kept") == OK
    demand(replica, "CLUSTER", "MEET", "127.0.0.1", primaries[1].port)
    wait_until(lambda: all(len(view(node)) == 4 for node in made), "all know the fourth")
    demand(replica, "CLUSTER", "REPLICATE", my_id(primaries[0]))
    wait_until(lambda: b"master_link_status:up" in replica.ask("INFO", "replication").text, "the replica is in sync")
    wait_primary(made, replica, my_id(primaries[0]))
    wait_state(made, "ok")
    return primaries, replica


def wait_primary(nodes: Sequence[Node], replica: Node, primary: str) -> None:
    """Until all say that ``replica`` replicates ``primary``, ``-`` for nobody."""
    told = my_id(replica)
    wait_until(lambda: all(view(node)[told].primary == primary for node in nodes), f"{replica} replicates {primary}")


@pytest.mark.parametrize("program", [REDIS, VALKEY], ids=lambda program: program.name)
def test_our_primaries_elect_a_replica_of_another_kind(nodes: Nodes, program: Program) -> None:
    primaries, replica = shard(nodes, program)
    dead, ours = primaries[0], primaries[1:]
    old, epoch = my_id(dead), int(info(replica)["cluster_current_epoch"])
    dead.kill()
    wait_primary([*ours, replica], replica, "-")
    wait_state([*ours, replica], "ok")
    low, high = shares(3)[0]
    for node in (*ours, replica):
        line = view(node)[my_id(replica)]
        assert (line.slots, line.primary) == ((f"{low}-{high}",), "-")
        assert line.epoch > epoch
    assert replica.ask("GET", KEY).text == b"kept"
    assert ours[0].ask("GET", KEY).text == b"MOVED 0 127.0.0.1:%d" % replica.port
    wait_until(lambda: all("cluster_stats_messages_auth-ack_sent" in info(node) for node in ours), "both have voted")
    dead.start()
    wait_primary([*ours, replica, dead], dead, my_id(replica))
    assert my_id(dead) == old


@pytest.mark.parametrize("program", [REDIS, VALKEY], ids=lambda program: program.name)
def test_our_primaries_let_replicas_of_another_kind_take_over_by_command(nodes: Nodes, program: Program) -> None:
    primaries, replica = shard(nodes, program)
    demand(replica, "CLUSTER", "FAILOVER")
    wait_primary([*primaries, replica], replica, "-")
    wait_primary([*primaries, replica], primaries[0], my_id(replica))
    assert myself(replica).slots
    wait_state([*primaries, replica], "ok")
