"""Plain sockets in batches: bounded turns, half-closed clients, and a process that has run out of descriptors."""

import errno
import socket
from collections.abc import Iterator

import pytest

from gossamer.node.engine.server import Server
from gossamer.node.io.clients import Clients
from gossamer.node.machine import Machine


class Exhausted(socket.socket):
    """A listener whose first accept finds no descriptor left."""

    failed = False

    def accept(self) -> tuple[socket.socket, object]:
        if not self.failed:
            self.failed = True
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


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
        assert len(clients.connections) == 1
    serve_all(clients)
    assert clients.connections == {}
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
            for connection in clients.connections.values():
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
