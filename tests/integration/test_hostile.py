"""Whatever strangers send to the client or the bus port: a node answers as Redis, does not grow, and serves others."""

import contextlib
import random
import socket
from collections.abc import Iterator, Sequence
from typing import Final

import pytest

from tests.compat.pair import encode
from tests.integration.clusters import (
    CLUSTER,
    form,
    info,
    my_id,
    start_together,
    view,
    wait_links,
    wait_peace,
    wait_until,
)
from tests.integration.nodes import GOSSAMER, REDIS, Node, Nodes
from tests.integration.ports import reserve
from tests.integration.siege import (
    CPORT,
    GROWTH_BYTES,
    IP,
    KIND,
    MEET,
    PORT,
    SENDER,
    captured,
    come_and_go,
    dial,
    exchange,
    harmless,
    mutated,
    offer,
    receive_all,
    resident_bytes,
    under_siege,
    with_fields,
    with_length,
)

pytestmark = pytest.mark.once

SEED: Final = 20
TIMEOUT_MS: Final = 3000
BULK_512M: Final = b"$536870912\r\n"
PING: Final = encode(["PING"])

MALFORMED: Final = [
    b"*1000000000\r\n",
    b"*2147483647\r\n$4\r\nPING\r\n",
    b"*2147483648\r\n",
    b"*99999999999999999999\r\n",
    b"*-1\r\n" + PING,
    b"*-10\r\n" + PING,
    b"*0\r\n" + PING,
    b"*abc\r\n",
    b"*\r\n",
    b"*1 \r\n",
    b"*+1\r\n$4\r\nPING\r\n",
    b"*01\r\n$4\r\nPING\r\n",
    b"*" + b"1" * 70_000,
    b"*1\r\n*1\r\n",
    b"*1\r\n:5\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$536870913\r\n",
    b"*1\r\n$99999999999999999999\r\n",
    b"*1\r\n$abc\r\n",
    b"*1\r\n$" + b"1" * 70_000,
    b"*1\r\n$4\r\nPINGxx" + PING,
    b"*1\r\n$4\nPING\r\n",
    b"*1\n$4\r\nPING\r\n",
    b"*2\r\n$3\r\nGET\r\n",
    b"*2\r\n$3\r\nGET\r\n" + BULK_512M + b"half",
    b"*0000\r\n",
    PING + b"*x\r\n" + PING,
    b"x" * 70_000,
    b"PING\r\n" * 3 + b"half a request",
    b"PING 'unbalanced\r\n" + PING,
    b'PING "\\x4z\\x41"\r\n',
    b'PING "a"b\r\n',
    b"\r\n\n\r\n" + PING,
    b"\x00\x00\r\n" + PING,
    b"GET\r\n" + b"\xff" * 100 + b" arg\r\n",
    b"nosuch " + b"arg " * 200 + b"\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n" + PING,
    b"Host: localhost\r\n" + PING,
    b"*1\r\n$5\r\nhost:\r\n" + PING,
    encode(["HELLO", "9"]) + encode(["HELLO", "3", "AUTH"]) + encode(["HELLO", "x"]),
]
"""Requests that are none, or not whole, with one well-formed beside them where it can be seen whether it is served."""

PIPELINE: Final = b"".join(
    encode(words)
    for words in (
        ("SET", "key", "value"),
        ("GET", "key"),
        ("APPEND", "key", "x" * 40),
        ("STRLEN", "key"),
        ("INCRBY", "n", 12),
        ("MSET", "a", 1, "b", 2),
        ("MGET", "a", "b", "key"),
        ("MULTI",),
        ("SETRANGE", "key", 3, "abc"),
        ("EXEC",),
        ("ECHO", "good day"),
    )
)


@pytest.fixture
def alone(nodes: Nodes) -> Node:
    return nodes.start()


@pytest.fixture
def three(nodes: Nodes) -> list[Node]:
    made = [nodes.make(*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS)) for _ in range(3)]
    start_together(made)
    form(made)
    return made


