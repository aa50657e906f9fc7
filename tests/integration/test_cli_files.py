"""What ``redis-cli`` does with ``--rdb``, ``--functions-rdb`` and its looks at keys: on our node as on Redis."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gossamer.node.persist.events import Key
from gossamer.node.persist.reader import RdbReader
from tests.integration.backups import cluster_of, keys_in
from tests.integration.clusters import demand
from tests.integration.every_type import difference, fill, put
from tests.integration.nodes import REDIS, Node, Nodes
from tests.integration.test_backup import check_rdb
from tests.integration.test_clients import redis_cli
from tests.integration.test_every_type import key_names

pytestmark = pytest.mark.once


def cli(node: Node, *words: str | Path) -> bytes:
    """What it prints; all went well."""
    command = [redis_cli(), "-p", str(node.port), *map(str, words)]
    done = subprocess.run(command, capture_output=True, timeout=30)
    assert done.returncode == 0, done
    return done.stdout


def test_the_data_come_as_a_file(nodes: Nodes, tmp_path: Path) -> None:
    node, theirs = nodes.start(), nodes.make(program=REDIS)
    put(node, fill())
    cli(node, "--rdb", tmp_path / "dump.rdb")
    check_rdb(tmp_path / "dump.rdb")
    shutil.copy(tmp_path / "dump.rdb", theirs.home)
    theirs.start()
    found = difference(node, theirs, key_names(node))
    assert found is None, "\n".join(map(repr, found))
    assert theirs.ask("DBSIZE") == node.ask("DBSIZE")
    (tmp_path / "piped.rdb").write_bytes(cli(node, "--rdb", "-"))
    assert sorted(keys_in(tmp_path / "piped.rdb")) == sorted(key_names(node))


def test_of_a_cluster_each_node_gives_its_own(nodes: Nodes, tmp_path: Path) -> None:
    two = cluster_of(nodes, 2)
    demand(two[1], "SET", "foo", "bar")
    for number, node in enumerate(two):
        cli(node, "--rdb", tmp_path / f"{number}.rdb")
    assert [keys_in(tmp_path / f"{number}.rdb") for number in range(2)] == [{}, {b"foo": b"bar"}]


def test_functions_alone_come_without_keys(nodes: Nodes, tmp_path: Path) -> None:
    node = nodes.start()
    put(node, fill())
    cli(node, "--functions-rdb", tmp_path / "f.rdb")
    check_rdb(tmp_path / "f.rdb")
    reader = RdbReader()
    events = reader.feed((tmp_path / "f.rdb").read_bytes())
    assert reader.done
    assert not any(isinstance(event, Key) for event in events)


def summary(told: bytes) -> list[str]:
    """The lines behind "summary" whose order does not depend on that of the keys."""
    return sorted(told.decode().partition("summary")[2].splitlines())


def test_the_biggest_keys_are_those_of_redis(nodes: Nodes) -> None:
    ours, theirs = nodes.start(), nodes.start(program=REDIS)
    for node in (ours, theirs):
        put(node, fill())
    found = summary(cli(ours, "--bigkeys"))
    assert found == summary(cli(theirs, "--bigkeys"))
    assert any("Biggest stream" in line for line in found)


def test_the_keys_that_take_most_memory_are_found(nodes: Nodes) -> None:
    node = nodes.start()
    put(node, fill())
    for words in (["--memkeys"], ["--memkeys-samples", "0"]):
        told = cli(node, *words).decode()
        assert f"Sampled {node.ask('DBSIZE').number} keys" in told
        biggest = dict(re.findall(r"Biggest +(\w+) found '\"(.+?)\"' has \d+ bytes", told))
        assert {kind: biggest[kind] for kind in ("list", "stream", "hash")} == {
            "list": "list:large",
            "stream": "stream:large",
            "hash": "hash:large",
        }


def test_the_hottest_key_is_found(nodes: Nodes) -> None:
    node = nodes.start("--maxmemory-policy", "allkeys-lfu")
    for number in range(20):
        demand(node, "SET", f"cold{number}", "v")
    for _ in range(100):
        node.ask("GET", "cold7")
    hottest, others = re.findall(r'counter: (\d+)\s+keyname: "(\w+)"', cli(node, "--hotkeys").decode())[:2]
    assert hottest[1] == "cold7"
    assert int(hottest[0]) > int(others[0])
