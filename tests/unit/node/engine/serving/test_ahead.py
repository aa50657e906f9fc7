"""Requests that arrive together are read together, and nobody can tell: each is served as if it had come alone."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import BATCH, Session
from gossamer.node.machine import Machine

PING = b"*1\r\n$4\r\nPING\r\n"
PONG = b"+PONG\r\n"
MEGABYTE = 1 << 20


def packed(text: str) -> bytes:
    words = text.encode().split()
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def pipeline(*requests: str) -> bytes:
    return b"".join(packed(request) for request in requests)


class Node:
    """A node in memory, and its clients."""

    def __init__(self, clustered: bool = False, edge: Edge | None = None) -> None:
        self.server = Server(16, clustered, edge)
        self.machine = Machine(self.server)
        self.server.begin_batch(1_000_000)
        self.client = self.accept()

    def accept(self) -> Session:
        return self.machine.accept("127.0.0.1:1", "127.0.0.1:2")

    def say(self, *requests: str) -> bytes:
        """What the first client is answered if all of these arrive at once."""
        self.client.feed(pipeline(*requests))
        return self.client.take_output()


# --- any stream, in any pieces

REQUESTS = [
    *[packed(text) for text in ("GET a", "SET a 1", "SET a x", "INCR a", "MSET a 1 b 2", "MGET a b", "DEL a", "PING")],
    *[packed(text) for text in ("MULTI", "EXEC", "DISCARD", "WATCH a", "SELECT 1", "SELECT 0", "SWAPDB 0 1", "RESET")],
    *[packed(text) for text in ("CLIENT REPLY SKIP", "CLIENT REPLY OFF", "CLIENT REPLY ON", "NONE a", "GET", "ECHO q")],
    *[
        b"PING\r\n",
        b"SET a 5\r\n",
        b"\r\n",
        b"*0\r\n",
        b"*-1\r\n",
        b"*2\r\n$3\r\nGET\r\n$1\r\n\xff\r\n",
        b"*1\r\n$0\r\n\r\n",
    ],
    b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5000\r\n" + b"\r\n" * 2500 + b"\r\n",
    *[packed("QUIT"), b"*1\r\n!3\r\nfoo\r\n", b"*x\r\n", b"*1\r\n$03\r\nGET\r\n"],
]


def replies(pieces: list[bytes]) -> tuple[bytes, bool, int]:
    node = Node()
    client = node.client
    for piece in pieces:
        more = client.feed(piece)
        while more:
            more = client.resume()
    return client.take_output(), client.closing, 0 if client.closing else client.unread()


@given(
    requests=st.lists(st.sampled_from(REQUESTS), max_size=40),
    sizes=st.lists(st.integers(1, 300), max_size=20),
    rest=st.integers(0, 20),
)
def test_however_a_stream_is_cut_its_replies_are_those_of_request_by_request(
    requests: list[bytes], sizes: list[int], rest: int
) -> None:
    half = packed("SET a half-of-this")[:rest]
    data = b"".join(requests) + half
    cut = []
    for size in sizes:
        cut.append(data[:size])
        data = data[size:]
    assert replies([*cut, data]) == replies([*requests, half])


# --- what ends, or changes, how the rest is read


def test_a_protocol_error_is_answered_after_the_requests_before_it() -> None:
    node = Node()
    node.client.feed(pipeline("SET a 1", "GET a") + b"*1\r\n!\r\n" + PING)
    assert node.client.take_output() == b"+OK\r\n$1\r\n1\r\n-ERR Protocol error: expected '$', got '!'\r\n"
    assert node.client.closing


@pytest.mark.parametrize("last", ["QUIT", "CLIENT KILL TYPE normal SKIPME no"])
def test_what_stands_behind_the_end_of_a_connection_is_not_served(last: str) -> None:
    node = Node()
    node.client.feed(pipeline("SET a 1", last, "SET a 2"))
    assert node.client.closing
    assert node.client.call.get_raw(b"a") == b"1"


def test_a_stranger_may_send_long_requests_right_behind_its_password() -> None:
    long = "MSET " + " ".join(f"k{n} v" for n in range(20))
    node = Node()
    node.say("CONFIG SET requirepass secret")
    node.client = node.accept()
    assert (
        node.say("GET a", "AUTH secret", long, "GET k7")
        == b"-NOAUTH Authentication required.\r\n+OK\r\n+OK\r\n$1\r\nv\r\n"
    )
    said = node.say("RESET", "AUTH wrong", long)
    assert said.startswith(b"+RESET\r\n-WRONGPASS")
    assert said.endswith(b"-ERR Protocol error: unauthenticated multibulk length\r\n")


def test_a_new_limit_of_arguments_holds_for_what_has_arrived_already() -> None:
    node = Node()
    said = node.say(f"CONFIG SET proto-max-bulk-len {MEGABYTE}", "SET a " + "x" * (MEGABYTE + 1))
    assert said == b"+OK\r\n-ERR Protocol error: invalid bulk length\r\n"


def test_an_exception_that_nobody_expected_costs_no_earlier_reply() -> None:
    class Told(Edge):
        def unexpected(self, what: str, error: Exception) -> None:
            assert what.startswith("the request 'ECHO' 'b' of client ")

    def fail(*_: object) -> None:
        raise ValueError

    node = Node(edge=Told())
    table = node.server.table
    echo = table[b"ECHO"]
    kept, echo.handler = echo.handler, fail
    try:
        said = node.say("PING", "ECHO b", "PING")
    finally:
        echo.handler = kept
    assert said == PONG
    assert node.client.closing


# --- who waits, and for how long


def test_requests_behind_one_that_waits_are_served_after_it_and_in_order() -> None:
    node = Node()
    other = node.accept()
    other.feed(pipeline("CLIENT PAUSE 100000 WRITE"))
    assert node.say("GET a", "SET a 1", "GET a", "SET a 2", "GET a") == b"$-1\r\n"
    behind = pipeline("GET a", "SET a 2", "GET a")
    assert node.client.unread() == len(behind)
    node.client.feed(PING)
    assert node.client.unread() == len(behind + PING)
    other.feed(pipeline("CLIENT UNPAUSE"))
    node.machine.drain()
    assert node.client.take_output() == b"+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n" + PONG


def test_a_long_pipeline_is_served_in_turns() -> None:
    node = Node()
    count = 2 * BATCH + 100
    turns = [node.client.feed(PING * count), node.client.resume(), node.client.resume()]
    assert turns == [True, True, False]
    assert node.client.take_output() == PONG * count


def test_many_bytes_of_replies_end_a_turn() -> None:
    node = Node()
    node.say("SET a " + "x" * MEGABYTE)
    get = packed("GET a")
    assert node.client.feed(get * 5)
    left = node.client.unread()
    assert 0 < left < len(get * 5)
    assert left % len(get) == 0


def test_a_client_that_piles_up_requests_while_it_waits_is_ended() -> None:
    node = Node()
    node.say(f"CONFIG SET client-query-buffer-limit {MEGABYTE}")
    node.accept().feed(pipeline("CLIENT PAUSE 100000"))
    node.client.feed(pipeline("GET a", "GET b"))
    for _ in range(20):
        node.client.feed(PING * 5000)
    assert node.client.killed


# --- what is told of the input


def shown(said: bytes, name: bytes) -> int:
    return int(said.split(name, 1)[1].split(None, 1)[0])


@pytest.mark.parametrize(
    ("question", "name", "size"),
    [
        ("INFO clients", b"client_recent_max_input_buffer:", lambda _, behind: behind),
        ("CLIENT INFO", b"qbuf=", lambda whole, _: whole),
    ],
)
def test_the_input_that_is_told_counts_requests_until_they_are_served(
    question: str, name: bytes, size: Callable[[int, int], int]
) -> None:
    node = Node()
    ahead, behind = pipeline("SET a 1", "GET a"), pipeline("GET a", "SET a 2", "GET a")
    node.client.feed(ahead + packed(question) + behind)
    said = node.client.take_output()
    assert shown(said, name) == size(len(ahead + packed(question) + behind), len(behind))
    assert said.endswith(b"$1\r\n1\r\n+OK\r\n$1\r\n2\r\n"), "and what stands behind is served all the same"
