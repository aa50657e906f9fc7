"""``gossamer backup``: every shard as it was at one moment, under writes; and nothing that is not whole looks whole."""

import os
import pty
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from gossamer.cluster.slots import key_slot
from gossamer.deploy.blocking_client import BlockingClient, encode
from tests.integration.backups import AT_ONCE, Tool, begin, cluster_of, keys_in, manifest_in, owner_of, place
from tests.integration.clusters import OK, demand, my_id, view, wait_until
from tests.integration.launched import LIMIT_S
from tests.integration.migrating import wait_end
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program
from tests.integration.test_full_disk import small_disk
from tests.integration.test_replication import follow
from tests.integration.test_up import read_until

pytestmark = pytest.mark.once

RESIDUES: Final = 50
BATCH: Final = 200


@pytest.fixture
def tool(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tool:
    monkeypatch.setenv("COLUMNS", "120")
    return Tool(capsys)


class Counting:
    """A client that counts on, each number into the key of its residue. Whoever sees one number must see all before."""

    def __init__(self, node: Node, tag: str) -> None:
        self.tag = tag
        self.number = 0
        self._client = BlockingClient(*node.address, 10)
        self._stop = threading.Event()
        self._task = threading.Thread(target=self._write, daemon=True)

    def _write(self) -> None:
        while not self._stop.is_set():
            numbers = range(self.number, self.number + BATCH)
            self._client.send(b"".join(encode(["SET", self.key(number), number]) for number in numbers))
            assert [self._client.receive() for _ in numbers] == [b"OK"] * BATCH
            self.number += BATCH

    def key(self, number: int) -> str:
        return f"n{number % RESIDUES}{self.tag}"

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._task.start()
        wait_until(lambda: self.number > 2 * RESIDUES, "it writes")
        try:
            yield
        finally:
            self._stop.set()
            self._task.join(LIMIT_S)
            self._client.close()
        assert not self._task.is_alive()

    def verify(self, held: dict[bytes, object]) -> int:
        """``held`` is what there was when some number was the last; that number."""
        found = {residue: int(bytes_in(held, self.key(residue))) for residue in range(RESIDUES)}
        last = max(found.values())
        for residue, number in found.items():
            assert number == last - (last - residue) % RESIDUES, (residue, number, last)
        return last


def bytes_in(held: dict[bytes, object], key: str) -> bytes:
    value = held[key.encode()]
    assert isinstance(value, bytes)
    return value


def check_rdb(path: Path) -> None:
    program = shutil.which("redis-check-rdb")
    if program is None:
        pytest.skip("no redis-check-rdb here: apt-get install redis-tools")
    done = subprocess.run([program, str(path)], capture_output=True, text=True, timeout=30)
    assert "RDB looks OK" in done.stdout, done.stdout


@pytest.mark.parametrize("program", [GOSSAMER, REDIS, VALKEY], ids=lambda program: program.name)
def test_each_shard_is_as_it_was_at_one_moment(nodes: Nodes, tool: Tool, tmp_path: Path, program: Program) -> None:
    three = cluster_of(nodes, 3, program=program)
    tags = {
        node: next(tag for tag in map("{{{}}}".format, range(99)) if owner_of(three, tag) is node) for node in three
    }
    for node, tag in tags.items():
        for number in range(300):
            demand(node, "SET", f"still:{number}{tag}", "v" * 2000)
    writers = [Counting(node, tag) for node, tag in tags.items()]
    with writers[0].at_work(), writers[1].at_work(), writers[2].at_work():
        said = tool.do("backup", place(three[1]), tmp_path / "b")
        after = [writer.number for writer in writers]
    assert f"{tmp_path / 'b'} is a backup: 3 shards, 1,050 keys" in said
    shards = manifest_in(tmp_path / "b")["shards"]
    assert [shard["keys"] for shard in shards] == [{"0": 350}] * 3
    assert [shard["slots"] for shard in shards] == [[[0, 5460]], [[5461, 10921]], [[10922, 16383]]]
    for node, writer, number, shard in zip(three, writers, after, shards, strict=True):
        path = tmp_path / "b" / str(shard["file"])
        if program is not VALKEY:
            check_rdb(path)
        last = writer.verify(keys_in(path))
        assert last < number + BATCH
        where = shard["node"]
        assert isinstance(where, dict)
        assert where["address"] == place(node)
        assert where["id"] == my_id(node)
        assert str(where["server"]).startswith(program.name.partition("-")[0])


def test_replicas_are_asked_if_they_shall_be(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    one, replica = cluster_of(nodes, 1)[0], nodes.start("--cluster-enabled", "yes")
    demand(one, "SET", "k", "v")
    words = ("backup", place(replica), tmp_path / "b", "--from-replicas")
    demand(replica, "CLUSTER", "MEET", *one.address)
    wait_until(lambda: len(view(replica)) == 2 and len(view(one)) == 2, "they know each other")
    assert "has no replica that is in sync" in tool.do(*words, code=1)
    demand(replica, "CLUSTER", "REPLICATE", my_id(one))
    wait_until(lambda: b"master_link_status:up" in replica.ask("INFO", "replication").text, "it follows")
    wait_until(lambda: view(one)[my_id(replica)].primary == my_id(one), "the primary knows")
    tool.do(*words)
    (shard,) = manifest_in(tmp_path / "b")["shards"]
    where = shard["node"]
    assert isinstance(where, dict)
    assert (where["address"], where["primary"]) == (place(replica), my_id(one))
    assert keys_in(tmp_path / "b" / "shard-1.rdb") == {b"k": b"v"}


@pytest.mark.parametrize("program", [GOSSAMER, REDIS, VALKEY], ids=lambda program: program.name)
def test_a_node_alone_and_where_it_stands(nodes: Nodes, tool: Tool, tmp_path: Path, program: Program) -> None:
    node, replica = nodes.start(*AT_ONCE, program=program), nodes.start(program=program)
    follow(replica, node)
    demand(node, "SET", "k", "v")
    demand(node, "SELECT", 3)
    demand(node, "SET", "soon", "v", "PX", 100_000)
    for number, source in enumerate((node, replica)):
        wait_until(lambda source=source: b"db3" in source.ask("INFO", "keyspace").text, "it is there")  # type: ignore[misc]
        path = tmp_path / str(number)
        tool.do("backup", place(source), path)
        (shard,) = manifest_in(path)["shards"]
        assert (shard["keys"], shard["expire"], shard["slots"]) == ({"0": 1, "3": 1}, 1, [])
        stream = shard["replication"]
        assert isinstance(stream, dict)
        assert f"master_replid:{stream['id']}" in node.ask("INFO", "replication").text.decode()
        assert int(stream["offset"]) > 0
    assert "name the replica itself" in tool.do("backup", place(node), tmp_path / "c", "--from-replicas", code=1)
    assert not (tmp_path / "c").exists()


def test_slots_that_move_meanwhile_are_in_one_file(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    three = cluster_of(nodes, 3)
    keys = [f"k{number}" for number in range(600)]
    for key in keys:
        demand(owner_of_slot(three, key), "SET", key, key)
    for node in three:
        demand(node, "CONFIG", "SET", "rdb-key-save-delay", 1_000_000)
    source, target = three[:2]
    slots = ["0", "1000"]
    with begin("backup", place(three[0]), tmp_path / "b") as process:
        wait_until(lambda: any((tmp_path / "b").glob("*.partial")), "it has begun")
        demand(source, "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *slots, "NODE", my_id(target))
        assert wait_end(source)["state"] == "success"
        for node in three:
            demand(node, "CONFIG", "SET", "rdb-key-save-delay", 0)
        said, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 0, said
    assert "so it is taken again" in said
    shards = manifest_in(tmp_path / "b")["shards"]
    assert [[0, 1000], [5461, 10921]] in [shard["slots"] for shard in shards]
    held = [keys_in(tmp_path / "b" / str(shard["file"])) for shard in shards]
    assert sorted(key for keys in held for key in keys) == sorted(map(str.encode, keys))


def owner_of_slot(three: list[Node], key: str) -> Node:
    return three[0 if key_slot(key.encode()) <= 5460 else 1 if key_slot(key.encode()) <= 10921 else 2]


def test_slots_that_are_open_are_refused(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    two = cluster_of(nodes, 2)
    demand(two[0], "CLUSTER", "SETSLOT", 5, "MIGRATING", my_id(two[1]))
    assert "slot 5 just now on the way to another node" in tool.do("backup", place(two[1]), tmp_path / "b", code=1)
    demand(two[0], "CLUSTER", "SETSLOT", 5, "STABLE")
    for node in two:
        demand(node, "CLUSTER", "DELSLOTS", 7)
    assert "slot 7 without an owner" in tool.do("backup", place(two[0]), tmp_path / "b", code=1)
    assert not (tmp_path / "b").exists()


def test_fields_that_end_are_taken_in_the_form_of_valkey(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    node = nodes.start()
    node.ask("HSET", "h", "f", "v")
    node.ask("HEXPIRE", "h", "1000", "FIELDS", "1", "f")
    assert "once more, in the form of Valkey 9" in tool.do("backup", place(node), tmp_path / "b")
    (shard,) = manifest_in(tmp_path / "b")["shards"]
    assert (shard["rdb"], shard["keys"]) == ("Valkey 80", {"0": 1})


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
def test_what_was_broken_off_is_no_backup_and_is_made_anew(
    nodes: Nodes, tool: Tool, tmp_path: Path, kind: signal.Signals
) -> None:
    node = nodes.start("--enable-debug-command", "yes", "--rdb-key-save-delay", "5000")
    demand(node, "DEBUG", "POPULATE", 5000, "key", 500)
    path = tmp_path / "b"
    with begin("backup", place(node), path) as process:
        partial = path / "shard-1.rdb.partial"
        wait_until(lambda: partial.exists() and partial.stat().st_size > 0, "some of it is there")
        assert "another process makes a backup" in tool.do("backup", place(node), path, code=1)
        process.send_signal(kind)
        said, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == (130 if kind == signal.SIGINT else -kind)
    if kind == signal.SIGINT:
        assert "interrupted: there is no backup" in said
        assert not path.exists()
    else:
        assert not (path / "manifest.json").exists()
        assert f"{path} is no backup: it was not finished" in tool.do("restore", path, place(node), code=1)
    demand(node, "CONFIG", "SET", "rdb-key-save-delay", 0)
    said = tool.do("backup", place(node), path)
    assert ("it is made anew" in said) == (kind == signal.SIGKILL)
    assert sorted(found.name for found in path.iterdir()) == ["manifest.json", "shard-1.rdb"]
    assert "holds a backup already" in tool.do("backup", place(node), path, code=1)


def test_on_a_terminal_each_shard_has_a_bar(nodes: Nodes, tmp_path: Path) -> None:
    node = nodes.start("--enable-debug-command", "yes", "--rdb-key-save-delay", "500")
    demand(node, "DEBUG", "POPULATE", 2000, "key", 500)
    terminal, inside = pty.openpty()
    os.set_blocking(terminal, True)
    try:
        with begin("backup", place(node), tmp_path / "b", stdout=inside) as process:
            os.close(inside)
            said = read_until(terminal, b"is a backup").decode(errors="replace")
            assert process.wait(LIMIT_S) == 0
    finally:
        os.close(terminal)
    assert place(node) in said
    assert "━" in said
    assert "2,000 keys" in said


def test_a_full_disk_leaves_nothing(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    node = nodes.start("--enable-debug-command", "yes")
    demand(node, "DEBUG", "POPULATE", 2000, "key", 500)
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk):
        said = tool.do("backup", place(node), disk / "b", code=1)
        assert f"{disk / 'b' / 'shard-1.rdb.partial'}: No space left on device; there is no backup" in said
        assert list(disk.iterdir()) == []
        demand(node, "FLUSHALL")
        assert node.ask("SET", "k", "v") == OK
        tool.do("backup", place(node), disk / "b")


def test_a_source_that_ends_or_refuses_is_named(nodes: Nodes, tool: Tool, tmp_path: Path) -> None:
    node = nodes.start("--enable-debug-command", "yes", "--rdb-key-save-delay", "5000")
    demand(node, "DEBUG", "POPULATE", 5000, "key", 500)
    path = tmp_path / "b"
    with begin("backup", place(node), path) as process:
        partial = path / "shard-1.rdb.partial"
        wait_until(lambda: partial.exists() and partial.stat().st_size > 0, "some of it is there")
        node.kill()
        said, _ = process.communicate(timeout=LIMIT_S)
        assert process.returncode == 1
    assert f"gossamer: {place(node)}" in said
    assert "there is no backup" in said
    assert "Traceback" not in said
    assert not path.exists()
    assert f"{place(node)} cannot be reached" in tool.do("backup", place(node), path, code=1)
    node.options = ["--requirepass", "secret"]
    node.start()
    assert "(--user, --password): NOAUTH" in tool.do("backup", place(node), path, code=1)
    assert "WRONGPASS" in tool.do("backup", place(node), path, "--password", "x", code=1)
    tool.do("backup", place(node), path, "--password", "secret")
