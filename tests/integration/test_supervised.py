"""A service manager hears from the node what it hears from redis-server: systemd on its socket, upstart by a stop."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.integration.clusters import wait_until
from tests.integration.nodes import GOSSAMER, READY, REDIS, Node, Nodes, Program
from tests.integration.test_process import OK

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="service managers of Linux"),
]

LIMIT_S = 20
LOADING = {GOSSAMER.name: "STATUS=Gossamer is loading...", REDIS.name: "STATUS=Redis is loading..."}
AT_WORK = ["STATUS=Ready to accept connections", "READY=1"]
WAITING = "STATUS=Ready to accept connections in read-only mode. Waiting for MASTER <-> REPLICA sync"
SAVING = "STATUS=Saving the final RDB snapshot"
CANNOT_END = "STATUS=Error trying to save the DB, can't exit."
READY_FOR_ALL = "Ready to accept connections in read-write mode."
SYNC_GOES_ON = f"STATUS=MASTER <-> REPLICA sync: Partial Resynchronization accepted. {READY_FOR_ALL}"
SYNC_DONE = f"STATUS=MASTER <-> REPLICA sync: Finished with success. {READY_FOR_ALL}"


class Manager:
    """What systemd is to a service of Type=notify."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        self._socket.settimeout(LIMIT_S)

    def hear(self, count: int) -> list[str]:
        """The next ``count`` messages."""
        return [self._socket.recv(4096).decode().removesuffix("\n") for _ in range(count)]

    def hears_nothing_more(self) -> bool:
        self._socket.setblocking(False)
        try:
            return not self._socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self._socket.settimeout(LIMIT_S)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def manager(address: str) -> Iterator[Manager]:
    with closing(Manager(address)) as found:
        yield found


def told_of(node: Node, **variables: str) -> Node:
    node.wrapper = ["env", *(f"{name}={value}" for name, value in variables.items())]
    return node


@pytest.mark.parametrize("program", [GOSSAMER, REDIS], ids=lambda program: program.name)
@pytest.mark.parametrize("mode", ["systemd", "auto"])
def test_a_service_of_type_notify_is_ready_when_it_says_so_and_says_that_it_ends(
    nodes: Nodes, tmp_path: Path, program: Program, mode: str
) -> None:
    node = nodes.make("--supervised", mode, "--daemonize", "yes", program=program)
    with manager(str(tmp_path / "notify")) as systemd:
        told_of(node, NOTIFY_SOCKET=systemd.address).launch()
        assert systemd.hear(3) == [LOADING[program.name], *AT_WORK]
        assert node.ask("PING").text == b"PONG"
        assert b"process_supervised:systemd\r\n" in node.ask("INFO", "server").text
        assert f"process_id:{node.pid}\r\n".encode() in node.ask("INFO", "server").text, "it stayed in the foreground"
        node.wait_log("Supervised by systemd. Please make sure you set appropriate values")
        assert node.stop() == 0
        assert systemd.hear(1) == ["STOPPING=1"]
        assert systemd.hears_nothing_more()


def test_a_name_without_a_path_is_reached_too(nodes: Nodes) -> None:
    with manager(f"@gossamer-test-{os.getpid()}") as systemd:
        told_of(nodes.make("--supervised", "systemd"), NOTIFY_SOCKET=systemd.address).launch()
        assert systemd.hear(3)[1:] == AT_WORK


def test_a_node_with_an_environment_that_is_not_asked_for_says_nothing(nodes: Nodes, tmp_path: Path) -> None:
    with manager(str(tmp_path / "notify")) as systemd:
        node = told_of(nodes.make(), NOTIFY_SOCKET=systemd.address)
        node.start()
        assert node.stop() == 0
        assert systemd.hears_nothing_more()


@pytest.mark.parametrize("program", [GOSSAMER, REDIS], ids=lambda program: program.name)
def test_a_replica_is_ready_at_once_and_tells_how_its_sync_goes(nodes: Nodes, tmp_path: Path, program: Program) -> None:
    primary = nodes.start()
    primary.ask("SET", "k", "v")
    node = nodes.make("--supervised", "systemd", "--replicaof", f"127.0.0.1 {primary.port}", program=program)
    with manager(str(tmp_path / "notify")) as systemd:
        told_of(node, NOTIFY_SOCKET=systemd.address).launch()
        assert systemd.hear(3) == [LOADING[program.name], WAITING, "READY=1"]
        assert SYNC_DONE in (systemd.hear(1) + ([] if program is REDIS else systemd.hear(1)))


