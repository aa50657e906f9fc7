"""Commands that ask the world outside: CONFIG REWRITE, SHUTDOWN, DEBUG SLEEP; and what INFO and LATENCY make of it."""

import tomllib
from pathlib import Path

import pytest

from gossamer.node.engine.edge import Edge, ProcessFacts
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import Session
from gossamer.node.machine import Machine

START = 1_000_000


class World(Edge):
    def __init__(self) -> None:
        self.time_us = 0
        self.file: str | None = None
        self.broken = False
        self.lines: list[tuple[str, str]] = []
        self.ended = False
        self.aborted = False
        self.facts = ProcessFacts()

    def process(self) -> ProcessFacts:
        return self.facts

    def microseconds(self) -> int:
        return self.time_us

    def unix_microseconds(self) -> int:
        return 1_234_567_890_123_456

    def sleep(self, seconds: float) -> None:
        self.time_us += int(seconds * 1e6)

    def read_config_file(self) -> str | None:
        return self.file

    def write_config_file(self, text: str) -> None:
        if self.broken:
            raise PermissionError(13, "Permission denied")
        self.file = text

    def log(self, level: str, text: str) -> None:
        self.lines.append((level, text))

    def stop(self) -> None:
        self.ended = True


class Node:
    def __init__(self, clustered: bool = False) -> None:
        self.world = World()
        self.server = Server(clustered=clustered, edge=self.world)
        self.server.access.debug = "yes"
        self.machine = Machine(self.server)
        self.server.begin_batch(START)
        self.session = self.client()

    def client(self) -> Session:
        return self.machine.accept("127.0.0.1:1", "127.0.0.1:2")

    def say(self, line: str) -> bytes:
        self.session.feed(line.encode() + b"\r\n")
        self.machine.drain()
        return self.session.take_output()


@pytest.fixture
def node() -> Node:
    return Node()


def test_rewrite_keeps_the_comments_of_the_file(node: Node) -> None:
    node.world.file = "# mine\nmaxclients 50\n"
    node.say("CONFIG SET maxclients 60")
    assert node.say("CONFIG REWRITE") == b"+OK\r\n"
    assert node.world.file.startswith("# mine\nmaxclients 60\n")
    assert node.world.lines[-1][0] == "notice"


def test_rewrite_needs_a_file_that_can_be_written(node: Node) -> None:
    assert node.say("CONFIG REWRITE") == b"-ERR The server is running without a config file\r\n"
    node.world.file, node.world.broken = "", True
    assert node.say("CONFIG REWRITE") == b"-ERR Rewriting config file: Permission denied\r\n"


@pytest.mark.parametrize("words", ["", "NOSAVE", "save now", "FORCE NOW"])
def test_shutdown_without_replicas_ends_the_node_and_does_not_answer(node: Node, words: str) -> None:
    assert node.say(f"SHUTDOWN {words}") == b""
    assert node.world.ended
    assert ("warning", "User requested shutdown...") in node.world.lines


def test_there_is_nobody_to_hand_over_to_outside_of_a_cluster(node: Node) -> None:
    assert node.say("SHUTDOWN FAILOVER") == b"-ERR SHUTDOWN FAILOVER is only supported in cluster mode.\r\n"
    assert node.say("SHUTDOWN ABORT") == b"-ERR No shutdown in progress.\r\n"
    assert not node.world.ended


def test_time_is_the_wall_clock(node: Node) -> None:
    assert node.say("TIME") == b"*2\r\n$10\r\n1234567890\r\n$6\r\n123456\r\n"


def test_slow_commands_are_seen_by_the_monitor_and_drawn(node: Node) -> None:
    node.say("CONFIG SET latency-monitor-threshold 100")
    for second, seconds in enumerate((0.1, 0.4, 0.8)):
        node.server.begin_batch(START + 1000 * second)
        node.say(f"DEBUG SLEEP {seconds}")
    node.say("DEBUG SLEEP 0.05")
    assert node.say("LATENCY LATEST") == b"*1\r\n*4\r\n$7\r\ncommand\r\n:1002\r\n:800\r\n:800\r\n"
    graph = node.say("LATENCY GRAPH command").split(b"\r\n", 1)[1]
    # as Redis 7.0.15 draws the same three samples
    assert graph == (
        b"command - high 800 ms, low 100 ms (all time high 800 ms)\n" + b"-" * 80 + b"\n"
        b"  #\n  |\n #|\n_||\n   \n210\nsss\n\r\n"
    )
    assert b"command: 3 latency spikes (average 433ms" in node.say("LATENCY DOCTOR")
    assert node.say("LATENCY RESET") == b":1\r\n"


