"""Whatever comes instead of a full sync: a replica keeps its data, says why, asks again more rarely, and is in sync.

And the other way round: a replica that does not read costs its primary little, and not for long.
"""

import itertools
import socket
from collections.abc import Sequence
from hashlib import sha256

import pytest

from tests.compat.pair import encode
from tests.integration.clusters import demand, wait_until
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program
from tests.integration.siege import GROWTH_BYTES, dial, resident_bytes
from tests.integration.tamper import Damage, Tamper, cut, flip, instead, is_whole, longer
from tests.integration.test_replication import follow, start, wait_same

pytestmark = pytest.mark.once  # nothing of it is compiled

DISK = ("--repl-diskless-sync", "no")
MEGABYTE = "m" * (1 << 20)

ID = b"a" * 40

NONSENSE: Sequence[tuple[Damage, str]] = [
    (instead(b"\x00\xffnobody here\r\n"), "Unexpected reply to PSYNC from master"),
    (instead(b"+FULLRESYNC short 7\r\n$5\r\nREDIS"), "Unexpected reply to PSYNC from master: +FULLRESYNC short 7"),
    (instead(b"+FULLRESYNC %s %s\r\n" % (ID, b"9" * 30)), "Unexpected reply to PSYNC from master: +FULLRESYNC aaaa"),
    (instead(b"+FULL" + b"x" * 5000), "does not speak RESP"),
]
NO_SNAPSHOT: Sequence[tuple[Damage, str]] = [
    (instead(b""), "Connection with master lost"),
    (instead(b"+FULLRESYNC %s 7\r\n+OK\r\n" % ID), "unexpected reply before the snapshot: +OK"),
    (instead(b"+FULLRESYNC %s 7\r\n$1000\r\n" % ID + bytes(100)), "wrong signature"),
    (instead(b"+FULLRESYNC %s 7\r\n$9\r\nREDIS0099" % ID), "cannot read RDB format version 99"),
]
DAMAGED: Sequence[tuple[Damage, str]] = [
    (cut(3000), "bytes into the snapshot: the present data stays"),
    (cut(-20), "bytes into the snapshot: the present data stays"),
    (flip(-45), "the checksum is wrong"),
    (flip(-10), "the mark behind it is missing"),
]
DAMAGED_WITH_LENGTH: Sequence[tuple[Damage, str]] = [
    (cut(3000), "bytes into the snapshot: the present data stays"),
    (flip(3000), "the snapshot cannot be loaded, the present data stays"),
    (longer, "bytes instead of"),
]


@pytest.mark.parametrize(
    ("program", "options", "damages"),
    [
        pytest.param(GOSSAMER, (), NONSENSE, id="nonsense"),
        pytest.param(GOSSAMER, (), NO_SNAPSHOT, id="no snapshot"),
        pytest.param(GOSSAMER, (), DAMAGED, id="ours"),
        pytest.param(REDIS, (), DAMAGED, id="redis"),
        pytest.param(VALKEY, (), DAMAGED, id="valkey"),
        pytest.param(GOSSAMER, DISK, DAMAGED_WITH_LENGTH, id="ours with length"),
        pytest.param(REDIS, DISK, DAMAGED_WITH_LENGTH, id="redis with length"),
    ],
)
def test_damage_of_every_kind_is_survived(
    nodes: Nodes, program: Program, options: Sequence[str], damages: Sequence[tuple[Damage, str]]
) -> None:
    primary, replica = start(nodes, program, *options), start(nodes, GOSSAMER)
    for number in range(100):
        demand(primary, "SET", f"key:{number}", sha256(b"%d" % number).hexdigest())
    demand(replica, "SET", "mine", "old")
    with Tamper(primary, [damage for damage, _ in damages]) as tamper:
        tamper.sound.clear()
        demand(replica, "REPLICAOF", "127.0.0.1", tamper.port)
        for count in range(1, len(damages) + 2):
            tamper.wait_dialled(count)
            assert replica.ask("GET", "mine").text == b"old", "what was there stays"
        tamper.sound.set()
        wait_same(primary, replica)
    for _, line in damages:
        replica.wait_log(line)
    assert replica.ask("EXISTS", "mine").number == 0
    assert "Traceback" not in replica.log()


