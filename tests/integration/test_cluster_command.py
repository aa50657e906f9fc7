"""``gossamer cluster``: each command shows its plan, does it, and leaves a cluster that check finds sound.

Few slots move in most of these tests: the weight of a newcomer is small.
"""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Sequence

import pytest

from gossamer.deploy.blocking_client import BlockingClient
from gossamer.deploy.cli import main
from tests.integration.clusters import (
    CLUSTER,
    demand,
    form,
    info,
    my_id,
    myself,
    start_together,
    view,
    wait_peace,
    wait_until,
)
from tests.integration.launched import LIMIT_S
from tests.integration.nodes import GOSSAMER, REDIS, ROOT, VALKEY, Node, Nodes, Program
from tests.integration.test_reshard import keys_in, place
from tests.integration.test_up import read_until

pytestmark = pytest.mark.once


class Cluster:
    """``gossamer cluster``, run in this process, which spares the start of one."""

    def __init__(self, said: pytest.CaptureFixture[str]) -> None:
        self._said = said

    def do(self, *words: str | int, code: int = 0) -> str:
        """What it prints; it has to end with ``code``."""
        self._said.readouterr()
        ended = main(["cluster", *map(str, words)])
        out, err = self._said.readouterr()
        assert ended == code, (words, out, err)
        return out + err

    def sound(self, node: Node) -> str:
        return self.do("check", place(node))