# --- the client port


def test_what_is_no_request_gets_what_redis_answers(nodes: Nodes, alone: Node) -> None:
    redis = nodes.start(program=REDIS)
    with under_siege(alone):
        for data in MALFORMED:
            assert exchange(alone.port, data) == exchange(redis.port, data), f"for {data[:100]!r}"


def test_who_has_not_authenticated_gets_less_patience_as_from_redis(nodes: Nodes) -> None:
    ours, redis = (nodes.start("--requirepass", "secret", program=kind) for kind in (GOSSAMER, REDIS))
    for data in (*MALFORMED, b"*11\r\n$4\r\nPING\r\n", b"*2\r\n$4\r\nAUTH\r\n$16385\r\n", PING, encode(["HELLO", 3])):
        assert exchange(ours.port, data) == exchange(redis.port, data), f"for {data[:100]!r}"


@pytest.mark.parametrize("sort", ["noise", "lines", "requests"])
def test_random_input_gets_what_redis_answers(nodes: Nodes, alone: Node, sort: str) -> None:
    redis = nodes.start(program=REDIS)
    rng = random.Random(SEED)
    with under_siege(alone):
        for _ in range(300):
            data = drawn(rng, sort)
            assert exchange(alone.port, data) == exchange(redis.port, data), f"for {data!r}"


def drawn(rng: random.Random, sort: str) -> bytes:
    if sort == "noise":
        return rng.randbytes(rng.choice((1, 10, 100, 5000)))
    if sort == "lines":
        return bytes(rng.choices(b"*$:+-0123 \"'\\xPINGset\r\n\n\x00\xff", k=rng.randint(1, 60))) + b"\r\n"
    # Redis compares names of commands as C strings but hashes them whole, with a new seed at each start: a name with a
    # NUL in it is found or not by the luck of its bucket
    return mutated(rng, PIPELINE).replace(b"\0", b"\1")


def test_a_length_is_only_a_promise(alone: Node) -> None:
    with under_siege(alone), contextlib.ExitStack() as open_ones:
        before = resident_bytes(alone)
        for number in range(300):
            sock = open_ones.enter_context(dial(alone.port))
            sock.sendall(b"*1000000000\r\n" if number % 2 else b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n" + BULK_512M)
            sock.sendall(BULK_512M + b"x" * 1000 if number % 2 else b"x" * 1000)
        large = open_ones.enter_context(dial(alone.port))
        large.sendall(b"*2\r\n$4\r\nECHO\r\n" + BULK_512M + bytes(8 << 20))
        large.sendall(b"x")
        wait_until(lambda: int(alone_info(alone, "connected_clients")) > 300, "all have been accepted")
        wait_until(lambda: held(alone) > 8 << 20, "what was sent has been read")
        assert resident_bytes(alone) - before < GROWTH_BYTES


def alone_info(node: Node, name: str) -> str:
    lines = node.ask("INFO", "clients").text.decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)[name]


def held(node: Node) -> int:
    """Bytes of unfinished requests, of all clients."""
    lines = node.ask("CLIENT", "LIST").text.decode().splitlines()
    return sum(int(word[5:]) for line in lines for word in line.split() if word.startswith("qbuf="))


def test_requests_that_come_byte_by_byte_are_answered(alone: Node) -> None:
    with under_siege(alone), contextlib.ExitStack() as open_ones:
        socks = [open_ones.enter_context(dial(alone.port)) for _ in range(20)]
        request = encode(["ECHO", "a" * 150])
        for at in range(len(request)):
            for sock in socks:
                sock.sendall(request[at : at + 1])
        for sock in socks:
            sock.shutdown(socket.SHUT_WR)
            assert receive_all(sock) == b"$150\r\n%s\r\n" % (b"a" * 150)
        slow = open_ones.enter_context(dial(alone.port))
        for _ in range(10_000):
            slow.sendall(b"x")


