"""Slots that are on their way to a node (CLUSTER MIGRATESLOTS), and what the disks of that node and its replica say."""

import os
import signal

import pytest

from tests.integration.clusters import demand, form, start_together, wait_state, wait_until
from tests.integration.migrating import key_count, migrate, wait_end
from tests.integration.migrating import wait_state as wait_job
from tests.integration.nodes import Node, Nodes
from tests.integration.test_atomic_migration import NAMES, SLOTS, replica_of, same_data
from tests.integration.test_atomic_migration import OPTIONS as QUICK
from tests.integration.test_replication import facts
from tests.integration.test_reshard import keys_in

OPTIONS = (*QUICK, "--cluster-node-timeout", "60000")
"""Nobody takes who is stopped for failed."""
APPENDED = ("--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0")
SAVED = ("--save", "3600 1")
"""It saves when it ends in good order."""
REWRITTEN = "Background AOF rewrite finished successfully"


def halfway(nodes: Nodes, *options: str) -> tuple[Node, Node, Node]:
    """A source, a target and its replica. The target has all keys of the slots, and so has its replica, but the source,
    which is stopped, has not handed over the slots yet."""
    source, target = made = [nodes.make(*OPTIONS, *options) for _ in range(2)]
    start_together(made)
    form(made)
    replica = replica_of(nodes, target, made, options=(*OPTIONS, *options))
    for name in keys_in(0, SLOTS - 1, NAMES):
        demand(source, "SET", name, name)
    os.kill(replica.pid, signal.SIGSTOP)
    migrate(source, target, 0, SLOTS - 1)
    wait_job(target, "waiting-for-paused")
    os.kill(source.pid, signal.SIGSTOP)
    os.kill(replica.pid, signal.SIGCONT)
    wait_in_step(target, replica)
    return source, target, replica


def wait_in_step(primary: Node, replica: Node) -> None:
    def in_step() -> bool:
        told, own = facts(primary), facts(replica)
        return own.get("master_link_status") == "up" and own["master_repl_offset"] == told["master_repl_offset"]

    wait_until(in_step, f"{replica} has all that {primary} has told")


def go_on(source: Node) -> str:
    """How the migration ends."""
    os.kill(source.pid, signal.SIGCONT)
    return str(wait_end(source)["state"])


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_a_rewrite_keeps_the_keys_that_have_come(nodes: Nodes, preamble: str) -> None:
    source, target, replica = halfway(nodes, *APPENDED, "--aof-use-rdb-preamble", preamble)
    for node in (target, replica):
        before = node.log().count(REWRITTEN)
        node.ask("BGREWRITEAOF")
        wait_until(lambda node=node, before=before: node.log().count(REWRITTEN) > before, "it is rewritten")  # type: ignore[misc]
    assert go_on(source) == "success"
    wait_until(lambda: key_count(replica) == NAMES, "the replica has heard of the end")
    for node in (target, replica):
        node.kill()
    for node in (replica, target):
        node.start()
        assert key_count(node) == NAMES
    wait_until(lambda: key_count(source) == 0, "the source has deleted its keys")


def test_a_rewrite_keeps_nothing_of_a_migration_that_fails(nodes: Nodes) -> None:
    source, target, replica = halfway(nodes, *APPENDED)
    before = target.log().count(REWRITTEN)
    target.ask("BGREWRITEAOF")
    wait_until(lambda: target.log().count(REWRITTEN) > before, "it is rewritten")
    source.kill()
    assert wait_end(target)["state"] == "failed"
    target.kill()
    target.start()
    source.start()
    wait_state([source, target, replica], "ok")
    assert [key_count(node) for node in (source, target)] == [NAMES, 0]
    wait_until(lambda: facts(replica).get("master_link_status") == "up" and not key_count(replica), "nor its replica")


def test_a_replica_that_is_restarted_meanwhile_has_all_in_the_end(nodes: Nodes) -> None:
    source, target, replica = halfway(nodes, *SAVED)
    replica.restart()
    wait_in_step(target, replica)
    assert go_on(source) == "success"
    assert key_count(target) == NAMES
    wait_until(lambda: same_data(target, replica), "the replica has the same")


def test_a_target_that_is_restarted_meanwhile_leaves_its_replica_nothing_of_it(nodes: Nodes) -> None:
    source, target, replica = halfway(nodes, *SAVED)
    target.restart()
    assert go_on(source) == "failed"
    wait_in_step(target, replica)
    wait_state([source, target, replica], "ok")
    migrate(source, target, 0, SLOTS - 1)
    assert wait_end(source)["state"] == "success"
    assert key_count(target) == NAMES
    wait_until(lambda: same_data(target, replica), "the replica has the same")
