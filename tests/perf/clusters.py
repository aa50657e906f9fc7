"""Clusters to measure: nodes of one kind formed into primaries only, by redis-cli or by ``gossamer up``."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final

from deploy.problem import Problem
from deploy.servers import HOST, Kind, Node, free_port, wait_for
from deploy.wire import Refused, Wire, fields

OK_S: Final = 60.0


@contextmanager
def cluster(kind: Kind, count: int) -> Iterator[list[Node]]:
    """``count`` primaries that share the slots, each saying ``cluster_state:ok``."""
    with ExitStack() as stack:
        nodes = [Node(kind, "--cluster-enabled", "yes") for _ in range(count)]
        for node in nodes:
            stack.callback(node.stop)
        for node in nodes:
            node.wait_until_ready()
        create([node.port for node in nodes])
        wait_until_ok([node.port for node in nodes])
        yield nodes


def create(ports: Sequence[int]) -> None:
    """``redis-cli --cluster create`` without replicas."""
    program = shutil.which("redis-cli") or shutil.which("valkey-cli")
    if program is None:
        raise Problem("there is no redis-cli here")
    words = [program, "--cluster", "create", *(f"{HOST}:{port}" for port in ports), "--cluster-yes"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=OK_S, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Problem(f"redis-cli cannot create the cluster: {done.stdout.strip()[-300:]} {done.stderr.strip()[-300:]}")


def wait_until_ok(ports: Sequence[int]) -> None:
    """Until every node knows all and says ``cluster_state:ok``."""
    wait_for(lambda: all(is_ok(port, len(ports)) for port in ports), OK_S, "the cluster is not ok")


def is_ok(port: int, count: int) -> bool:
    try:
        with closing(Wire(HOST, port, 10.0)) as wire:
            state = fields(wire.text("CLUSTER", "INFO"))
    except (OSError, Refused):
        return False
    return state["cluster_state"] == "ok" and int(state["cluster_known_nodes"]) >= count


@contextmanager
def launched(kind: Kind, count: int) -> Iterator[list[int]]:
    """The ports of a cluster that ``gossamer up --detach`` of the build ``kind`` brings to life, from nothing to ok."""
    with tempfile.TemporaryDirectory(prefix="gossamer-up-") as folder:
        environment = {**os.environ, **dict(kind.environment)}
        command = [sys.executable, "-m", "deploy.cli"]
        first = neighbours(count)
        words = [*command, "up", str(count), "--port", str(first), "--detach", "--dir", f"{folder}/nodes"]
        try:
            done = subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, timeout=OK_S)
            if done.returncode:
                raise Problem(f"gossamer up failed: {done.stderr.strip()[-300:]}")
            ports = list(range(first, first + count))
            wait_until_ok(ports)
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
