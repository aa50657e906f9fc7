"""Plain client sockets in batches: read what is ready, serve it, then write every waiting buffer once.

No await and no task per client: ``reactor.py`` calls ``turn`` while trio has nothing to do. A turn is bounded in
connections, in requests per connection and in bytes, and returns, so that the other tasks of the node get their time. A
client that does not read its replies holds up nobody: what the kernel does not take waits in ``backlog``, within the
limits of ``client-output-buffer-limit``.
"""

import contextlib
import errno
import socket
import time
from collections.abc import Callable
from typing import Final

from mypy_extensions import mypyc_attr

from gossamer.node.engine.clients.client import NOT_TO_PAUSE, Client
from gossamer.node.engine.clients.limits import over_output_limit, refuse_connection
from gossamer.node.engine.serving.session import Session
from gossamer.node.engine.serving.unexpected import survive
from gossamer.node.io import sockets
from gossamer.node.io.keepalive import keep_alive
from gossamer.node.io.output_buffer import OFFERED, OutputBuffer
from gossamer.node.io.poller import Poller
from gossamer.node.io.readiness import WRITE
from gossamer.node.machine import Machine

TURN: Final = 80
"""Ready sockets served in one turn. The memory to tell of more would not come from the allocator's cache."""

ACCEPTS: Final = 1000
"""Connections accepted in one turn (Redis' MAX_ACCEPTS_PER_CALL)."""

read: Final = sockets.read
write: Final = sockets.write
now_s: Final = time.time
elapsed_s: Final = time.perf_counter
"""Compiled, what is ``Final`` here is at hand; what a module has is looked up by its name each time."""

NO_RESOURCES: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

READ_BYTES: Final = 64 * 1024
"""Bytes of requests that are read at once, and ..."""

FIRST_READ: Final = 472
"""... from a client that sends little: so much memory comes from Python's own pools."""

LONG_READ: Final = 1024 * 1024
"""The rest of a long argument is read in pieces of up to so many bytes, and no more of it in one turn."""


class Connection:
    """A client's socket and what is still to be written to it."""

    def __init__(self, sock: socket.socket, session: Session) -> None:
        self.sock: socket.socket = sock
        self.fd: int = sock.fileno()
        self.session: Session = session
        self.backlog: OutputBuffer = OutputBuffer()
        self.sends_much: bool = False
        """More than ``FIRST_READ`` bytes came at once, last time."""
        self.behind: bool = False
        """Requests wait for another turn: nothing more is read until they are served, or they would pile up here."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Output:
    """The way out of a client that has no plain socket (see ``streams.py``)."""

    def ready(self) -> None:
        """Output waits in the client, or its connection is to be ended."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Receiver:
    """Whoever reads from a connection that this node has dialled (see ``carry.py``)."""

    def readable(self) -> None:
        """Bytes have come, or the end has. What they cause is a batch of its own."""


