"""``write-ack-replicas`` between processes: replicas of all kinds acknowledge, and one that hangs is told of."""

import os
import signal
import threading

import pytest

from tests.compat.replies import Answer
from tests.integration.clusters import demand
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Nodes, Program
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
    primary = start(nodes, GOSSAMER, "--write-ack-replicas", "1", "--write-ack-timeout", "700")
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
