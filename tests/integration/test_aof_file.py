"""The append-only file on real disks: what was answered is there again, whoever wrote it and however the node ended."""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.compat.replies import Answer
from tests.integration.clusters import CLUSTER, OK, demand, form, start_together, wait_peace, wait_until
from tests.integration.every_type import difference, fields_that_end, fill, put
from tests.integration.nodes import GOSSAMER, READY, REDIS, VALKEY, Node, Nodes, Program
from tests.integration.test_every_type import has_fields_that_end, key_names
from tests.integration.test_full_disk import fill as fill_disk
from tests.integration.test_full_disk import small_disk
from tests.integration.test_rdb_file import persistence, wait_alike
from tests.integration.test_replication import PAIRS, facts, follow, name
from tests.unit.node.persist.aof.recorded import Folder, folders

DEBUG = ("--enable-debug-command", "yes")
WRITTEN_AGAIN = "bytes of append-only files are written to disk again"
APPENDS = (*DEBUG, "--appendonly", "yes")


def folder_of(node: Node) -> Path:
    return node.home / "appendonlydir"


def files_of(node: Node) -> dict[str, bytes]:
    """All but the lock."""
    return {path.name: path.read_bytes() for path in folder_of(node).iterdir() if path.suffix != ".lock"}


def manifest_of(node: Node) -> str:
    return (folder_of(node) / "appendonly.aof.manifest").read_text()


def rewrite(node: Node) -> None:
    before = int(persistence(node)["aof_rewrites"])
    assert node.ask("BGREWRITEAOF").text.startswith(b"Background append only file rewriting started")
    if node.program is GOSSAMER:
        wait_until(lambda: int(persistence(node)["aof_rewrites"]) > before, "it is rewritten")
    wait_until(lambda: persistence(node)["aof_rewrite_in_progress"] == "0", "the rewrite is done")


# --- files of all kinds


@pytest.mark.parametrize("folder", folders(), ids=lambda folder: folder.name)
@pytest.mark.parametrize("may_cut", ["yes", "no"])
def test_recorded_files_are_loaded_or_refused_as_by_those_who_wrote_them(
    nodes: Nodes, folder: Folder, may_cut: str
) -> None:
    node = nodes.make("--appendonly", "yes", "--aof-load-truncated", may_cut)
    shutil.copytree(folder.path, folder_of(node))
    before = files_of(node)
    node.launch()
    if folder.damaged or not (folder.starts_anyway or may_cut == "yes"):
        assert node.wait_end() == 1
        assert re.search(r"Fatal error loading the DB, which stays as it is: appendonlydir/\S+: byte \d+: ", node.log())
        assert READY not in node.log()
        assert files_of(node) == before
        return
    node.wait_log(READY)
    assert (folder_of(node) / folder.incr.name).stat().st_size == folder.cut_to


@pytest.mark.parametrize("preamble", ["yes", "no"])
@pytest.mark.parametrize("pair", PAIRS, ids=name)
def test_the_files_of_one_are_loaded_by_the_other(nodes: Nodes, pair: tuple[Program, Program], preamble: str) -> None:
    options = (*APPENDS, "--aof-use-rdb-preamble", preamble)
    writer, reader = nodes.start(*options, program=pair[0]), nodes.make(*options, program=pair[1])
    put(writer, fill())
    rewrite(writer)
    put(writer, fill(":later"))
    if has_fields_that_end(*pair):
        put(writer, fields_that_end())
    writer.kill()
    shutil.copytree(folder_of(writer), folder_of(reader))
    writer.start()
    reader.start()
    found = difference(writer, reader, key_names(writer))
    assert found is None, "\n".join(map(repr, found))
    assert reader.ask("DBSIZE") == writer.ask("DBSIZE")