class Clients:
    """All plain connections of a node, TCP and unix, and what it hears on those that it has dialled."""

    def __init__(self, machine: Machine) -> None:
        self.machine: Machine = machine
        self.poller: Poller = Poller()
        self.listeners: dict[int, socket.socket] = {}
        self.resting: list[int] = []
        """Listeners that are left alone until the next tick: the process has no descriptor left to accept with."""
        self.connections: list[Connection | None] = []
        """By descriptor: these are small numbers, and a list is quicker than a dictionary."""
        self.outlets: dict[int, Output] = {}
        """By client id: where the output of clients goes that have no plain socket."""
        self.receivers: dict[int, Receiver] = {}
        """By descriptor."""
        self.heard: list[int] = []
        """Descriptors of those that will be told once the clients of this turn are served."""
        self.event_loop: int = -1
        """A descriptor that is readable when trio has events, once ``watch_event_loop`` has named it."""
        self.event_loop_ready: bool = False
        self.task_runnable: bool = False
        """A task of trio has become so."""
        self.keepalive_s: int = 300
        self.on_effects: Callable[[], None] | None = None
        """Called when a batch has left something in ``machine.outbox``."""
        self.on_room: Callable[[], None] | None = None
        """Called when the kernel has taken all that waited for a replica."""
        self.unfinished: list[Connection] = []
        """Connections with requests that have arrived but were over the limit of a turn."""

    def listen(self, sock: socket.socket) -> None:
        """Accept clients from ``sock``, which listens already."""
        sock.setblocking(False)
        self.listeners[sock.fileno()] = sock
        self.poller.add(sock.fileno())

    def unlisten(self, sock: socket.socket) -> None:
        """Accept no more from ``sock``, and close it."""
        fd = sock.fileno()
        del self.listeners[fd]
        if fd in self.resting:
            self.resting.remove(fd)
        else:
            self.poller.remove(fd)
        sock.close()

    def receive(self, fd: int, receiver: Receiver) -> None:
        """Tell ``receiver`` from now on when ``fd`` is readable."""
        self.receivers[fd] = receiver
        self.poller.add(fd)

    def receive_no_more(self, fd: int) -> None:
        """The opposite, if somebody is told of ``fd``."""
        if self.receivers.pop(fd, None) is not None:
            self.poller.remove(fd)

    def watch_event_loop(self, fd: int) -> None:
        """Let ``turn`` end its waiting, and say so in ``event_loop_ready``, when ``fd`` is readable."""
        self.event_loop = fd
        self.poller.add(fd)

    def serve(self, wait_s: float, slice_s: float) -> None:
        """Turns, for up to ``wait_s`` seconds, until trio has something to do: then for up to ``slice_s`` seconds."""
        self.event_loop_ready = self.task_runnable = False
        now = elapsed_s()
        slice_end, deadline = now + slice_s, now + wait_s
        trio_waits = wait_s <= 0
        while self.turn(0.0 if trio_waits else deadline - now):
            now = elapsed_s()
            trio_waits = trio_waits or self.task_runnable or self.event_loop_ready
            if now > (slice_end if trio_waits else deadline):
                return

    def turn(self, wait_s: float = 0.0) -> bool:
        """Serve what is ready, after waiting for up to ``wait_s`` seconds; True if a client had something."""
        unfinished = self.unfinished
        readable, others = self.poller.ready(TURN, 0.0 if unfinished else wait_s)
        if not unfinished and not others:
            if not readable:
                return False
            if len(readable) == 1 and readable[0] == self.event_loop:
                self.event_loop_ready = True
                return False
        self.begin()
        if unfinished:
            self._resume(unfinished)
        connections = self.connections
        found: Connection | None = None
        try:
            for fd in readable:
                found = connections[fd] if fd < len(connections) else None
                if found is not None:
                    self._read(found)
                else:
                    self._no_client(fd)
            for fd, events in others:
                found = connections[fd] if fd < len(connections) else None
                if found is None:
                    self._no_client(fd)
                    continue
                if events & ~WRITE:
                    self._read(found)
                if events & WRITE and found.backlog.size:
                    self._write_backlog(found)
        except Exception as error:
            self._mishap(found, error)  # those behind it are still ready in the next turn
        self.finish()
        if self.heard:
            self._tell_receivers()
        return True

    def _resume(self, unfinished: list[Connection]) -> None:
        self.unfinished = []
        for connection in unfinished:
            connection.behind = not connection.session.closing and connection.session.resume()
            if connection.behind:
                self.unfinished.append(connection)

    def _no_client(self, fd: int) -> None:
        """Something else is readable."""
        if fd == self.event_loop:
            self.event_loop_ready = True
        elif fd in self.receivers:
            self.heard.append(fd)
        else:
            self._accept(fd)

    def _tell_receivers(self) -> None:
        heard, self.heard = self.heard, []
        for fd in heard:
            receiver = self.receivers.get(fd)
            if receiver is not None:
                receiver.readable()

    def _mishap(self, connection: Connection | None, error: Exception) -> None:
        """Nobody expected ``error``: it costs ``connection``, or whoever was about to come in."""
        server = self.machine.server
        if connection is None:
            survive(server, "a new connection", error)
            return
        client = connection.session
        survive(server, f"client id={client.id} addr={client.addr}, which is closed", error)
        self.drop(connection)

    def begin(self) -> None:
        """Everything until ``finish`` happens at one time."""
        self.machine.server.begin_batch(int(now_s() * 1000))

    def finish(self) -> None:
        """Do what the batch asked for, then write what it has said."""
        self._keep_promises()
        self.flush()

    def _keep_promises(self) -> None:
        """What the batch has said is on the disk and acknowledged, if it has to be; else it is held back."""
        machine = self.machine
        machine.drain()
        if machine.outbox and self.on_effects is not None:
            self.on_effects()

    def tick(self) -> None:
        """Do what is due: the node's housekeeping, and for those who have waited."""
        self.begin()
        self.machine.attend(self.machine.server.now)
        self.finish()
        for fd in self.resting:
            self.poller.add(fd)
        self.resting = []

    def work(self) -> None:
        """A little of what is done between the batches."""
        self.begin()
        self.machine.work()
        self.finish()

    def flush(self) -> None:
        """Write out the replies of every client that has some."""
        server = self.machine.server
        waiting = server.clients.to_flush
        if not waiting:
            return
        server.clients.to_flush = []
        connections = self.connections
        for client in waiting:
            client.announced = False
            fd = client.fd  # -1: it has no plain socket
            connection = connections[fd] if 0 <= fd < len(connections) else None
            if connection is not None and connection.session is client:
                try:
                    self._write(connection, client)
                except Exception as error:
                    self._mishap(connection, error)
                continue
            outlet = self.outlets.get(client.id)
            if outlet is not None:
                outlet.ready()

    def drop(self, connection: Connection) -> None:
        """End the connection and forget the client."""
        if self.connections[connection.fd] is not connection:
            return
        self.connections[connection.fd] = None
        self.poller.remove(connection.fd)
        connection.sock.close()
        self.machine.leave(connection.session)

    def connected(self) -> list[Connection]:
        return [connection for connection in self.connections if connection is not None]

    def close(self) -> None:
        """End all connections and listeners."""
        for connection in self.connected():
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
            except OSError as error:
                if error.errno in NO_RESOURCES:
                    self._rest(fd, error)
                return
            self._admit(sock, peer)

    def _rest(self, fd: int, error: OSError) -> None:
        """The waiting connection would be reported again and again: look at it later."""
        self.machine.server.edge.log("warning", f"Accepting client connection: accept: {error.strerror}")
        self.poller.remove(fd)
        self.resting.append(fd)

    def _admit(self, sock: socket.socket, peer: object) -> None:
        machine = self.machine
        unix = sock.family == socket.AF_UNIX
        try:
            sock.setblocking(False)
            if unix:
                addr = laddr = f"{sock.getsockname()}:0"
            else:
                addr, laddr = ip_port(peer), ip_port(sock.getsockname())
                keep_alive(sock, self.keepalive_s)
        except OSError:  # gone already
            sock.close()
            return
        refusal = self.refusal(unix or addr.startswith(("127.", "[::1]")))
        if refusal is not None:
            send_last(sock, refusal)
            return
        session = machine.accept(addr, laddr, unix)
        session.fd = sock.fileno()
        missing = session.fd + 1 - len(self.connections)
        if missing > 0:
            self.connections += [None] * missing
        self.connections[session.fd] = Connection(sock, session)
        self.poller.add(session.fd)

    def refusal(self, loopback: bool) -> bytes | None:
        """What a new connection is told instead of being served."""
        server = self.machine.server
        connected = len(server.clients) + len(self.machine.link_queues)
        access = server.access
        most = server.limits.max_clients
        refusal = refuse_connection(connected, most, access.protected_mode, access.open_to_all, loopback)
        if refusal is not None:
            server.stats.rejected_connections += 1
        return refusal

    def _read(self, connection: Connection) -> None:
        if connection.behind:
            return
        parser = connection.session.parser
        more = True
        if not connection.sends_much:
            more = connection.sends_much = self._read_piece(connection, FIRST_READ)
        if more:
            more = self._read_piece(connection, READ_BYTES)
        room = LONG_READ
        while more and room > 0 and parser.wanted():
            size = min(max(parser.wanted() - 2, READ_BYTES), room)  # the CR LF comes with what follows, or by itself
            room -= size
            more = self._read_piece(connection, size)

    def _read_piece(self, connection: Connection, size: int) -> bool:
        """Read ``size`` bytes at most and serve what they complete; True if there is more, which may be read now."""
        try:
            data = read(connection.fd, size)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            # It may have closed only its half: what this batch has to say to it, and may say, goes out first.
            if connection.session.out:
                self._keep_promises()
                self._write(connection, connection.session)
            self.drop(connection)
            return False
        if len(data) < FIRST_READ:
            connection.sends_much = False
        if connection.session.feed(data):
            connection.behind = True
            self.unfinished.append(connection)
            return False
        return len(data) == size

    def _write(self, connection: Connection, client: Client) -> None:
        if client.killed:
            self.drop(connection)
            return
        backlog = connection.backlog
        if client.out:
            size = client.out_bytes
            pieces = client.take_pieces()
            if backlog.size:
                backlog.add(pieces)
                self._left(connection)
                return
            try:
                if len(pieces) == 1:
                    sent = write(connection.fd, pieces[0])  # costs less than ``send``
                else:
                    sent = connection.sock.sendmsg(pieces[:OFFERED])
            except BlockingIOError:
                sent = 0
            except OSError:
                self.drop(connection)
                return
            self.machine.server.stats.total_net_output_bytes += sent
            if sent < size:
                backlog.add(pieces)
                backlog.taken(sent)
                self.poller.watch_output(connection.fd, True)
                self._left(connection)
                return
        if client.closing and not backlog.size and client.pending is None:
            self.drop(connection)

    def _write_backlog(self, connection: Connection) -> None:
        backlog = connection.backlog
        try:
            sent = connection.sock.sendmsg(backlog.head())
        except BlockingIOError:
            return
        except OSError:
            self.drop(connection)
            return
        backlog.taken(sent)
        client = connection.session
        self.machine.server.stats.total_net_output_bytes += sent
        if backlog.size:
            self._left(connection)
            return
        client.unsent = 0
        self.poller.watch_output(connection.fd, False)
        if client.modes & NOT_TO_PAUSE and self.on_room is not None:
            self.on_room()
        if client.closing and client.pending is None:
            self.drop(connection)

    def _left(self, connection: Connection) -> None:
        """The kernel did not take everything: the client may be too far behind."""
        client = connection.session
        client.unsent = connection.backlog.size
        if self.too_far_behind(client):
            self.drop(connection)

    def too_far_behind(self, client: Client) -> bool:
        """Is ``client`` over the limit of what it may leave unread? Then this is counted and logged."""
        server = self.machine.server
        if not over_output_limit(client, server.limits.output, server.now):
            return False
        server.stats.client_output_buffer_limit_disconnections += 1
        server.edge.log("warning", f"Client id={client.id} addr={client.addr} is closed: over its output buffer limit")
        return True


def send_last(sock: socket.socket, data: bytes) -> None:
    """Say ``data`` if the kernel takes it, and end the connection."""
    with contextlib.suppress(OSError):
        sock.send(data)
    sock.close()


def ip_port(address: object) -> str:
    """``127.0.0.1:6379`` or ``[::1]:6379`` of a socket address."""
    assert isinstance(address, tuple)
    host, port = address[0], address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
