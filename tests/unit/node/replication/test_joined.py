"""A primary and its replicas in memory: equal data at equal offsets, whatever was cut, promoted or written."""

import pytest

from gossamer.node.engine.edge import Edge
from gossamer.node.engine.stream.journal import encoded
from gossamer.node.replication.link_state import LinkState
from tests.unit.node.replication.joined import START, Link, Node, join

DISK = ("repl-diskless-sync", "no")
WRITES = ("SET a 1", "SET b 2 EX 100", "SELECT 3", "APPEND c xyz", "SELECT 0", "INCRBYFLOAT f 0.5", "DEL a")


def same(*nodes: Node) -> None:
    first = nodes[0]
    assert first.digest != b"0" * 40
    for node in nodes[1:]:
        assert node.history == first.history
        assert node.digest == first.digest


@pytest.mark.parametrize("settings", [(), (DISK,)], ids=["streamed", "with length"])
@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
def test_a_full_sync_then_the_stream(settings: tuple[tuple[str, str], ...], piece: int) -> None:
    primary, replica = Node(1, *settings), Node(2)
    primary.tell(*WRITES)
    replica.tell("SET own x", "SELECT 9", "SET own y")
    link = join(replica, primary, piece)
    assert link.primary_link.connected
    same(primary, replica)
    primary.tell(*WRITES, "MULTI", "SET m 1", "INCR m", "EXEC")
    link.settle()
    same(primary, replica)


@pytest.mark.parametrize("settings", [(), (DISK,)], ids=["streamed", "with length"])
def test_writes_while_the_snapshot_is_on_its_way(settings: tuple[tuple[str, str], ...]) -> None:
    primary, replica = Node(1, *settings), Node(2)
    for number in range(5000):
        primary.tell(f"SET key:{number} {'v' * 40}{number}")
    replica.replication.follow("primary", 1)
    link = Link(replica, primary)
    number = steps = 0
    while link.step():
        steps += 1
        if number < 3000:
            for _ in range(100):
                number += 1
                primary.tell(f"SET key:{number * 7 % 6000} new", f"DEL key:{number}", f"APPEND key:{number * 3} x")
    assert steps > 5, "the snapshot came in one piece: nothing was tested"
    same(primary, replica)


def test_after_a_cut_the_rest_is_enough() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell(*WRITES)
    link = join(replica, primary)
    link.cut()
    primary.tell("SET k while-away", "SELECT 5", "SET k other")
    link = Link(replica, primary)
    link.settle()
    same(primary, replica)
    assert primary.server.stats.full_syncs == 1
    assert primary.server.stats.partial_syncs == 1


def test_after_a_cut_inside_a_transaction_it_is_told_again() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("SET n 0")
    link = join(replica, primary)
    primary.tell("MULTI", "INCR n", "INCR n", "INCR n", "EXEC")
    heard = link.session.take_output()
    link.primary_link.receive(heard[:-20])
    offset = replica.replication.offset
    assert offset < primary.replication.offset - 20, "inside MULTI the offset waits before it"
    link.cut()
    Link(replica, primary).settle()
    same(primary, replica)
    assert replica.tell("GET n") == b"$1\r\n3\r\n"


def test_who_was_away_for_too_long_gets_all_again() -> None:
    primary, replica = Node(1, ("repl-backlog-size", "100")), Node(2)
    link = join(replica, primary)
    link.cut()
    primary.tell(*[f"SET key:{number} value" for number in range(20)])
    Link(replica, primary).settle()
    same(primary, replica)
    assert primary.server.stats.full_syncs == 2
    assert primary.server.stats.refused_partial_syncs == 2


def test_a_promoted_replica_leads_its_sibling_and_the_old_primary() -> None:
    old, new, sibling = Node(1), Node(2), Node(3)
    old.tell(*WRITES)
    to_new, to_sibling = join(new, old), join(sibling, old)
    old.tell("SET k last")
    for link in (to_new, to_sibling):
        link.settle()
        link.cut()
    replid, offset = old.history
    new.replication.lead()
    assert (new.replication.history.replid2, new.replication.history.second_offset) == (replid, offset + 1)
    assert new.replication.history.replid != replid
    new.tell("SET k new-era", "SELECT 4", "SET k v")
    join(sibling, new)
    join(old, new)
    assert new.server.stats.full_syncs == 0
    same(new, sibling, old)


