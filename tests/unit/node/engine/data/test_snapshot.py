"""A snapshot is the data of one moment, whatever is written while it is given out."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossamer.cluster.slots import key_slot
from gossamer.node.engine.data.contents import CLUSTER_SHIFT, STANDALONE_SHIFT
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.server import Server
from gossamer.node.machine import Machine

Content = dict[tuple[int, bytes], tuple[bytes, int]]


def key_number(n: int) -> bytes:
    return b"{%d}%d" % (n % 5, n)


KEYS = st.integers(0, 11).map(key_number)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["SET", "APPEND", "GETSET"]), KEYS, st.sampled_from([b"x", b"yy"])),
        st.tuples(st.sampled_from(["DEL", "PERSIST", "INCR"]), KEYS),
        st.tuples(st.just("PEXPIREAT"), KEYS, st.sampled_from([b"5", b"2000000", b"3000000"])),
        st.tuples(st.sampled_from(["RENAME", "COPY"]), KEYS, KEYS),
        st.tuples(st.just("SETBIT"), KEYS, st.integers(0, 30).map(lambda n: b"%d" % n), st.just(b"1")),
        st.tuples(st.just("SELECT"), st.sampled_from([b"0", b"1"])),
        st.tuples(st.sampled_from(["FLUSHDB", "FLUSHALL"])),
        st.tuples(st.just("SWAPDB"), st.just(b"0"), st.just(b"1")),
        st.tuples(st.just("MOVE"), KEYS, st.just(b"1")),
    ),
    max_size=30,
)


class Client:
    def __init__(self, shift: int = STANDALONE_SHIFT) -> None:
        self.server = Server()
        self.server.keyspace = self.server.clients.keyspace = Keyspace(2, shift, self.server.changes)
        self.session = Machine(self.server).accept("127.0.0.1:1", "127.0.0.1:2")
        self.server.begin_batch(1_000_000)

    def say(self, *words: bytes | str) -> None:
        parts = [word.encode() if isinstance(word, str) else word for word in words]
        self.session.feed(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        self.session.take_output()

    def content(self) -> Content:
        out: Content = {}
        for db in self.server.keyspace.used():
            keys = list(db.keys())
            for key in keys:
                value = db.get_raw(key)
                assert isinstance(value, (bytes, bytearray))
                out[db.index, key] = bytes(value), db.expire_time(db.part_of(key), key)
        return out


def given_out(snapshot: Snapshot, meanwhile: Callable[[], None]) -> Content:
    """All of ``snapshot``, with ``meanwhile`` before it, after every key and between parts."""
    out: Content = {}
    meanwhile()
    for view in snapshot.views:
        while view.begin_piece():
            meanwhile()
            while view.pending:
                key, value = view.pending.popitem()
                assert isinstance(value, (bytes, bytearray))
                assert (view.index, key) not in out
                out[view.index, key] = bytes(value), view.expire_of(key)
                meanwhile()
    return out


@pytest.mark.parametrize("shift", [STANDALONE_SHIFT, CLUSTER_SHIFT])
@settings(max_examples=60)
@given(STEPS, STEPS, st.integers(1, 4), st.booleans())
def test_writes_meanwhile_do_not_show(
    shift: int, before: list[tuple[bytes | str, ...]], after: list[tuple[bytes | str, ...]], at_once: int, two: bool
) -> None:
    client = Client(shift)
    for n in range(12):
        # Half of them are changed in place from the beginning, a third end one day.
        client.say("SET", key_number(n), b"v")
        if n % 2:
            client.say("APPEND", key_number(n), b"v")
        if n % 3 == 0:
            client.say("PEXPIREAT", key_number(n), b"4000000")
    for step in before:
        client.say(*step)
    then = client.content()
    snapshots = [Snapshot(client.server.keyspace) for _ in range(1 + two)]
    steps = list(after)

    def meanwhile() -> None:
        for step in steps[:at_once]:
            client.say(*step)
        del steps[:at_once]

    for snapshot in snapshots:
        assert snapshot.keys == len(then)
        assert sum(view.volatile for view in snapshot.views) == sum(end >= 0 for _, end in then.values())
        assert given_out(snapshot, meanwhile) == then
        snapshot.close()
    assert not [db.views for db in client.server.keyspace.used() if db.views]


@pytest.mark.parametrize("release", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_writes_to_a_part_that_is_half_given_out_do_not_show(
    seed: int, release: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``release``: in the middle of it the part goes, as when its slot has moved away."""
    monkeypatch.setattr("gossamer.node.store.plain.WHOLE", 0)
    client, rng = Client(CLUSTER_SHIFT), Random(seed)
    for n in range(600):
        client.say("SET", b"{x}%d" % n, b"v")
        if n % 2:
            client.say("APPEND", b"{x}%d" % n, b"v")
        if n % 3 == 0:
            client.say("PEXPIREAT", b"{x}%d" % n, b"4000000")
    then = client.content()
    snapshot = Snapshot(client.server.keyspace)
    snapshot.views[0].piece = 50
    calls = 0

    def meanwhile() -> None:
        nonlocal calls
        calls += 1
        if release and calls == 200:
            client.server.keyspace.database(0).release_part(key_slot(b"x"))
        name = b"{x}%d" % rng.randrange(800)
        step = rng.choice([("SET", name, b"new"), ("DEL", name), ("APPEND", name, b"more"), ("PERSIST", name)])
        client.say(*step)

    assert given_out(snapshot, meanwhile) == then
    snapshot.close()


