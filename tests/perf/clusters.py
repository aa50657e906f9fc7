"""Clusters to measure: nodes of one kind, formed by redis-cli or by ``gossamer up``."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from gossamer.deploy.blocking_client import BlockingClient
from gossamer.deploy.form import is_ok
from gossamer.deploy.servers import HOST, Address, Kind, Node, free_port, wait_for
from gossamer.deploy.user_error import UserError

OK_S: Final = 60.0


@contextmanager
def cluster(kind: Kind, count: int, replicas: int = 0) -> Iterator[list[Node]]:
    """``count`` nodes, each saying ``cluster_state:ok``; ``replicas`` of each primary among them, in sync."""
    options = ("--cluster-enabled", "yes", "--repl-diskless-sync-delay", "0")
    with ExitStack() as stack:
        nodes = [Node(kind, *options) for _ in range(count)]
        for node in nodes:
            stack.callback(node.stop)
        for node in nodes:
            node.wait_until_ready()
        places = [node.address for node in nodes]
        create(places, replicas)
        wait_until_ok(places, count * replicas // (replicas + 1))
        yield nodes


def create(places: Sequence[Address], replicas: int = 0) -> None:
    """``redis-cli --cluster create`` with so many replicas of each primary."""
    program = shutil.which("redis-cli") or shutil.which("valkey-cli")
    if program is None:
        raise UserError("there is no redis-cli here")
    nodes = [f"{host}:{port}" for host, port in places]
    words = [program, "--cluster", "create", *nodes, "--cluster-replicas", str(replicas), "--cluster-yes"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=OK_S, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise UserError(
            f"redis-cli cannot create the cluster: {done.stdout.strip()[-300:]} {done.stderr.strip()[-300:]}"
        )


def wait_until_ok(places: Sequence[Address], replicas: int = 0) -> None:
    """Until every node knows all, ``replicas`` of them as such, and says ok; and is in sync if it is one of those."""
    with ExitStack() as stack:
        clients = [stack.enter_context(closing(BlockingClient(*place, 10.0))) for place in places]
        wait_for(
            lambda: all(is_ok(client, len(clients), replicas) for client in clients), OK_S, "the cluster is not ok"
        )


@contextmanager
def launched(kind: Kind, count: int, replicas: int = 0) -> Iterator[list[int]]:
    """The ports of a cluster that ``gossamer up --detach`` of the build ``kind`` brings to life, from nothing to ok."""
    with tempfile.TemporaryDirectory(prefix="gossamer-up-") as folder:
        environment = {**os.environ, **dict(kind.environment)}
        command = [sys.executable, "-m", "gossamer.deploy.cli"]
        first = neighbours(count)
        words = [*command, "up", str(count), "--replicas", str(replicas), "--port", str(first), "--detach"]
        words += ["--dir", f"{folder}/nodes"]
        try:
            done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, timeout=OK_S)
            if done.returncode:
                raise UserError(f"gossamer up failed: {done.stderr.strip()[-300:]}")
            ports = list(range(first, first + count))
            wait_until_ok([(HOST, port) for port in ports], count * replicas // (replicas + 1))
            yield ports
        finally:
            down = [*command, "down", "--dir", f"{folder}/nodes"]
            if Path(folder, "nodes").exists():
                subprocess.run(down, env=environment, cwd=folder, capture_output=True, timeout=OK_S)


def neighbours(count: int) -> int:
    """The first of ``count`` free ports in a row."""
    run = [free_port()]
    while len(run) < count:
        port = free_port()
        run = [*run, port] if port == run[-1] + 1 else [port]
    return run[0]
