"""go-redis works with a cluster of ours while slots move both ways: transactions, pipelines, reads from replicas."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.integration.clusters import CLUSTER, OK, demand, form, info, my_id, start_together, view, wait_until
from tests.integration.migrating import migrate, wait_end
from tests.integration.nodes import ROOT, Node, Nodes
from tests.integration.test_reshard import keys_in

pytestmark = pytest.mark.once

SLOTS: Final = 20
TAGS: Final = keys_in(0, SLOTS - 1, 12)
END_S: Final = 30.0


def goredis() -> str:
    path = os.environ.get("GOSSAMER_GOREDIS") or str(ROOT / ".cache" / "go" / "goredis")
    if not Path(path).is_file():
        source = Path(__file__).with_name("goredis")
        pytest.skip(f"no go-redis client: apt-get install golang-go, then: cd {source} && go build -o {path} .")
    return path


@contextmanager
def at_work(program: Sequence[str], node: Node, reads: bool) -> Iterator[None]:
    """The client works for as long as this lasts, without a fault, and has come to every tag."""
    command = [*program, str(node.port), str(int(reads)), *TAGS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "at work\n", process.communicate(timeout=END_S)
            yield
            out, _ = process.communicate("\n", timeout=END_S)
        finally:
            process.kill()
    told = json.loads(out)
    assert told["faults"] == []
    assert min(told["rounds"].values()) > 1


def key_by_key(source: Node, target: Node) -> None:
    """As redis-cli does it."""
    for slot in range(SLOTS):
        demand(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", my_id(source))
        demand(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", my_id(target))
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 1).items:
            demand(source, "MIGRATE", *target.address, "", 0, 5000, "KEYS", *(key.text for key in keys))
        demand(target, "CLUSTER", "SETSLOT", slot, "NODE", my_id(target))
        demand(source, "CLUSTER", "SETSLOT", slot, "NODE", my_id(target))


def at_one_stroke(source: Node, target: Node) -> None:
    migrate(source, target, 0, SLOTS - 1)
    assert wait_end(source)["state"] == "success"


WAYS: Final = pytest.mark.parametrize("move", [key_by_key, at_one_stroke])


@WAYS
def test_transactions_and_pipelines_go_on_while_slots_move(nodes: Nodes, move: Callable[[Node, Node], None]) -> None:
    writes_while(nodes, [goredis()], move)


@WAYS
def test_reads_from_replicas_find_every_key_while_slots_move(nodes: Nodes, move: Callable[[Node, Node], None]) -> None:
    reads_while(nodes, [goredis()], move)


def writes_while(nodes: Nodes, program: Sequence[str], move: Callable[[Node, Node], None]) -> None:
    """Slots move to and fro between two of three primaries meanwhile."""
    made = [nodes.make(*CLUSTER) for _ in range(3)]
    start_together(made)
    form(made)
    with at_work(program, made[2], reads=False):
        move(made[0], made[1])
        move(made[1], made[0])
    assert made[0].ask("DBSIZE").number == len(TAGS)


def reads_while(nodes: Nodes, program: Sequence[str], move: Callable[[Node, Node], None]) -> None:
    """Slots move to and fro between two primaries with a replica each meanwhile."""
    made = [nodes.make(*CLUSTER, "--repl-diskless-sync-delay", "0") for _ in range(4)]
    start_together(made)
    form(made[:2])
    for replica in made[2:]:
        demand(replica, "CLUSTER", "MEET", *made[0].address)
    wait_until(lambda: all(len(view(node)) == 4 for node in made), "all know all")
    for replica, primary in zip(made[2:], made[:2], strict=True):
        demand(replica, "CLUSTER", "REPLICATE", my_id(primary))
    wait_until(lambda: all(info(node)["cluster_state"] == "ok" for node in made), "the cluster is up")
    for tag in TAGS:
        assert made[0].ask("SET", f"{{{tag}}}there", tag) == OK
    assert made[0].ask("WAIT", 1, 10_000).number == 1
    with at_work(program, made[1], reads=True):
        move(made[0], made[1])
        move(made[1], made[0])
