"""Plain sockets in batches: bounded turns, half-closed clients, and a process that has run out of descriptors."""

import contextlib
import errno
import select
import socket
from collections.abc import Iterable, Iterator
from sys import getrefcount
from typing import TYPE_CHECKING

import pytest

from gossamer.node.engine.clients.limits import OutputLimit
from gossamer.node.engine.server import Server, default_config
from gossamer.node.io.clients import LONG_READ, READ_BYTES, Clients
from gossamer.node.machine import Machine
from gossamer.node.persist.aof.manifest import Manifest
from gossamer.node.replication.replica_link import ONLINE
from tests.unit.node.saving.disk import Disk

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Exhausted(socket.socket):
    """A listener whose first accept finds no descriptor left."""

    failed = False

    def accept(self) -> tuple[socket.socket, object]:
        if not self.failed:
            self.failed = True
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


class Sipping(socket.socket):
    """A socket that takes a few bytes of several pieces at a time, or none: a different number each time."""

    sips = (1, 0, 3, 10, 5000, 7919)
    turn = 0

    def sip(self) -> int:
        self.turn += 1
        count = self.sips[self.turn % len(self.sips)]
        if not count:
            raise BlockingIOError
        return count

    def sendmsg(self, buffers: "Iterable[Buffer]", *others: object) -> int:
        assert not others
        return super().sendmsg([b"".join(buffers)[: self.sip()]])


class ToSipping(socket.socket):
    """A listener: whoever comes takes his replies in sips."""

    def accept(self) -> tuple[socket.socket, object]:
        sock, address = super().accept()
        return Sipping(fileno=sock.detach()), address


@pytest.fixture
def clients() -> Iterator[Clients]:
    made = Clients(Machine(Server()))
    yield made
    made.close()


def listener(clients: Clients, sock: socket.socket) -> tuple[str, int]:
    sock.bind(("127.0.0.1", 0))
    sock.listen(5)
    clients.listen(sock)
    address: tuple[str, int] = sock.getsockname()
    return address


def connect(address: tuple[str, int]) -> socket.socket:
    return socket.create_connection(address, 20)


def serve_all(clients: Clients) -> None:
    while clients.turn():
        pass


def test_a_client_is_served_and_forgotten_when_it_has_gone(clients: Clients) -> None:
    with connect(listener(clients, socket.socket())) as client:
        client.sendall(b"PING\r\n")
        serve_all(clients)
        assert client.recv(100) == b"+PONG\r\n"
        assert len(clients.connected()) == 1
    serve_all(clients)
    assert clients.connected() == []
    assert clients.machine.server.clients.by_id == {}


def test_what_was_sent_before_the_client_closed_its_half_is_answered(clients: Clients) -> None:
    with connect(listener(clients, socket.socket())) as client:
        client.sendall(b"INCR n\r\n" * 3000)
        client.shutdown(socket.SHUT_WR)
        serve_all(clients)
        data = b""
        while piece := client.recv(1 << 16):
            data += piece
    assert data == b"".join(b":%d\r\n" % n for n in range(1, 3001))


class Witness(Disk):
    """A disk that looks, before each of its steps, whether what ``client`` was told by then is durable."""

    client: socket.socket | None = None

    def step(self) -> None:
        super().step()
        if self.client is not None:
            told = self.client.recv(1 << 16, socket.MSG_PEEK) if readable(self.client) else b""
            durable = [file.data[: file.synced].count(b"INCR") for file in self.appended.values()]
            assert told.count(b"\r\n") <= sum(durable), "what is said is not durable"


def readable(sock: socket.socket) -> bool:
    return bool(select.select([sock], [], [], 0)[0])


def half_closed(clients: Clients, address: tuple[str, int], witness: Witness | None = None) -> bytes:
    """What a client hears who sends more than one batch serves and closes his half at once."""
    with connect(address) as client:
        if witness is not None:
            witness.client = client
        client.sendall(b"INCR n\r\n" * 3000)
        client.shutdown(socket.SHUT_WR)
        serve_all(clients)
        data = b""
        while piece := client.recv(1 << 16):
            data += piece
    return data


def test_what_a_half_closed_client_is_told_last_is_on_the_disk() -> None:
    witness = Witness()
    config = default_config(16, clustered=False)
    config.load("appendonly", ["yes"])
    config.load("appendfsync", ["always"])
    clients = Clients(Machine(Server(edge=witness, config=config)))
    clients.machine.saves.aof.go_on(Manifest(), [])
    with contextlib.closing(clients):
        assert half_closed(clients, listener(clients, socket.socket()), witness).endswith(b":3000\r\n")
        (file,) = witness.appended.values()
        assert file.synced == len(file.data)


def test_what_a_half_closed_client_is_told_last_is_acknowledged(clients: Clients) -> None:
    server, replication = clients.machine.server, clients.machine.replication
    address = listener(clients, socket.socket())
    with connect(address):
        serve_all(clients)
        (session,) = server.clients.by_id.values()
        replica = replication.replicas.link_of(session)
        replica.state, replica.acknowledges = ONLINE, True
        replication.need_stream()
        server.config.set([("write-ack-replicas", "1")])
        assert half_closed(clients, address) == b"", "nobody has acknowledged anything"
        assert server.keyspace.database(0).size == 1


def test_while_requests_wait_for_their_turn_no_more_are_read(clients: Clients) -> None:
    with connect(listener(clients, socket.socket())) as client:
        clients.turn()
        client.setblocking(False)
        sent = 0
        try:
            while True:
                sent += client.send(b"INCR n\r\n" * 10_000)
        except BlockingIOError:
            pass
        largest = 0
        while clients.turn():
            for connection in clients.connected():
                largest = max(largest, connection.session.unread())
        assert 0 < largest <= 1 << 20
        assert sent > 1 << 20


