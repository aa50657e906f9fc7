"""Simulated clients of a cluster: each asks for one thing at a time, follows redirections, and notes what it was told.

A client reaches every node, whatever is cut between them. A refusal is tried again for a while, for it says that
nothing was done; what was sent and not answered has an unknown outcome, and is not sent again.
"""

from collections.abc import Sequence
from functools import partial
from random import Random

from gossamer.cluster.slots import key_slot
from gossamer.node.engine.serving.session import Session
from tests.sim.elements import COLLECTIONS, found
from tests.sim.operations import DONE, REFUSED, UNKNOWN, Book, Operated, Operation
from tests.sim.serving import Serving
from tests.sim.timeline import Micros
from tests.sim.world import Host, World

PATIENCE_US = 3_000_000
"""How long an answer is waited for, and how long refusals are met with another try."""
REST_US = 20_000
ASKING = b"*1\r\n$6\r\nASKING\r\n"
OK = b"+OK\r\n"


class Line:
    """A connection of ``caller`` to one life of a node."""

    def __init__(self, caller: "Caller", host: Host, delay_us: Micros) -> None:
        process = host.running
        assert isinstance(process, Serving)
        self.host = host
        self.process = process
        self.open = True
        self._caller = caller
        self._delay_us = delay_us
        self._session: Session | None = None

    def say(self, data: bytes) -> None:
        self.process.timeline.after(self._delay_us, partial(self._arrived, data))

    def _arrived(self, data: bytes) -> None:
        if self.process.alive:
            self.process.attend(partial(self._hear, data))
        elif not self.process.silent:
            self.ended()

    def _hear(self, data: bytes) -> None:
        if self._session is None:
            self._session = self.process.welcome(self)
        self.process.hear(self._session, data)

    def hang_up(self) -> None:
        self.open = False
        if self._session is not None:
            self.process.attend(partial(self.process.farewell, self._session))

    # what the process says

    def said(self, data: bytes) -> None:
        self.process.timeline.after(self._delay_us, partial(self._caller.heard, self, data))

    def ended(self) -> None:
        self.process.timeline.after(self._delay_us, partial(self._caller.cut_off, self))


class Caller:
    """``registers`` are keys that are read and written again and again; each write of another key is of a new one."""

    def __init__(
        self, world: World, number: int, rng: Random, book: Book, registers: Sequence[str], tags: Sequence[str]
    ) -> None:
        self.number = number
        self.pace_us: Micros = 30_000
        """The mean time from an answer to the next request."""
        self.stopping = False
        self.resting = False
        """It asks for nothing for a while."""
        self.operation: Operation | None = None
        self._world = world
        self._rng = rng
        self._book = book
        self._registers = registers
        self._tags = tags
        self._lines: dict[str, Line] = {}
        self._homes: dict[int, Host] = {}
        self._line: Line | None = None
        self._heard = b""
        self._skip = 0
        self._written = 0

    def start(self) -> None:
        self._world.timeline.after(self._rng.randrange(1, 2 * self.pace_us), self._next)

    def _next(self) -> None:
        if self.stopping:
            return
        if self.resting:
            self._world.timeline.after(REST_US, self._next)
            return
        rng = self._rng
        kind = rng.random()
        self._written += 1
        value = f"{self.number}.{self._written}"
        if kind < 0.3:
            key = f"{{{rng.choice(self._tags)}}}{value}"
            self._begin(key, "SET", value)
        elif kind < 0.5:
            self._begin(rng.choice(self._registers), "SET", value)
        elif kind < 0.7:
            self._begin(rng.choice(self._registers), "GET")
        else:
            name, verbs = rng.choice(COLLECTIONS)
            self._begin(f"{{{rng.choice(self._tags)}}}{name}", rng.choice(verbs), value)

    def _begin(self, key: str, verb: str, value: str | None = None) -> None:
        operation = self._book.begin(self.number, key, verb, value, self._world.now_us)
        if not operation.writes:
            operation.value = None
        self.operation = operation
        self._try(self.operation)

    def _try(self, operation: Operation, host: Host | None = None, *, asking: bool = False) -> None:
        if operation is not self.operation:
            return
        host = host or self._homes.get(key_slot(operation.key.encode()))
        if host is None or not host.up:
            host = self._somebody()
        if host is None:
            self._later(operation)
            return
        line = self._lines.get(host.name)
        if line is None or not line.open or line.process is not host.process:
            line = self._lines[host.name] = Line(self, host, self._rng.randrange(50, 1500))
        self._line, self._heard, self._skip = line, b"", int(asking)
        words = operation.words()
        request = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words)
        line.say(ASKING + request if asking else request)
        self._world.timeline.after(PATIENCE_US, partial(self._late, operation, line))

    def _somebody(self) -> Host | None:
        hosts = self._world.running()
        return self._rng.choice(hosts) if hosts else None

    def _later(self, operation: Operation) -> None:
        """Nothing was done: try again soon, if it has not been too long."""
        if self._world.now_us - operation.began_us > PATIENCE_US:
            self._end(operation, REFUSED)
        else:
            self._world.timeline.after(self._rng.randrange(20_000, 100_000), partial(self._try, operation))

    # what comes of it

    def heard(self, line: Line, data: bytes) -> None:
        operation = self.operation
        if operation is None or line is not self._line:
            return
        self._heard += data
        while self._skip and self._heard.startswith(OK):
            self._skip, self._heard = self._skip - 1, self._heard[len(OK) :]
        reply = self._heard
        if not reply or self._skip:
            return
        self._line = None
        operation.host = line.host.name
        if reply.startswith((b"-MOVED ", b"-ASK ")):
            self._redirected(operation, reply)
        elif reply.startswith(b"-UNACKED "):
            self._end(operation, UNKNOWN)
        elif reply.startswith(b"-"):
            self._homes.pop(key_slot(operation.key.encode()), None)
            self._later(operation)
        else:
            if not operation.writes:
                operation.value = found(operation.verb, reply)
            self._homes[key_slot(operation.key.encode())] = line.host
            self._end(operation, DONE)

    def _redirected(self, operation: Operation, reply: bytes) -> None:
        ip = reply.split()[2].rpartition(b":")[0].decode()
        host = next((h for h in self._world.hosts.values() if h.ip == ip), None)
        if reply.startswith(b"-ASK "):
            self._try(operation, host, asking=True)
        elif host is not None and self._world.now_us - operation.began_us < PATIENCE_US:
            self._homes[key_slot(operation.key.encode())] = host
            if host.up:
                self._try(operation, host)
            else:
                self._later(operation)
        else:
            self._end(operation, REFUSED)

    def cut_off(self, line: Line) -> None:
        line.open = False
        if line is self._line and self.operation is not None:
            self._end(self.operation, UNKNOWN)

    def _late(self, operation: Operation, line: Line) -> None:
        if operation is self.operation and line is self._line:
            line.hang_up()
            self._end(operation, UNKNOWN)

    def _end(self, operation: Operation, outcome: str) -> None:
        self.operation = self._line = None
        operation.outcome, operation.ended_us = outcome, self._world.now_us
        if outcome != DONE:
            self._homes.pop(key_slot(operation.key.encode()), None)
        self._world.history.add(
            Operated(
                self._world.now_us, operation.host, self.number, operation.key, operation.value, operation.verb,
                outcome,
            )
        )  # fmt: skip
        self._world.timeline.after(self._rng.randrange(1, 2 * self.pace_us), self._next)
