"""WAIT: who is answered, when it gives up, and CLIENT UNBLOCK."""

import pytest

from tests.unit.node.replication.joined import START, Node, join


def test_a_replica_acknowledges_what_it_has() -> None:
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    assert primary.tell("SET k v", "WAIT 1 0") == b"+OK\r\n"
    link.settle()
    assert primary.client.take_output() == b":1\r\n"
    assert primary.tell("PING") == b"+PONG\r\n"


def test_wait_gives_up() -> None:
    primary = Node(1)
    primary.tell("SET k v")
    assert primary.tell("WAIT 1 100", "PING") == b""
    primary.at(START + 101)
    primary.machine.tick(START + 101)
    primary.machine.drain()
    assert primary.client.take_output() == b":0\r\n+PONG\r\n"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", b":1\r\n"),
        (" timeout", b":1\r\n"),
        (" ERROR", b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"),
    ],
)
def test_an_operator_ends_the_wait_of_another(reason: str, told: bytes) -> None:
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    assert primary.tell("SET k v", "WAIT 2 0", "PING", "WAIT 2 0") == b"+OK\r\n"
    link.settle()
    operator = primary.machine.accept("127.0.0.1:3", "127.0.0.1:2")
    unblock = f"CLIENT UNBLOCK {primary.client.id}{reason}\r\n".encode()
    operator.feed(unblock)
    primary.machine.drain()
    assert operator.take_output() == b":1\r\n"
    assert primary.client.take_output() == told + b"+PONG\r\n", "as many as have it, and on to what comes next"
    operator.feed(unblock + unblock)
    primary.machine.drain()
    assert operator.take_output() == b":1\r\n:0\r\n"
    assert primary.client.take_output() == told
    assert primary.server.stats.errors.get(b"UNBLOCKED", 0) == (2 if told.startswith(b"-") else 0)


def test_who_does_not_wait_is_not_unblocked() -> None:
    primary = Node(1)
    other = primary.machine.accept("127.0.0.1:3", "127.0.0.1:2")
    assert primary.tell(f"CLIENT UNBLOCK {other.id}", "CLIENT UNBLOCK 999", "CLIENT UNBLOCK 1 ERROR") == b":0\r\n" * 3
    primary.tell("CLIENT PAUSE 60000 WRITE")
    other.feed(b"SET k v\r\n")
    assert other.blocked
    assert primary.tell(f"CLIENT UNBLOCK {other.id}") == b":0\r\n", "a pause is not his to end"
    assert other.take_output() == b""
