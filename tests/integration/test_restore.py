"""``gossamer restore`` and ``import``: the same data in any number of shards, of any server, whatever comes between."""

import re
import signal
from base64 import b64decode
from pathlib import Path

import pytest

from gossamer.cluster.slots import key_slot
from tests.integration.backups import (
    AT_ONCE,
    TAGS,
    Tool,
    begin,
    cluster_of,
    demand_same,
    fill_all,
    owner_of,
    place,
)
from tests.integration.clusters import CLUSTER, demand, my_id, view, wait_peace, wait_until
from tests.integration.every_type import difference, fields_that_end, fill, put
from tests.integration.launched import LIMIT_S
from tests.integration.migrating import wait_end
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program
from tests.unit.node.persist.recorded import VECTORS, files

pytestmark = pytest.mark.once


@pytest.fixture
def tool(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tool:
    monkeypatch.setenv("COLUMNS", "120")
    return Tool(capsys)


WAYS = [
    (GOSSAMER, 3, GOSSAMER, 2),
    (GOSSAMER, 3, GOSSAMER, 5),
    (GOSSAMER, 2, REDIS, 3),
    (REDIS, 3, GOSSAMER, 2),
    (VALKEY, 2, GOSSAMER, 3),
    (GOSSAMER, 2, VALKEY, 1),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[1]} of {way[0].name} to {way[3]} of {way[2].name}")
def test_all_data_come_into_any_number_of_shards(
    nodes: Nodes, tool: Tool, tmp_path: Path, way: tuple[Program, int, Program, int]
) -> None:
    source = cluster_of(nodes, way[1], program=way[0])
    fill_all(source)
    if REDIS not in way:
        put(owner_of(source, TAGS[0]), fields_that_end(TAGS[0]))
    tool.do("backup", place(source[0]), tmp_path / "b")
    target = cluster_of(nodes, way[3], program=way[2])
    said = tool.do("restore", tmp_path / "b", place(target[-1]))
    count = sum(node.ask("DBSIZE").number for node in source)
    assert f"{count:,} keys were restored into {place(target[-1])}" in said
    demand_same(source, target)


def test_keys_that_are_there_are_refused_kept_or_overwritten(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    source, target = nodes.start(), cluster_of(nodes, 2)
    put(source, fill())
    demand(source, "SET", "k", "new", "PX", 100_000_000)
    demand(source, "SET", "gone", "v", "PX", 1)
    tool.do("backup", place(source), tmp_path / "b")
    wait_until(lambda: source.ask("EXISTS", "gone").number == 0, "its time is over")
    owner, other = owner_of(target, "k"), owner_of(target, "mine")
    demand(owner, "SET", "k", "old")
    demand(other, "SET", "mine", "v")
    words = ("restore", tmp_path / "b", place(target[0]))
    said = tool.do(*words, code=1)
    assert f"{place(target[0])} has 2 keys already: --merge " in said
    assert sum(node.ask("DBSIZE").number for node in target) == 2
    said = tool.do(*words, "--merge")
    assert "1 keys were there already and have stayed" in said
    assert owner.ask("GET", "k").text == b"old"
    count = source.ask("DBSIZE").number
    assert sum(node.ask("DBSIZE").number for node in target) == count + 1
    said = tool.do(*words, "--replace")
    assert f"{count:,} keys were restored" in said
    assert owner.ask("GET", "k").text == b"new"
    assert owner.ask("PEXPIRETIME", "k") == source.ask("PEXPIRETIME", "k")
    assert other.ask("GET", "mine").text == b"v"


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_what_an_interruption_leaves_merge_does(nodes: Nodes, tool: Tool, tmp_path: Path, kind: signal.Signals) -> None:
    source, target = nodes.start("--enable-debug-command", "yes"), nodes.start()
    demand(source, "DEBUG", "POPULATE", 30_000, "key", 100)
    tool.do("backup", place(source), tmp_path / "b")
    words = ("restore", tmp_path / "b", place(target))
    with begin(*words) as process:
        wait_until(lambda: target.ask("DBSIZE").number > 0, "some are there")
        process.send_signal(kind)
        said, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == (130 if kind == signal.SIGINT else -kind)
    assert 0 < target.ask("DBSIZE").number < 30_000
    if kind == signal.SIGINT:
        assert "--merge does the rest" in said
    assert "--merge lets them be and adds what is missing" in tool.do(*words, code=1)
    tool.do(*words, "--merge")
    assert target.ask("DBSIZE").number == 30_000
    names = [b"key:%d" % number for number in range(0, 30_000, 100)]
    assert difference(source, target, names) is None


def test_slots_may_move_meanwhile(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    source, target = nodes.start("--enable-debug-command", "yes"), cluster_of(nodes, 3)
    demand(source, "DEBUG", "POPULATE", 30_000)
    tool.do("backup", place(source), tmp_path / "b")
    with begin("restore", tmp_path / "b", place(target[0])) as process:
        wait_until(lambda: target[0].ask("DBSIZE").number > 0, "some are there")
        demand(target[0], "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", 0, 2000, "NODE", my_id(target[1]))
        said, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, said
    assert "30,000 keys were restored" in said
    assert wait_end(target[0])["state"] == "success"
    wait_peace(target)
    key = next(key for key in map("key:{}".format, range(30_000)) if key_slot(key.encode()) <= 2000)
    assert target[1].ask("GET", key).kind == "bulk"
    wait_until(lambda: sum(node.ask("DBSIZE").number for node in target) == 30_000, "each key is there once")


@pytest.mark.parametrize("program", [GOSSAMER, REDIS], ids=lambda program: program.name)
def test_keys_of_an_open_slot_go_where_they_are_asked_for(
    nodes: Nodes, tool: Tool, tmp_path: Path, program: Program
) -> None:
    source, target = nodes.start(), cluster_of(nodes, 2, program=program)
    for number in range(20):
        demand(source, "SET", f"{number}{{x}}", "v")
    tool.do("backup", place(source), tmp_path / "b")
    slot = key_slot(b"x")
    owner = owner_of(target, "{x}")
    other = next(node for node in target if node is not owner)
    demand(other, "CLUSTER", "SETSLOT", slot, "IMPORTING", my_id(owner))
    demand(owner, "CLUSTER", "SETSLOT", slot, "MIGRATING", my_id(other))
    tool.do("restore", tmp_path / "b", place(owner))
    assert (owner.ask("DBSIZE").number, other.ask("DBSIZE").number) == (0, 20)


def test_a_target_that_cannot_hold_all_says_so(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    source, target = nodes.start(), nodes.start("--proto-max-bulk-len", "1mb")
    demand(source, "SET", "large", b"x" * 1_500_000)
    tool.do("backup", place(source), tmp_path / "b")
    words = ("restore", tmp_path / "b", place(target))
    said = tool.do(*words, code=1)
    assert "key 'large' takes 1,500,0" in said
    assert "proto-max-bulk-len" in said
    demand(target, "CONFIG", "SET", "proto-max-bulk-len", "512mb")
    tool.do(*words, "--merge")
    assert target.ask("STRLEN", "large").number == 1_500_000
    demand(target, "FLUSHALL")
    demand(target, "CONFIG", "SET", "maxmemory", "1")
    assert "does not take key 'large': OOM" in tool.do(*words, code=1)
    demand(target, "CONFIG", "SET", "maxmemory", "0")
    demand(target, "REPLICAOF", *source.address)
    assert f"{place(target)} is a replica: name its primary, {place(source)}" in tool.do(*words, code=1)


def test_databases_go_into_databases_and_one_of_them_into_a_cluster(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    source = nodes.start(*AT_ONCE, program=REDIS)
    for db in (0, 3):
        demand(source, "SELECT", db)
        demand(source, "SET", "k", f"of {db}")
        demand(source, "SET", f"{db}", "v")
    single, small, cluster = nodes.start(), nodes.start("--databases", "3"), cluster_of(nodes, 2)
    tool.do("import", place(source), place(single))
    demand(single, "SELECT", 3)
    assert single.ask("GET", "k").text == b"of 3"
    assert "no database 3" in tool.do("import", place(source), place(small), code=1)
    assert small.ask("DBSIZE").number == 0
    words = ("import", place(source), place(cluster[0]))
    assert "keys in databases 0, 3" in tool.do(*words, code=1)
    assert sum(node.ask("DBSIZE").number for node in cluster) == 0
    tool.do(*words, "--db", 3)
    assert owner_of(cluster, "k").ask("GET", "k").text == b"of 3"
    assert sum(node.ask("DBSIZE").number for node in cluster) == 2


REFUSED = "legacy-built/hash2-redis-header-80"
"""Of no server."""


def test_files_of_all_servers_and_ages_are_imported(nodes: Nodes, tool: Tool) -> None:
    target = nodes.start()
    for file in files():
        path = VECTORS / "rdb" / f"{file.name}.rdb"
        demand(target, "FLUSHALL")
        if file.name == REFUSED:
            assert f"{path} cannot be read: byte 9: " in tool.do("import", path, place(target), code=1)
            continue
        tool.do("import", path, place(target))
        for told in file.keys:
            key = b64decode(told["key_b64"])
            demand(target, "SELECT", told["db"])
            assert target.ask("TYPE", key).text.decode() == told["type"], (file.name, key)
            assert target.ask("PEXPIRETIME", key).number == told.get("pexpireat_ms", -1), (file.name, key)
        demand(target, "SELECT", 0)
        lines = target.ask("INFO", "keyspace").text.decode()
        found = sum(map(int, re.findall(r"keys=(\d+)", lines)))
        assert found == (len(file.keys) or found), file.name


def test_functions_go_where_they_are_known(nodes: Nodes, tool: Tool) -> None:
    path = VECTORS / "rdb" / "redis-7.0.15" / "functions.rdb"
    theirs, ours = nodes.start(program=REDIS), nodes.start()
    assert "left out" not in tool.do("import", path, place(theirs))
    assert theirs.ask("FUNCTION", "LIST").items
    said = tool.do("import", path, place(ours))
    known = ours.ask("FUNCTION", "LIST").kind != "error"
    assert ("libraries of functions were left out: the target does not know them" in said) != known


def test_a_live_cluster_goes_into_another_with_a_password_each(
    nodes: Nodes, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = cluster_of(nodes, 2), nodes.start("--requirepass", "theirs")
    fill_all(source)
    for node in source:
        demand(node, "CONFIG", "SET", "requirepass", "ours")
    words = ("import", place(source[0]), place(target))
    assert "NOAUTH" in tool.do(*words, code=1)
    assert "NOAUTH" in tool.do(*words, "--source-password", "ours", code=1)
    monkeypatch.setenv("REDISCLI_AUTH", "theirs")
    tool.do(*words, "--source-password", "ours")
    for node in source:
        demand(node, "CONFIG", "SET", "requirepass", "")
    demand(target, "AUTH", "theirs")
    demand(target, "CONFIG", "SET", "requirepass", "")
    demand_same(source, [target])


def test_a_primary_that_is_restarted_meanwhile_gets_its_keys(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    source = nodes.start("--enable-debug-command", "yes")
    target = nodes.start("--appendonly", "yes", "--appendfsync", "always")
    demand(source, "DEBUG", "POPULATE", 30_000, "key", 100)
    tool.do("backup", place(source), tmp_path / "b")
    with begin("restore", tmp_path / "b", place(target)) as process:
        wait_until(lambda: target.ask("DBSIZE").number > 0, "some are there")
        restart(target)
        said, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, said
    assert "30,000 keys were restored" in said
    assert target.ask("DBSIZE").number == 30_000


def restart(node: Node) -> None:
    node.kill()
    node.start()


def test_a_primary_that_dies_meanwhile_is_replaced_and_no_key_is_lost(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    timeout = ("--cluster-node-timeout", "2000")
    source, target = nodes.start("--enable-debug-command", "yes"), cluster_of(nodes, 3, *timeout)
    replica = nodes.start(*CLUSTER, *timeout)
    demand(replica, "CLUSTER", "MEET", *target[0].address)
    wait_until(lambda: my_id(target[0]) in view(replica), "they know each other")
    demand(replica, "CLUSTER", "REPLICATE", my_id(target[0]))
    wait_until(lambda: b"master_link_status:up" in replica.ask("INFO", "replication").text, "it follows")
    demand(target[0], "CONFIG", "SET", "write-ack-replicas", "1")  # what was answered is on the replica as well
    demand(source, "DEBUG", "POPULATE", 30_000, "key", 200)
    tool.do("backup", place(source), tmp_path / "b")
    with begin("restore", tmp_path / "b", place(target[1])) as process:
        wait_until(lambda: target[0].ask("DBSIZE").number > 0, "some are there")
        target[0].kill()
        said, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, said
    assert "30,000 keys were restored" in said
    assert place(replica) in said
    assert sum(node.ask("DBSIZE").number for node in (replica, *target[1:])) == 30_000