def test_only_the_parts_that_were_asked_for() -> None:
    client = Client(CLUSTER_SHIFT)
    for n in range(20):
        client.say("SET", b"{%d}" % n, b"v")
    wanted = [key_slot(b"3"), key_slot(b"7")]
    client.say("PEXPIRE", b"{7}", b"1000")
    snapshot = Snapshot(client.server.keyspace, wanted)
    assert (snapshot.keys, snapshot.views[0].volatile) == (2, 1)
    client.say("SET", b"{3}more", b"v")
    client.say("SET", b"{4}", b"w")
    assert given_out(snapshot, lambda: None) == {(0, b"{3}"): (b"v", -1), (0, b"{7}"): (b"v", 1_001_000)}


def test_a_value_that_changes_often_is_copied_once() -> None:
    client = Client()
    client.say("APPEND", "k", b"x" * 100)
    client.say("APPEND", "k", b"y")
    snapshot = Snapshot(client.server.keyspace)
    (view,) = snapshot.views
    assert view.begin_piece()
    client.say("APPEND", "k", b"z")
    noted = view.pending[b"k"]
    client.say("APPEND", "k", b"z")
    assert view.pending[b"k"] is noted
    assert noted == b"x" * 100 + b"y"


def test_a_part_is_no_longer_looked_after_once_its_turn_is_over() -> None:
    client = Client()
    for n in range(2):
        client.say("SET", key_number(n), b"v")
    snapshot = Snapshot(client.server.keyspace)
    (view,) = snapshot.views
    assert view.begin_piece()
    first, _ = view.pending.popitem()
    assert view.begin_piece()
    client.say("SET", first, b"w")
    assert not view.noted


def test_dropping_everything_lets_go_of_the_snapshot() -> None:
    client = Client()
    client.say("SET", "k", b"v")
    snapshot = Snapshot(client.server.keyspace)
    client.say("FLUSHALL")
    assert client.server.keyspace.database(0).views == []
    assert given_out(snapshot, lambda: None) == {(0, b"k"): (b"v", -1)}


def test_a_closed_snapshot_costs_nothing_more() -> None:
    client = Client()
    client.say("SET", "k", b"v")
    snapshot = Snapshot(client.server.keyspace)
    (view,) = snapshot.views
    client.say("SWAPDB", b"0", b"1")
    snapshot.close()
    client.say("SELECT", b"1")
    client.say("SET", "k", b"w")
    assert not view.noted