def test_the_tool_of_redis_finds_nothing_wrong(nodes: Nodes) -> None:
    tool = shutil.which("redis-check-aof")
    if tool is None:
        pytest.skip("no redis-check-aof here: apt-get install redis-tools")
    node = nodes.start(*APPENDS, "--aof-timestamp-enabled", "yes")
    put(node, fill())
    rewrite(node)
    put(node, fill(":later"))
    manifest = folder_of(node) / "appendonly.aof.manifest"
    done = subprocess.run([tool, str(manifest)], capture_output=True, text=True, timeout=30)
    assert "All AOF files and manifest are valid" in done.stdout


def test_the_single_file_of_before_redis_7_is_taken_over(nodes: Nodes) -> None:
    node = nodes.make(*APPENDS)
    (node.home / "appendonly.aof").write_bytes(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n")
    node.start()
    demand(node, "SET", "l", "w")
    node.kill()
    node.start()
    assert node.ask("MGET", "k", "l").items == (Answer("bulk", b"v"), Answer("bulk", b"w"))
    assert not (node.home / "appendonly.aof").exists()
    assert manifest_of(node).startswith("file appendonly.aof seq 1 type b\n")


def test_what_is_no_manifest_ends_the_start(nodes: Nodes) -> None:
    for text in ("file x seq 1 type z\n", "nonsense\n", "", "file missing.aof seq 1 type b\n"):
        node = nodes.make(*APPENDS)
        folder_of(node).mkdir()
        (folder_of(node) / "appendonly.aof.manifest").write_text(text)
        node.launch()
        assert node.wait_end() == 1
        assert "appendonlydir/" in node.log()
        assert "Traceback" not in node.log()
        assert manifest_of(node) == text


def test_a_base_that_ends_too_early_is_cut_back_too(nodes: Nodes) -> None:
    node = nodes.make(*APPENDS)
    folder_of(node).mkdir()
    (folder_of(node) / "appendonly.aof.manifest").write_text("file base.aof seq 1 type b\n")
    whole = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"
    (folder_of(node) / "base.aof").write_bytes(whole + whole[:-3])
    for _ in range(2):
        node.start()
        assert node.ask("GET", "k").text == b"v"
        assert (folder_of(node) / "base.aof").read_bytes() == whole
        node.kill()


def test_two_nodes_cannot_append_to_the_same_files(nodes: Nodes) -> None:
    first, second, third = nodes.start(*APPENDS), nodes.make(*APPENDS), nodes.make()
    demand(first, "SET", "k", "v")
    second.home = third.home = first.home
    before = files_of(first)
    second.launch()
    assert second.wait_end() == 1
    assert "appendonlydir: another node writes to it" in second.log()
    third.start()
    assert third.ask("CONFIG", "SET", "appendonly", "yes").text.endswith(b"another node writes to it")
    assert files_of(first) == before
    first.kill()
    assert third.ask("CONFIG", "SET", "appendonly", "yes") == OK


# --- a node that is killed


class Counter:
    """A client that counts as far as it is answered, on a connection of its own."""

    def __init__(self, node: Node, key: str) -> None:
        self.node = node
        self.key = key
        self.answered = 0
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        request = b"*2\r\n$4\r\nINCR\r\n$%d\r\n%s\r\n" % (len(self.key), self.key.encode())
        with self.node.connect() as sock:
            while True:
                try:
                    sock.sendall(request)
                    reply = sock.recv(100)
                except OSError:
                    return
                if not reply.startswith(b":"):
                    return
                self.answered = int(reply[1:-2])


def lose_nothing(node: Node, rewrites: Sequence[bool]) -> None:
    """Kill ``node`` as often under load, and start it again: what was answered is there. With rewrites, or without."""
    for turn, rewriting in enumerate(rewrites):
        counters = [Counter(node, f"counter:{turn}:{number}") for number in range(4)]
        wait_until(lambda: all(counter.answered > 100 for counter in counters), "they count")  # noqa: B023
        if rewriting:
            node.ask("BGREWRITEAOF")
        node.kill()
        for counter in counters:
            counter.thread.join(20)
        node.start()
        for counter in counters:
            kept = int(node.ask("GET", counter.key).text)
            assert counter.answered <= kept <= counter.answered + 1


@pytest.mark.parametrize("rewrites", [False, True])
def test_with_always_nothing_that_was_answered_is_lost(nodes: Nodes, rewrites: bool) -> None:
    lose_nothing(nodes.start(*APPENDS, "--appendfsync", "always"), [rewrites] * 3)


def test_an_end_in_good_order_loses_nothing_whatever_the_policy(nodes: Nodes) -> None:
    node = nodes.start(*APPENDS, "--appendfsync", "no")
    put(node, fill())
    before = node.ask("DEBUG", "DIGEST")
    assert node.stop(signal.SIGTERM) == 0
    assert not (node.home / "dump.rdb").exists()
    node.start()
    assert node.ask("DEBUG", "DIGEST") == before


def test_after_a_kill_what_was_appended_is_written_to_disk_again(nodes: Nodes) -> None:
    node = nodes.start(*APPENDS)
    demand(node, "SET", "k", "v")
    size = sum(len(data) for name, data in files_of(node).items() if name.endswith(".incr.aof"))
    assert size > 0
    assert node.stop(signal.SIGTERM) == 0
    node.start()
    assert WRITTEN_AGAIN not in node.log()
    node.kill()
    node.start()
    node.wait_log(f"The last process was killed: {size} {WRITTEN_AGAIN}")
    assert node.ask("GET", "k").text == b"v"


def test_a_node_that_could_not_end_and_is_killed_then_has_not_left_its_files_in_good_order(nodes: Nodes) -> None:
    node = nodes.start(*APPENDS)
    (node.home / "dump.rdb").mkdir()
    assert node.ask("SHUTDOWN", "SAVE").text.startswith(b"ERR Errors trying to SHUTDOWN")
    demand(node, "SET", "k", "v")
    node.kill()
    node.start()
    node.wait_log(WRITTEN_AGAIN)


def test_after_a_kill_nobody_is_served_before_the_files_are_loaded(nodes: Nodes) -> None:
    node = nodes.start(*APPENDS, "--appendfsync", "always")
    for number in range(40):
        demand(node, "SET", f"long:{number}", bytes(1 << 20))
    node.kill()
    node.launch()
    node.wait_log("Server initialized")
    written = 0
    while READY not in node.log():
        reply = node.ask("SET", f"new:{written}", "v")
        assert reply == OK or reply.text.startswith(b"LOADING ")
        written += reply == OK
    assert node.ask("DBSIZE").number == 40 + written, "the load has put nothing in the place of what was answered"


def test_switched_on_in_a_running_node_it_holds_all(nodes: Nodes) -> None:
    node = nodes.start(*DEBUG)
    put(node, fill())
    demand(node, "CONFIG", "SET", "appendonly", "yes")
    put(node, fill(":later"))
    wait_until(lambda: (folder_of(node) / "appendonly.aof.manifest").exists(), "the first base is there")
    before = node.ask("DEBUG", "DIGEST")
    node.kill()
    node.options += ["--appendonly", "yes"]
    node.start()
    assert node.ask("DEBUG", "DIGEST") == before


# --- replicas and clusters


@pytest.mark.parametrize("program", [GOSSAMER, REDIS, VALKEY], ids=lambda program: program.name)
def test_a_replica_has_files_of_its_own(nodes: Nodes, program: Program) -> None:
    primary, replica = nodes.start(*DEBUG, program=program), nodes.start(*APPENDS)
    demand(replica, "SET", "own", "goes")
    put(primary, fill())
    follow(replica, primary)
    put(primary, fill(":later"))
    wait_alike(primary, replica)
    wait_until(lambda: persistence(replica)["aof_rewrite_in_progress"] == "0", "the base is there")
    demand(primary, "SET", "last", "one")
    wait_alike(primary, replica)
    wait_until(lambda: persistence(replica)["aof_pending_bio_fsync"] == "0", "it is on disk")
    before = replica.ask("DBSIZE")
    replica.kill()
    replica.start()
    found = difference(primary, replica, key_names(primary))
    assert found is None, "\n".join(map(repr, found))
    assert replica.ask("DBSIZE") == before


def test_a_cluster_of_which_all_nodes_are_killed_has_its_data(nodes: Nodes) -> None:
    three = [nodes.make(*CLUSTER, *APPENDS, "--appendfsync", "always") for _ in range(3)]
    start_together(three)
    form(three)
    wait_peace(three)
    mine = {node: [key for key in map(str, range(300)) if node.ask("SET", key, "v") == OK] for node in three}
    for node in three:
        node.kill()
    start_together(three)
    wait_peace(three)
    for node, keys in mine.items():
        assert node.ask("DBSIZE").content == len(keys)
        assert all(node.ask("GET", key).text == b"v" for key in keys)


# --- a disk that is full


def test_a_full_disk_stops_writes_until_there_is_room(nodes: Nodes) -> None:
    node = nodes.make(*APPENDS)
    with small_disk(node.home):
        node.start()
        demand(node, "SET", "k", "kept")
        filler = fill_disk(node.home)
        wait_until(lambda: node.ask("APPEND", "long", os.urandom(4096)).kind == "error", "it refuses writes")
        assert node.ask("SET", "k", "lost").text.startswith(b"MISCONF Errors writing to the AOF file: ")
        assert node.ask("GET", "k").text == b"kept"
        length = node.ask("STRLEN", "long").content
        filler.unlink()
        wait_until(lambda: node.ask("SET", "k", "again") == OK, "it takes writes again")
        node.wait_log("AOF write error looks solved")
        node.kill()
        node.start()
        assert node.ask("STRLEN", "long").content == length
        assert node.ask("GET", "k").text == b"again"
        node.stop()


def test_with_always_a_full_disk_ends_the_node_before_it_answers(nodes: Nodes) -> None:
    node = nodes.make(*APPENDS, "--appendfsync", "always")
    with small_disk(node.home):
        node.start()
        demand(node, "SET", "n", "0")
        filler = fill_disk(node.home)
        answered = 0
        with node.connect() as sock:
            value = os.urandom(4096)
            for number in range(100):
                sock.sendall(b"*3\r\n$6\r\nAPPEND\r\n$1\r\nl\r\n$4096\r\n" + value + b"\r\n")
                if not sock.recv(100):
                    break
                answered = number + 1
        assert node.wait_end() == 1
        assert "what was promised to be on disk is not" in node.log()
        filler.unlink()
        node.start()
        assert node.ask("STRLEN", "l").content == answered * 4096
        node.stop()


@pytest.mark.parametrize("pair", PAIRS, ids=name)
def test_writes_are_waited_for_until_they_are_on_disks_elsewhere(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    """Redis 7.0 has no WAITAOF, and is not disturbed by what replicas tell of their disks."""
    primary, replica = (nodes.start(*APPENDS, "--repl-diskless-sync-delay", "0", program=program) for program in pair)
    follow(replica, primary)
    demand(primary, "SET", "k", "v")
    if REDIS in pair:
        assert primary.ask("WAIT", "1", "5000") == Answer("integer", 1)
        assert facts(replica)["master_link_status"] == "up"
        return
    wait_until(lambda: persistence(replica)["aof_rewrite_in_progress"] == "0", "the replica has its first base")
    assert primary.ask("WAITAOF", "1", "1", "10000").items == (Answer("integer", 1), Answer("integer", 1))
    demand(replica, "CONFIG", "SET", "appendonly", "no")
    demand(primary, "SET", "k", "w")
    assert primary.ask("WAITAOF", "1", "0", "10000").items[0] == Answer("integer", 1)
    assert primary.ask("WAITAOF", "1", "1", "100").items == (Answer("integer", 1), Answer("integer", 0))