def test_an_old_primary_that_wrote_on_gets_all_again() -> None:
    old, new = Node(1), Node(2)
    old.tell("SET k v")
    join(new, old).cut()
    old.tell("SET k never-replicated")
    new.replication.lead()
    new.tell("SET k elected")
    join(old, new)
    assert new.server.stats.full_syncs == 1
    same(new, old)
    assert old.tell("GET k") == b"$7\r\nelected\r\n"


def test_a_chain_passes_on_the_same_bytes() -> None:
    first, middle, last = Node(1), Node(2), Node(3)
    first.tell("SELECT 2", "SET k v")
    upper = join(middle, first)
    lower = join(last, middle)
    first.tell("SET k w", "SELECT 0", *WRITES)
    upper.settle()
    lower.settle()
    same(first, middle, last)


def test_a_key_ends_when_the_primary_says_so() -> None:
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    primary.tell("SET k v PX 100")
    link.settle()
    for node in (primary, replica):
        node.at(START + 200)
    replica.machine.tick(START + 200)
    assert replica.tell("GET k") == b"$-1\r\n"
    assert replica.tell("DBSIZE") == b":1\r\n", "hidden, not deleted"
    replica.server.access.debug = "yes"
    assert replica.tell("DEBUG OBJECT k").startswith(b"+Value at:"), "DEBUG shows what is there"
    assert replica.tell("DEBUG DIGEST-VALUE k") != b"*1\r\n+%s\r\n" % (b"0" * 40)
    primary.tell("GET k")
    link.settle()
    assert replica.tell("DBSIZE") == b":0\r\n"


def test_a_replica_acknowledges_what_it_has() -> None:
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    assert primary.tell("SET k v", "WAIT 1 0") == b"+OK\r\n"
    link.settle()
    assert primary.client.take_output() == b":1\r\n"
    assert primary.tell("PING") == b"+PONG\r\n"


def test_the_first_ack_is_said_again_until_the_stream_begins() -> None:
    """Redis does not hear it while the child that made the snapshot has not been reaped."""
    primary, replica = Node(1), Node(2)
    primary.tell("SET k v")
    replica.replication.follow("primary", 1)
    link = Link(replica, primary)
    while not link.primary_link.connected:
        assert link.step()
    assert b"ACK" in link.primary_link.take_output()  # lost
    replica.at(START + 100)
    replica.machine.tick(START + 100)
    again = link.primary_link.take_output()
    assert b"ACK" in again
    link.session.feed(again)
    primary.tell("SET k w")
    link.settle()
    same(primary, replica)
    replica.at(START + 200)
    replica.machine.tick(START + 200)
    assert link.primary_link.take_output() == b""


def test_the_connection_to_the_primary_can_be_listed_and_ended() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("SET k v")
    link = join(replica, primary)
    replica.at(START + 5000)
    address = f"{link.primary_link.ip}:{link.primary_link.port}"
    listed = replica.tell("CLIENT LIST TYPE master")
    assert f" addr={address} ".encode() in listed
    assert b" flags=M " in listed
    assert b"flags=M" not in replica.tell("CLIENT LIST TYPE normal")
    assert replica.tell("CLIENT KILL 127.0.0.1:77").startswith(b"-ERR No such client")
    assert replica.tell(f"CLIENT KILL {address}") == b"+OK\r\n"
    assert (link.primary_link.state, replica.replication.heard) == (LinkState.CONNECT, START + 5000)
    assert replica.tell("CLIENT KILL TYPE master") == b":0\r\n"
    link.cut()
    Link(replica, primary).settle()
    same(primary, replica)
    assert primary.server.stats.full_syncs == 1
    assert replica.tell("CLIENT KILL TYPE master") == b":1\r\n"


def test_the_stream_stands_still_while_writes_are_held_back() -> None:
    """A replica that is to take over has been told where it ends: no sign of life, no question may make it longer."""
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    primary.tell("SET k v")
    link.settle()
    before = primary.replication.offset
    assert primary.tell("CLIENT PAUSE 60000 WRITE", "WAIT 2 50000") == b"+OK\r\n"
    for later in range(0, 30_000, 10_000):
        primary.at(START + later)
        primary.machine.tick(START + later)
        link.settle()
    assert primary.replication.offset == before
    primary.at(START + 60_000)
    primary.machine.tick(START + 60_000)
    link.settle()
    assert primary.replication.offset > before


