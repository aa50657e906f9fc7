"""Active expiry deletes what is over, with bounded effort, and leaves the rest alone."""

from typing import Final

import pytest

from gossamer.node.engine.data.changes import DEL, SET
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.expiry import SAMPLE, WORK_LIMIT
from gossamer.node.engine.data.watch import Watcher, broken, watch
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import Session
from gossamer.node.engine.state import FOLLOWING, PAUSED

BUCKET: Final = 32
"""Keys that stand together in a table are looked at together, so a sample may have a few more."""
NOW = 1_000_000


class Slow(Edge):
    """Each look at the clock takes ``step`` microseconds."""

    def __init__(self, step: int) -> None:
        self.time = 0
        self.step = step

    def microseconds(self) -> int:
        self.time += self.step
        return self.time


def node(edge: Edge | None = None, clustered: bool = False) -> Server:
    server = Server(clustered=clustered, edge=edge)
    server.begin_batch(NOW)
    return server


def add(db: Database, count: int, end: int, name: bytes = b"k") -> None:
    for n in range(count):
        key = b"%s%d" % (name, n)
        db.store(db.part_of(key), key, b"v", SET)
        if end >= 0:
            db.set_expire(db.part_of(key), key, end)


@pytest.mark.parametrize("clustered", [False, True])
def test_everything_stale_is_deleted_in_one_cycle_if_the_limits_allow(clustered: bool) -> None:
    server = node(clustered=clustered)
    db = server.keyspace.database(0)
    add(db, 5000, NOW - 1, b"stale")
    add(db, 300, NOW, b"ends now")
    add(db, 300, -1, b"endless")
    server.expiry.cycle()
    assert (db.size, db.volatile) == (600, 300)
    assert server.stats.expired_keys == 5000
    assert server.stats.expired_time_cap_reached_count == 0


def test_where_little_is_stale_a_cycle_is_one_sample_and_cycles_reach_everything() -> None:
    server = node()
    db = server.keyspace.database(0)
    add(db, 20_000, NOW + 1000, b"fresh")
    add(db, 100, NOW - 1, b"stale")
    expiry = server.expiry
    cycles = 0
    while server.stats.expired_keys < 100:
        expiry.cycle()
        cycles += 1
        assert 0 < expiry.looked_at <= SAMPLE + BUCKET
    assert 10 < cycles <= 20_100 // SAMPLE + 2
    assert db.size == 20_000


def test_time_is_the_limit_and_the_next_cycle_goes_on() -> None:
    server = node(Slow(step=10_000))
    db = server.keyspace.database(0)
    add(db, 20 * SAMPLE, NOW - 1)
    expiry = server.expiry
    expiry.cycle()
    assert server.stats.expired_time_cap_reached_count == 1
    assert 3 * SAMPLE <= server.stats.expired_keys <= 3 * (SAMPLE + BUCKET)
    expiry.cycle()
    assert 6 * SAMPLE <= server.stats.expired_keys <= 6 * (SAMPLE + BUCKET)


def test_more_effort_takes_longer_and_leaves_less() -> None:
    expired = []
    for effort in (1, 10):
        server = node(Slow(step=10_000))
        server.expiry.effort = effort
        add(server.keyspace.database(0), 40 * SAMPLE, NOW - 1)
        server.expiry.cycle()
        expired.append(server.stats.expired_keys)
    assert expired[1] > 2 * expired[0]


def test_a_clock_that_stands_still_is_bounded_by_work() -> None:
    server = node()
    add(server.keyspace.database(0), WORK_LIMIT + 5000, NOW - 1)
    server.expiry.cycle()
    assert WORK_LIMIT <= server.stats.expired_keys <= WORK_LIMIT + SAMPLE
    assert server.stats.expired_time_cap_reached_count == 1


def test_a_busy_database_does_not_starve_the_others() -> None:
    server = node(Slow(step=30_000))
    for index in (0, 1):
        add(server.keyspace.database(index), 50 * SAMPLE, NOW - 1)
    expiry = server.expiry
    expiry.cycle()
    expiry.cycle()
    assert all(server.keyspace.database(index).size < 50 * SAMPLE for index in (0, 1))


