"""Attacks on a node, and what must hold meanwhile and afterwards: others are served, memory and descriptors come back.

    with under_siege(node):
        ...attack...

Everything sent is drawn from a seeded generator, and ends after a fixed number of connections.
"""

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from tests.compat.pair import Wire, encode
from tests.compat.replies import Answer
from tests.integration.clusters import wait_until
from tests.integration.nodes import Node

GROWTH_BYTES: Final = 48 << 20
"""How much larger a process may be after an attack: an interpreter does not give every page back."""

PATIENCE_S: Final = 5.0
"""The longest that anybody else may wait for an answer; most wait less than a millisecond, and a busy machine adds to
it."""

IDLE_S: Final = 0.002
VECTORS: Final = Path(__file__).parents[1] / "vectors" / "bus"
PONG: Final = Answer("status", b"PONG")

PORT, KIND, SENDER, IP, CPORT = slice(10, 12), slice(12, 14), slice(40, 80), slice(2168, 2214), slice(2248, 2250)
"""Where these fields of a bus message are."""

MEET: Final = 2
HEADER_BYTES: Final = 2256


class Bystander:
    """Somebody who does nothing wrong: one PING after the other on one connection, on a thread of its own."""

    def __init__(self, node: Node) -> None:
        self.served = 0
        self.worst_s = 0.0
        self._wire = Wire(node.address)
        self._stop = threading.Event()
        self._wrong: object = None
        self._thread = threading.Thread(target=self._ping)

    def _ping(self) -> None:
        while not self._stop.wait(IDLE_S):
            started = time.monotonic()
            try:
                self._wire.send(encode(["PING"]))
                answer = self._wire.receive()
            except OSError as error:
                self._wrong = error
                return
            self.worst_s = max(self.worst_s, time.monotonic() - started)
            if answer != PONG:
                self._wrong = answer
                return
            self.served += 1

    def __enter__(self) -> "Bystander":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._wire.close()

    def wait_served(self) -> None:
        """At least once: an attack may be over before it has begun to ask."""
        wait_until(lambda: self.served > 0 or self._wrong is not None, "a PING is answered")

    def check(self) -> None:
        assert self._wrong is None, f"instead of PONG: {self._wrong!r}"
        assert self.worst_s < PATIENCE_S, f"a PING took {self.worst_s:.2f} s"


def resident_bytes(node: Node) -> int:
    return int(psutil.Process(node.pid).memory_info().rss)


def descriptors(node: Node) -> int:
    return int(psutil.Process(node.pid).num_fds())


@contextlib.contextmanager
def under_siege(node: Node) -> Iterator[Bystander]:
    """Whatever is done to ``node`` meanwhile, others are served; afterwards it has let go of everything."""
    node.ask("PING")  # whose connection counts before and after
    before, opened, pid = resident_bytes(node), descriptors(node), node.pid
    with Bystander(node) as bystander:
        yield bystander
        bystander.wait_served()
    bystander.check()
    wait_until(lambda: descriptors(node) <= opened, f"{node} has closed what the attack opened")
    assert node.pid == pid
    assert node.ask("PING") == PONG
    assert resident_bytes(node) - before < GROWTH_BYTES
    assert "Traceback" not in node.log()


def dial(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), 20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def offer(sock: socket.socket, data: bytes) -> None:
    """Send as much as the node is willing to take before it closes."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sock.sendall(data)


def exchange(port: int, data: bytes) -> bytes:
    """All that comes back for ``data`` until the node closes; it is told that nothing more will come."""
    with dial(port) as sock:
        offer(sock, data)
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
        return receive_all(sock)


def receive_all(sock: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(1 << 16):
            data += piece
    return data


def abort(sock: socket.socket) -> None:
    """Close with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def come_and_go(port: int, count: int, first: bytes) -> None:
    """``count`` connections that end at once: silently, rudely, or after ``first``."""
    for number in range(count):
        sock = dial(port)
        if number % 3 == 1:
            offer(sock, first)
        if number % 3 == 2:
            abort(sock)
        else:
            sock.close()


def mutated(rng: random.Random, data: bytes) -> bytes:
    """``data`` with a few bytes changed, cut out, doubled or put in."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out))
        match rng.randrange(4):
            case 0:
                out[at] = rng.choice((0, 0xFF, out[at] ^ 1 << rng.randrange(8), rng.randrange(256)))
            case 1 if len(out) > 8:
                del out[at : at + rng.randint(1, 4)]
            case 2:
                out[at:at] = out[at : at + rng.randint(1, 32)]
            case _:
                out[at:at] = rng.randbytes(rng.randint(1, 4))
    return bytes(out)


# --- bus messages


def captured() -> list[bytes]:
    """Messages of real nodes, none of them known to the nodes of a test."""
    return [path.read_bytes() for path in sorted(VECTORS.glob("*/*.bin"))]


def harmless(message: bytes, dead_port: int) -> bytes:
    """The message; but whoever a MEET makes the node dial is nobody: ``dead_port`` is one on which nobody listens."""
    out = bytearray(message)
    if len(out) >= HEADER_BYTES and int.from_bytes(out[KIND], "big") == MEET:
        out[PORT] = out[CPORT] = dead_port.to_bytes(2, "big")
        out[IP] = bytes(46)
    return bytes(out)


def with_fields(message: bytes, *fields: tuple[slice, bytes]) -> bytes:
    out = bytearray(message)
    for where, value in fields:
        assert len(value) == where.stop - where.start
        out[where] = value
    return bytes(out)


def with_length(message: bytes, length: int) -> bytes:
    return message[:4] + length.to_bytes(4, "big") + message[8:]