def test_thousands_who_come_and_go_leave_nothing_behind(alone: Node) -> None:
    with under_siege(alone):
        come_and_go(alone.port, 3000, b"*2\r\n$4\r\nEC")
    wait_until(lambda: alone_info(alone, "connected_clients") == "1", "only we are left")


# --- the bus port


@contextlib.contextmanager
def cluster_unmoved(three: Sequence[Node]) -> Iterator[None]:
    """Nobody believed anything, and every link between the three is in use.

    When a link was made is not compared: a node that a flood has held up for half a second dates its past anew.
    """
    wait_links(three)
    believed = [view(node) for node in three]
    epoch = info(three[0])["cluster_current_epoch"]
    yield
    wait_peace(three)
    wait_links(three)
    assert [view(node) for node in three] == believed
    assert [info(node)["cluster_current_epoch"] for node in three] == [epoch] * 3


def closes(sock: socket.socket) -> bool:
    """The node closes, without a word."""
    return receive_all(sock) == b""


def pong(sock: socket.socket) -> bytes:
    """The sender of the PONG that is read from ``sock``."""
    data = b""
    while len(data) < 8 or len(data) < int.from_bytes(data[4:8], "big"):
        piece = sock.recv(1 << 16)
        assert piece, f"closed after {len(data)} bytes"
        data += piece
    assert (data[:4], data[KIND]) == (b"RCmb", b"\x00\x01")
    return data[SENDER]


def ping_of_a_stranger() -> bytes:
    return next(message for message in captured() if message[KIND] == b"\x00\x00")


def test_a_link_that_does_not_speak_the_protocol_is_closed_and_logged(three: list[Node]) -> None:
    ping, node = ping_of_a_stranger(), three[0]
    light = next(message for message in captured() if message[12] & 0x80)
    with cluster_unmoved(three), under_siege(node):
        for data in (
            b"GET / HTTP/1.1\r\n\r\n",
            PING,
            b"RCmX" + ping[4:],
            bytes(3000),
            with_length(ping, 0),
            with_length(ping, 15),
            with_length(ping, 2255),
            with_length(ping, 0xFFFFFFFF),
            light,
        ):
            with dial(node.bus_port) as sock:
                offer(sock, data)
                assert closes(sock), f"for {data[:20]!r}"
    node.wait_log("Bad message on a cluster link, closing it")


def test_a_message_that_cannot_be_used_is_dropped_and_the_link_stays(three: list[Node]) -> None:
    ping, node = ping_of_a_stranger(), three[0]
    me = my_id(node).encode()
    useless = [
        with_fields(ping, (slice(8, 10), b"\x00\x02")),  # another version
        with_fields(ping, (KIND, b"\x00\x63")),  # an unknown type
        with_fields(ping, (slice(14, 16), b"\xff\xff")),  # more gossip than there is room for
        with_fields(ping, (SENDER, b"\xff" * 40)),
    ]
    with cluster_unmoved(three), under_siege(node), dial(node.bus_port) as sock:
        for data in useless:
            sock.sendall(data)
        sock.sendall(ping)
        assert pong(sock) == me
        sock.sendall(ping[:1000])
        with dial(node.bus_port) as other:  # half a message there holds up nobody here
            other.sendall(ping)
            assert pong(other) == me
        sock.sendall(ping[1000:])
        assert pong(sock) == me


def test_what_strangers_tell_is_not_believed(three: list[Node]) -> None:
    """Every kind of message that real nodes sent, from senders that these nodes do not know."""
    with reserved_port() as dead, cluster_unmoved(three), under_siege(three[1]):
        for message in captured():
            with dial(three[1].bus_port) as sock:
                offer(sock, harmless(message, dead))
                sock.shutdown(socket.SHUT_WR)
                receive_all(sock)


