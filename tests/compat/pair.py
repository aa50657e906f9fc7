"""Is it really Redis? The same commands to a real redis-server and to our node in memory, and the replies compared.

    def test_append(pair: Pair) -> None:
        pair.flush()
        pair.resp3.same("APPEND", "k", b"\\xff")
        pair.resp2.same("PTTL", "k", within=50)

``Pair`` is the two servers, ``Talk`` one client connected to both. A difference raises ``Mismatch`` with the commands
since the last ``flush``. Our side gets the wall clock before each command; times that both sides count from their own
clock are compared ``within`` a tolerance, and what may differ otherwise is made equal by ``normal``, a function from
Answer to Answer.
"""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias

from hypothesis import HealthCheck, settings

from gossamer.cluster import build
from gossamer.node.engine.server import Server
from gossamer.node.machine import Machine
from gossamer.node.version import COMPATIBLE
from tests.compat.replies import CLOSED, Answer, Incomplete, alike, read_answer

INSTALL = "apt-get install redis-server"
VERSION = "7.0.15"
PORTS = range(21000, 32000)
"""Below Linux' ephemeral ports, so that no outgoing connection can take one from under us."""

ALONE = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--enable-debug-command", "yes")

Word: TypeAlias = "bytes | str | int"
Normal: TypeAlias = Callable[[Answer], Answer]