@pytest.fixture
def cluster(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv("COLUMNS", "120")
    return Cluster(capsys)


def launch(nodes: Nodes, *programs: Program, options: Sequence[str] = ()) -> list[Node]:
    made = [nodes.make(*CLUSTER, *options, program=program) for program in programs]
    start_together(made)
    return made


def keys_of(node: Node) -> int:
    return node.ask("DBSIZE").number


def wait_keys(made: Sequence[Node], count: int) -> None:
    """Until there are so many, each at one node: who has given slots away deletes their keys by and by."""
    wait_until(lambda: sum(map(keys_of, made)) == count, f"{count} keys are in the cluster")


def test_empty_nodes_become_a_cluster_and_are_not_taken_twice(nodes: Nodes, cluster: Cluster) -> None:
    made = launch(nodes, *[GOSSAMER] * 6)
    six = [place(node) for node in made]
    plan = cluster.do("create", *six, "--replicas", 1, "--dry-run")
    assert plan.count("primary") == plan.count("replica") == 3
    assert "0-5460" in plan
    assert "nothing was done" in plan
    assert all(info(node)["cluster_known_nodes"] == "1" for node in made)
    assert "--yes carries it out" in cluster.do("create", *six, "--replicas", 1, code=1)

    assert "all nodes agree" in cluster.do("create", *six, "--replicas", 1, "--yes")
    told = cluster.sound(made[5])
    assert "all 16384 slots have one owner, and 6 nodes agree" in told
    report = json.loads(cluster.do("check", place(made[0]), "--json"))
    assert report["sound"]
    assert sorted(node["role"] for node in report["nodes"]) == ["primary"] * 3 + ["replica"] * 3

    assert "they are this cluster already" in cluster.do("create", *six, "--replicas", 1, "--yes")
    assert "is not empty: it knows other nodes" in cluster.do("create", *six[:2], "--yes", code=1)


def test_creating_that_was_cut_short_is_finished_by_doing_it_again(nodes: Nodes, cluster: Cluster) -> None:
    made = launch(nodes, GOSSAMER, GOSSAMER, GOSSAMER)
    demand(made[0], "CLUSTER", "ADDSLOTSRANGE", 0, 5460)
    demand(made[0], "CLUSTER", "SET-CONFIG-EPOCH", 1)
    demand(made[1], "CLUSTER", "MEET", "127.0.0.1", made[0].port)
    cluster.do("create", *map(place, made), "--yes")
    cluster.sound(made[2])


def test_a_node_joins_is_balanced_in_is_followed_and_leaves_again(nodes: Nodes, cluster: Cluster) -> None:
    *made, fourth, replica = launch(nodes, *[GOSSAMER] * 5)
    form(made)
    names = keys_in(0, 16383, 600)
    with_each_owner(made, names)
    first = place(made[0])

    assert "it has no slots yet" in cluster.do("add", first, place(fourth), "--yes")
    assert "is in the cluster already" in cluster.do("add", first, place(fourth), "--yes")
    light = f"{my_id(fourth)[:8]}=0.01"
    plan = cluster.do("rebalance", first, "--weight", light, "--dry-run")
    assert plan.count(f"→ {place(fourth)}") == 3
    assert keys_of(fourth) == 0
    cluster.do("rebalance", first, "--weight", light, "--yes")
    assert "nothing to do" in cluster.do("rebalance", first, "--weight", light, "--yes")
    wait_keys([*made, fourth], len(names))
    assert keys_of(fourth) == len([name for name in names if fourth.ask("GET", name).kind == "bulk"])
    cluster.do("add", first, place(replica), "--of", place(fourth), "--yes")
    assert "replica of " + place(fourth) in cluster.sound(replica)

    told = cluster.do("remove", first, my_id(fourth), "--yes")
    assert f"{place(replica)} follows" in told
    everyone = [*made, replica]
    assert all(my_id(fourth) not in view(node) for node in everyone)
    assert (info(fourth)["cluster_known_nodes"], keys_of(fourth)) == ("1", 0)
    cluster.sound(made[2])
    cluster.do("remove", first, place(replica), "--yes")
    wait_peace(made)
    wait_keys(made, len(names))


@pytest.mark.parametrize("peer", [VALKEY, REDIS], ids=lambda peer: peer.name)
def test_slots_go_to_real_servers_and_come_back(nodes: Nodes, cluster: Cluster, peer: Program) -> None:
    """With Valkey the nodes do it between themselves, with Redis 7.0 it is done key by key."""
    made = launch(nodes, GOSSAMER, peer)
    cluster.do("create", *map(place, made), "--yes")
    names = keys_in(8100, 8300, 40)
    with_each_owner(made, names)
    for weight in (1.01, 0.99):
        told = cluster.do("rebalance", place(made[1]), "--weight", f"{place(made[1])}={weight}", "--yes")
        assert ("key by key" in told) == (peer is REDIS)
        assert abs(slot_count(made[1]) - 16384 * weight / (1 + weight)) < 1
        wait_keys(made, len(names))
    migrations = made[0].ask("CLUSTER", "GETSLOTMIGRATIONS").items
    assert [job.items[17].text for job in migrations] == ([b"success"] * 2 if peer is VALKEY else [])
    cluster.sound(made[0])


def with_each_owner(made: Sequence[Node], names: Sequence[str]) -> None:
    for name in names:
        assert any(node.ask("SET", name, name).kind == "status" for node in made)


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_what_an_interruption_leaves_is_finished_by_the_same_command(
    nodes: Nodes, cluster: Cluster, kind: signal.Signals
) -> None:
    made = launch(nodes, GOSSAMER, REDIS)  # between these slots go one by one
    form(made)
    names = keys_in(0, 16383, 300)
    with_each_owner(made, names)
    words = ("rebalance", place(made[0]), "--weight", f"{place(made[1])}=2", "--yes")  # takes seconds
    command = [sys.executable, "-m", "gossamer.deploy.cli", "cluster", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        wait_until(lambda: slot_count(made[1]) > 8192 + 32, "some have moved")
        process.send_signal(kind)
        said, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == (130 if kind == signal.SIGINT else -kind)
    if kind == signal.SIGINT:
        assert "interrupted: what was done stays, and the same command does the rest" in said
        cluster.sound(made[0])
    assert slot_count(made[1]) < 10_900
    cluster.do(*words)
    assert slot_count(made[1]) in {10_922, 10_923}, "its share, rounded"
    cluster.sound(made[0])
    wait_keys(made, len(names))


def slot_count(node: Node) -> int:
    bounds = [word.split("-") for word in myself(node).slots if "[" not in word]
    return sum(int(bound[-1]) - int(bound[0]) + 1 for bound in bounds)


def test_nodes_with_a_password_are_administered_with_it(
    nodes: Nodes, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = ("--requirepass", "secret", "--masterauth", "secret")
    made = launch(nodes, GOSSAMER, REDIS, GOSSAMER, options=secret)
    places = [place(node) for node in made]
    assert "(--user, --password): NOAUTH" in cluster.do("create", *places, "--yes", code=1)
    assert "does not accept this user and password: WRONGPASS" in cluster.do(
        "check", places[0], "--password", "x", code=1
    )
    cluster.do("create", *places, "--password", "secret", "--yes")
    monkeypatch.setenv("REDISCLI_AUTH", "secret")
    for name in keys_in(5440, 5460, 20):
        with_password(made[0], "SET", name, name)
    cluster.do("rebalance", places[0], "--weight", f"{places[0]}=0.99", "--yes")
    assert with_password(made[1], "DBSIZE") or with_password(made[2], "DBSIZE")
    cluster.sound(made[0])


def with_password(node: Node, *words: str) -> object:
    wire = BlockingClient(*node.address, 10, "secret")
    try:
        return wire.ask(*words)
    finally:
        wire.close()


def test_what_cannot_be_done_is_said_and_nothing_is_changed(nodes: Nodes, cluster: Cluster) -> None:
    *made, spare = launch(nodes, GOSSAMER, GOSSAMER, GOSSAMER)
    single = nodes.start()
    form(made)
    first = place(made[0])
    demand(spare, "CLUSTER", "ADDSLOTS", 7)
    for words, text in [
        (("check", "127.0.0.1:1"), "127.0.0.1:1 cannot be reached: Connection refused"),
        (("check", "nonsense"), "'nonsense' is not host:port"),
        (("check", place(single)), "is not in cluster mode: it needs cluster-enabled yes"),
        (("add", first, place(single), "--yes"), "is not in cluster mode"),
        (("add", first, place(spare), "--yes"), "is not empty: it has"),
        (("add", first, "127.0.0.1:1", "--yes"), "127.0.0.1:1 cannot be reached"),
        (("create", place(spare), "--yes"), "is not empty: it has"),
        (("create", first, first, "--yes"), "are the same node"),
        (("create", first, "--replicas", 1, "--yes"), "1 nodes are not primaries with 1 replica each"),
        (("remove", first, "beef", "--yes"), "no node of the cluster is beef"),
        (("remove", first, "127.0.0.1:1", "--yes"), "no node of the cluster is 127.0.0.1:1"),
        (("rebalance", first, "--weight", "x", "--yes"), "--weight x is not NODE=W"),
        (("rebalance", first, "--weight", f"{first}=-1", "--yes"), "-1.0 is not a weight"),
    ]:
        assert text in cluster.do(*words, code=1)
    wait_peace(made)


def test_a_dead_node_is_named_by_check_stops_a_rebalance_and_can_be_removed(nodes: Nodes, cluster: Cluster) -> None:
    made = launch(nodes, *[GOSSAMER] * 3, options=("--cluster-node-timeout", "1000"))
    form(made)
    spare, owner = nodes.start(*CLUSTER), made[2]
    cluster.do("add", place(made[0]), place(spare), "--yes")
    dead = my_id(spare)
    spare.kill()
    found = cluster.do("check", place(made[0]), code=1)
    assert f"{place(spare)} cannot be reached: Connection refused" in found
    cluster.do("remove", place(made[0]), dead, "--yes")
    cluster.sound(made[0])
    owner.kill()
    wait_until(lambda: info(made[0])["cluster_state"] == "fail", "the death is known")
    report = json.loads(cluster.do("check", place(made[0]), "--json", code=1).partition("gossamer:")[0])
    assert {finding["kind"] for finding in report["findings"]} >= {"unreachable", "failed", "state"}
    assert "every node that counts has to be there" in cluster.do("rebalance", place(made[0]), "--yes", code=1)


def test_a_terminal_asks_first_and_shows_a_bar(nodes: Nodes, cluster: Cluster) -> None:
    made = launch(nodes, GOSSAMER, GOSSAMER)
    form(made)
    words = ("rebalance", place(made[0]), "--weight", f"{place(made[1])}=1.01")
    code, shown = at_a_terminal(*words, answer="n")
    assert code == 1
    assert "nothing was done" in shown
    assert slot_count(made[1]) == 8192
    code, shown = at_a_terminal(*words, answer="y")
    assert code == 0
    assert "40/40 slots" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert slot_count(made[1]) == 8232


def at_a_terminal(*words: str, answer: str) -> tuple[int, str]:
    """The exit code, and what is seen, of ``gossamer cluster`` when the operator gives ``answer`` to its question."""
    parent, terminal = pty.openpty()
    command = [sys.executable, "-m", "gossamer.deploy.cli", "cluster", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, env=environment, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        try:
            shown = read_until(parent, b"[y/N]")
            os.write(parent, answer.encode() + b"\n")
            shown += read_until(parent, b"nothing was done" if answer == "n" else b"all nodes agree")
            return process.wait(LIMIT_S), shown.decode()
        finally:
            process.terminate()
            os.close(parent)