def test_wait_gives_up() -> None:
    primary = Node(1)
    primary.tell("SET k v")
    assert primary.tell("WAIT 1 100", "PING") == b""
    primary.at(START + 101)
    primary.machine.tick(START + 101)
    primary.machine.drain()
    assert primary.client.take_output() == b":0\r\n+PONG\r\n"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", b":1\r\n"),
        (" timeout", b":1\r\n"),
        (" ERROR", b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n"),
    ],
)
def test_an_operator_ends_the_wait_of_another(reason: str, told: bytes) -> None:
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    assert primary.tell("SET k v", "WAIT 2 0", "PING", "WAIT 2 0") == b"+OK\r\n"
    link.settle()
    operator = primary.machine.accept("127.0.0.1:3", "127.0.0.1:2")
    unblock = f"CLIENT UNBLOCK {primary.client.id}{reason}\r\n".encode()
    operator.feed(unblock)
    primary.machine.drain()
    assert operator.take_output() == b":1\r\n"
    assert primary.client.take_output() == told + b"+PONG\r\n", "as many as have it, and on to what comes next"
    operator.feed(unblock + unblock)
    primary.machine.drain()
    assert operator.take_output() == b":1\r\n:0\r\n"
    assert primary.client.take_output() == told
    assert primary.server.stats.errors.get(b"UNBLOCKED", 0) == (2 if told.startswith(b"-") else 0)


def test_who_does_not_wait_is_not_unblocked() -> None:
    primary = Node(1)
    other = primary.machine.accept("127.0.0.1:3", "127.0.0.1:2")
    assert primary.tell(f"CLIENT UNBLOCK {other.id}", "CLIENT UNBLOCK 999", "CLIENT UNBLOCK 1 ERROR") == b":0\r\n" * 3
    primary.tell("CLIENT PAUSE 60000 WRITE")
    other.feed(b"SET k v\r\n")
    assert other.blocked
    assert primary.tell(f"CLIENT UNBLOCK {other.id}") == b":0\r\n", "a pause is not his to end"
    assert other.take_output() == b""


def test_a_replica_refuses_writes_of_its_clients() -> None:
    replica = Node(1)
    replica.replication.follow("somewhere", 1)
    assert replica.tell("SET k v").startswith(b"-READONLY")
    assert replica.tell("MULTI", "SET k v", "EXEC").count(b"-READONLY") == 1
    assert replica.tell("WAIT 0 0").startswith(b"-ERR WAIT cannot be used with replica instances.")


class Told(Edge):
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ended: list[str] = []

    def log(self, level: str, text: str) -> None:
        self.lines.append(text)

    def fail(self, reason: str) -> None:
        self.ended.append(reason)


def test_what_fails_on_a_replica_alone_is_told_once_in_the_words_of_redis() -> None:
    primary, replica = Node(1), Node(2)
    told = Told()
    replica.server.edge = told
    link = join(replica, primary)
    primary.server.access.debug = "yes"
    assert primary.tell("DEBUG REPLICATE", "DEBUG REPLICATE nonsense a", "DEBUG REPLICATE nonsense b", "SET k v") == (
        b"-ERR unknown subcommand or wrong number of arguments for 'REPLICATE'. Try DEBUG HELP.\r\n" + b"+OK\r\n" * 3
    )
    link.settle()
    same(primary, replica)
    assert ["nonsense" in text for text in told.lines if "== CRITICAL ==" in text] == [True]
    assert told.ended == []


@pytest.mark.parametrize(
    ("behavior", "read_only", "ends"),
    [("ignore", "yes", 0), ("panic", "yes", 1), ("panic-on-replicas", "yes", 1), ("panic", "no", 0)],
)
@pytest.mark.parametrize(
    "sent", [["nonsense a"], ["INCR text"], ["MULTI", "SET k v", "INCR text", "EXEC"]], ids=" ".join
)
def test_a_replica_ends_if_the_stream_fails_and_it_was_told_to(
    sent: list[str], behavior: str, read_only: str, ends: int
) -> None:
    primary, replica = Node(1), Node(2, ("propagation-error-behavior", behavior), ("replica-read-only", read_only))
    replica.server.edge = told = Told()
    primary.tell("SET text abc")
    link = join(replica, primary)
    primary.server.access.debug = "yes"
    primary.tell(*(f"DEBUG REPLICATE {words}" for words in sent))
    link.settle()
    assert len(told.ended) == ends
    assert [text for text in told.lines if "== CRITICAL ==" in text]