def test_a_listener_without_descriptors_rests_until_the_next_tick(clients: Clients) -> None:
    with connect(listener(clients, Exhausted())) as client:
        client.sendall(b"PING\r\n")
        assert clients.turn()
        assert not clients.turn(), "it would spin"
        clients.tick()
        serve_all(clients)
        assert client.recv(100) == b"+PONG\r\n"


def test_a_listener_that_is_given_up_accepts_no_more(clients: Clients) -> None:
    sock = socket.socket()
    address = listener(clients, sock)
    clients.unlisten(sock)
    with pytest.raises(ConnectionRefusedError):
        connect(address)


VALUE = bytes(range(256)) * 4096
"""1 MB in which no two places look alike that are near each other."""
REPLY = b"$1048576\r\n" + VALUE + b"\r\n"


def request(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def say(clients: Clients, client: socket.socket, data: bytes) -> None:
    """Send all of ``data`` while the node serves."""
    client.setblocking(False)
    while data:
        with contextlib.suppress(BlockingIOError):
            data = data[client.send(data) :]
        serve_all(clients)


def hear(clients: Clients, client: socket.socket, size: int) -> bytes:
    """Receive ``size`` bytes while the node serves; fewer if it ends the connection."""
    client.setblocking(False)
    heard = bytearray()
    while len(heard) < size:
        serve_all(clients)
        with contextlib.suppress(BlockingIOError):
            piece = client.recv(size - len(heard))
            if not piece:
                break
            heard += piece
    return bytes(heard)


def held(client: socket.socket, clients: Clients) -> int:
    """Bytes that wait for ``client``, the first that came."""
    return clients.connected()[0].backlog.size


def test_a_long_value_comes_back_as_it_was(clients: Clients) -> None:
    with connect(listener(clients, socket.socket())) as client:
        say(clients, client, request(b"SET", b"k", VALUE) + request(b"STRLEN", b"k") + request(b"GET", b"k"))
        assert hear(clients, client, 15 + len(REPLY)) == b"+OK\r\n:1048576\r\n" + REPLY


def test_a_kernel_that_takes_any_number_of_bytes_gets_all_of_them_in_order(clients: Clients) -> None:
    with connect(listener(clients, ToSipping())) as client:
        value = VALUE[:50_000]
        say(clients, client, request(b"SET", b"k", value) + (request(b"GET", b"k") + b"PING\r\n") * 3)
        expected = b"+OK\r\n" + (b"$50000\r\n" + value + b"\r\n+PONG\r\n") * 3
        assert hear(clients, client, len(expected)) == expected
        assert held(client, clients) == 0


@pytest.mark.parametrize(
    "change", [request(b"SET", b"k", b"new"), request(b"APPEND", b"k", b"more"), b"DEL k\r\n", b"SETRANGE k 0 zzzz\r\n"]
)
@pytest.mark.parametrize("appended", [False, True])
def test_a_reply_that_waits_is_not_touched_by_what_happens_to_the_value(
    clients: Clients, change: bytes, appended: bool
) -> None:
    address = listener(clients, socket.socket())
    with connect(address) as reader, connect(address) as writer:
        serve_all(clients)
        value = VALUE * 8
        say(clients, writer, request(b"SET", b"k", value[:-1] if appended else value))
        if appended:  # it is one that is changed in place from now on
            say(clients, writer, request(b"APPEND", b"k", value[-1:]))
        say(clients, reader, b"GET k\r\n")
        assert held(reader, clients) > 0
        say(clients, writer, change)
        expected = b"$%d\r\n%s\r\n" % (len(value), value)
        assert hear(clients, reader, len(expected)) == expected


def test_a_reader_of_long_values_that_falls_behind_is_let_go_at_its_limit(clients: Clients) -> None:
    server = clients.machine.server
    server.limits.output = [OutputLimit(20 << 20, 0, 0)] * 3
    with connect(listener(clients, socket.socket())) as client:
        say(clients, client, request(b"SET", b"k", VALUE) + b"GET k\r\n" * 40)
        assert server.stats.client_output_buffer_limit_disconnections == 1
        assert clients.connected() == []


@pytest.mark.parametrize(
    "sent", [request(b"SET", b"k", VALUE)[:500_000], request(b"SET", b"k", VALUE) + b"GET k\r\n" * 9]
)
def test_a_client_that_leaves_half_way_takes_its_buffers_with_it(clients: Clients, sent: bytes) -> None:
    with connect(listener(clients, socket.socket())) as client:
        say(clients, client, sent)
        (session,) = clients.machine.server.clients.by_id.values()
        assert session.unread() + held(client, clients) > 400_000
    serve_all(clients)
    assert clients.connected() == []
    assert getrefcount(session) == 2, "this test alone holds it: its buffers would go with it"


def test_a_client_of_long_values_gives_way_to_others(clients: Clients) -> None:
    address = listener(clients, socket.socket())
    with connect(address) as client, connect(address) as other:
        serve_all(clients)
        client.setblocking(False)
        client.send(request(b"SET", b"k", VALUE * 8))
        other.sendall(b"PING\r\n")
        clients.turn()
        assert other.recv(100) == b"+PONG\r\n"
        session = clients.connected()[0].session
        assert 0 < session.unread() <= LONG_READ + READ_BYTES
