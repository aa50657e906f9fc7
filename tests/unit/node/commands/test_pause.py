"""CLIENT PAUSE: what is held, when it runs, and that nothing is lost or reordered."""

from collections.abc import Callable
from random import Random
from typing import TypeVar

import pytest

from gossamer.node.engine.deadlines import NEVER
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import Session
from gossamer.node.machine import Machine

START = 1_000_000
T = TypeVar("T")


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
    assert node.server.deadlines.first == START + 500
    node.at(START + 499)
    assert other.take_output() == b""
    node.at(START + 500)
    assert other.take_output() == b"+OK\r\n:2\r\n$1\r\n2\r\n"
    assert node.server.deadlines.first == NEVER


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


@pytest.mark.parametrize("pause", ["CLIENT PAUSE 500 WRITE", "CLIENT PAUSE 500"])
def test_randomkey_ends_although_nothing_may_be_deleted(node: Node, pause: str) -> None:
    """With keys that have all come to their end it names one of them, as Redis does, in a bounded number of draws."""
    other = node.client()
    node.say(other, "SET k v PX 10", "MULTI", "RANDOMKEY")
    node.say(node.operator, pause)
    node.server.begin_batch(START + 100)
    if pause.endswith("WRITE"):
        assert bounded(node, lambda: node.say(node.client(), "RANDOMKEY")) == b"$1\r\nk\r\n"
        assert bounded(node, lambda: node.say(other, "EXEC")) == b"*1\r\n$1\r\nk\r\n"
    else:
        bounded(node, lambda: node.say(node.client(), "RANDOMKEY"))
        node.server.begin_batch(START + 600)
        bounded(node, node.machine.drain)
    assert node.say(node.operator, "GET k") == b"$-1\r\n"
    node.at(START + 700)
    assert node.say(node.operator, "RANDOMKEY") == b"$-1\r\n"


def test_randomkey_finds_the_key_that_does_not_end_among_many_that_are_over(node: Node) -> None:
    other = node.client()
    node.say(other, "SET endless v", *(f"SET k{n} v PX 10" for n in range(3000)))
    node.say(node.operator, "CLIENT PAUSE 500 WRITE")
    node.server.begin_batch(START + 100)
    for _ in range(5):
        assert bounded(node, lambda: node.say(other, "RANDOMKEY")) == b"$7\r\nendless\r\n"
    assert node.server.keyspace.database(0).size == 3001


def test_what_goes_through_all_keys_ends_although_nothing_may_be_deleted(node: Node) -> None:
    other = node.client()
    node.say(other, *(f"SET k{n} v PX 10" for n in range(1000)))
    node.say(node.operator, "CLIENT PAUSE 500 WRITE")
    node.at(START + 100)
    scan_finds_nothing(node, other, 1000)
    assert node.say(other, "KEYS *", "DBSIZE") == b"*0\r\n:1000\r\n"
    node.at(START + 600)
    assert node.say(other, "DBSIZE") == b":0\r\n"


def test_on_a_replica_too_where_only_the_primary_deletes(node: Node) -> None:
    """With keys that have all come to their end, and a link that is down: nobody says when they go."""
    other = node.client()
    node.say(other, *(f"SET k{n} v PX 10" for n in range(1000)))
    node.say(node.operator, "REPLICAOF 127.0.0.1 1")
    assert not node.server.lazy_expire_deletes
    node.at(START + 100)
    assert bounded(node, lambda: node.say(other, "RANDOMKEY")).startswith((b"$2\r\nk", b"$3\r\nk", b"$4\r\nk"))
    scan_finds_nothing(node, other, 1000)
    assert node.say(other, "KEYS *", "DBSIZE") == b"*0\r\n:1000\r\n"
    node.say(node.operator, "REPLICAOF NO ONE")
    node.server.rng = Random(1)
    assert node.say(other, "RANDOMKEY") == b"$-1\r\n"
    assert node.say(other, "DBSIZE") == b":0\r\n"


@pytest.mark.parametrize("fields", [3, 1000], ids=["listpack", "hashtable"])
def test_a_draw_of_fields_ends_although_all_are_over_and_none_may_be_deleted(node: Node, fields: int) -> None:
    other = node.client()
    names = [f"f{n}" for n in range(fields)]
    node.say(other, "HSET h " + " ".join(f"{name} v" for name in names))
    node.say(other, f"HPEXPIRE h 10 FIELDS {fields} " + " ".join(names))
    node.say(node.operator, "CLIENT PAUSE 500 WRITE")
    node.at(START + 100)
    assert node.say(other, "HLEN h") == b":%d\r\n" % fields
    for request, reply in (
        ("HRANDFIELD h", b"$-1\r\n"),
        ("HRANDFIELD h 2", b"*0\r\n"),
        ("HRANDFIELD h 5000 WITHVALUES", b"*0\r\n"),
        ("HRANDFIELD h -5", b"*0\r\n"),
        ("HRANDFIELD h -5 WITHVALUES", b"*0\r\n"),
    ):
        assert bounded(node, lambda request=request: node.say(other, request)) == reply, request  # type: ignore[misc]


def test_what_deletes_fields_that_are_over_rests_in_a_pause_and_ends_whoever_calls_it(node: Node) -> None:
    other = node.client()
    for key in range(20):
        names = " ".join(f"f{n}" for n in range(100))
        node.say(other, f"HSET h{key} " + names.replace(" ", " v ") + " v")
        node.say(other, f"HPEXPIRE h{key} 10 FIELDS 100 {names}")
    node.say(node.operator, "CLIENT PAUSE 500 WRITE")
    for ms in range(100, 500, 100):
        node.at(START + ms)
        node.server.expiry.cycle()
    assert node.say(other, "DBSIZE", "HLEN h7") == b":20\r\n:100\r\n"
    looked = node.server.expiry.elements.edge = Ticking()
    node.server.expiry.elements.cycle()
    assert looked.left > 0
    assert not node.server.expiry.elements.has_work()


def scan_finds_nothing(node: Node, session: Session, keys: int) -> None:
    """Though it goes through all ``keys``."""
    cursor, steps = "0", 0
    while steps == 0 or cursor != "0":
        told = node.say(session, f"SCAN {cursor} COUNT 100").split(b"\r\n")
        assert told[3:] == [b"*0", b""]
        cursor = told[2].decode()
        steps += 1
        assert steps <= keys // 100 + 2


class Ticking(Edge):
    """A clock that stands still, and may be looked at so often."""

    left = 1000

    def microseconds(self) -> int:
        self.left -= 1
        assert self.left > 0, "it goes on without end"
        return 0


class Exhausted(Random):
    """Chance that ends after so many draws: a loop that never does is an error, and no test that hangs."""

    left = 1000

    def random(self) -> float:
        self.left -= 1
        assert self.left > 0, "drawn without end"
        return super().random()

    def getrandbits(self, k: int, /) -> int:
        self.left -= 1
        assert self.left > 0, "drawn without end"
        return super().getrandbits(k)


def bounded(node: Node, act: Callable[[], T]) -> T:
    node.server.rng = Exhausted(1)
    return act()
