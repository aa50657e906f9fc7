"""Plain client sockets in batches: read what is ready, serve it, then write every waiting buffer once.

No await and no task per client: ``reactor.py`` calls ``turn`` when the poller's descriptor is readable. A turn is bounded
in connections, in requests per connection and in bytes, and returns, so that the other tasks of the node get their time.
A client that does not read its replies holds up nobody: what the kernel does not take waits in ``backlog``, within the
limits of ``client-output-buffer-limit``.
"""

import os
import socket
import time
from collections.abc import Callable
from typing import Final

from node.engine.client import Client
from node.engine.session import Session
from node.io.poller import READ, WRITE, Poller
from node.machine import Machine

TURN: Final = 256
"""Ready sockets served in one turn."""

ACCEPTS: Final = 1000
"""Connections accepted in one turn (Redis' MAX_ACCEPTS_PER_CALL)."""

SMALL_READ: Final = 16 * 1024
LARGE_READ: Final = 1024 * 1024


class Connection:
    """A client's socket and what is still to be written to it."""

    def __init__(self, sock: socket.socket, session: Session) -> None:
        self.sock: socket.socket = sock
        self.fd: int = sock.fileno()
        self.session: Session = session
        self.backlog: list[bytes] = []
        self.read_size: int = SMALL_READ


class Clients:
    """All plain connections of a node, TCP and unix."""

    def __init__(self, machine: Machine) -> None:
        self.machine: Machine = machine
        self.poller: Poller = Poller()
        self.listeners: dict[int, socket.socket] = {}
        self.connections: dict[int, Connection] = {}
        self.on_effects: Callable[[], None] | None = None
        """Called when a batch has left something in ``machine.outbox``."""
        self.unfinished: list[Connection] = []
        """Connections with requests that have arrived but were over the limit of a turn."""

    def listen(self, sock: socket.socket) -> None:
        """Accept clients from ``sock``, which listens already."""
        sock.setblocking(False)
        self.listeners[sock.fileno()] = sock
        self.poller.add(sock.fileno())

    def turn(self) -> bool:
        """Serve what is ready; True if there was anything."""
        ready = self.poller.ready(TURN)
        unfinished = self.unfinished
        if not ready and not unfinished:
            return False
        machine = self.machine
        machine.server.begin_batch(int(time.time() * 1000))
        if unfinished:
            self.unfinished = []
            for connection in unfinished:
                if not connection.session.closing and connection.session.resume():
                    self.unfinished.append(connection)
        connections = self.connections
        for fd, events in ready:
            found = connections.get(fd)
            if found is None:
                self._accept(fd)
                continue
            if events & ~WRITE:
                self._read(found)
            if events & WRITE and found.backlog:
                self._write_backlog(found)
        machine.drain()
        if machine.outbox and self.on_effects is not None:
            self.on_effects()
        self.flush()
        return True

    def flush(self) -> None:
        """Write out the replies of every client that has some."""
        server = self.machine.server
        waiting = server.to_flush
        if not waiting:
            return
        server.to_flush = []
        for client in waiting:
            client.announced = False
            connection = self.connections.get(client.fd)
            if connection is not None and connection.session is client:
                self._write(connection, client)

    def drop(self, connection: Connection) -> None:
        """End the connection and forget the client."""
        if self.connections.pop(connection.fd, None) is None:
            return
        self.poller.remove(connection.fd)
        connection.sock.close()
        self.machine.leave(connection.session)

    def close(self) -> None:
        """End all connections and listeners."""
        for connection in list(self.connections.values()):
            self.drop(connection)
        for listener in self.listeners.values():
            listener.close()
        self.listeners.clear()
        self.poller.close()

    def _accept(self, fd: int) -> None:
        listener = self.listeners.get(fd)
        if listener is None:
            return
        for _ in range(ACCEPTS):
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            self._admit(sock, peer)

    def _admit(self, sock: socket.socket, peer: object) -> None:
        sock.setblocking(False)
        unix = sock.family == socket.AF_UNIX
        if unix:
            addr = laddr = f"{sock.getsockname()}:0"
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            addr, laddr = ip_port(peer), ip_port(sock.getsockname())
        session = self.machine.accept(addr, laddr, unix)
        session.fd = sock.fileno()
        self.connections[session.fd] = Connection(sock, session)
        self.poller.add(session.fd)

    def _read(self, connection: Connection) -> None:
        size = connection.read_size
        try:
            data = os.read(connection.fd, size)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.drop(connection)
            return
        if len(data) == size and size < LARGE_READ:
            connection.read_size = size * 4
        if connection.session.feed(data):
            self.unfinished.append(connection)

    def _write(self, connection: Connection, client: Client) -> None:
        if client.killed:
            self.drop(connection)
            return
        if client.out:
            data = client.take_output()
            if connection.backlog:
                connection.backlog.append(data)
                client.unsent += len(data)
                return
            try:
                sent = connection.sock.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self.drop(connection)
                return
            client.server.stats.total_net_output_bytes += sent
            if sent < len(data):
                connection.backlog.append(data[sent:])
                client.unsent += len(data) - sent
                self.poller.watch_output(connection.fd, True)
                return
        if client.closing and not connection.backlog:
            self.drop(connection)

    def _write_backlog(self, connection: Connection) -> None:
        client = connection.session
        data = b"".join(connection.backlog)
        try:
            sent = connection.sock.send(data)
        except BlockingIOError:
            return
        except OSError:
            self.drop(connection)
            return
        client.server.stats.total_net_output_bytes += sent
        client.unsent = len(data) - sent
        if client.unsent:
            connection.backlog = [data[sent:]]
            return
        connection.backlog = []
        self.poller.watch_output(connection.fd, False)
        if client.closing:
            self.drop(connection)


def ip_port(address: object) -> str:
    """``127.0.0.1:6379`` or ``[::1]:6379`` of a socket address."""
    assert isinstance(address, tuple)
    host, port = address[0], address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