def test_a_status_that_no_longer_holds_is_replaced(nodes: Nodes, tmp_path: Path) -> None:
    primary = nodes.start()
    node = nodes.make("--supervised", "systemd")
    with manager(str(tmp_path / "notify")) as systemd:
        told_of(node, NOTIFY_SOCKET=systemd.address).launch()
        systemd.hear(3)
        assert node.ask("REPLICAOF", "127.0.0.1", primary.port) == OK
        assert systemd.hear(3) == [WAITING, "STATUS=MASTER <-> REPLICA sync: Loading DB in memory", SYNC_DONE]
        assert node.ask("REPLICAOF", "NO", "ONE") == OK
        assert systemd.hear(1) == AT_WORK[:1]


@pytest.mark.parametrize("program", [GOSSAMER, REDIS], ids=lambda program: program.name)
def test_the_last_snapshot_is_told_of_and_that_it_could_not_be_written(
    nodes: Nodes, tmp_path: Path, program: Program
) -> None:
    """As Redis tells it, but for STOPPING, which it says even if the snapshot fails and it stays."""
    node = nodes.make("--supervised", "systemd", "--save", "3600 1", program=program)
    place = node.home / "dump.rdb"

    def statuses(count: int) -> list[str]:
        heard = systemd.hear(count if program is GOSSAMER else count + 1)
        return [line for line in heard if line != "STOPPING=1"]

    with manager(str(tmp_path / "notify")) as systemd:
        told_of(node, NOTIFY_SOCKET=systemd.address).launch()
        systemd.hear(3)
        assert node.ask("SET", "k", "v") == OK
        place.mkdir()
        refused = node.ask("SHUTDOWN")
        assert refused.text == b"ERR Errors trying to SHUTDOWN. Check logs."
        assert statuses(2) == [SAVING, CANNOT_END]
        assert node.ask("GET", "k").text == b"v"
        place.rmdir()
        assert node.stop() == 0
        assert sorted(systemd.hear(2)) == [SAVING, "STOPPING=1"]
        assert systemd.hears_nothing_more()
    assert place.is_file()


@pytest.mark.parametrize("program", [GOSSAMER, REDIS], ids=lambda program: program.name)
def test_a_replica_that_goes_on_where_it_was_tells_so(nodes: Nodes, tmp_path: Path, program: Program) -> None:
    primary = nodes.start("--repl-diskless-sync-delay", "0")
    node = nodes.make("--supervised", "systemd", "--replicaof", f"127.0.0.1 {primary.port}", program=program)
    with manager(str(tmp_path / "notify")) as systemd:
        told_of(node, NOTIFY_SOCKET=systemd.address).launch()
        while systemd.hear(1) != [SYNC_DONE]:
            pass
        wait_until(lambda: b"state=online" in primary.ask("INFO", "replication").text, "it follows")
        assert primary.ask("CLIENT", "KILL", "TYPE", "replica").number == 1
        assert systemd.hear(1) == [SYNC_GOES_ON]


def test_an_end_that_is_called_off_is_never_told(nodes: Nodes, tmp_path: Path) -> None:
    """systemd would kill, after TimeoutStopSec, a service that has said that it stops."""
    node = nodes.make("--supervised", "systemd", "--shutdown-timeout", "1000")
    replica = nodes.make()
    with manager(str(tmp_path / "notify")) as systemd:
        told_of(node, NOTIFY_SOCKET=systemd.address).launch()
        systemd.hear(3)
        replica.options += ["--replicaof", f"127.0.0.1 {node.port}"]
        replica.start()
        replica.wait_log("Finished with success")
        wait_until(lambda: b"state=online" in node.ask("INFO", "replication").text, "it follows")
        os.kill(replica.pid, signal.SIGSTOP)
        node.ask("SET", "k", "v")
        os.kill(node.pid, signal.SIGTERM)
        node.wait_log("Waiting for replicas before shutting down.")
        assert node.ask("SHUTDOWN", "ABORT") == OK
        assert systemd.hears_nothing_more()
        assert node.ask("SHUTDOWN", "NOW").kind == "closed"
        assert systemd.hear(1) == ["STOPPING=1"]