EXAMPLES = int(os.environ.get("COMPAT_EXAMPLES", "0"))
SETTINGS = settings(
    max_examples=EXAMPLES or (60 if build.name() == "compiled" else 25),
    deadline=None,
    derandomize=not EXAMPLES,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""For every hypothesis test over a Pair: few and always the same examples, or as many new ones as COMPAT_EXAMPLES
says. The slower build has fewer: they are the same requests."""


NEWER = {
    VERSION.encode(): COMPATIBLE.encode(),
    b"    Prints this help.": b"    Print this help.",
    b"Redis ver. %s\n" % VERSION.encode(): b"Redis ver. %s\n" % COMPATIBLE.encode(),
    b"txt:Redis ver. %s\n" % VERSION.encode(): b"txt:Redis ver. %s\n" % COMPATIBLE.encode(),
}
"""Texts of the real server, and what Redis 7.2 has in their place."""


def as_newer(answer: Answer) -> Answer:
    """What 7.2 would say."""
    if isinstance(answer.content, tuple):
        return Answer(answer.kind, tuple(map(as_newer, answer.content)))
    if isinstance(answer.content, bytes) and answer.content in NEWER:
        return Answer(answer.kind, NEWER[answer.content])
    return answer


class Mismatch(AssertionError):
    """The two servers did not answer alike."""


def encode(words: Sequence[Word]) -> bytes:
    """A request as clients send it."""
    out = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        out.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(out)


class Wire:
    """A client of the real server."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""

    def send(self, data: bytes) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # ``receive`` will say CLOSED
            self.socket.sendall(data)

    def receive(self) -> Answer:
        while True:
            try:
                answer, end = read_answer(self.unread)
            except Incomplete:
                if not (data := self._more()):
                    return CLOSED
                self.unread += data
            else:
                self.unread = self.unread[end:]
                return answer

    def _more(self) -> bytes:
        try:
            return self.socket.recv(1 << 20)
        except ConnectionResetError:
            return b""

    def close(self) -> None:
        self.socket.close()


class Memory:
    """A client of our node, in this process."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.session = machine.accept("127.0.0.1:1", "127.0.0.1:2")
        self.unread = b""

    def send(self, data: bytes) -> None:
        self.machine.server.begin_batch(time.time_ns() // 1_000_000)
        more = self.session.feed(data)
        while more:
            more = self.session.resume()
        self.machine.drain()
        while self.machine.server.long_replies.pending():
            self.machine.work()
            self.machine.drain()

    def receive(self) -> Answer:
        self.unread += self.session.take_output()
        if not self.unread and self.session.closing:
            return CLOSED
        try:
            answer, end = read_answer(self.unread)
        except Incomplete:
            raise Mismatch(f"our reply is not complete: {self.unread[:200]!r}") from None
        self.unread = self.unread[end:]
        return answer

    def close(self) -> None:
        self.machine.leave(self.session)


class Talk:
    """One client connected to both servers, in protocol 2 or 3."""

    def __init__(self, pair: "Pair", protocol: Literal[2, 3]) -> None:
        self.pair = pair
        self.name = f"{len(pair.talks) + 1}/{protocol}"
        self.theirs = Wire(pair.real.address)
        self.ours = Memory(pair.machine)
        pair.talks.append(self)
        if protocol == 3:
            self.both("HELLO", 3)

    def same(self, *words: Word, within: int = 0, normal: Normal | None = None, replies: int = 1) -> Answer:
        """Send a command to both; the answer (the last of ``replies``), if they agree on all. Mismatch if not."""
        return self.same_raw(encode(words), *words, within=within, normal=normal, replies=replies)

    def same_raw(
        self, data: bytes, *shown: Word, within: int = 0, normal: Normal | None = None, replies: int = 1
    ) -> Answer:
        """As ``same``, for bytes that may be no proper request; a connection that ends reads as ``CLOSED``."""
        answer = CLOSED
        self._send(data)
        for _ in range(replies):
            answer = self.next(*(shown or (data,)), within=within, normal=normal)
        return answer

    def next(self, *shown: Word, within: int = 0, normal: Normal | None = None) -> Answer:
        """The next reply or push on both connections, if they agree."""
        history = self.pair.history
        history.append(f"[{self.name}] {' '.join(map(show, shown))}")
        try:
            theirs, ours = as_newer(self.theirs.receive()), self.ours.receive()
        except Exception as error:
            error.add_note(self.pair.story())
            raise
        history[-1] += f"  ->  {ours!r:.300}"
        if alike(*((normal(theirs), normal(ours)) if normal else (theirs, ours)), within=within):
            return ours
        raise Mismatch(f"\n  redis: {theirs!r:.2000}\n  ours:  {ours!r:.2000}\n{self.pair.story()}")

    def send(self, *words: Word) -> None:
        """Send a command to both that is not answered at once; ``next`` compares the answers."""
        self._send(encode(words))

    def both(self, *words: Word) -> tuple[Answer, Answer]:
        """What (the real server, ours) answer, compared by nobody."""
        self._send(encode(words))
        self.pair.history.append(f"[{self.name}] {' '.join(map(show, words))}")
        return self.theirs.receive(), self.ours.receive()

    def run(self, program: Iterable[Sequence[Word]], within: int = 0, normal: Normal | None = None) -> None:
        """Send commands one after the other and compare each."""
        for words in program:
            self.same(*words, within=within, normal=normal)

    def _send(self, data: bytes) -> None:
        self.theirs.send(data)
        try:
            self.ours.send(data)
        except Exception as error:
            error.add_note(f"while serving {data[:300]!r}\n{self.pair.story()}")
            raise

    def close(self) -> None:
        self.theirs.close()
        self.ours.close()


class Pair:
    """A real server and ours. ``flush`` makes both as new; ``resp2`` and ``resp3`` are clients made when first used."""

    def __init__(self, real: "RealServer") -> None:
        self.real = real
        self.machine = Machine(Server())
        self.talks: list[Talk] = []
        self.history: list[str] = []
        self._standard: dict[int, Talk] = {}
        self._admin = Wire(real.address)
        self.flush()

    def flush(self) -> None:
        """Close all clients; no keys, no counters, no functions on either side."""
        for talk in self.talks:
            talk.close()
        self.talks = []
        self._standard = {}
        self.history = []
        for words in (("FLUSHALL",), ("CONFIG", "RESETSTAT"), ("SLOWLOG", "RESET"), ("CLIENT", "UNPAUSE")):
            self.tell_redis(*words)
        self.machine = Machine(Server())
        self.machine.server.access.debug = "yes"
        self.machine.server.begin_batch(time.time_ns() // 1_000_000)

    def talk(self, protocol: Literal[2, 3] = 2) -> Talk:
        """One more client, connected to both servers until the next ``flush``."""
        return Talk(self, protocol)

    def in_protocol(self, protocol: Literal[2, 3]) -> Talk:
        if protocol not in self._standard:
            self._standard[protocol] = self.talk(protocol)
        return self._standard[protocol]

    @property
    def resp2(self) -> Talk:
        return self.in_protocol(2)

    @property
    def resp3(self) -> Talk:
        return self.in_protocol(3)

    def tell_redis(self, *words: Word) -> Answer:
        """A command to the real server only, on a connection of its own: to prepare it."""
        self._admin.send(encode(words))
        return self._admin.receive()

    def story(self) -> str:
        return "history:\n" + "\n".join(f"  {line}" for line in self.history[-60:])

    def close(self) -> None:
        for talk in self.talks:
            talk.close()
        self._admin.close()


def show(word: Word) -> str:
    text = repr(word)[1:] if isinstance(word, bytes) else str(word)
    return text if len(text) <= 200 else f"{text[:200]}...({len(text)})"


class RealServer:
    """A redis-server of ``VERSION`` on a port and in a directory of its own, which keeps nothing on disk."""

    def __init__(self, executable: str, *options: str) -> None:
        self.home = tempfile.TemporaryDirectory(prefix="compat")
        self.process, port = self._start(executable, options)
        self.address = ("127.0.0.1", port)

    @staticmethod
    def find() -> tuple[str | None, str]:
        """The executable, and why there is none to compare with."""
        path = shutil.which("redis-server")
        if path is None:
            return None, f"no redis-server {VERSION} to compare with: {INSTALL}"
        found = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
        if f"v={VERSION} " not in found:
            return None, f"needs redis-server {VERSION} to compare with ({INSTALL}), found {found.strip()}"
        return path, ""

    def _start(self, executable: str, options: tuple[str, ...]) -> tuple[subprocess.Popen[str], int]:
        log = ""
        for port in random.SystemRandom().sample(PORTS, 20):
            process = subprocess.Popen(
                [executable, "--port", str(port), *ALONE, *options],
                cwd=self.home.name,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            log = wait_until_ready(process)
            if process.poll() is None:
                self._reader = threading.Thread(target=read_on, args=(process,), daemon=True)
                self._reader.start()
                return process, port
        raise RuntimeError(f"redis-server does not start:\n{log}")

    def stop(self) -> None:
        self.process.kill()
        self._reader.join()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.home.cleanup()


def wait_until_ready(process: subprocess.Popen[str]) -> str:
    """Read the log until the server accepts connections or has ended; what was read."""
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if "Ready to accept connections" in line:
            return "".join(lines)
    process.wait()
    return "".join(lines)


def read_on(process: subprocess.Popen[str]) -> None:
    """A server whose log nobody reads stands still when the pipe is full."""
    assert process.stdout is not None
    for _ in process.stdout:
        pass
