"""A database's books (size, keys with an end) are right whatever is done to it, in the layout of either mode."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossamer.cluster.slots import key_slot
from gossamer.node.engine.data.changes import DEL, SET
from gossamer.node.engine.data.contents import CLUSTER_SHIFT, STANDALONE_SHIFT
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.part import KEEP
from gossamer.node.engine.server import Server
from gossamer.node.machine import Machine

KEYS = st.sampled_from([b"a", b"b", b"{a}c", b"d", b""])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS),
        st.tuples(st.just("remove"), KEYS),
        st.tuples(st.just("expire"), KEYS),
        st.tuples(st.just("persist"), KEYS),
        st.tuples(st.sampled_from(["clear", "swap"]), st.just(b"")),
    ),
    max_size=25,
)


@pytest.mark.parametrize("shift", [STANDALONE_SHIFT, CLUSTER_SHIFT])
@settings(max_examples=50)
@given(STEPS)
def test_the_books_are_those_of_a_plain_dictionary(shift: int, steps: list[tuple[str, bytes]]) -> None:
    db, other = Database(0, shift), Database(1, shift)
    model: dict[bytes, int] = {}
    model_of_other: dict[bytes, int] = {}
    for at, (step, key) in enumerate(steps):
        part = db.part_of(key)
        if step == "put":
            db.store(part, key, b"v", SET, KEEP)
            model.setdefault(key, -1)
        elif step == "remove":
            assert db.delete(part, key, DEL) == (model.pop(key, None) is not None)
        elif step == "expire" and key in model:
            db.set_expire(part, key, at)
            model[key] = at
        elif step == "persist":
            assert db.clear_expire(part, key) == (model.get(key, -1) >= 0)
            model.update({key: -1} if key in model else {})
        elif step == "clear":
            assert db.clear() == len(model)
            model = {}
        elif step == "swap":
            db.swap(other, 0)
            model, model_of_other = model_of_other, model
        assert sorted(db.keys()) == sorted(model)
        assert db.size == len(model)
        assert db.volatile == sum(end >= 0 for end in model.values())
        for name in model:
            assert db.expire_time(db.part_of(name), name) == model[name]
            assert name in db.keys_in_slot(key_slot(name))
    assert other.size == len(model_of_other)


def test_a_key_is_over_after_the_millisecond_it_ends_in() -> None:
    db = Database(0)
    db.store(db.part_of(b"k"), b"k", b"v", SET)
    assert not db.is_expired(b"k", 1 << 60)
    db.set_expire(db.part_of(b"k"), b"k", 1000)
    assert not db.is_expired(b"k", 1000)
    assert db.is_expired(b"k", 1001)
    assert not db.is_expired(b"other", 1001)


def test_counting_a_slot_is_right_where_parts_hold_several() -> None:
    for shift in (STANDALONE_SHIFT, CLUSTER_SHIFT):
        db = Database(0, shift)
        for n in range(2000):
            db.store(db.part_of(b"k%d" % n), b"k%d" % n, b"v", SET)
        slot = key_slot(b"k7")
        assert db.count_in_slot(slot) == sum(key_slot(b"k%d" % n) == slot for n in range(2000))


def test_databases_are_made_when_first_used() -> None:
    keyspace = Keyspace(16)
    assert keyspace.used() == []
    third = keyspace.database(3)
    assert keyspace.database(3) is third
    assert keyspace.used() == [third]


def test_uses_are_noted_from_the_start() -> None:
    server = Server()
    client = Machine(server).accept("127.0.0.1:1", "127.0.0.1:2")

    def ask(at_s: int, *words: bytes) -> bytes:
        server.begin_batch(at_s * 1000)
        client.feed(b" ".join(words) + b"\r\n")
        return client.take_output()

    ask(100, b"SET", b"k", b"v")
    ask(103, b"TTL", b"k")
    assert ask(105, b"OBJECT", b"IDLETIME", b"k") == b":5\r\n"
    ask(106, b"GET", b"k")
    assert ask(109, b"OBJECT", b"IDLETIME", b"k") == b":3\r\n"
    assert ask(109, b"OBJECT", b"FREQ", b"k").startswith(b"-ERR An LFU maxmemory policy is not selected")
