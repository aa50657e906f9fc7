"""A node that is asked to end: replicas catch up first, and with ``failover`` one of them takes its place."""

import os
import signal
import threading
import time

import pytest

from tests.integration.clusters import AGREE_S, OK, demand, my_id, myself, wait_until
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program
from tests.integration.test_election import KEY, shard
from tests.integration.test_replication import follow, wait_same

pytestmark = pytest.mark.once


def pair(nodes: Nodes, *options: str) -> tuple[Node, Node]:
    """A primary and its replica, in sync."""
    primary, replica = (nodes.start("--repl-diskless-sync-delay", "0", *options) for _ in range(2))
    demand(primary, "SET", "key", "1")
    follow(replica, primary)
    wait_same(primary, replica)
    return primary, replica


def lagging(nodes: Nodes, timeout_s: int) -> tuple[Node, Node]:
    """The replica is frozen, and has not got the last write."""
    primary, replica = pair(nodes, "--shutdown-timeout", str(timeout_s))
    os.kill(replica.pid, signal.SIGSTOP)
    demand(primary, "SET", "key", "2")
    return primary, replica


def test_replicas_that_have_everything_are_not_waited_for(nodes: Nodes) -> None:
    primary, _ = pair(nodes)
    began = time.monotonic()
    assert primary.stop() == 0
    assert time.monotonic() - began < 5
    assert "1 of 1 replicas are in sync when shutting down." in primary.log()


def test_a_replica_that_lags_is_waited_for_and_then_has_everything(nodes: Nodes) -> None:
    primary, replica = lagging(nodes, 20)
    os.kill(primary.pid, signal.SIGTERM)
    primary.wait_log("Waiting for replicas before shutting down.")
    assert b"shutdown_in_milliseconds:" in primary.ask("INFO", "server").text
    os.kill(replica.pid, signal.SIGCONT)
    assert primary.wait_end() == 0
    assert replica.ask("GET", "key").text == b"2"
    assert "1 of 1 replicas are in sync" in primary.log()


def test_it_is_not_waited_for_longer_than_the_timeout_and_named(nodes: Nodes) -> None:
    primary, replica = lagging(nodes, 1)
    os.kill(primary.pid, signal.SIGTERM)
    assert primary.wait_end() == 0
    assert f"Lagging replica 127.0.0.1:{replica.port} reported offset" in primary.log()
    assert "0 of 1 replicas are in sync when shutting down." in primary.log()
    os.kill(replica.pid, signal.SIGCONT)


def test_now_does_not_wait(nodes: Nodes) -> None:
    primary, replica = lagging(nodes, 20)
    assert primary.ask("SHUTDOWN", "NOW").kind == "closed"
    assert primary.wait_end() == 0
    os.kill(replica.pid, signal.SIGCONT)


def test_shutdown_can_be_called_off(nodes: Nodes) -> None:
    primary, replica = lagging(nodes, 20)
    told: list[object] = []
    asking = threading.Thread(target=lambda: told.append(primary.ask("SHUTDOWN")))
    asking.start()
    primary.wait_log("Waiting for replicas before shutting down.")
    with primary.connect() as other:
        other.sendall(b"SHUTDOWN ABORT\r\nSET key 3\r\n")
        answers = b""
        while answers.count(b"\r\n") < 2:
            answers += other.recv(100)
    assert answers == b"+OK\r\n+OK\r\n"
    asking.join()
    assert "Errors trying to SHUTDOWN. Check logs." in str(told[0])
    primary.wait_log("Shutdown manually aborted.")
    os.kill(replica.pid, signal.SIGCONT)
    wait_same(primary, replica)
    assert primary.stop() == 0


@pytest.mark.parametrize(
    "kinds", [(GOSSAMER, GOSSAMER), (GOSSAMER, VALKEY), (VALKEY, GOSSAMER)], ids=lambda k: k[0].name + "-" + k[1].name
)
def test_a_primary_of_a_cluster_hands_over_first(nodes: Nodes, kinds: tuple[Program, Program]) -> None:
    primaries, replica = shard(nodes, kinds)
    primary = primaries[0]
    demand(primary, "CONFIG", "SET", "shutdown-on-sigterm", "failover")
    assert primary.ask("SET", KEY, "newest") == OK
    told, name = my_id(replica), my_id(primary)
    assert primary.stop() == 0
    # Valkey asks for each vote once, and when one of them gets lost stands again some seconds later.
    wait_until(lambda: bool(myself(replica).slots), "the replica has the slots", AGREE_S if kinds[1] is VALKEY else 5)
    if kinds[1] is GOSSAMER:
        replica.wait_log("Forced failover user request accepted.")
    assert replica.ask("GET", KEY).text == b"newest"
    assert f"Perform auto failover to replica {told} on shutdown." in primary.log()
    primary.start()
    wait_until(lambda: myself(primary).primary == told, f"{name} comes back as a replica")


def test_redis_cannot_be_told_and_is_left_to_the_election(nodes: Nodes) -> None:
    primaries, replica = shard(nodes, (GOSSAMER, REDIS))
    assert primaries[0].ask("SHUTDOWN", "FAILOVER").kind == "closed"
    assert primaries[0].wait_end() == 0
    assert "Unable to perform auto failover on shutdown since there are legacy replicas." in primaries[0].log()
    wait_until(lambda: bool(myself(replica).slots), "the replica is elected")
