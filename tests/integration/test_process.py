"""The node as a process does what scripts, service managers and tools expect of redis-server."""

import os
import re
import resource
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.compat.pair import encode
from tests.compat.replies import Answer
from tests.integration.clusters import wait_until
from tests.integration.nodes import READY, REDIS, ROOT, VALKEY, Node, Nodes, Program

pytestmark = pytest.mark.once

PONG = Answer("status", b"PONG")
OK = Answer("status", b"OK")


def run(*argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """A node that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "gossamer.node", *argv],
        input=stdin,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def receive_all(sock: socket.socket) -> bytes:
    data = b""
    while piece := sock.recv(1 << 16):
        data += piece
    return data


def receive(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        assert piece, f"closed after {data!r}"
        data += piece
    return data


# --- command line and configuration


def test_what_has_no_effect_is_said_once(nodes: Nodes) -> None:
    working = ("--shutdown-timeout", "1", "--shutdown-on-sigterm", "nosave", "--tls-cluster", "no")
    node = nodes.start("--appendonly", "yes", "--io-threads", "4", *working)
    assert "without effect here: io-threads\n" in node.log()
    for name, value in (("hz", "20"), ("lazyfree-lazy-user-del", "yes"), ("lazyfree-lazy-user-del", "no")):
        assert node.ask("CONFIG", "SET", name, value) == Answer("status", b"OK")
    node.wait_log("without effect here: lazyfree-lazy-user-del")
    told = [line.partition("without effect here: ")[2] for line in node.log().splitlines() if "without effect" in line]
    assert told == ["io-threads", "lazyfree-lazy-user-del"]


def test_version_and_help_are_printed() -> None:
    version, usage = run("--version"), run("--help")
    assert (version.returncode, version.stdout) == (0, "Gossamer 0.1.0 (compatible with Redis 7.2.4)\n")
    assert usage.returncode == 0
    assert "redis.conf" in usage.stdout


@pytest.mark.parametrize(
    ("argv", "names"),
    [
        (["--port", "0", "--no-such-thing", "1"], ["FATAL CONFIG FILE ERROR", "no-such-thing"]),
        (["--port", "abc"], ["FATAL CONFIG FILE ERROR", "port", "argument couldn't be parsed"]),
        (["/nowhere/redis.conf"], ["/nowhere/redis.conf", "No such file or directory"]),
        (["--port", "0", "--rename-command", "NOSUCH", "x"], ["rename-command", "No such command in rename-command"]),
        (["--port", "0", "--tls-cluster", "yes"], ["FATAL CONFIG FILE ERROR", "'tls-cluster \"yes\"'", "TLS is not"]),
        (["--user", "bob on >x"], ["FATAL CONFIG FILE ERROR", "'user", "ACL rules are not supported yet"]),
        (["--dir", "/nowhere"], ["/nowhere", "No such file or directory"]),
        (["--logfile", "/nowhere/log"], ["Can't open the log file", "No such file or directory"]),
    ],
)
def test_a_configuration_that_cannot_be_obeyed_ends_with_one_message_and_status_1(
    argv: list[str], names: list[str]
) -> None:
    ended = run(*argv)
    assert ended.returncode == 1
    assert ended.stdout == ""
    for name in names:
        assert name in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (["--maxclient", "10"], "'--maxclient 10': Bad directive or wrong number of arguments"),
        (["--port", "abc"], "'--port abc': argument couldn't be parsed into an integer"),
        (["-"], "-:2: 'loglevel loud': argument(s) must be one of the following: debug, verbose, notice, warning"),
        (["--proc-title-template", "{title}"], "'--proc-title-template {title}': template format is invalid or"),
        (["--logfile", "x", "--bind", "9.9.9.9"], "create server TCP listening socket 9.9.9.9:6379: bind: Cannot"),
    ],
)
def test_a_failed_start_names_directive_and_reason_in_its_last_line(tmp_path: Path, argv: list[str], line: str) -> None:
    ended = run("--dir", str(tmp_path), *argv, stdin="hz 10\nloglevel loud\n")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("gossamer: ")
    assert line in ended.stderr.splitlines()[-1]


def test_file_stdin_and_options_are_read_in_this_order(nodes: Nodes) -> None:
    node = nodes.make()
    file = node.home / "redis.conf"
    file.write_text("# mine\nmaxclients 100\ntimeout 10\nhz 20\n")
    ended = run(str(file), "--maxclients", "abc", "-", stdin="timeout 20\n")
    assert "maxclients" in ended.stderr
    node = nodes.start(program=Program("gossamer", "", lambda: [sys.executable, "-m", "gossamer.node", str(file)]))
    for name, value in (("maxclients", b"100"), ("timeout", b"10"), ("hz", b"20")):
        assert node.ask("CONFIG", "GET", name).items[1].content == value


def test_rewrite_replaces_the_file_that_was_named_relative_to_where_the_process_began(nodes: Nodes) -> None:
    first = nodes.make()
    file = first.home / "redis.conf"
    file.write_text("# keep me\ntimeout 10\n")
    relative = os.path.relpath(file, ROOT)
    node = nodes.start(program=Program("gossamer", "", lambda: [sys.executable, "-m", "gossamer.node", relative]))
    assert node.ask("CONFIG", "SET", "timeout", 77) == OK
    assert node.ask("CONFIG", "REWRITE") == OK
    lines = file.read_text().splitlines()
    assert lines[:2] == ["# keep me", "timeout 77"]
    assert os.listdir(first.home) == ["redis.conf"]


# --- the log


def test_the_log_has_the_lines_that_scripts_look_for(nodes: Nodes) -> None:
    node = nodes.start("--io-threads", "4")
    log = node.log()
    assert re.search(rf" PID: {node.pid}\b.*Server initialized.*{READY}", log, re.DOTALL)
    for line in log.splitlines():
        assert re.fullmatch(rf"{node.pid}:[CM] \d\d [A-Z][a-z]{{2}} \d{{4}} \d\d:\d\d:\d\d\.\d{{3}} [.\-*#] .+", line)
    assert log.count("io-threads") == 1
    assert re.search(r"(compiled|interpreted) build", log)


def test_the_process_keeps_its_pid_and_tells_it(nodes: Nodes) -> None:
    node = nodes.make()
    pid_file = node.home / "node.pid"
    node.options += ["--pidfile", "node.pid"]
    node.start()
    assert pid_file.read_text() == f"{node.pid}\n"
    assert f"process_id:{node.pid}\r\n".encode() in node.ask("INFO", "server").text
    assert node.stop() == 0
    assert not pid_file.exists()


def test_a_logfile_lies_in_the_working_directory_of_the_node(nodes: Nodes) -> None:
    node = nodes.make("--logfile", "node.log", "--port", "0")
    node.launch()
    assert node.wait_end() == 1
    assert node.log() == "gossamer: '--port 0': Configured to not listen anywhere, exiting."
    assert (node.home / "node.log").read_text().endswith("\nConfigured to not listen anywhere, exiting.\n")


# --- the end


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(nodes: Nodes, how: signal.Signals) -> None:
    node = nodes.start("--unixsocket", "sock")
    assert (node.home / "sock").is_socket()
    with node.connect() as sock:
        sock.sendall(b"PING\r\n")
        assert receive(sock, 7) == b"+PONG\r\n"
        assert node.stop(how) == 0
        assert receive_all(sock) == b""
    log = node.log()
    for text in (
        f"Received {how.name} scheduling shutdown...",
        "User requested shutdown...",
        "Removing the unix socket",
    ):
        assert text in log
    assert log.endswith("Redis is now ready to exit, bye bye...")
    assert not (node.home / "sock").exists()


def test_shutdown_ends_it_without_a_reply(nodes: Nodes) -> None:
    node = nodes.start()
    assert node.ask("SHUTDOWN", "NOSAVE").kind == "closed"
    assert node.wait_end() == 0


def test_a_second_interrupt_ends_a_busy_node_at_once(nodes: Nodes) -> None:
    node = nodes.start("--enable-debug-command", "yes")
    with node.connect() as sock:
        sock.sendall(encode(("DEBUG", "LOG", "going to sleep")) + encode(("DEBUG", "SLEEP", "60")))
        node.wait_log("going to sleep")
        os.kill(node.pid, signal.SIGINT)
        node.wait_log("Received SIGINT scheduling shutdown...")
        assert node.stop(signal.SIGINT) == 1
    assert "You insist... exiting now." in node.log()


def test_a_restart_finds_its_port_free_at_once(nodes: Nodes) -> None:
    node = nodes.start()
    for _ in range(2):
        with node.connect() as sock:
            sock.sendall(b"PING\r\n")
            assert receive(sock, 7) == b"+PONG\r\n"
            # The node closes first, so that its side of the connection is the one in TIME_WAIT.
            node.stop()
            assert receive_all(sock) == b""
        node.start()
        assert node.ask("PING") == PONG


# --- where it listens


def test_a_port_in_use_is_told_in_two_lines_and_leaves_nothing_behind(nodes: Nodes) -> None:
    first = nodes.start()
    second = nodes.make("--port", str(first.port), "--cluster-enabled", "yes", "--pidfile", "pid")
    second.launch()
    assert second.wait_end() == 1
    lines = second.log().splitlines()[-2:]
    where = f"127.0.0.1:{first.port}"
    assert lines[0].endswith(
        f"# Warning: Could not create server TCP listening socket {where}: bind: Address already in use"
    )
    assert lines[1].endswith(f"# Failed listening on port {first.port} (TCP), aborting.")
    assert os.listdir(second.home) == []
    assert first.ask("PING") == PONG


def test_unix_clients_are_served_with_the_permissions_asked_for(nodes: Nodes) -> None:
    node = nodes.start("--unixsocket", "sock", "--unixsocketperm", "700")
    path = node.home / "sock"
    assert path.stat().st_mode & 0o777 == 0o700
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(20)
        sock.connect(str(path))
        sock.sendall(b"PING\r\n")
        assert receive(sock, 7) == b"+PONG\r\n"


def test_port_0_serves_the_unix_socket_only(nodes: Nodes) -> None:
    node = nodes.make("--unixsocket", "sock", "--port", "0")
    node.launch()
    node.wait_log("The server is now ready to accept connections at sock")
    with pytest.raises(ConnectionRefusedError):
        node.connect()
    assert node.stop() == 0


def test_config_set_port_moves_the_node_and_back_if_it_cannot(nodes: Nodes) -> None:
    node, other = nodes.start(), nodes.make()
    blocker = nodes.start()
    assert node.ask("CONFIG", "SET", "port", other.port) == OK
    assert other.ask("PING") == PONG
    refused = node.ask("CONFIG", "SET", "port", blocker.port)
    assert refused.kind == "error"
    assert b"Unable to listen on this port" in refused.text
    with socket.create_connection(other.address, 20) as sock:
        sock.sendall(b"PING\r\n")
        assert receive(sock, 7) == b"+PONG\r\n"


# --- clients


def test_a_pipeline_in_small_pieces_is_answered_in_order(nodes: Nodes) -> None:
    node = nodes.start()
    requests = b"".join(encode(("SET", f"k{i}", "v" * i)) + encode(("GET", f"k{i}")) for i in range(200))
    expected = b"".join(b"+OK\r\n$%d\r\n%s\r\n" % (i, b"v" * i) for i in range(200))
    with node.connect() as sock:
        for at in range(0, len(requests), 701):
            sock.sendall(requests[at : at + 701])
        assert receive(sock, len(expected)) == expected


def test_inline_commands_and_big_values(nodes: Nodes) -> None:
    node = nodes.start()
    value = os.urandom(8 << 20)
    assert node.ask("SET", "big", value) == OK
    assert node.ask("GET", "big").content == value
    with node.connect() as sock:
        sock.sendall(b"SET \"a b\" 'c'\r\nSTRLEN big\n")
        assert receive(sock, 5 + 10) == b"+OK\r\n:8388608\r\n"


def test_a_client_that_sends_and_closes_its_half_is_answered_first(nodes: Nodes) -> None:
    node = nodes.start()
    count = 5000
    with node.connect() as sock:
        sock.sendall(b"INCR n\r\n" * count)
        sock.shutdown(socket.SHUT_WR)
        assert receive_all(sock).endswith(b":%d\r\n" % count)
    assert node.ask("GET", "n").content == b"%d" % count


def test_a_client_that_does_not_read_holds_up_nobody(nodes: Nodes) -> None:
    node = nodes.start()
    size, times = 1 << 20, 64
    node.ask("SET", "big", b"x" * size)
    with node.connect() as slow:
        slow.sendall(b"GET big\r\n" * times)
        for _ in range(20):
            assert node.ask("PING") == PONG
        reply = b"$%d\r\n%s\r\n" % (size, b"x" * size)
        for _ in range(times):
            assert receive(slow, len(reply)) == reply


def test_a_client_too_far_behind_is_let_go(nodes: Nodes) -> None:
    node = nodes.start("--client-output-buffer-limit", "normal", "4mb", "0", "0")
    node.ask("SET", "big", b"x" * (1 << 20))
    with node.connect() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET big\r\n" * 64)
        node.wait_log("output buffer limit")
        wait_until(lambda: b"connected_clients:1\r\n" in node.ask("INFO", "clients").text, "only we are left")


def test_a_thousand_clients_at_once(nodes: Nodes) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    node = nodes.start()
    with ExitStack() as stack:
        clients = [stack.enter_context(node.connect()) for _ in range(1000)]
        for client in clients:
            client.sendall(b"INCR n\r\n")
        counts = {client.recv(100) for client in clients}
    assert counts == {b":%d\r\n" % n for n in range(1, 1001)}


def test_maxclients_refuses_one_more_and_has_room_again(nodes: Nodes) -> None:
    node = nodes.start("--maxclients", "2")
    with node.connect() as first, node.connect():
        with node.connect() as third:
            assert receive_all(third) == b"-ERR max number of clients reached\r\n"
        first.sendall(b"QUIT\r\n")
        assert receive_all(first) == b"+OK\r\n"
        assert node.ask("PING") == PONG


def test_an_idle_client_is_let_go(nodes: Nodes) -> None:
    node = nodes.start("--timeout", "1")
    with node.connect() as sock:
        assert receive_all(sock) == b""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_open_file_limit_is_raised_for_maxclients(nodes: Nodes) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = min(3000, hard - 32)
    node = nodes.make("--maxclients", str(wanted - 100))
    node.limit_open_files = 256
    node.start()
    assert open_file_limit(node) == wanted - 100 + 32
    assert node.ask("CONFIG", "SET", "maxclients", wanted) == OK
    assert open_file_limit(node) == wanted + 32


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_maxclients_is_reduced_to_what_the_system_grants(nodes: Nodes) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    node = nodes.make("--maxclients", "4000000000")
    node.start()
    granted = open_file_limit(node)
    if granted >= 4_000_000_032:
        pytest.skip("this system grants any number of files")
    assert granted == hard
    assert node.ask("CONFIG", "GET", "maxclients").items[1].content == b"%d" % (granted - 32)
    refused = node.ask("CONFIG", "SET", "maxclients", 4_000_000_000)
    assert b"is not able to handle the specified number of clients, try with %d" % (granted - 32) in refused.text


def open_file_limit(node: Node) -> int:
    with open(f"/proc/{node.pid}/limits") as file:
        return int(next(line for line in file if line.startswith("Max open files")).split()[3])


# --- cluster mode


def test_a_nodes_conf_in_use_is_refused(nodes: Nodes) -> None:
    first = nodes.start("--cluster-enabled", "yes")
    path = str(first.home / "nodes.conf")
    second = nodes.make("--cluster-enabled", "yes", "--cluster-config-file", path)
    second.launch()
    assert second.wait_end() == 1
    assert f"Sorry, the cluster configuration file {path} is already used by a different" in second.log()


def test_a_node_comes_back_with_its_id_and_slots(nodes: Nodes) -> None:
    node = nodes.start("--cluster-enabled", "yes")
    assert node.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16383) == OK
    me = node.ask("CLUSTER", "MYID")
    node.kill()
    node.start()
    assert node.ask("CLUSTER", "MYID") == me
    assert b" 0-16383\n" in node.ask("CLUSTER", "NODES").text


def test_a_spoilt_nodes_conf_is_refused(nodes: Nodes) -> None:
    node = nodes.make("--cluster-enabled", "yes")
    (node.home / "nodes.conf").write_text("garbage\n")
    node.launch()
    assert node.wait_end() == 1
    assert "Unrecoverable error: corrupted cluster config file." in node.log()


# --- the helper itself


@pytest.mark.parametrize("program", [REDIS, VALKEY], ids=lambda program: program.name)
def test_reference_servers_are_started_the_same_way(nodes: Nodes, program: Program) -> None:
    node: Node = nodes.start("--cluster-enabled", "yes", program=program)
    assert node.ask("PING") == PONG
    node.restart()
    assert node.ask("PING") == PONG
    assert node.stop() == 0