@pytest.mark.parametrize("fault", ["append-only file", "snapshot"])
@pytest.mark.parametrize(("ignore", "ends"), [("no", 1), ("yes", 0)])
def test_a_replica_whose_disk_fails_ends_at_the_next_write_unless_it_is_told_to_go_on(
    ignore: str, ends: int, fault: str
) -> None:
    primary, replica = Node(1), Node(2, ("replica-ignore-disk-write-errors", ignore), ("save", "3600 1"))
    replica.server.edge = told = Told()
    link = join(replica, primary)
    saves = replica.machine.saves
    if fault == "snapshot":
        saves.ok = False
        saves.set_condition()
    else:
        saves.aof.sink.set_failure("appendonly.aof: No space left on device")
    primary.server.access.debug = "yes"
    primary.tell("DEBUG REPLICATE PING")
    link.settle()
    assert not told.ended, "nothing is lost with a PING"
    lines = len([text for text in told.lines if "unable to write to disk" in text])
    primary.tell("SET k v", "SET l v")
    link.settle()
    assert len(told.ended) == 2 * ends
    assert all(text.startswith("Replica was unable to write command to disk. Exiting.") for text in told.ended)
    assert lines == 1, "once in ten seconds"
    assert len([text for text in told.lines if "unable to write to disk" in text]) == 1
    assert replica.digest == primary.digest
    if fault == "append-only file":
        saves.aof.sink.set_failure("")
        primary.tell("SET m v")
        link.settle()
        assert len(told.ended) == 2 * ends, "the disk is well again"


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 200 OK\r\n", b"-ERR go away\r\n", b"x" * 5000])
def test_a_primary_that_talks_nonsense_is_left(garbage: bytes) -> None:
    replica = Node(1)
    replica.tell("SET k v")
    replica.replication.follow("somewhere", 1)
    primary_link = replica.replication.primary_link
    assert primary_link is not None
    primary_link.connecting()
    primary_link.connected_to()
    for _ in range(8):
        primary_link.receive(garbage)
    assert primary_link.failure
    assert replica.tell("GET k") == b"$1\r\nv\r\n"


ID, OTHER_ID = b"a" * 40, b"b" * 40


def asked_who(replica: Node, answer: bytes) -> bytes:
    """What the replica of the node ID says after ``answer`` to its question who is there."""
    replica.tell("SET k v")
    replica.replication.follow("somewhere", 1, False, ID.decode())
    primary_link = replica.replication.primary_link
    assert primary_link is not None
    primary_link.connecting()
    primary_link.connected_to()
    primary_link.receive(b"+PONG\r\n")
    said = primary_link.take_output()
    assert said == encoded([b"PING"]) + encoded([b"CLUSTER", b"MYID"])
    for at in range(len(answer)):
        primary_link.receive(answer[at : at + 1])
    return b"" if primary_link.failure else primary_link.take_output()


@pytest.mark.parametrize(
    "answer",
    [
        b"$40\r\n" + OTHER_ID + b"\r\n",
        b"-ERR This instance has cluster support disabled\r\n",
        b"-LOADING Redis is loading the dataset in memory\r\n",
    ],
    ids=["another id", "no cluster", "not ready"],
)
def test_a_replica_takes_nothing_from_whoever_is_not_its_primary(answer: bytes) -> None:
    replica = Node(1)
    assert asked_who(replica, answer) == b""
    assert replica.tell("GET k") == b"$1\r\nv\r\n"


@pytest.mark.parametrize(
    "answer",
    [b"$40\r\n" + ID + b"\r\n", b"-NOPERM this user has no permissions to run the 'cluster|myid' command\r\n"],
    ids=["its id", "may not ask"],
)
def test_a_replica_goes_on_with_its_primary(answer: bytes) -> None:
    assert asked_who(Node(1), answer).startswith(b"*3\r\n$8\r\nREPLCONF\r\n")


def test_a_replica_whose_primary_is_not_there_any_more_connects_to_nobody() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell(*WRITES)
    link = join(replica, primary)
    heard = replica.replication.heard
    replica.replication.unfollow()
    assert link.primary_link.failure
    link.primary_link.disconnected()
    link.primary_link.receive(encoded([b"FLUSHALL"]))
    same(primary, replica)
    assert replica.replication.heard == heard, "how old its data is stays known"
    link.primary_link.connected_to()
    assert link.primary_link.failure, "a connection that was just being made is ended"
    replica.replication.follow("elsewhere", 2, True)
    assert replica.replication.primary_link is not link.primary_link
    assert replica.replication.heard == heard