def test_asking_again_becomes_rarer(nodes: Nodes) -> None:
    primary, replica = start(nodes, GOSSAMER), start(nodes, GOSSAMER)
    demand(primary, "SET", "k", "v")
    with Tamper(primary, [flip(-45)] * 5) as tamper:
        demand(replica, "REPLICAOF", "127.0.0.1", tamper.port)
        tamper.wait_dialled(6)
        gaps = [later - earlier for earlier, later in itertools.pairwise(tamper.dialled)]
        wait_same(primary, replica)
        assert b"connected_slaves:1\r" in primary.ask("INFO", "replication").text, "nothing is left of the others"
    assert all(gap > 0.09 * 2**turn for turn, gap in enumerate(gaps)), gaps


def test_a_port_where_something_else_answers(nodes: Nodes) -> None:
    replica = start(nodes, GOSSAMER)
    demand(replica, "SET", "mine", "old")
    with socket.create_server(("127.0.0.1", 0)) as server:
        demand(replica, "REPLICAOF", "127.0.0.1", server.getsockname()[1])
        with server.accept()[0] as sock:
            sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        replica.wait_log("the primary does not speak RESP: HTTP/1.1 400 Bad Request")
    assert replica.ask("GET", "mine").text == b"old"


# --- replicas that do not read


def handmade(primary: Node) -> socket.socket:
    """A replica that has asked, and has not read anything."""
    sock = dial(primary.port)
    for words in (["PING"], ["REPLCONF", "listening-port", "1", "capa", "eof", "capa", "psync2"]):
        sock.sendall(encode(words))
        assert sock.recv(100)
    sock.sendall(encode(["PSYNC", "?", "-1"]))
    return sock


def test_a_replica_that_stops_reading_its_snapshot_is_dropped(nodes: Nodes) -> None:
    primary = start(nodes, GOSSAMER, "--repl-timeout", "2")
    for number in range(100):
        demand(primary, "SET", f"key:{number}", MEGABYTE)
    before = resident_bytes(primary)
    with handmade(primary):
        primary.wait_log("Disconnecting timedout replica (full sync)")
        assert resident_bytes(primary) - before < GROWTH_BYTES
        wait_until(lambda: b"connected_slaves:0" in primary.ask("INFO", "replication").text, "it is gone")
    follow(start(nodes, REDIS), primary)


def test_a_replica_that_stops_reading_holds_up_nobody_else(nodes: Nodes) -> None:
    primary = start(nodes, GOSSAMER, "--repl-timeout", "60")
    for number in range(60):
        demand(primary, "SET", f"key:{number}", MEGABYTE)
    with handmade(primary):
        follow(start(nodes, GOSSAMER), primary)


@pytest.mark.parametrize("stage", ["snapshot", "stream"])
def test_the_stream_that_a_replica_leaves_unread_is_limited(nodes: Nodes, stage: str) -> None:
    primary = start(nodes, GOSSAMER, "--client-output-buffer-limit", "replica 8mb 0 0")
    if stage == "snapshot":
        for number in range(30):
            demand(primary, "SET", f"key:{number}", MEGABYTE)
    with handmade(primary) as sock:
        if stage == "stream":
            reply = sock.recv(1 << 16)
            while not is_whole(reply):
                reply += sock.recv(1 << 16)
            sock.sendall(encode(["REPLCONF", "ACK", "0"]))
            wait_until(lambda: b"state=online" in primary.ask("INFO", "replication").text, "it is online")
        before = resident_bytes(primary)
        for _ in range(60):
            demand(primary, "SET", "k", MEGABYTE)
        wait_until(lambda: b"connected_slaves:0" in primary.ask("INFO", "replication").text, "it is gone")
        assert resident_bytes(primary) - before < GROWTH_BYTES
    primary.wait_log("output buffer limit")
