"""Several replicas, one walk over the keys; who waits for whom, and who is given up."""

import pytest

from gossamer.node.engine.clients.client import MONITORING
from gossamer.node.persist.codes import REDIS_10, REDIS_11, VALKEY_80, Format
from gossamer.node.replication.link_state import LinkState
from gossamer.node.replication.replica_link import ReplicaLink
from gossamer.node.replication.sync_transfer import WINDOW
from gossamer.node.resp.requests import encoded
from tests.unit.node.replication.joined import START, Link, Node, join, same

DISK = ("repl-diskless-sync", "no")
BIG = 40_000


def filled(*settings: tuple[str, str], keys: int = 3000, size: int = 40) -> Node:
    primary = Node(1, *settings)
    for number in range(keys):
        primary.tell(f"SET key:{number} {'v' * size}{number}")
    return primary


def following(primary: Node, seed: int) -> Link:
    """A new replica that has asked, and got nothing yet."""
    replica = Node(seed)
    replica.replication.follow("primary", 1)
    link = Link(replica, primary)
    while link.primary_link.state is not LinkState.PSYNC:
        heard, said = link.session.take_output(), link.primary_link.take_output()
        link.primary_link.receive(heard)
        link.session.feed(said)
    link.session.feed(link.primary_link.take_output())
    return link


def settle(*links: Link) -> None:
    while [link for link in links if link.step()]:
        for link in links:
            assert not link.primary_link.failure, link.primary_link.failure


def field(node: Node, name: str) -> int:
    """A number of INFO."""
    lines = node.tell("INFO").decode().split("\r\n")
    return int(next(line for line in lines if line.startswith(f"{name}:")).partition(":")[2])


@pytest.mark.parametrize("settings", [(), (DISK,)], ids=["streamed", "with length"])
def test_replicas_that_come_together_share_a_walk(settings: tuple[tuple[str, str], ...]) -> None:
    primary = filled(*settings)
    links = [following(primary, seed) for seed in range(2, 6)]
    settle(*links)
    same(primary, *[link.replica for link in links])
    assert primary.replication.replicas.syncs.walks == 1
    assert primary.server.stats.full_syncs == 4


@pytest.mark.parametrize("settings", [(), (DISK,)], ids=["streamed", "with length"])
def test_one_that_comes_late_joins_and_gets_the_stream_from_the_same_place(
    settings: tuple[tuple[str, str], ...],
) -> None:
    primary = filled(*settings)
    first = following(primary, 2)
    primary.machine.work()
    primary.machine.work()
    primary.tell("SET key:1 changed", "SELECT 3", "SET other v", "SELECT 0", "DEL key:2", "SET new v")
    second = following(primary, 3)
    primary.tell("APPEND key:1 twice")
    settle(first, second)
    same(primary, first.replica, second.replica)
    assert primary.replication.replicas.syncs.walks == 1


