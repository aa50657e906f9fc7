"""Servers to measure: a node of ours or another program that takes redis-server's options, started, asked and ended.

Every server is bound to this machine, saves no data, keeps its other files in a temporary directory, and is killed when
its ``with`` block is left.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import frozen

from gossamer.deploy.blocking_client import BlockingClient, Refused
from gossamer.deploy.user_error import UserError

HOST: Final = "127.0.0.1"
START_S: Final = 30.0
"""How long a server may take until it answers PING."""
POLL_S: Final = 0.005
NO_DISK: Final = ("--save", "", "--appendonly", "no")
Address = tuple[str, int]
TICKS: Final = os.sysconf("SC_CLK_TCK")


@frozen
class Kind:
    """A server program. ``command`` is followed by directives; ``environment`` is added to that of this process."""

    name: str
    command: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    ours: bool = False


def gossamer(name: str, tree: Path, pure: bool) -> Kind:
    """Our node from the packages in ``tree``; ``pure``: interpreted even if a compiled build is there."""
    environment = (("PYTHONPATH", str(tree)), ("GOSSAMER_PURE", "1" if pure else "0"))
    return Kind(name, (sys.executable, "-m", "gossamer.node"), environment, ours=True)


class Node:
    """A running server that keeps nothing on disk but what ``options`` ask for; a context that ends it."""

    def __init__(self, kind: Kind, *options: str, port: int = 0, host: str = HOST) -> None:
        self.kind = kind
        self.host = host
        self.port = port or free_port()
        self._home = tempfile.TemporaryDirectory(prefix="gossamer-bench-")
        self._log = Path(self._home.name) / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*kind.command, "--port", str(self.port), "--bind", host, *NO_DISK, *options],
                cwd=self._home.name,
                env={**os.environ, **dict(kind.environment)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.pid = self._process.pid

    @property
    def address(self) -> Address:
        return self.host, self.port

    def __enter__(self) -> "Node":
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_until_ready(self) -> None:
        wait_for(self._answers, START_S, f"{self.kind.name} does not answer")

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            words = self._log.read_text(errors="replace").strip().splitlines()[-1:]
            raise UserError(f"{self.kind.name} ended at once: {''.join(words)}")
        try:
            client = self.client()
        except OSError:
            return False
        try:
            return client.ask("PING") == b"PONG"
        except (OSError, Refused):
            return False
        finally:
            client.close()

    def client(self) -> BlockingClient:
        return BlockingClient(self.host, self.port, 10.0)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._home.cleanup()


def wait_for(is_so: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
    """Ask until ``is_so``; UserError if it is not in time."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise UserError(f"{otherwise} within {timeout_s:.0f} s")
        time.sleep(POLL_S)


TAKEN: Final[set[int]] = set()


def free_port() -> int:
    """A port that nothing listens on, nor on the bus port 10000 above it, both below those of outgoing connections."""
    for port in range(11000 + os.getpid() % 400 * 20, 21000):
        if port not in TAKEN and _is_free(port) and _is_free(port + 10000):
            TAKEN.add(port)
            return port
    raise UserError("no free port between 11000 and 21000")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


# --- what a process costs


def cpu_seconds(pid: int) -> float | None:
    """Processor time of all threads, user and system (proc(5): fields 14 and 15 of stat); None outside Linux."""
    try:
        return cpu_in_stat(Path(f"/proc/{pid}/stat").read_text(errors="replace"))
    except FileNotFoundError:
        return None


def cpu_in_stat(text: str) -> float:
    """``text`` of /proc/PID/stat; the name of the program, in parentheses, may hold anything."""
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
