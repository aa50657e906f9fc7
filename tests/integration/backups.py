"""``gossamer backup``, ``restore`` and ``import`` for tests, and what their files hold."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest

from gossamer.cluster.slots import key_slot
from gossamer.deploy.cli import main
from gossamer.node.persist.events import Key
from gossamer.node.persist.reader import RdbReader
from tests.integration.clusters import CLUSTER, demand, form, myself, start_together
from tests.integration.every_type import difference, fill, put
from tests.integration.nodes import GOSSAMER, ROOT, Node, Nodes, Program
from tests.integration.test_every_type import key_names

AT_ONCE: Final = ("--repl-diskless-sync-delay", "0")
TAGS: Final = tuple(f"{{{number}}}" for number in range(4))
"""Ends of keys; their slots are spread over any cluster."""


class Tool:
    """``gossamer``, run in this process, which spares the start of one."""

    def __init__(self, said: pytest.CaptureFixture[str]) -> None:
        self._said = said

    def do(self, *words: str | int | Path, code: int = 0) -> str:
        """What it prints; it has to end with ``code``."""
        self._said.readouterr()
        ended = main([str(word) for word in words])
        out, err = self._said.readouterr()
        assert ended == code, (words, out, err)
        return out + err


def begin(*words: str | int | Path, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """The same as a process of its own, which can be ended."""
    command = [sys.executable, "-m", "gossamer.deploy.cli", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", "TERM": "xterm"}
    return subprocess.Popen(command, env=environment, stdout=stdout, stderr=subprocess.STDOUT, text=True)


def place(node: Node) -> str:
    return f"127.0.0.1:{node.port}"


def cluster_of(nodes: Nodes, count: int, *options: str, program: Program = GOSSAMER) -> list[Node]:
    made = [nodes.make(*CLUSTER, *AT_ONCE, *options, program=program) for _ in range(count)]
    start_together(made)
    if count > 1:
        form(made)
    else:
        demand(made[0], "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    return made


def owner_of(made: Sequence[Node], key: str | bytes) -> Node:
    """Of the nodes of a cluster, or the only one."""
    if len(made) == 1:
        return made[0]
    slot = key_slot(key if isinstance(key, bytes) else key.encode())
    for node in made:
        for word in myself(node).slots:
            first, _, last = word.partition("-")
            if int(first) <= slot <= int(last or first):
                return node
    raise AssertionError(f"nobody owns slot {slot}")


def fill_all(made: Sequence[Node]) -> None:
    """Data of every type on every shard."""
    for tag in TAGS:
        put(owner_of(made, f"text{tag}"), fill(tag))


def demand_same(source: Sequence[Node], target: Sequence[Node]) -> None:
    """Both hold the same keys, with the same values and times to live."""
    names = sorted(name for node in source for name in key_names(node))
    assert names == sorted(name for node in target for name in key_names(node))
    by_owner: dict[tuple[int, int], list[bytes]] = {}
    for tag in {name[name.find(b"{") :] for name in names}:
        pair = source.index(owner_of(source, tag)), target.index(owner_of(target, tag))
        by_owner.setdefault(pair, []).extend(name for name in names if name.endswith(tag))
    for (one, other), keys in by_owner.items():
        found = difference(source[one], target[other], keys)
        assert found is None, "\n".join(map(repr, found))


def manifest_in(path: Path) -> dict[str, list[dict[str, object]]]:
    told: dict[str, list[dict[str, object]]] = json.loads((path / "manifest.json").read_text())
    return told


def keys_in(path: Path) -> dict[bytes, object]:
    """What an RDB file holds: values by key."""
    reader = RdbReader()
    events = reader.feed(path.read_bytes())
    return {event.key: event.value for event in [*events, *reader.finish()] if isinstance(event, Key)}