@pytest.mark.parametrize(
    ("options", "environment", "line"),
    [
        (["--supervised", "systemd"], {}, "systemd supervision error: NOTIFY_SOCKET not found!"),
        (["--supervised", "upstart"], {}, "upstart supervision requested, but UPSTART_JOB not found!"),
        (["--supervised", "systemd"], {"NOTIFY_SOCKET": "/nowhere/x"}, "systemd supervision error: sd_notify: -2 "),
        (["--supervised", "systemd"], {"NOTIFY_SOCKET": "relative"}, "systemd supervision error: sd_notify: -97 "),
        (["--supervised", "systemd"], {"NOTIFY_SOCKET": "/x" * 200}, "systemd supervision error: sd_notify: -22 "),
    ],
)
def test_nobody_there_is_told_and_no_reason_not_to_serve(
    nodes: Nodes, options: list[str], environment: dict[str, str], line: str
) -> None:
    node = told_of(nodes.make(*options), **environment)
    node.start()
    assert line in node.log()
    assert b"process_supervised:no\r\n" in node.ask("INFO", "server").text
    assert "without effect here: supervised" not in node.log()
    assert node.stop() == 0


def test_for_upstart_it_stops_until_it_is_told_to_go_on(nodes: Nodes) -> None:
    node = told_of(nodes.make("--supervised", "auto"), UPSTART_JOB="gossamer")
    node.launch()
    node.wait_log("supervised by upstart, will stop to signal readiness.")
    deadline = time.monotonic() + LIMIT_S
    while state_of(node.pid) != "T":
        assert time.monotonic() < deadline, "it does not stop"
    assert READY not in node.log()
    os.kill(node.pid, signal.SIGCONT)
    node.wait_log(READY)
    assert b"process_supervised:upstart\r\n" in node.ask("INFO", "server").text


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


# --- the title of the process


def title(node: Node) -> str:
    return Path(f"/proc/{node.pid}/cmdline").read_bytes().partition(b"\0")[0].decode().rstrip()


def name(node: Node) -> str:
    return Path(f"/proc/{node.pid}/comm").read_text().rstrip("\n")


def test_ps_and_top_tell_nodes_apart(nodes: Nodes) -> None:
    pytest.importorskip("setproctitle", reason="pip install setproctitle")
    first, second = nodes.start("--cluster-enabled", "yes"), nodes.start()
    assert title(first) == f"gossamer 127.0.0.1:{first.port} [cluster]"
    assert title(second) == f"gossamer 127.0.0.1:{second.port}"
    assert [name(first), name(second)] == [f"gossamer:{first.port}", f"gossamer:{second.port}"]


@pytest.mark.parametrize("program", [GOSSAMER, REDIS], ids=lambda program: program.name)
def test_a_template_makes_the_title(nodes: Nodes, program: Program) -> None:
    if program is GOSSAMER:
        pytest.importorskip("setproctitle", reason="pip install setproctitle")
    node = nodes.make("--unixsocket", "sock", "--proc-title-template", "a {port}", program=program)
    node.start()
    assert title(node) == f"a {node.port}"
    for template, made in (
        ("{listen-addr} {server-mode}", f"127.0.0.1:{node.port}"),
        ("{{x} {unixsocket}, {tls-port} {config-file}", "{x} sock, 0 -"),
        ("über {port}", f"über {node.port}"),
    ):
        assert node.ask("CONFIG", "SET", "proc-title-template", template) == OK
        assert title(node) == made
    for wrong in ("{server-mode}", "{title}", " ", "", "{foo}"):
        refused = node.ask("CONFIG", "SET", "proc-title-template", wrong)
        assert refused.text == (
            b"ERR CONFIG SET failed (possibly related to argument 'proc-title-template') - "
            b"template format is invalid or contains unknown variables"
        )
        assert title(node) == f"über {node.port}"


def test_a_title_that_is_no_good_text_costs_nothing(nodes: Nodes) -> None:
    node = nodes.start()
    for template in (b"\xff\xfe", b"\n", b"x" * 10000):
        assert node.ask("CONFIG", "SET", "proc-title-template", template) == OK
        assert node.ask("PING").text == b"PONG"
    refused = node.ask("CONFIG", "SET", "proc-title-template", b"a\0b")
    assert refused.kind == "error"
    assert b"must not contain a zero byte" in refused.text


def test_the_title_follows_the_port_and_may_be_switched_off(nodes: Nodes) -> None:
    pytest.importorskip("setproctitle", reason="pip install setproctitle")
    node, other = nodes.start(), nodes.make()
    assert node.ask("CONFIG", "SET", "port", other.port) == OK
    assert title(node) == f"gossamer 127.0.0.1:{other.port}"
    plain = nodes.start("--set-proc-title", "no", "--proc-title-template", "mine")
    assert title(plain) == sys.executable
