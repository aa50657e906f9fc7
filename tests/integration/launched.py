"""``gossamer up`` as its user runs it: a process of its own, in a directory of its own, on ports that are free."""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from gossamer.deploy.blocking_client import BlockingClient, as_text, fields
from gossamer.deploy.folder import Folder
from gossamer.deploy.ports import BUS_OFFSET

TOP: Final = Path(__file__).parents[2]
BASES: Final = range(2000, 9900, 20)
"""First ports of clusters; they and their bus ports lie apart from those of other tests, and from ephemeral ones."""

MOST_NODES: Final = 6
LIMIT_S: Final = 60


def some_base() -> int:
    """One where no cluster of another test is."""
    bases = random.SystemRandom().sample(BASES, len(BASES))
    return next(base for base in bases if not any(map(is_used, range(base, base + MOST_NODES))))


def is_used(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


class Gossamer:
    """The command, run in ``cwd``; its clusters are in ``cwd / "gossamer-data"`` unless told otherwise."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.command = [sys.executable, "-m", "gossamer.deploy.cli"]
        self.environment = {**os.environ, "PYTHONPATH": str(TOP), "COLUMNS": "120"}

    def run(self, *words: str | int) -> subprocess.CompletedProcess[str]:
        command = [*self.command, *map(str, words)]
        return subprocess.run(
            command, cwd=self.cwd, env=self.environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )

    def up(self, count: int, *words: str | int) -> int:
        """A new cluster that is left running; the port of its first node."""
        for base in random.SystemRandom().sample(BASES, 10):
            done = self.run("up", count, "--port", base, "--detach", *words)
            if "cannot be used" not in done.stderr:
                assert (done.returncode, done.stderr) == (0, "")
                return base
        raise AssertionError(f"no free ports: {done.stderr}")

    @contextmanager
    def foreground(self, *words: str | int) -> Iterator[subprocess.Popen[str]]:
        """``gossamer up`` that stays until it is told to end; its standard output can be read."""
        command = [*self.command, "up", *map(str, words)]
        with subprocess.Popen(
            command, cwd=self.cwd, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            limit = subprocess.Popen([sys.executable, "-c", WATCHDOG, str(process.pid), str(LIMIT_S)])
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(LIMIT_S)
                limit.kill()
                limit.wait()

    def pids(self) -> dict[int, int]:
        """Process ids of the nodes that run, by port."""
        folder = Folder(self.cwd / "gossamer-data")
        record = folder.read()
        return {} if record is None else folder.running(record)


WATCHDOG: Final = "import os, sys, time; time.sleep(int(sys.argv[2])); os.kill(int(sys.argv[1]), 15)"
"""Ends a process whose output a test waits for in vain."""


def ask(port: int, *words: str | int) -> str:
    with closing(BlockingClient("127.0.0.1", port, 10)) as wire:
        return as_text(wire.ask(*words))


def state(port: int) -> dict[str, str]:
    """CLUSTER INFO of a node."""
    return fields(ask(port, "CLUSTER", "INFO"))


def identity(port: int) -> tuple[str, str]:
    """Id and slots of the node on ``port``, as it tells them."""
    line = next(line for line in ask(port, "CLUSTER", "NODES").splitlines() if "myself" in line)
    return line.split()[0], " ".join(line.split()[8:])


@contextmanager
def listening() -> Iterator[int]:
    """A port that is in use, and whose bus port could be used."""
    with socket.create_server(("127.0.0.1", some_base() + BUS_OFFSET + 19)) as server:
        yield server.getsockname()[1]