def test_a_damaged_snapshot_leaves_the_present_data() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("SET k " + "v" * 100)
    replica.tell("SET own x")
    replica.replication.follow("primary", 1)
    link = Link(replica, primary)
    while replica.replication.primary_link is not None and not link.primary_link.syncing:
        link.session.feed(link.primary_link.take_output())
        primary.machine.drain()
        link.primary_link.receive(link.session.take_output())
    primary.machine.work()
    snapshot = bytearray(link.session.take_output())
    snapshot[-20] ^= 1
    primary.machine.work()
    primary.machine.work()
    link.primary_link.receive(bytes(snapshot) + link.session.take_output())
    assert link.primary_link.failure
    assert replica.tell("GET own") == b"$1\r\nx\r\n"


def test_nothing_expires_into_the_stream_while_writes_are_paused() -> None:
    """A replica that is to take over waits for the offset at which the pause began."""
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    primary.tell("SET k v PX 100")
    link.settle()
    offset = primary.replication.offset
    primary.tell("CLIENT PAUSE 20000 WRITE")
    for now in range(START + 1000, START + 19_000, 1000):
        primary.at(now)
        assert primary.tell("GET k") == b"$-1\r\n"
        primary.machine.tick(now)
        primary.machine.drain()
        assert primary.replication.offset == offset
    primary.at(START + 20_001)
    assert primary.tell("GET k") == b"$-1\r\n"
    assert primary.replication.offset > offset, "the pause is over, and with it the key"


def test_replicas_do_not_give_up_in_a_long_pause() -> None:
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    primary.tell("CLIENT PAUSE 200000 WRITE")
    for now in range(START + 1000, START + 180_000, 1000):
        for node in (primary, replica):
            node.at(now)
            node.machine.tick(now)
            node.machine.drain()
        link.settle()
    assert link.primary_link.connected
    assert not link.session.closing


def test_the_handshake_is_that_of_a_real_replica() -> None:
    """Step by step; a primary that does not know an option is followed all the same."""
    replica = Node(
        2,
        ("masteruser", "u"),
        ("masterauth", "p"),
        ("replica-announce-ip", "10.0.0.1"),
        ("replica-announce-port", "7777"),
    )
    replica.replication.follow("primary", 1)
    primary_link = replica.replication.primary_link
    assert primary_link is not None
    primary_link.connecting()
    primary_link.connected_to()
    replid = replica.replication.history.replid
    for said, reply in (
        ("PING", b"-NOAUTH Authentication required.\r\n"),
        ("AUTH u p", b"+OK\r\n"),
        ("REPLCONF listening-port 7777", b"+OK\r\n"),
        ("REPLCONF ip-address 10.0.0.1", b"-ERR Unrecognized REPLCONF option: ip-address\r\n"),
        ("REPLCONF capa eof capa psync2", b"+OK\r\n"),
        ("REPLCONF version 9.0.0", b"-ERR Unrecognized REPLCONF option: version\r\n"),
        (f"PSYNC {replid} 1", b"\n\n-NOMASTERLINK Can't SYNC while not connected with my master\r\n"),
    ):
        assert primary_link.take_output() == encoded([word.encode() for word in said.split()])
        primary_link.receive(reply)
    assert primary_link.failure.startswith("Master is currently unable to PSYNC")
    assert not primary_link.damaged


def loading(replica: Node) -> tuple[bool, bool]:
    """Does it say that it loads, and that it does so beside older data of the same primary?"""
    info = replica.tell("INFO persistence")
    return b"\r\nloading:1\r\n" in info, b"\r\nasync_loading:1\r\n" in info


def load(link: Link) -> set[tuple[bool, bool]]:
    """What the replica says of itself while it loads."""
    said = set()
    while link.step():
        if link.primary_link.loading:
            said.add(loading(link.replica))
    assert link.primary_link.connected
    return said


