"""``gossamer up``, ``status`` and ``down`` keep their promises to somebody at a shell."""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis.cluster import RedisCluster
from redis.exceptions import RedisClusterException, RedisError

from gossamer.deploy.blocking_client import Refused, fields
from gossamer.deploy.ports import BUS_OFFSET
from tests.integration.clusters import wait_until
from tests.integration.launched import LIMIT_S, Gossamer, ask, identity, listening, some_base, state

pytestmark = pytest.mark.once

KEYS = [f"key:{number}" for number in range(60)]
"""Some for every node."""

DEBUG = ("--enable-debug-command", "local")


@pytest.fixture
def gossamer(tmp_path: Path) -> Iterator[Gossamer]:
    command = Gossamer(tmp_path)
    yield command
    command.run("down")
    assert command.pids() == {}


def test_a_detached_cluster_serves_all_slots_and_ends_with_down(gossamer: Gossamer) -> None:
    base = gossamer.up(3)
    for port in range(base, base + 3):
        seen = state(port)
        assert (seen["cluster_state"], seen["cluster_slots_assigned"]) == ("ok", "16384")
        assert (seen["cluster_known_nodes"], seen["cluster_size"]) == ("3", "3")
    assert ask(base + 2, "SET", "foo", "bar") == "OK"  # slot 12182
    with pytest.raises(Refused, match=f"MOVED 12182 127.0.0.1:{base + 2}"):
        ask(base, "GET", "foo")
    status = gossamer.run("status")
    assert status.returncode == 0
    assert all(f"127.0.0.1:{port}" in status.stdout for port in range(base, base + 3))
    assert gossamer.run("down").stdout == "3 nodes ended\n"
    assert gossamer.pids() == {}
    assert gossamer.run("status").returncode == 1


def test_config_epochs_are_distinct_from_the_start(gossamer: Gossamer) -> None:
    base = gossamer.up(3)
    assert [state(port)["cluster_my_epoch"] for port in range(base, base + 3)] == ["1", "2", "3"]


def test_a_second_up_brings_back_the_same_ids_and_slots(gossamer: Gossamer) -> None:
    base = gossamer.up(2)
    before = [identity(base), identity(base + 1)]
    gossamer.run("down")
    again = gossamer.run("up", "--detach")
    assert again.returncode == 0
    assert "2 nodes ok in" in again.stdout
    assert [identity(base), identity(base + 1)] == before


def test_a_cluster_is_not_started_twice_nor_with_another_size(gossamer: Gossamer) -> None:
    base = gossamer.up(1)
    pids = gossamer.pids()
    assert (
        refusal(gossamer, "up")
        == f"the cluster in {gossamer.cwd}/gossamer-data is still running: gossamer down ends it"
    )
    assert "has 1 as number of nodes, not 3" in refusal(gossamer, "up", 3)
    assert "as first port, not" in refusal(gossamer, "up", "--port", base + 1)
    assert "has 0 as replicas of each primary, not 1" in refusal(gossamer, "up", "--replicas", 1)
    assert gossamer.pids() == pids


def test_up_again_brings_back_the_nodes_that_died(gossamer: Gossamer) -> None:
    base = gossamer.up(6, "--replicas", 1, "--node-timeout", 1500)
    before, pids = [identity(port)[0] for port in range(base, base + 6)], gossamer.pids()
    dead = [base + 2, base + 4]
    for port in dead:
        os.kill(pids[port], signal.SIGKILL)
    wait_until(lambda: len(gossamer.pids()) == 4, "both have ended")
    assert "run with other settings: gossamer down ends them first" in refusal(gossamer, "up", "--node-timeout", 99)
    again = gossamer.run("up")
    assert (again.returncode, again.stderr) == (0, "")
    assert "6 nodes (3+3) ok in" in again.stdout
    assert f"started again: {dead[0]}, {dead[1]}; the others ran already, all are left running" in again.stdout
    now = gossamer.pids()
    assert {port for port in pids if now[port] != pids[port]} == set(dead)
    assert [identity(port)[0] for port in range(base, base + 6)] == before
    wait_until(lambda: gossamer.run("status").returncode == 0, "every node is ok")


