"""The two ends of a walk: a server process, or our node in memory."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.machine import Machine
from tests.compat.pair import Wire, encode
from tests.compat.replies import CLOSED, Answer, read_answer
from tests.compat.walk.lapse import parts
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Nodes

Requests = Sequence[Sequence[bytes]]

PATIENCE_S: Final = 20.0
END: Final = b"$4\r\n\xffend\r\n"
"""The last reply of a batch, which no other is like. No transaction is open where it is asked for."""
LAST: Final = encode([b"DISCARD"]) + encode([b"PING", b"\xffend"])
FRESH: Final = ([b"FLUSHALL"], [b"DEBUG", b"SET-ACTIVE-EXPIRE", b"0"])
"""What makes a server as new. Only a look at a key may delete it, for a clock is not the same on both sides."""


class Side(Protocol):
    def exchange(self, requests: Requests) -> bytes:
        """All replies, one behind the other. A transaction that is open is discarded, with one more reply."""

    def fresh(self) -> None:
        """As if it had just been started, as far as requests can tell; in case of need with another connection."""


class Process:
    """A server that listens on ``address``."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.wire = Wire(address)

    def fresh(self) -> None:
        self.wire.close()
        self.wire = Wire(self.address)
        self.exchange(FRESH)

    def exchange(self, requests: Requests) -> bytes:
        self.wire.send(b"".join(map(encode, requests)) + LAST)
        pieces = bytearray()
        while not pieces.endswith(END):
            data = self.wire.socket.recv(1 << 20)
            if not data:
                raise ConnectionError(f"the connection is closed, after {bytes(pieces[-200:])!r}")
            pieces += data
        return bytes(pieces[: -len(END)])

    def close(self) -> None:
        self.wire.close()


class RealTime(Edge):
    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class InMemory:
    """Our node, in this process: an exception that nobody expects is raised here."""

    def __init__(self) -> None:
        self.fresh()

    def fresh(self) -> None:
        self.server = Server(edge=RealTime())
        self.server.access.debug = "yes"
        self.machine = Machine(self.server)
        self._begin()
        self.session = self.machine.accept("127.0.0.1:1", "127.0.0.1:2")
        self.exchange(FRESH)

    def exchange(self, requests: Requests) -> bytes:
        *before, last = parts(requests)
        out = b"".join([self._feed(b"".join(map(encode, part))) for part in before])
        out += self._feed(b"".join(map(encode, last)) + LAST)
        deadline = time.monotonic() + PATIENCE_S
        while not out.endswith(END):
            if self.session.closing or time.monotonic() > deadline:
                raise ConnectionError(f"no more replies come, after {out[-200:]!r}")
            self._begin()
            self.machine.work()
            self.machine.drain()
            out += self.session.take_output()
        return out[: -len(END)]

    def _feed(self, data: bytes) -> bytes:
        """What is answered at once."""
        self._begin()
        more = self.session.feed(data)
        while more:
            more = self.session.resume()
        self.machine.drain()
        return self.session.take_output()

    def _begin(self) -> None:
        self.server.begin_batch(time.time_ns() // 1_000_000)


def answers(data: bytes) -> Iterator[Answer]:
    at = 0
    while at < len(data):
        answer, at = read_answer(data, at)
        yield answer
    yield CLOSED


PROGRAMS: Final = {"redis": REDIS, "valkey": VALKEY, "gossamer": GOSSAMER}


@contextlib.contextmanager
def side(name: str) -> Iterator[Side]:
    """A server process of one of ``PROGRAMS``, or ``memory``. By ``hz`` a real server ends the waits of clients."""
    if name == "memory":
        yield InMemory()
        return
    with Nodes() as nodes:
        node = nodes.start("--enable-debug-command", "yes", "--hz", "500", program=PROGRAMS[name])
        process = Process(node.address)
        yield process
        process.close()
