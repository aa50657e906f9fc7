"""``gossamer up``, ``status`` and ``down`` keep their promises to somebody at a shell."""

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.ports import BUS_OFFSET
from deploy.wire import Refused
from tests.integration.launched import LIMIT_S, Gossamer, ask, identity, listening, some_base, state


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
    assert gossamer.pids() == pids


def test_options_behind_the_dashes_reach_every_node(gossamer: Gossamer) -> None:
    base = gossamer.up(2, "--node-timeout", 1234, "--", "--requirepass", "secret")
    with pytest.raises(Refused, match="NOAUTH"):
        ask(base, "CLUSTER", "INFO")
    assert gossamer.run("status").returncode == 0
    assert '"node_timeout_ms": 1234' in (gossamer.cwd / "gossamer-data/cluster.json").read_text()


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
        (("up", "--node-timeout", 0), "--node-timeout 0 is not a positive number of milliseconds"),
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
    line = refusal(gossamer, "up", 2, "--port", base, "--", "--no-such-directive", "1")
    assert f"node {base} ended with status 1: " in line
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
            for heading in (b"address", b"id", b"slots", b"state", b"ops/s", b"memory"):
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
