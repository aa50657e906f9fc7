"""CLUSTER MIGRATESLOTS between real nodes: nothing is lost and every slot has one owner, whatever happens meanwhile."""

from typing import Final

from tests.integration.clusters import (
    CLUSTER,
    demand,
    form,
    my_id,
    myself,
    start_together,
    view,
    wait_state,
    wait_until,
)
from tests.integration.migrating import jobs, key_count, migrate, wait_end
from tests.integration.nodes import GOSSAMER, Node, Nodes, Program
from tests.integration.test_replication import facts
from tests.integration.test_reshard import Writer, keys_in

SLOTS: Final = 200
NAMES: Final = 300
OPTIONS: Final = (*CLUSTER, "--enable-debug-command", "yes", "--cluster-node-timeout", "2000")


def cluster_of(nodes: Nodes, *kinds: Program) -> list[Node]:
    made = [nodes.make(*OPTIONS, program=kind) for kind in kinds]
    start_together(made)
    form(made)
    return made


def replica_of(nodes: Nodes, primary: Node, everyone: list[Node], program: Program = GOSSAMER) -> Node:
    """A new replica, in sync and known to all."""
    replica = nodes.start(*OPTIONS, "--repl-diskless-sync-delay", "0", program=program)
    demand(replica, "CLUSTER", "MEET", "127.0.0.1", everyone[0].port)
    everyone.append(replica)
    wait_until(lambda: all(len(view(node)) == len(everyone) for node in everyone), "all know the replica")
    demand(replica, "CLUSTER", "REPLICATE", my_id(primary))
    wait_until(lambda: facts(replica).get("master_link_status") == "up", "the replica is in sync")
    told, head = my_id(replica), my_id(primary)
    wait_until(lambda: all(view(node)[told].primary == head for node in everyone), "all know whose it is")
    return replica


def same_data(primary: Node, replica: Node) -> bool:
    return primary.ask("DEBUG", "DIGEST") == replica.ask("DEBUG", "DIGEST")


def test_slots_move_under_writes_and_the_replicas_of_both_sides_follow(nodes: Nodes) -> None:
    source, target, third = cluster_of(nodes, GOSSAMER, GOSSAMER, GOSSAMER)
    everyone = [source, target, third]
    replicas = [replica_of(nodes, node, everyone) for node in (source, target)]
    names = keys_in(0, SLOTS - 1, NAMES)
    demand(source, "SET", keys_in(300, 400, 1)[0], "stays")
    demand(source, "SET", names[0] + "{" + names[0] + "}", "ends", "EX", "1000")
    writer = Writer(source.port, names)
    with writer.at_work():
        wait_until(lambda: writer.rounds > 1, "all keys are there")
        migrate(source, target, 0, 99, 100, SLOTS - 1)
        job = wait_end(source)
        begin = writer.rounds
        wait_until(lambda: writer.rounds > begin + 1, "writes go on")
    assert job["state"] == "success", job
    assert (job["operation"], job["slot_ranges"]) == ("EXPORT", f"0-99 100-{SLOTS - 1}")
    assert (job["source_node"], job["target_node"]) == (my_id(source), my_id(target))
    assert jobs(target)[0]["operation"] == "IMPORT"
    assert jobs(target)[0]["name"] == job["name"]
    writer.verify()
    assert [key_count(node) for node in (source, target, third)] == [1, NAMES + 1, 0]
    wait_until(lambda: all(myself(target).slots[0] == f"0-{SLOTS - 1}" for node in everyone), "all know the new owner")
    wait_until(lambda: same_data(source, replicas[0]) and same_data(target, replicas[1]), "the replicas have the same")
    assert key_count(replicas[1]) == NAMES + 1
    assert source.ask("GET", names[0]).text.startswith(b"MOVED ")
    wait_state(everyone, "ok")