def test_histogram_and_percentiles_come_from_the_same_counts(node: Node) -> None:
    node.say("CONFIG RESETSTAT")
    node.world.time_us = node.server.last_end_us  # nothing passes but what DEBUG SLEEP lets pass
    for _ in range(3):
        node.say("DEBUG SLEEP 0.003")
    assert node.say("LATENCY HISTOGRAM debug") == (
        b"*2\r\n$5\r\ndebug\r\n*4\r\n$5\r\ncalls\r\n:3\r\n$14\r\nhistogram_usec\r\n*2\r\n:4227\r\n:3\r\n"
    )
    line = next(line for line in node.say("INFO latencystats").split(b"\r\n") if b"usec_debug" in line)
    assert [field.split(b"=")[0] for field in line.split(b":")[1].split(b",")] == [b"p50", b"p99", b"p99.9"]
    assert 2048 <= float(line.rpartition(b"=")[2]) <= 4096


def test_info_names_our_version_and_build(node: Node) -> None:
    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())
    text = node.say("INFO server").decode()
    assert f"gossamer_version:{project['project']['version']}\r\n" in text
    assert "gossamer_build:interpreted\r\n" in text
    node.world.facts.build = "compiled"
    assert "gossamer_build:compiled\r\n" in node.say("INFO server").decode()


def test_rates_are_means_of_what_the_ticks_saw(node: Node) -> None:
    node.machine.tick(START)
    for tick in range(1, 17):
        for _ in range(10):
            node.say("PING")
        node.machine.tick(START + 100 * tick)
    assert b"instantaneous_ops_per_sec:100\r\n" in node.say("INFO stats")


def test_stale_keys_go_with_the_tick(node: Node) -> None:
    node.say("SET k v PX 10")
    node.server.begin_batch(START + 11)
    node.machine.tick(START + 11)
    assert b"expired_keys:1\r\n" in node.say("INFO stats")


def test_memory_usage_grows_with_the_value_and_its_end(node: Node) -> None:
    def usage() -> int:
        return int(node.say("MEMORY USAGE k")[1:])

    node.say("SET k v")
    small = usage()
    node.say("EXPIRE k 100")
    ending = usage()
    node.say(f"SET k {'v' * 1000}")
    assert small < ending < usage()
    assert usage() - small == 999


def test_a_cluster_has_one_database_and_its_modes() -> None:
    node = Node(clustered=True)
    assert node.say("SELECT 0") == b"+OK\r\n"
    for index in ("1", "-1", "99"):
        assert node.say(f"SELECT {index}") == b"-ERR SELECT is not allowed in cluster mode\r\n"
    assert node.say("READONLY") == node.say("READWRITE") == node.say("ASKING") == b"+OK\r\n"
    assert b"$4\r\nmode\r\n$7\r\ncluster\r\n" in node.say("HELLO")
    assert node.say("READONLY") == b"+OK\r\n"
    assert b" flags=r " in node.say("CLIENT INFO")


def test_protected_configuration_needs_its_permission(node: Node) -> None:
    assert node.say("CONFIG SET dir /tmp") == (
        b"-ERR CONFIG SET failed (possibly related to argument 'dir') - can't set protected config\r\n"
    )


def test_debug_local_is_for_this_machine_only(node: Node) -> None:
    node.server.access.debug = "local"
    assert node.say("DEBUG SLEEP 0") == b"+OK\r\n"
    far = node.machine.accept("10.0.0.9:1", "10.0.0.1:2")
    far.feed(b"DEBUG SLEEP 0\r\n")
    assert far.take_output().startswith(b"-ERR DEBUG command not allowed.")


def test_debug_stops_the_housekeeping_and_lets_it_go_on(node: Node) -> None:
    node.say("SET k v PX 10")
    assert node.say("DEBUG PAUSE-CRON 1") == b"+OK\r\n"
    for on, left in ((False, 1), (True, 0)):
        if on:
            assert node.say("DEBUG PAUSE-CRON 0") == b"+OK\r\n"
        node.server.begin_batch(START + 100)
        node.machine.tick(START + 100)
        assert node.server.keyspace.database(0).size == left