def test_one_that_comes_too_late_waits_for_the_next_walk_which_others_share() -> None:
    primary = filled(keys=WINDOW // BIG + 200, size=BIG)
    first = following(primary, 2)
    transfer = primary.replication.replicas.syncs.transfers[0]
    while transfer.open:
        assert first.step()
    assert not transfer.whole
    late = [following(primary, seed) for seed in (3, 4)]
    assert primary.replication.replicas.syncs.walks == 1
    assert b"state=wait_bgsave" in primary.tell("INFO replication")
    settle(first, *late)
    same(primary, first.replica, *[link.replica for link in late])
    assert primary.replication.replicas.syncs.walks == 2


def test_a_slow_reader_holds_up_a_walk_but_not_for_long() -> None:
    primary = filled(keys=2 * WINDOW // BIG, size=BIG)
    following(primary, 2)  # and reads nothing
    while primary.machine.has_work:
        primary.machine.work()
    assert primary.replication.replicas.syncs.transfers[0].kept < WINDOW + BIG * 20
    other = following(primary, 3)
    assert not other.step()
    primary.at(START + 2000)
    primary.machine.tick(START + 2000)
    settle(other)
    same(primary, other.replica)


def test_a_slow_reader_is_dropped_by_repl_timeout() -> None:
    primary = filled(keys=2 * WINDOW // BIG, size=BIG)
    slow = following(primary, 2)
    while primary.machine.has_work:
        primary.machine.work()
    for second in range(1, 63):
        assert not slow.session.killed
        primary.at(START + second * 1000)
        primary.machine.tick(START + second * 1000)
    assert slow.session.killed
    primary.machine.leave(slow.session)
    assert not primary.replication.replicas.syncs.transfers


def test_when_the_slowest_leaves_the_others_go_on() -> None:
    primary = filled(keys=2 * WINDOW // BIG, size=BIG)
    slow, fast = following(primary, 2), following(primary, 3)
    while fast.step():
        pass
    assert primary.replication.replicas.syncs.walking, "it is held up"
    primary.machine.leave(slow.session)
    settle(fast)
    same(primary, fast.replica)


def test_what_waits_for_a_slow_reader_is_bounded() -> None:
    primary = filled(("client-output-buffer-limit", "replica 1mb 0 0"), keys=2 * WINDOW // BIG, size=BIG)
    slow = following(primary, 2)
    while primary.machine.has_work:
        primary.machine.work()
    for number in range(16):
        primary.tell(f"SET key:{number} {'n' * 60_000}")
    assert primary.replication.replicas.link_of(slow.session).held_back_size < 1 << 20
    primary.tell(*[f"SET key:{number} {'n' * 60_000}" for number in range(4)])
    assert (slow.session.killed, primary.replication.replicas.link_of(slow.session).held_back_size) == (True, 0)


@pytest.mark.parametrize("acks", [0, 1])
def test_in_a_full_sync_what_a_replica_has_counts_only_if_somebody_was_promised_it(acks: int) -> None:
    primary = filled()
    link = following(primary, 2)
    link.replica.tell(f"CONFIG SET write-ack-replicas {acks}")
    standing = link.replica.server.replication
    assert not standing.syncing
    primary.machine.work()
    link.step()
    assert link.primary_link.syncing
    assert standing.syncing == (acks == 0)
    settle(link)
    assert not standing.syncing


def test_what_waits_for_one_replica_is_there_for_another() -> None:
    """One waits for a slow snapshot, another comes back: it misses more than the backlog's size, and gets it."""
    primary, away = filled(("repl-backlog-size", "1000"), keys=100), Node(2)
    cut = join(away, primary)
    primary.tell("CONFIG SET rdb-key-save-delay 1000000")
    slow = following(primary, 3)
    primary.machine.work()
    cut.cut()
    primary.tell(*[f"SET late:{number} value" for number in range(200)])
    assert field(primary, "repl_backlog_histlen") > 7000
    assert field(primary, "mem_total_replication_buffers") < 2 * field(primary, "repl_backlog_histlen")
    back = Link(away, primary)
    while not back.primary_link.connected:
        back.step()
    assert primary.server.stats.partial_syncs == 1
    same(primary, away)
    slow.cut()
    assert field(primary, "repl_backlog_histlen") < 2000


def test_but_not_for_one_that_would_be_dropped_for_not_reading_it_at_once() -> None:
    primary, away = filled(("repl-backlog-size", "1000"), keys=100), Node(2)
    cut = join(away, primary)
    primary.tell("CONFIG SET rdb-key-save-delay 1000000")
    following(primary, 3)
    primary.machine.work()
    cut.cut()
    primary.tell(*[f"SET late:{number} value" for number in range(200)])
    request = encoded([b"CONFIG", b"SET", b"client-output-buffer-limit", b"replica 2000 0 0"])
    primary.client.feed(request)
    assert primary.client.take_output() == b"+OK\r\n"
    back = Link(away, primary)
    while back.primary_link.state is not LinkState.PSYNC:
        back.step()
    back.step()
    assert (primary.server.stats.partial_syncs, primary.server.stats.full_syncs) == (0, 3)


def test_a_delay_that_was_asked_for_is_kept() -> None:
    primary = filled(("repl-diskless-sync-delay", "5"))
    first = following(primary, 2)
    assert not primary.machine.has_work
    primary.at(START + 4000)
    primary.machine.tick(START + 4000)
    assert primary.replication.replicas.syncs.walks == 0
    second = following(primary, 3)
    primary.at(START + 5000)
    primary.machine.tick(START + 5000)
    settle(first, second)
    same(primary, first.replica, second.replica)
    assert primary.replication.replicas.syncs.walks == 1


def test_who_waits_is_given_signs_of_life() -> None:
    primary = filled(("repl-diskless-sync-delay", "300"))
    link = following(primary, 2)
    for second in range(1, 100):
        primary.at(START + second * 1000)
        primary.machine.tick(START + second * 1000)
        assert link.session.take_output() == b"\n"
        assert not link.session.killed, "waiting is not silence"
    link.primary_link.receive(b"\n")
    assert not link.primary_link.failure


def test_the_backlog_is_forgotten_when_nobody_has_come_for_long() -> None:
    primary = filled(("repl-backlog-ttl", "60"), keys=1)
    link = following(primary, 2)
    settle(link)
    replid, _ = primary.history
    link.cut()
    for second, kept in ((59, True), (62, False)):
        primary.at(START + second * 1000)
        primary.machine.tick(START + second * 1000)
        assert (primary.history[0] == replid) == kept
    assert b"repl_backlog_active:0" in primary.tell("INFO replication")


def test_a_delay_ends_when_enough_replicas_are_there() -> None:
    primary = filled(("repl-diskless-sync-delay", "5"), ("repl-diskless-sync-max-replicas", "2"))
    links = [following(primary, 2)]
    assert primary.replication.replicas.syncs.walks == 0
    links.append(following(primary, 3))
    assert primary.replication.replicas.syncs.walks == 1
    settle(*links)


def test_the_walk_ends_when_nobody_wants_it_any_more() -> None:
    primary = filled()
    link = following(primary, 2)
    primary.machine.work()
    link.cut()
    assert not primary.machine.has_work
    assert not primary.server.keyspace.database(0).views


@pytest.mark.parametrize(
    ("version", "expected"),
    [("", REDIS_10), ("6.2.0", REDIS_10), ("7.2.5", REDIS_11), ("8.1.3", REDIS_11), ("9.0.0", VALKEY_80)],
)
def test_the_version_is_one_that_the_replica_reads(version: str, expected: Format) -> None:
    primary = filled(keys=1)
    session = primary.machine.accept("127.0.0.1:9", "127.0.0.1:2")
    session.feed(encoded([b"REPLCONF", b"capa", b"eof"]))
    if version:
        session.feed(encoded([b"REPLCONF", b"version", version.encode()]))
    assert primary.replication.replicas.link_of(session).format is expected
    session.take_output()
    session.feed(encoded([b"PSYNC", b"?", b"-1"]))
    while primary.machine.has_work:
        primary.machine.work()
    assert expected.magic in session.take_output()


def test_replicas_that_read_different_versions_get_different_snapshots() -> None:
    primary = filled(keys=1)
    followers: list[ReplicaLink] = []
    for version in (b"9.1.0", b"7.2.0"):
        session = primary.machine.accept("127.0.0.1:9", "127.0.0.1:2")
        session.feed(encoded([b"REPLCONF", b"version", version]))
        session.take_output()
        session.feed(encoded([b"PSYNC", b"?", b"-1"]))
        followers.append(primary.replication.replicas.link_of(session))
    while primary.machine.has_work:
        primary.machine.work()
    for replica, magic in zip(followers, (b"VALKEY080", b"REDIS0011"), strict=True):
        assert magic in replica.client.take_output()


@pytest.mark.parametrize("version", ["", "x", "9", "9.x.1", "9.1.2.3.4"])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    replies = Node(1).tell(f"REPLCONF version {version or '-'}")
    assert replies.startswith(b"-ERR Unrecognized version format")


@pytest.mark.parametrize("request_", ["PING", "GET k", "NOSUCH", "SLOWLOG GET"])
def test_a_replica_that_asks_for_an_answer_is_left(request_: str) -> None:
    """As Redis does: an answer would be taken for a part of the stream."""
    primary = Node(1)
    link = join(Node(2), primary)
    link.session.feed(encoded([b"REPLCONF", b"ACK", b"0"]) + b"\n")
    assert not link.session.has_mode(MONITORING)
    link.session.feed(encoded([word.encode() for word in request_.split()]))
    assert (link.session.killed, link.session.take_output()) == (True, b"")


def test_an_offset_that_is_none_is_refused() -> None:
    assert Node(1).tell("PSYNC replicationid offset") == b"-ERR value is not an integer or out of range\r\n"