def test_nothing_is_deleted_by_a_replica_in_a_pause_or_if_switched_off() -> None:
    server = node()
    add(server.keyspace.database(0), 10, NOW - 1)
    expiry = server.expiry
    server.lazy_expire_deletes = False
    expiry.cycle()
    server.lazy_expire_deletes = True
    server.conditions |= PAUSED
    expiry.cycle()
    server.conditions = 0
    server.expiry.enabled = False
    expiry.cycle()
    assert server.stats.expired_keys == 0
    server.expiry.enabled = True
    expiry.cycle()
    assert server.stats.expired_keys == 10


def test_a_watch_is_broken_only_if_the_key_was_alive_when_it_began() -> None:
    server = node()
    db = server.keyspace.database(0)
    add(db, 1, NOW + 5)
    early, late = Watcher(), Watcher()
    watch(early, db, b"k0", NOW)
    watch(late, db, b"k0", NOW + 6)
    assert not broken(early, NOW)
    assert broken(early, NOW + 6)
    server.begin_batch(NOW + 6)
    server.expiry.cycle()
    assert early.broken
    assert not broken(late, NOW + 6)


def test_the_share_of_stale_keys_is_a_running_average() -> None:
    server = node()
    add(server.keyspace.database(0), 100, NOW - 1)
    expiry = server.expiry
    expiry.cycle()
    assert server.stats.expired_stale_perc == pytest.approx(0.05)
    expiry.cycle()
    assert server.stats.expired_stale_perc == pytest.approx(0.05 * 0.95)


def test_keys_that_change_in_the_middle_of_a_round_are_taken_as_they_are() -> None:
    server = node()
    db = server.keyspace.database(0)
    add(db, 3 * SAMPLE, NOW + 10)
    expiry = server.expiry
    expiry.cycle()
    for n in range(SAMPLE):
        key = b"k%d" % n
        db.clear_expire(db.part_of(key), key)
    for n in range(SAMPLE, 2 * SAMPLE):
        key = b"k%d" % n
        db.delete(db.part_of(key), key, DEL)
    server.begin_batch(NOW + 11)
    for _ in range(20):
        expiry.cycle()
    assert (db.size, db.volatile) == (SAMPLE, 0)


def test_a_replica_that_takes_writes_ends_what_its_own_clients_gave_an_end() -> None:
    server = node()
    server.lazy_expire_deletes = False
    session = Session(server, 1, "127.0.0.1:1", "127.0.0.1:2")
    session.feed(b"SET own 1 PX 10\r\nSET kept 1 PX 10\r\nPERSIST kept\r\n")
    add(server.keyspace.database(0), 1, NOW - 1)  # the primary's, who has not said yet that it is over
    expiry = server.expiry
    expiry.cycle()
    assert (server.keyspace.database(0).size, len(server.expiry.own)) == (3, 1)
    server.begin_batch(NOW + 20)
    expiry.cycle()
    assert (server.keyspace.database(0).size, server.expiry.own) == (2, set())


def test_a_replica_that_takes_writes_writes_in_the_place_of_what_is_over() -> None:
    server = node()
    server.lazy_expire_deletes = False
    session = Session(server, 1, "127.0.0.1:1", "127.0.0.1:2")
    session.feed(b"SET one 5 PX 10\r\nSET two 5 PX 10\r\n")
    server.begin_batch(NOW + 20)
    session.take_output()
    session.feed(b"GET two\r\nDBSIZE\r\nINCR one\r\nTTL one\r\nDBSIZE\r\n")
    assert session.take_output() == b"$-1\r\n:2\r\n:1\r\n:-1\r\n:2\r\n"
    server.conditions |= FOLLOWING
    session.feed(b"DEL two\r\n")
    assert session.take_output().startswith(b"-READONLY")