def test_a_replica_says_that_it_loads_and_whether_what_it_serves_is_an_earlier_state() -> None:
    primary, replica = Node(1), Node(2)
    primary.server.access.debug = "yes"
    assert primary.tell("DEBUG POPULATE 2000 key 100") == b"+OK\r\n"
    assert loading(replica) == (False, False)
    replica.replication.follow("primary", 1)
    link = Link(replica, primary, piece=1000)
    assert load(link) == {(True, False)}, "data of another history: the first sync"
    assert loading(replica) == (False, False)
    link.cut()
    primary.tell("CONFIG SET repl-backlog-size 16384", "SET long " + 40_000 * "x")
    assert load(Link(replica, primary, piece=1000)) == {(False, True)}, "it was away for too long"
    assert loading(replica) == (False, False)
    same(primary, replica)


def test_a_transaction_in_another_database_arrives_there() -> None:
    primary, replica = Node(1), Node(2)
    link = join(replica, primary)
    primary.tell("SET a 0", "SELECT 3", "MULTI", "SET a 3", "SELECT 5", "SET a 5", "EXEC", "SET b 5")
    link.settle()
    same(primary, replica)
    link.cut()
    primary.tell("APPEND b x", "MULTI", "SELECT 3", "APPEND a x", "APPEND a y", "EXEC")
    Link(replica, primary).settle()
    same(primary, replica)
    assert primary.server.stats.full_syncs == 1


MASTERDOWN = b"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n"


def test_a_transaction_that_reads_is_aborted_when_the_link_was_lost_meanwhile() -> None:
    primary, replica = Node(1), Node(2, ("replica-serve-stale-data", "no"))
    primary.tell("SET k v")
    link = join(replica, primary)
    assert replica.tell("MULTI", "PING", "GET k").count(b"+QUEUED") == 2
    link.cut()
    assert replica.tell("EXEC") == b"-EXECABORT Transaction discarded because of: " + MASTERDOWN
    assert replica.tell("EXEC") == b"-ERR EXEC without MULTI\r\n"
    assert replica.tell("MULTI", "ECHO hi", "EXEC") == b"+OK\r\n+QUEUED\r\n*1\r\n$2\r\nhi\r\n", "it reads nothing"
    refused = b"-EXECABORT Transaction discarded because of previous errors.\r\n"
    assert replica.tell("MULTI", "GET k", "EXEC") == b"+OK\r\n-" + MASTERDOWN + refused
    replica.tell("CONFIG SET replica-serve-stale-data yes")
    assert replica.tell("MULTI", "GET k", "EXEC").endswith(b"*1\r\n$1\r\nv\r\n")


def test_hello_names_the_role() -> None:
    primary, replica = Node(1), Node(2)
    assert b"$4\r\nrole\r\n$6\r\nmaster\r\n" in primary.tell("HELLO 2")
    link = join(replica, primary)
    assert b"$4\r\nrole\r\n$7\r\nreplica\r\n" in replica.tell("HELLO 3")
    link.cut()
    assert b"$4\r\nrole\r\n$7\r\nreplica\r\n" in replica.tell("HELLO 3"), "with or without its primary"
    replica.tell("REPLICAOF NO ONE")
    assert b"$4\r\nrole\r\n$6\r\nmaster\r\n" in replica.tell("HELLO 3")


def test_a_replica_understands_renamed_commands_and_the_words_that_the_stream_makes_itself() -> None:
    """Whatever either calls them, or does not let its clients call at all."""
    here = "rename-command SET put\nrename-command GETDEL fetch\nrename-command MULTI tx"
    there = 'rename-command SET put\nrename-command DEL ""\nrename-command MULTI ""\nrename-command SELECT ""'
    primary, replica = Node(1, text=here), Node(2, text=there)
    link = join(replica, primary)
    primary.tell("put a 1", "put b 2 EX 100", "fetch a", "TX", "put c 3", "APPEND c 4", "EXEC", "SELECT 3", "PUT d 5")
    link.settle()
    same(primary, replica)
    assert replica.replication.primary_link is not None
    assert replica.tell("GET c") == b"$2\r\n34\r\n"
    assert replica.tell("DEL c").startswith(b"-ERR unknown command")


def test_what_pfcount_has_counted_is_kept_by_the_primary_and_told() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("PFADD k a b c")
    link = join(replica, primary)
    before = replica.digest
    assert replica.tell("PFCOUNT k") == b":3\r\n"
    assert replica.digest == before
    assert primary.tell("PFCOUNT k") == b":3\r\n"
    link.settle()
    assert replica.digest != before
    same(primary, replica)
