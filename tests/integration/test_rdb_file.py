"""The data as a file on disk: who ends comes back with it, whatever the type, and whoever wrote the file."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.integration.clusters import CLUSTER, OK, demand, form, my_id, start_together, wait_peace, wait_until
from tests.integration.every_type import difference, fields_that_end, fill, put
from tests.integration.nodes import GOSSAMER, READY, REDIS, VALKEY, Node, Nodes, Program
from tests.integration.test_every_type import caught_up, has_fields_that_end, key_names
from tests.integration.test_full_disk import fill as fill_disk
from tests.integration.test_full_disk import small_disk
from tests.integration.test_replication import PAIRS, facts, follow, name

DEBUG = ("--enable-debug-command", "yes")
KEEPS = (*DEBUG, "--save", "3600 1")
"""It saves when it ends in good order."""


def persistence(node: Node) -> dict[str, str]:
    lines = node.ask("INFO", "persistence").text.decode().splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def dump_of(node: Node) -> Path:
    return node.home / "dump.rdb"


def wait_alike(primary: Node, replica: Node) -> None:
    wait_until(lambda: caught_up(primary, replica), f"{replica} has all of {primary}", 30)
    found = difference(primary, replica, key_names(primary))
    assert found is None, "\n".join(map(repr, found))


@pytest.mark.parametrize("pair", PAIRS, ids=name)
def test_a_file_of_one_is_loaded_by_the_other(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    writer, reader = nodes.start(*DEBUG, program=pair[0]), nodes.make(*DEBUG, program=pair[1])
    put(writer, fill())
    if has_fields_that_end(*pair):
        put(writer, fields_that_end())
    demand(writer, "SAVE")
    shutil.copy(dump_of(writer), dump_of(reader))
    reader.start()
    found = difference(writer, reader, key_names(writer))
    assert found is None, "\n".join(map(repr, found))
    assert reader.ask("DBSIZE") == writer.ask("DBSIZE")


def test_the_tool_of_redis_finds_nothing_wrong(nodes: Nodes) -> None:
    tool = shutil.which("redis-check-rdb")
    if tool is None:
        pytest.skip("no redis-check-rdb here: apt-get install redis-tools")
    node = nodes.start()
    put(node, fill())
    demand(node, "SAVE")
    done = subprocess.run([tool, str(dump_of(node))], capture_output=True, text=True, timeout=30)
    assert "RDB looks OK" in done.stdout


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_end_in_good_order_loses_nothing(nodes: Nodes, how: signal.Signals) -> None:
    node = nodes.start(*KEEPS)
    put(node, fill())
    before = node.ask("DEBUG", "DIGEST")
    assert node.stop(how) == 0
    node.start()
    assert node.ask("DEBUG", "DIGEST") == before
    assert persistence(node)["rdb_last_load_keys_loaded"] == str(node.ask("DBSIZE").content)


def test_a_crash_loses_what_came_after_the_last_save(nodes: Nodes) -> None:
    node = nodes.start(*KEEPS, "--rdb-key-save-delay", "2000000")
    demand(node, "SET", "k", "saved")
    demand(node, "CONFIG", "SET", "rdb-key-save-delay", "0")
    demand(node, "SAVE")
    demand(node, "CONFIG", "SET", "rdb-key-save-delay", "200000")
    demand(node, "SET", "k", "lost")
    for number in range(2000):
        demand(node, "SET", f"key:{number}", "v" * 100)
    assert node.ask("BGSAVE").text == b"Background saving started"
    wait_until(lambda: any(node.home.glob("temp-*.rdb")), "the save has begun")
    node.kill()
    node.start()
    assert node.ask("GET", "k").text == b"saved"
    assert node.ask("DBSIZE").content == 1


def damaged(whole: bytes) -> dict[str, bytes]:
    middle = len(whole) // 2
    return {
        "flipped": whole[:middle] + bytes([whole[middle] ^ 0x40]) + whole[middle + 1 :],
        "cut off": whole[:middle],
        "empty": b"",
        "foreign": b"SQLite format 3\x00" + whole,
        "too new": b"REDIS0099" + whole[9:],
        "checksum": whole[:-1] + bytes([whole[-1] ^ 1]),
    }


@pytest.mark.parametrize("kind", damaged(b"REDIS0010" + bytes(20)))
def test_a_damaged_file_is_refused_and_stays_as_it_is(nodes: Nodes, kind: str) -> None:
    node = nodes.start(*KEEPS)
    put(node, fill())
    node.stop()
    bad = damaged(dump_of(node).read_bytes())[kind]
    dump_of(node).write_bytes(bad)
    node.launch()
    assert node.wait_end() == 1
    assert "Fatal error loading the DB, which stays as it is: dump.rdb: " in node.log()
    assert "byte" in node.log()
    assert "Traceback" not in node.log()
    assert READY not in node.log()
    assert dump_of(node).read_bytes() == bad


def test_clients_are_told_of_a_load_and_it_can_be_ended(nodes: Nodes) -> None:
    node = nodes.start(*DEBUG)
    demand(node, "DEBUG", "POPULATE", "20000")
    demand(node, "SAVE")
    node.stop()
    whole = dump_of(node).read_bytes()
    node.options += ["--key-load-delay", "1000", "--save", "3600 1"]
    node.launch()
    node.wait_log("Server initialized")
    wait_until(lambda: node.ask("GET", "key:1").text == b"LOADING Redis is loading the dataset in memory", "it loads")
    wait_until(lambda: 0 < float(persistence(node)["loading_loaded_perc"]) < 100, "it goes on")
    assert persistence(node)["loading"] == "1"
    assert node.ask("SET", "k", "v").text.startswith(b"LOADING ")
    for setting in (("appendonly", "yes"), ("REPL-DISKLESS-LOAD", "swapdb")):
        assert node.ask("CONFIG", "SET", "timeout", "0", *setting).text.startswith(b"LOADING ")
    assert node.ask("CONFIG", "SET", "timeout", "0") == OK
    assert node.ask("MULTI") == OK
    assert node.ask("EXEC").content == ()
    node.stop()
    assert dump_of(node).read_bytes() == whole, "what is not loaded yet is not saved"
    node.options += ["--key-load-delay", "0"]
    node.start()
    assert node.ask("DBSIZE").content == 20_000
    assert persistence(node)["loading"] == "0"


@pytest.mark.parametrize("program", [GOSSAMER, REDIS, VALKEY], ids=lambda program: program.name)
def test_replicas_of_a_primary_that_comes_back_need_no_full_sync(nodes: Nodes, program: Program) -> None:
    primary, replica = nodes.start(*KEEPS), nodes.start(program=program)
    put(primary, fill())
    demand(primary, "SET", "goes", "soon", "PX", "200")
    follow(replica, primary)
    primary.stop()
    primary.start()
    wait_until(lambda: facts(replica)["master_link_status"] == "up", "it follows again", 30)
    demand(primary, "SET", "k", "new")
    wait_alike(primary, replica)
    stats = primary.ask("INFO", "stats").text
    assert b"sync_full:0" in stats
    assert b"sync_partial_ok:1" in stats
    wait_until(lambda: replica.ask("DBSIZE") == primary.ask("DBSIZE"), "what has ended is deleted there too")


@pytest.mark.parametrize("program", [GOSSAMER, REDIS, VALKEY], ids=lambda program: program.name)
def test_a_replica_that_comes_back_needs_no_full_sync(nodes: Nodes, program: Program) -> None:
    primary, replica = nodes.start(program=program), nodes.start(*KEEPS)
    put(primary, fill())
    follow(replica, primary)
    full = primary.ask("INFO", "stats").text.count(b"sync_full:1")
    replica.stop()
    demand(primary, "SET", "k", "meanwhile")
    replica.options += ["--replicaof", f"127.0.0.1 {primary.port}"]
    replica.start()
    wait_until(lambda: facts(replica)["master_link_status"] == "up", "it follows again", 30)
    wait_alike(primary, replica)
    assert full == primary.ask("INFO", "stats").text.count(b"sync_full:1") == 1
    assert b"sync_partial_ok:1" in primary.ask("INFO", "stats").text


def test_a_replica_that_was_away_is_flushed_though_its_primary_is_killed_behind_flushall(nodes: Nodes) -> None:
    primary, replica = nodes.start(*KEEPS), nodes.start(*KEEPS)
    demand(primary, "SET", "k", "v")
    follow(replica, primary)
    wait_alike(primary, replica)
    replica.stop()
    demand(primary, "FLUSHALL")
    primary.kill()
    primary.start()
    replica.options += ["--replicaof", f"127.0.0.1 {primary.port}"]
    replica.start()
    wait_until(lambda: facts(replica)["master_link_status"] == "up", "it follows again", 30)
    assert replica.ask("DBSIZE").content == 0


def test_a_cluster_that_is_ended_and_started_again_has_its_data(nodes: Nodes) -> None:
    three = [nodes.make(*CLUSTER, *KEEPS) for _ in range(3)]
    start_together(three)
    form(three)
    wait_peace(three)
    mine = {node: [key for key in map(str, range(300)) if node.ask("SET", key, "v") == OK] for node in three}
    assert sum(map(len, mine.values())) == 300
    for node in three:
        node.stop()
    start_together(three)
    wait_peace(three)
    for node, keys in mine.items():
        assert node.ask("DBSIZE").content == len(keys)
        assert all(node.ask("GET", key).text == b"v" for key in keys)


def test_keys_of_slots_that_another_node_owns_now_are_not_brought_back(nodes: Nodes) -> None:
    three = [nodes.make(*CLUSTER, *KEEPS) for _ in range(3)]
    start_together(three)
    form(three)
    wait_peace(three)
    source, target = three[:2]
    key = next(key for key in map(str, range(300)) if source.ask("SET", key, "old") == OK)
    slot = str(source.ask("CLUSTER", "KEYSLOT", key).content)
    demand(source, "SAVE")
    old = dump_of(source).read_bytes()
    demand(source, "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", my_id(target))
    wait_until(lambda: source.ask("GET", key).text.startswith(b"MOVED"), "it is elsewhere")
    source.stop()
    dump_of(source).write_bytes(old)
    source.start()
    wait_peace(three)
    assert source.ask("CLUSTER", "COUNTKEYSINSLOT", slot).content == 0
    assert target.ask("GET", key).text == b"old"


def test_a_full_disk_stops_writes_until_there_is_room(nodes: Nodes) -> None:
    node = nodes.make(*KEEPS, "--logfile", "")
    with small_disk(node.home):
        node.start()
        demand(node, "SET", "k", "saved")
        demand(node, "SAVE")
        filler = fill_disk(node.home)
        value = os.urandom(20_000)
        demand(node, "SET", "k", value)
        assert node.ask("BGSAVE").text == b"Background saving started"
        wait_until(lambda: persistence(node)["rdb_last_bgsave_status"] == "err", "the save fails")
        assert node.ask("SET", "k", "more").text.startswith(b"MISCONF ")
        node.wait_log("dump.rdb: No space left on device")
        wait_until(lambda: not list(node.home.glob("temp-*")), "what was begun is gone")
        assert node.ask("GET", "k").text == value
        filler.unlink()
        assert node.ask("BGSAVE").text == b"Background saving started"
        wait_until(lambda: node.ask("SET", "k", "more") == OK, "it takes writes again")
        node.kill()
        node.start()
        assert node.ask("GET", "k").text == value
        node.stop()


# --- what is not whole yet


def slow_save(nodes: Nodes) -> tuple[Node, int, Path]:
    """A node that saves in the background, the process that stands for that, and its file."""
    node = nodes.start(*KEEPS)
    for number in range(20):
        demand(node, "SET", f"k{number}", "v")
    demand(node, "CONFIG", "SET", "rdb-key-save-delay", "10000000")
    node.ask("BGSAVE")
    pid = int(node.wait_log("Background saving started by pid ").rpartition(" ")[2])
    beside = node.home / f"temp-{pid}.rdb"
    wait_until(beside.exists, "the file is begun")
    return node, pid, beside


def test_who_ends_the_child_ends_the_save(nodes: Nodes) -> None:
    node, pid, beside = slow_save(nodes)
    children = Path(f"/proc/{node.pid}/task/{node.pid}/children")
    assert str(pid) in children.read_text().split()
    assert node.ask("BGREWRITEAOF").text == b"Background append only file rewriting scheduled"
    assert persistence(node)["aof_rewrite_scheduled"] == "1"
    os.kill(pid, signal.SIGKILL)
    node.wait_log("Background saving error: terminated by signal 9")
    wait_until(lambda: not beside.exists(), "what was written of it is gone")
    assert persistence(node)["rdb_last_bgsave_status"] == "err"
    wait_until(lambda: persistence(node)["aof_rewrite_in_progress"] == "1", "the rewrite has its turn")
    assert node.ask("BGSAVE").text.startswith(b"ERR Another child process is active (AOF?)")
    assert node.ask("BGSAVE", "SCHEDULE").text == b"Background saving scheduled"
    demand(node, "CONFIG", "SET", "rdb-key-save-delay", "0")
    os.kill(int(children.read_text()), signal.SIGTERM)
    node.wait_log("Background AOF rewrite terminated by an error: terminated by signal 15")
    wait_until(lambda: persistence(node)["rdb_last_bgsave_status"] == "ok", "the save has its turn")
    wait_until(lambda: not children.read_text().split(), "no process is left")


def test_the_end_of_the_node_leaves_nothing_unfinished(nodes: Nodes) -> None:
    node, _, beside = slow_save(nodes)
    node.ask("SHUTDOWN", "NOSAVE")
    assert node.wait_end() == 0
    assert not beside.exists()


def test_what_a_killed_node_has_left_is_removed_by_the_next(nodes: Nodes) -> None:
    node, pid, beside = slow_save(nodes)
    node.kill()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the child ends with the node")
    other = node.home / "temp-appendonly.rdb"
    other.write_bytes(b"")
    assert beside.exists()
    node.start()
    assert not beside.exists()
    assert other.exists(), "whatever has another name is none of ours"


def test_a_second_interrupt_ends_a_save_that_takes_too_long(nodes: Nodes) -> None:
    node = nodes.start(*KEEPS)
    for number in range(20):
        demand(node, "SET", f"k{number}", "v")
    demand(node, "CONFIG", "SET", "rdb-key-save-delay", "1000000")
    beside = node.home / f"temp-{node.pid}.rdb"
    os.kill(node.pid, signal.SIGINT)
    wait_until(beside.exists, "the last save has begun")
    os.kill(node.pid, signal.SIGINT)
    assert node.wait_end() == 1
    assert not beside.exists()