@pytest.mark.parametrize("sort", ["noise", "mutated", "garbage bodies"])
def test_random_messages_harm_nobody(three: list[Node], sort: str) -> None:
    rng, corpus, node = random.Random(SEED), captured(), three[0]
    with reserved_port() as dead, cluster_unmoved(three), under_siege(node):
        for _ in range(400):
            data = message_drawn(rng, sort, rng.choice(corpus))
            with dial(node.bus_port) as sock:
                offer(sock, harmless(data, dead))
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_WR)
                receive_all(sock)


def message_drawn(rng: random.Random, sort: str, message: bytes) -> bytes:
    if sort == "noise":
        return rng.choice((b"", b"RCmb", message[:16])) + rng.randbytes(rng.choice((1, 100, 5000)))
    if sort == "mutated":
        out = mutated(rng, message)
        return with_length(out, len(out)) if rng.random() < 0.7 else out
    kind = rng.randrange(12)
    size = rng.choice((0, 8, 16, 40, 104, 2096, 5000))
    out = with_fields(ping_of_a_stranger()[:2256], (KIND, kind.to_bytes(2, "big")))
    out = with_fields(out, (slice(14, 16), (size // 104).to_bytes(2, "big"))) + rng.randbytes(size)
    return with_length(out, len(out))


def test_half_messages_cost_what_has_been_sent(three: list[Node]) -> None:
    node, ping = three[2], ping_of_a_stranger()
    longest = with_length(ping, 1 << 20)
    with cluster_unmoved(three), under_siege(node), contextlib.ExitStack() as open_ones:
        before = resident_bytes(node)
        for number in range(200):
            sock = open_ones.enter_context(dial(node.bus_port))
            sock.sendall(longest if number % 2 else ping[: number * 10])
        with dial(node.bus_port) as sock:  # the rest has been accepted, and read, when this is answered
            sock.sendall(ping)
            assert pong(sock) == my_id(node).encode()
        assert resident_bytes(node) - before < GROWTH_BYTES


def test_a_long_message_of_a_stranger_ends_its_link_and_is_counted(three: list[Node]) -> None:
    """A PUBLISH may be as long as two of the longest strings; from somebody unknown it would be for nobody."""
    node = three[2]
    publish = with_length(with_fields(ping_of_a_stranger(), (KIND, b"\x00\x04")), 1 << 30)
    with cluster_unmoved(three), under_siege(node):
        before = garbage_counted(node)
        with dial(node.bus_port) as sock:
            offer(sock, publish + bytes(8 << 20))
            assert receive_all(sock) == b""
        assert garbage_counted(node) == before + 1


def garbage_counted(node: Node) -> int:
    return int(info(node).get("cluster_stats_messages_garbage_received", "0"))


def test_strangers_that_ask_to_be_met_are_given_up(three: list[Node]) -> None:
    """Each is at an address of its own, where nobody is."""
    node, meet = three[0], next(message for message in captured() if message[KIND] == MEET.to_bytes(2, "big"))
    with reserved_port() as dead, cluster_unmoved(three), under_siege(node):
        port = dead.to_bytes(2, "big")
        for number in range(300):
            ip = f"127.77.{number // 100}.{number % 100 + 1}".encode().ljust(46, b"\0")
            with dial(node.bus_port) as sock:
                sock.sendall(with_fields(meet, (PORT, port), (CPORT, port), (IP, ip)))
                assert pong(sock) == my_id(node).encode()
        assert len(view(node)) > 3, "they are in handshake"
        wait_until(lambda: len(view(node)) == 3, "they have been given up")


def test_thousands_of_links_that_come_and_go_leave_nothing_behind(three: list[Node]) -> None:
    with cluster_unmoved(three), under_siege(three[0]):
        come_and_go(three[0].bus_port, 1500, b"RCmb\x00\x00")


@contextlib.contextmanager
def reserved_port() -> Iterator[int]:
    """A port on which nobody listens."""
    reservation = reserve()
    try:
        yield reservation.port
    finally:
        reservation.release()
