"""``write-ack-replicas`` between processes: replicas of all kinds acknowledge, and one that hangs is told of."""

import os
import signal
import threading

import pytest

from tests.compat.replies import Answer
from tests.integration.clusters import demand, my_id, wait_until
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Nodes, Program
from tests.integration.test_election import KEY, shard, wait_primary
from tests.integration.test_replication import facts, follow, start

OK = Answer("status", b"OK")


@pytest.mark.once
@pytest.mark.parametrize("program", [GOSSAMER, REDIS, VALKEY], ids=lambda program: program.name)
def test_what_is_answered_is_on_the_replica(nodes: Nodes, program: Program) -> None:
    primary, replica = start(nodes, GOSSAMER, "--write-ack-replicas", "1"), start(nodes, program)
    assert primary.ask("SET", "k", "v").text.startswith(b"NOREPLICAS")
    follow(replica, primary)
    for number in range(50):
        assert primary.ask("SET", "k", str(number)) == OK
        assert replica.ask("GET", "k").text == str(number).encode()


def test_a_replica_that_hangs_holds_up_writes_and_nobody_else(nodes: Nodes) -> None:
    primary = start(nodes, GOSSAMER, "--write-ack-replicas", "1", "--write-ack-timeout", "3000")
    replica = start(nodes, GOSSAMER)
    follow(replica, primary)
    demand(primary, "SET", "other", "1")
    answers: list[Answer] = []
    os.kill(replica.pid, signal.SIGSTOP)
    try:
        with primary.connect() as connection:
            writer = threading.Thread(target=lambda: answers.append(primary.ask("SET", "k", "v")))
            writer.start()
            connection.sendall(b"*2\r\n$3\r\nGET\r\n$5\r\nother\r\n")
            assert connection.recv(100) == b"$1\r\n1\r\n"
            assert not answers, "the write was answered before the read"
            writer.join(10)
        assert answers[0].text.startswith(b"UNACKED ")
    finally:
        os.kill(replica.pid, signal.SIGCONT)
    assert primary.ask("SET", "k", "w") == OK
    assert "UNACKED" in primary.ask("INFO", "errorstats").text.decode()
    assert facts(replica)["role"] == "slave"


def test_a_primary_that_is_restarted_at_once_costs_nothing(nodes: Nodes) -> None:
    """It is empty when it comes back, and so not copied but replaced."""
    primaries, replica = shard(nodes, (GOSSAMER, GOSSAMER))
    for node in (primaries[0], replica):
        demand(node, "CONFIG", "SET", "write-ack-replicas", "1")
    assert primaries[0].ask("SET", KEY, "acknowledged") == OK
    primaries[0].kill()
    primaries[0].start()
    wait_primary([*primaries, replica], replica, "-")
    wait_primary([*primaries, replica], primaries[0], my_id(replica))
    assert replica.ask("GET", KEY).text == b"acknowledged"
    wait_until(
        lambda: b"master_link_status:up" in primaries[0].ask("INFO", "replication").text, "it has the data again"
    )