def test_debug_of_the_bus_checks_its_words(node: Node) -> None:
    assert node.say("DEBUG DROP-CLUSTER-PACKET-FILTER 3") == b"+OK\r\n"
    assert node.say("DEBUG DROP-CLUSTER-PACKET-FILTER x") == b"-ERR value is not an integer or out of range\r\n"
    outside = b"-ERR Debug option only available for cluster mode enabled setup!\r\n"
    assert node.say(f"DEBUG CLUSTERLINK KILL all {40 * 'a'}") == outside
    assert node.say("DEBUG CLUSTERLINK KILL all").startswith(b"-ERR unknown subcommand or wrong number of arguments")


def test_a_library_is_named_and_stays_named_after_reset(node: Node) -> None:
    assert b" resp=2 lib-name= lib-ver=\n" in node.say("CLIENT INFO")
    assert node.say("CLIENT SETINFO LIB-NAME redis-py(x)") == b"+OK\r\n"
    assert node.say("CLIENT SETINFO lib-ver 5.0.1") == b"+OK\r\n"
    node.say("CLIENT SETNAME me")
    assert node.say("RESET") == b"+RESET\r\n"
    assert b" name= " in node.say("CLIENT INFO")
    assert b" lib-name=redis-py(x) lib-ver=5.0.1\n" in node.say("CLIENT LIST")
    assert node.say("CLIENT SETINFO lib-name ''") == b"+OK\r\n"
    assert b" lib-name= lib-ver=5.0.1\n" in node.say("CLIENT INFO")


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("lib-name 'a b'", "lib-name cannot contain spaces, newlines or special characters."),
        ('LIB-Ver "1\\n2"', "LIB-Ver cannot contain spaces, newlines or special characters."),
        ('lib-ver "\\xff"', "lib-ver cannot contain spaces, newlines or special characters."),
        ('lib-ver "\\x00"', "lib-ver cannot contain spaces, newlines or special characters."),
        ("lib-age 1", "Unrecognized option 'lib-age'"),
        ('"lib\\nage" 1', "Unrecognized option 'lib age'"),
        ("lib-name", "wrong number of arguments for 'client|setinfo' command"),
    ],
)
def test_what_names_no_library_is_refused(node: Node, words: str, reply: str) -> None:
    assert node.say(f"CLIENT SETINFO {words}") == f"-ERR {reply}\r\n".encode()
    assert b" lib-name= lib-ver=\n" in node.say("CLIENT INFO")


@pytest.mark.parametrize(
    "line",
    [
        "AUTH s3cret",
        "AUTH default s3cret",
        "AUTH default s3cret s3cret",
        "HELLO 2 AUTH default s3cret",
        "HELLO 2 SETNAME auth AUTH s3cret s3cret",
        "HELLO 9 AUTH default s3cret",
        "HELLO 2 AUTH s3cret",
        "HELLO 2 PLEASE AUTH default s3cret",
        "CONFIG SET requirepass s3cret",
        "CONFIG SET timeout 0 masteruser s3cret MASTERAUTH s3cret",
        "CONFIG SET nothing 1 primaryauth s3cret",
        "CONFIG SET requirepass s3cret s3cret",
        "MIGRATE h 1 k 0 100 AUTH s3cret",
        "MIGRATE h 1 k 0 100 COPY auth2 s3cret s3cret REPLACE",
        "MIGRATE h 1 k 0 100 PLEASE AUTH2 s3cret s3cret",
        "MIGRATE h 1 k 0 100 AUTH2 s3cret",
        "MIGRATE h 1 k 0 x AUTH s3cret KEYS a",
    ],
)
@pytest.mark.parametrize("transaction", [False, True])
def test_secrets_reach_neither_monitor_nor_slow_log(node: Node, line: str, transaction: bool) -> None:
    node.say("CONFIG SET slowlog-log-slower-than 0")
    monitor = node.client()
    monitor.feed(b"MONITOR\r\n")
    asked = node.client()
    requests = ["MULTI", line, "EXEC"] if transaction else [line]
    for request in requests:
        node.say(request)
    asked.feed(b"SLOWLOG GET -1\r\n")
    told = asked.take_output()
    assert line.split()[0].encode() in told
    assert b"s3cret" not in monitor.take_output() + told


def test_a_migrate_logs_in_with_what_was_hidden(node: Node) -> None:
    node.say("SET k v")
    node.say("MIGRATE h 1 k 0 100 AUTH2 me s3cret")
    (transfer,) = node.server.migrate_transport.under_way
    assert b"$2\r\nme\r\n$6\r\ns3cret\r\n" in transfer.login