def test_a_node_that_was_brought_back_ends_with_the_up_that_watches(gossamer: Gossamer) -> None:
    base = gossamer.up(3)
    gossamer.run("down")
    with gossamer.foreground() as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(gossamer.pids()[base + 1], signal.SIGKILL)
        assert any(line.endswith(f"127.0.0.1:{base + 1} ended by SIGKILL\n") for line in process.stdout)
        assert gossamer.run("up").returncode == 0
        assert any(line.endswith(f"127.0.0.1:{base + 1} ok\n") for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read().endswith("all nodes have ended\n")
    assert gossamer.pids() == {}


def test_a_second_up_that_fails_ends_nobody_else(gossamer: Gossamer) -> None:
    base = gossamer.up(2)
    survivor = gossamer.pids()[base]
    os.kill(gossamer.pids()[base + 1], signal.SIGKILL)
    wait_until(lambda: len(gossamer.pids()) == 1, "it has ended")
    with socket.create_server(("127.0.0.1", base + 1)):
        assert f"port {base + 1} on 127.0.0.1 cannot be used" in refusal(gossamer, "up")
    assert gossamer.pids() == {base: survivor}


def test_status_in_a_pipe_is_whole_however_narrow_the_terminal(gossamer: Gossamer) -> None:
    base = gossamer.up(1)
    for slot in range(0, 400, 2):
        ask(base, "CLUSTER", "DELSLOTS", slot)
    gossamer.environment["COLUMNS"] = "40"
    line = next(line for line in gossamer.run("status").stdout.splitlines() if f"127.0.0.1:{base}" in line)
    assert "1 3 5 7 9 11" in line
    assert "395 397 399-16383" in line


def test_status_for_programs_is_json(gossamer: Gossamer) -> None:
    base = gossamer.up(6, "--replicas", 1)
    done = gossamer.run("status", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"], told["dir"]) == (0, True, f"{gossamer.cwd}/gossamer-data")
    pids = gossamer.pids()
    for number, node in enumerate(told["nodes"]):
        port = base + number
        assert (node["host"], node["port"], node["pid"], node["state"]) == ("127.0.0.1", port, pids[port], "ok")
        assert node["id"] == identity(port)[0]
        assert node["used_memory"] > 100_000
    assert [node["role"] for node in told["nodes"]] == ["primary"] * 3 + ["replica"] * 3
    assert [node["replica_of"] for node in told["nodes"]] == [None] * 3 + [str(base + number) for number in range(3)]
    slots = [[[0, 5460]], [[5461, 10921]], [[10922, 16383]], [], [], []]
    assert [node["slots"] for node in told["nodes"]] == slots
    gossamer.run("down")
    done = gossamer.run("status", "--json")
    gone = json.loads(done.stdout)["nodes"][0]
    assert done.returncode == 1
    assert (gone["state"], gone["pid"], gone["id"], gone["used_memory"]) == ("not running", None, None, None)


def test_the_nodes_of_up_leave_its_supervisor_alone(gossamer: Gossamer) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(gossamer.cwd / "notify"))
        gossamer.environment |= {"NOTIFY_SOCKET": str(gossamer.cwd / "notify"), "UPSTART_JOB": "up"}
        gossamer.up(2, "--", "--supervised", "auto")
        gossamer.run("down")
        systemd.setblocking(False)
        with pytest.raises(BlockingIOError):
            systemd.recv(4096)


def test_options_behind_the_dashes_reach_every_node(gossamer: Gossamer) -> None:
    base = gossamer.up(2, "--node-timeout", 1234, "--", "--requirepass", "secret")
    with pytest.raises(Refused, match="NOAUTH"):
        ask(base, "CLUSTER", "INFO")
    assert gossamer.run("status").returncode == 0
    assert '"node_timeout_ms": 1234' in (gossamer.cwd / "gossamer-data/cluster.json").read_text()


def replication(port: int) -> dict[str, str]:
    return fields(ask(port, "INFO", "replication"))


def following(base: int, count: int) -> list[int | None]:
    """Of each node the number of the one that it replicates, in sync; None for a primary."""
    found = []
    for told in map(replication, range(base, base + count)):
        if told["role"] == "slave":
            assert told["master_link_status"] == "up"
        found.append(int(told["master_port"]) - base if told["role"] == "slave" else None)
    return found


def test_replicas_are_in_sync_when_the_cluster_is_up_and_a_second_up_gives_the_same_roles(gossamer: Gossamer) -> None:
    base = gossamer.up(6, "--replicas", 1)
    before = [identity(port) for port in range(base, base + 6)]
    assert [slots for _, slots in before] == ["0-5460", "5461-10921", "10922-16383", "", "", ""]
    assert following(base, 6) == [None, None, None, 0, 1, 2]
    for port in range(base, base + 6):
        seen = state(port)
        assert (seen["cluster_state"], seen["cluster_known_nodes"], seen["cluster_size"]) == ("ok", "6", "3")
    status = gossamer.run("status")
    assert status.returncode == 0
    assert re.findall(r"primary|replica of \d+", status.stdout) == [
        *["primary"] * 3,
        *(f"replica of {base + number}" for number in range(3)),
    ]
    gossamer.run("down")
    again = gossamer.run("up", "--detach")
    assert again.returncode == 0
    assert "6 nodes (3+3) ok in" in again.stdout
    assert [identity(port) for port in range(base, base + 6)] == before
    assert following(base, 6) == [None, None, None, 0, 1, 2]


def test_replicas_know_the_password_of_their_primaries(gossamer: Gossamer) -> None:
    gossamer.up(6, "--replicas", 1, "--", "--requirepass", "secret")
    status = gossamer.run("status")
    assert status.returncode == 0
    assert status.stdout.count("replica of") == 3


def test_a_killed_primary_is_replaced_under_a_client_and_returns_as_a_replica(gossamer: Gossamer) -> None:
    base = gossamer.up(6, "--replicas", 1, "--node-timeout", 1500, "--", *DEBUG)
    primary, replica = base, base + 3
    old, slots = identity(primary)
    with RedisCluster(host="127.0.0.1", port=base + 1, decode_responses=True) as client:
        for key in KEYS:
            client.set(key, "before")
        wait_until(lambda: offset(primary) == offset(replica), "the replica has every write")
        os.kill(gossamer.pids()[primary], signal.SIGKILL)
        wait_until(lambda: all(written(client, key) for key in KEYS[::2]), "keys of every slot can be written again")
        assert [client.get(key) for key in KEYS] == ["after", "before"] * (len(KEYS) // 2)
    assert (replication(replica)["role"], identity(replica)[1]) == ("master", slots)
    assert gossamer.run("status").returncode == 1
    with restarted(gossamer, primary):
        wait_until(lambda: follows(primary, replica), "the old primary replicates the new one")
        assert identity(primary) == (old, "")
        wait_until(lambda: offset(primary) == offset(replica), "it has every write")
        assert ask(primary, "DEBUG", "DIGEST") == ask(replica, "DEBUG", "DIGEST") != "0" * 40


@pytest.mark.parametrize("kept", [True, False])
def test_a_cluster_that_is_killed_has_its_data_unless_told_otherwise(gossamer: Gossamer, kept: bool) -> None:
    base = gossamer.up(3, *([] if kept else ["--no-persistence"]))
    with RedisCluster(host="127.0.0.1", port=base, decode_responses=True) as client:
        for key in KEYS:
            client.set(key, "kept")
    for pid in gossamer.pids().values():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not gossamer.pids(), "they have gone")
    assert gossamer.run("up", "--detach").returncode == 0
    with RedisCluster(host="127.0.0.1", port=base, decode_responses=True) as client:
        assert [client.get(key) for key in KEYS] == ["kept" if kept else None] * len(KEYS)


def written(client: RedisCluster, key: str) -> bool:
    """Whether the write is answered with OK now, by whoever the client takes for the right node."""
    try:
        return bool(client.set(key, "after"))
    except (RedisError, RedisClusterException):
        return False


def offset(port: int) -> str:
    return replication(port)["master_repl_offset"]


def follows(port: int, primary: int) -> bool:
    """Whether the node on ``port`` answers, as a replica of ``primary`` that is in sync."""
    try:
        told = replication(port)
    except ConnectionError:
        return False
    return (told.get("master_port"), told.get("master_link_status")) == (str(primary), "up")


@contextmanager
def restarted(gossamer: Gossamer, port: int) -> Iterator[None]:
    """The node on ``port`` as a process of its own, in the folder that it left."""
    address = ("--port", port, "--bind", "127.0.0.1")
    words = ("node", *address, "--cluster-enabled", "yes", "--cluster-node-timeout", 1500, *DEBUG)
    home = gossamer.cwd / "gossamer-data" / str(port)
    with (home / "node.log").open("ab") as log:
        command = [*gossamer.command, *map(str, words)]
        with subprocess.Popen(command, cwd=home, env=gossamer.environment, stdout=log, stderr=log) as process:
            try:
                yield
            finally:
                process.terminate()
                assert process.wait(LIMIT_S) == 0


def refusal(gossamer: Gossamer, *words: str | int, code: int = 1) -> str:
    """The one line that a command which cannot be done says on standard error."""
    done = gossamer.run(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("gossamer")
    assert done.stderr.count("\n") == 1
    return done.stderr.partition(": ")[2].rstrip("\n")


def test_a_port_in_use_is_named(gossamer: Gossamer) -> None:
    with listening() as port:
        assert f"port {port} on 127.0.0.1 cannot be used" in refusal(gossamer, "up", 2, "--port", port)
        assert f"port {port} on 127.0.0.1 cannot be used" in refusal(gossamer, "up", 2, "--port", port - 1)
        node = port - BUS_OFFSET
        assert f"bus port {port} of node {node} " in refusal(gossamer, "up", 1, "--port", node)
    assert not (gossamer.cwd / "gossamer-data").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("up", 0), "a cluster needs at least 1 node, not 0"),
        (("up", 6, "--port", 60000), "ports 60000 to 60005 do not fit into 1 to 55535"),
        (("up", 7, "--replicas", 1), "7 nodes are not primaries with 1 replica each: N is to be a multiple of 2"),
        (("up", 4, "--replicas", 1), "too few to elect a replica when one has died: at least 6 nodes are needed"),
        (("up", 6, "--replicas", 2), "at least 9 nodes are needed"),
        (("up", 6, "--replicas", -1), "a primary cannot have -1 replicas"),
        (("up", "--node-timeout", 0), "--node-timeout 0 is not a positive number of milliseconds"),
        (("up", 1, "--", "--daemonize", "yes"), "--detach leaves them running"),
        (("up", "--dir", "missing/data"), "there is no directory"),
        (("up", "--dir", "/dev/null"), "/dev/null is not a directory"),
        (("status",), "there is no cluster in"),
        (("down",), "there is no cluster in"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(gossamer: Gossamer, words: tuple[str | int, ...], line: str) -> None:
    assert line in refusal(gossamer, *words)


@pytest.mark.parametrize("words", [("up", "six"), ("up", "--prot", 7000), ("upp",), ()])
def test_a_wrong_command_line_is_one_line_and_status_2(gossamer: Gossamer, words: tuple[str | int, ...]) -> None:
    assert "--help shows the options" in refusal(gossamer, *words, code=2)


def test_a_node_that_refuses_its_options_is_told_with_its_own_words(gossamer: Gossamer) -> None:
    base = some_base()
    for options, reason in (
        (("--maxclient", 10), "'--maxclient 10': Bad directive or wrong number of arguments (log: "),
        (("--logfile", "mine.log", "--hz", "x"), "'--hz x': argument couldn't be parsed into an integer (log: "),
        (("--logfile", "mine.log", "--bind", "9.9.9.9"), "bind: Cannot assign requested address (log: "),
        (("--dir", "/nowhere"), "Can't chdir to '/nowhere': No such file or directory (log: "),
    ):
        line = refusal(gossamer, "up", 2, "--port", base, "--", *options)
        assert any(f"node {port} ended with status 1: " in line for port in (base, base + 1)), "whichever was first"
        assert reason in line
        assert "node.log" in line
    assert gossamer.pids() == {}
    assert "there is no cluster" in refusal(gossamer, "status")


def test_in_the_foreground_a_death_is_told_and_sigterm_ends_all(gossamer: Gossamer) -> None:
    base = gossamer.up(3)
    gossamer.run("down")
    with gossamer.foreground() as process:
        assert process.stdout is not None
        assert "3 nodes ok in" in process.stdout.readline()
        pids = gossamer.pids()
        os.kill(pids[base + 1], signal.SIGKILL)
        assert any(line.endswith(f"127.0.0.1:{base + 1} ended by SIGKILL\n") for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read().endswith("all nodes have ended\n")
        assert process.wait(LIMIT_S) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids.values())


def test_when_all_nodes_end_so_does_up(gossamer: Gossamer) -> None:
    gossamer.up(2)
    gossamer.run("down")
    with gossamer.foreground() as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert gossamer.run("down").stdout == "2 nodes ended\n"
        process.stdout.read()
        assert process.wait(LIMIT_S) == 1


def test_a_terminal_shows_a_table_until_ctrl_c(gossamer: Gossamer) -> None:
    base = gossamer.up(2)
    gossamer.run("down")
    parent, terminal = pty.openpty()
    with subprocess.Popen(
        [*gossamer.command, "up"],
        cwd=gossamer.cwd,
        env={**gossamer.environment, "TERM": "xterm"},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        preexec_fn=take_terminal,
    ) as process:
        os.close(terminal)
        try:
            shown = read_until(parent, b"Ctrl-C ends all")
            assert f"127.0.0.1:{base + 1}".encode() in shown
            for heading in (b"address", b"id", b"role", b"slots", b"state", b"ops/s", b"memory"):
                assert heading in shown
            os.write(parent, b"\x03")
            read_until(parent, b"all nodes have ended")
            assert process.wait(LIMIT_S) == 0
        finally:
            process.terminate()
            os.close(parent)
    assert gossamer.pids() == {}


def take_terminal() -> None:
    """Make standard input the terminal of this new process, so that Ctrl-C means it."""
    os.setsid()
    os.close(os.open(os.ttyname(0), os.O_RDWR))


def read_until(fd: int, text: bytes) -> bytes:
    """What came until ``text`` did."""
    out = b""
    deadline = time.monotonic() + LIMIT_S
    while text not in out:
        assert select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0], out[-2000:]
        out += os.read(fd, 65536)
    return out
