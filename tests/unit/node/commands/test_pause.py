"""CLIENT PAUSE: what is held, when it runs, and that nothing is lost or reordered."""

import pytest

from node.engine.server import Server
from node.engine.session import Session
from node.machine import Machine

START = 1_000_000


class Node:
    def __init__(self) -> None:
        self.server = Server()
        self.machine = Machine(self.server)
        self.server.begin_batch(START)
        self.operator = self.client()

    def client(self) -> Session:
        return self.machine.accept("127.0.0.1:1", "127.0.0.1:2")

    def say(self, session: Session, *lines: str) -> bytes:
        for line in lines:
            session.feed(line.encode() + b"\r\n")
        self.machine.drain()
        return session.take_output()

    def at(self, now: int) -> None:
        """A turn of the node at that time, with nothing to read."""
        self.server.begin_batch(now)
        self.machine.tick(now)
        self.machine.drain()


@pytest.fixture
def node() -> Node:
    return Node()


def test_requests_wait_and_run_in_order_when_the_pause_ends(node: Node) -> None:
    other = node.client()
    node.say(node.operator, "CLIENT PAUSE 500")
    assert node.say(other, "SET k 1", "INCR k", "GET k") == b""
    assert node.machine.pause_ends() == START + 500
    node.at(START + 499)
    assert other.take_output() == b""
    node.at(START + 500)
    assert other.take_output() == b"+OK\r\n:2\r\n$1\r\n2\r\n"
    assert node.machine.pause_ends() is None


def test_unpause_serves_what_waited_at_once(node: Node) -> None:
    other = node.client()
    node.say(node.operator, "CLIENT PAUSE 500 WRITE")
    assert node.say(other, "SET k 1") == b""
    node.say(node.operator, "CLIENT UNPAUSE")
    assert other.take_output() == b"+OK\r\n"


def test_reads_go_on_while_writes_are_paused(node: Node) -> None:
    node.say(node.operator, "CLIENT PAUSE 500 WRITE")
    assert node.say(node.client(), "GET k") == b"$-1\r\n"


def test_a_transaction_that_only_reads_is_not_held(node: Node) -> None:
    node.say(node.operator, "CLIENT PAUSE 500 WRITE")
    assert node.say(node.client(), "MULTI", "GET k", "EXEC") == b"+OK\r\n+QUEUED\r\n*1\r\n$-1\r\n"


def test_a_transaction_that_writes_is_held_at_exec(node: Node) -> None:
    other = node.client()
    node.say(other, "MULTI", "SET k 1")
    node.say(node.operator, "CLIENT PAUSE 500 WRITE")
    assert node.say(other, "EXEC") == b""
    node.at(START + 500)
    assert other.take_output() == b"*1\r\n+OK\r\n"


def test_of_two_pauses_the_longer_and_the_wider_win(node: Node) -> None:
    other = node.client()
    node.say(node.operator, "CLIENT PAUSE 500 WRITE", "CLIENT PAUSE 100 WRITE")
    node.say(other, "SET k 1")
    node.at(START + 200)
    assert other.take_output() == b""
    node.say(node.operator, "CLIENT PAUSE 100 ALL")
    assert node.say(node.client(), "PING") == b""


def test_a_client_that_leaves_is_not_served_later(node: Node) -> None:
    other = node.client()
    node.say(node.operator, "CLIENT PAUSE 500")
    node.say(other, "SET k 1")
    node.machine.leave(other)
    node.at(START + 500)
    assert node.say(node.operator, "GET k") == b"$-1\r\n"


def test_a_held_client_that_is_killed_does_not_run_its_request(node: Node) -> None:
    other = node.client()
    node.say(node.operator, "CLIENT PAUSE 500 WRITE")
    node.say(other, "SET k 1")
    assert node.say(node.operator, f"CLIENT KILL ID {other.id}") == b":1\r\n"
    node.at(START + 500)
    assert node.say(node.operator, "GET k") == b"$-1\r\n"


def test_reply_skip_is_kept_for_the_request_that_waits(node: Node) -> None:
    other = node.client()
    node.say(other, "CLIENT REPLY SKIP")
    node.say(node.operator, "CLIENT PAUSE 500")
    node.say(other, "SET k 1", "PING")
    node.at(START + 500)
    assert other.take_output() == b"+PONG\r\n"


def test_a_request_that_waited_may_pause_again(node: Node) -> None:
    first, second = node.client(), node.client()
    node.say(node.operator, "CLIENT PAUSE 500")
    node.say(first, "CLIENT PAUSE 500")
    node.say(second, "PING")
    node.at(START + 500)
    assert first.take_output() == b"+OK\r\n"
    assert second.take_output() == b""
    node.at(START + 1000)
    assert second.take_output() == b"+PONG\r\n"


def test_more_than_a_turn_of_requests_that_waited_is_served(node: Node) -> None:
    other = node.client()
    node.say(node.operator, "CLIENT PAUSE 500")
    other.feed(b"PING\r\n" * 3000)
    node.at(START + 500)
    assert other.take_output() == b"+PONG\r\n" * 3000


def test_info_counts_who_waits(node: Node) -> None:
    node.say(node.operator, "CLIENT PAUSE 500 WRITE")
    node.say(node.client(), "SET k 1")
    assert b"blocked_clients:1\r\n" in node.say(node.operator, "INFO clients")
