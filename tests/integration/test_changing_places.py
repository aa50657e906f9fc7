"""FAILOVER outside of a cluster: primary and replica change places, with real servers in either role."""

import os
import signal

import pytest

from tests.compat.replies import Answer
from tests.integration.clusters import OK, demand, wait_until
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program
from tests.integration.test_replication import facts, follow, start, wait_same

pytestmark = pytest.mark.once

PAIRS = ((GOSSAMER, GOSSAMER), (GOSSAMER, REDIS), (REDIS, GOSSAMER), (GOSSAMER, VALKEY), (VALKEY, GOSSAMER))


def pair(nodes: Nodes, kinds: tuple[Program, Program]) -> tuple[Node, Node]:
    primary, replica = (start(nodes, kind) for kind in kinds)
    demand(primary, "SET", "key", "1")
    follow(replica, primary)
    wait_same(primary, replica)
    return primary, replica


def state(node: Node) -> str:
    return facts(node)["master_failover_state"]


@pytest.mark.parametrize("kinds", PAIRS, ids=lambda kinds: f"{kinds[0].name}-{kinds[1].name}")
def test_they_change_places_without_a_full_sync(nodes: Nodes, kinds: tuple[Program, Program]) -> None:
    primary, replica = pair(nodes, kinds)
    demand(primary, "SET", "key", "2")
    demand(primary, "FAILOVER", "TO", "127.0.0.1", replica.port)
    wait_until(lambda: facts(replica)["role"] == "master" and facts(primary)["role"] == "slave", "they change places")
    wait_until(lambda: state(primary) == "no-failover", "it is over")
    demand(replica, "SET", "key", "3")
    wait_until(lambda: primary.ask("GET", "key").text == b"3", "the old primary follows")
    stats = dict(line.split(":") for line in replica.ask("INFO", "stats").text.decode().split() if ":" in line)
    assert stats["sync_full"] == "0"


@pytest.mark.parametrize("program", [GOSSAMER, REDIS], ids=lambda program: program.name)
def test_who_cannot_do_it_is_told_as_redis_tells_it(nodes: Nodes, program: Program) -> None:
    primary, replica = pair(nodes, (program, program))
    alone = start(nodes, program)
    port = replica.port
    told: list[Answer] = [alone.ask("FAILOVER"), replica.ask("FAILOVER"), primary.ask("FAILOVER", "ABORT")]
    wrong: tuple[tuple[str | int, ...], ...] = (
        ("TO", "127.0.0.1", port, "FORCE"),
        ("FORCE", "TIMEOUT", "100"),
        ("TO", "127.0.0.1", port, "FORCE", "TIMEOUT", "0"),
        ("TO", "10.1.1.1", "1"),
        ("TO", "127.0.0.1", "x"),
        ("NOW",),
        ("TIMEOUT",),
    )
    told += [primary.ask("FAILOVER", *words) for words in wrong]
    told.append(primary.ask("PSYNC", "0" * 40, "1", "FAILOVER"))
    assert [answer.text for answer in told] == [
        b"ERR FAILOVER requires connected replicas.",
        b"ERR FAILOVER is not valid when server is a replica.",
        b"ERR No failover in progress.",
        b"ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
        b"ERR FAILOVER with force option requires both a timeout and target HOST and IP.",
        b"ERR FAILOVER timeout must be greater than 0",
        b"ERR FAILOVER target HOST and PORT is not a replica.",
        b"ERR value is not an integer or out of range",
        b"ERR syntax error",
        b"ERR syntax error",
        b"ERR PSYNC FAILOVER can't be sent to a master.",
    ]


def test_it_waits_for_the_replica_and_can_be_called_off(nodes: Nodes) -> None:
    primary, replica = pair(nodes, (GOSSAMER, GOSSAMER))
    os.kill(replica.pid, signal.SIGSTOP)
    demand(primary, "SET", "key", "2")
    demand(primary, "FAILOVER")
    assert state(primary) == "waiting-for-sync"
    assert primary.ask("FAILOVER").text == b"ERR FAILOVER already in progress."
    assert primary.ask("REPLICAOF", "NO", "ONE").text == b"ERR REPLICAOF not allowed while failing over."
    demand(primary, "FAILOVER", "ABORT")
    primary.wait_log("FAILOVER to any replica aborted: Failover manually aborted")
    assert primary.ask("SET", "key", "3") == OK
    demand(primary, "FAILOVER", "TIMEOUT", "100")
    primary.wait_log("FAILOVER to any replica aborted: Replica never caught up before timeout")
    assert primary.ask("SET", "key", "4") == OK
    os.kill(replica.pid, signal.SIGCONT)
    wait_same(primary, replica)
