"""A node whose disk is full: it says so once, promises nothing, serves on, and is there again when there is room."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.compat.pair import Wire, encode
from tests.integration.clusters import CLUSTER, OK, demand, form, my_id, start_together, wait_peace, wait_until
from tests.integration.nodes import GOSSAMER, Node, Nodes
from tests.integration.test_replication import follow, start, wait_same, write

pytestmark = pytest.mark.once

SIZE: Final = "256k"
TIMEOUT_MS: Final = 2000


@contextlib.contextmanager
def small_disk(path: Path) -> Iterator[None]:
    """A file system of its own at ``path``."""
    mount = shutil.which("mount")
    if os.getuid() != 0 or mount is None:
        pytest.skip("only root can mount a small file system")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(path)], capture_output=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True, capture_output=True)


def fill(path: Path) -> Path:
    """Until nothing more can be written at ``path``; the file that takes the room."""
    filler = path / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return filler


def test_a_node_that_cannot_save_is_silent_until_it_can(nodes: Nodes) -> None:
    options = (*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS), "--cluster-require-full-coverage", "no")
    three = [nodes.make(*options) for _ in range(3)]
    node = three[0]
    with small_disk(node.home):
        start_together(three)
        form(three)
        wait_peace(three)
        key = next(key for key in map(str, range(1000)) if node.ask("SET", key, "v") == OK)
        conf = node.home / "nodes.conf"
        wait_until(lambda: all(my_id(other) in conf.read_text() for other in three), "nodes.conf is up to date")
        filler = fill(node.home)
        assert node.ask("CLUSTER", "BUMPEPOCH").kind == "status", "there is space already to note what it promises"
        filler.unlink()
        # What it has promised must not go with that space.
        wait_until(lambda: " myself,master - 0 0 4 " in conf.read_text(), "nodes.conf is up to date")
        os.truncate(node.home / "nodes.conf.latest", 0)
        filler = fill(node.home)
        with closing(Wire(node.address)) as wire:
            wire.send(encode(["CLUSTER", "DELSLOTS", "1"]))
            assert wire.receive().kind == "closed", "it could not be kept"
        node.wait_log("Can't update cluster config file")
        assert node.ask("GET", key).text == b"v"
        wait_until(lambda: failed(three[1], node), "to the others it has failed")
        assert node.log().count("Can't update cluster config file") == 1
        # A supervisor that starts it again finds no loop of failures.
        node.stop()
        node.start()
        assert "Traceback" not in node.log()
        filler.unlink()
        wait_peace(three)
        node.stop()


def failed(viewer: Node, node: Node) -> bool:
    line = next(line for line in viewer.ask("CLUSTER", "NODES").text.decode().splitlines() if f":{node.port}@" in line)
    return "fail" in line.split()[2].split(",")


def test_a_new_node_that_cannot_save_does_not_start(nodes: Nodes) -> None:
    node = nodes.make(*CLUSTER)
    with small_disk(node.home):
        fill(node.home)
        node.launch()
        assert node.wait_end() == 1
        assert "nodes.conf" in node.log()
        assert "Traceback" not in node.log()


def test_a_full_sync_needs_no_disk(nodes: Nodes) -> None:
    primary = start(nodes, GOSSAMER)
    write(primary, "before")
    for number in range(1000):
        demand(primary, "SET", f"key:{number}", "v" * 1000)
    replica = nodes.make("--enable-debug-command", "yes")
    with small_disk(replica.home):
        fill(replica.home)
        replica.start()
        follow(replica, primary)
        wait_same(primary, replica)
        replica.stop()
