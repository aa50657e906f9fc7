"""What is written is read again: all databases, ends, remarks; a snapshot of one moment, in small chunks."""

import pytest

from gossamer.node.engine.data.changes import SET
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.persist.codes import REDIS_10, REDIS_11, VALKEY_80, Format, RdbError
from gossamer.node.persist.events import Aux, End, Event, Function, Header, Key, ResizeDb
from gossamer.node.persist.form import Style
from gossamer.node.persist.load import Loader
from gossamer.node.persist.reader import RdbReader
from gossamer.node.persist.writer import CHUNK, PIECE, RdbWriter, aux_fields


def put(keyspace: Keyspace, index: int, key: bytes, value: object, end: int = -1) -> None:
    db = keyspace.database(index)
    db.store(db.part_of(key), key, value, SET)
    if end >= 0:
        db.set_expire(db.part_of(key), key, end)


def some_keys() -> Keyspace:
    keyspace = Keyspace(16)
    put(keyspace, 0, b"k", b"v")
    put(keyspace, 0, b"12345", b"-7", 5_000)
    put(keyspace, 0, b"", bytearray(b"in place"))
    put(keyspace, 9, b"k", b"a" * 1000, 2**62)
    keyspace.database(3)
    return keyspace


def written(keyspace: Keyspace, style: Style | None = None, checksum: bool = True) -> bytes:
    snapshot = Snapshot(keyspace)
    try:
        return b"".join(RdbWriter(snapshot, style=style, checksum=checksum).chunks())
    finally:
        snapshot.close()


def read(data: bytes) -> list[Event]:
    reader = RdbReader()
    return reader.feed(data) + reader.finish()


def content(keyspace: Keyspace) -> list[tuple[int, bytes, object, int]]:
    return sorted(
        (db.index, key, value, expire)
        for db in keyspace.used()
        for part in range(db.part_count)
        for key, value, expire in db.items_of(part)
    )


@pytest.mark.parametrize("target", [REDIS_10, REDIS_11, VALKEY_80])
@pytest.mark.parametrize("compress", [False, True])
def test_what_is_written_is_read_again(target: Format, compress: bool) -> None:
    keyspace = some_keys()
    events = read(written(keyspace, Style(target, compress)))
    assert events[0] == Header(target.version, target.valkey)
    assert events[-1] == End(True)
    assert [event for event in events if isinstance(event, ResizeDb)] == [ResizeDb(3, 1), ResizeDb(1, 1)]
    copy = Keyspace(16)
    loader = Loader(copy, 0, keep_stale=False)
    loader.take(events)
    assert content(copy) == content(keyspace)
    assert loader.keys == 4


def test_nothing_but_an_end() -> None:
    assert written(Keyspace(16), checksum=False) == b"REDIS0010\xff" + bytes(8)
    assert read(written(Keyspace(16)))[-1] == End(True)


def test_remarks_and_functions_come_first() -> None:
    remarks = [*aux_fields(REDIS_10, "7.0.15", 1_700_000_000, 12), ("repl-id", "a" * 40)]
    snapshot = Snapshot(some_keys())
    events = read(b"".join(RdbWriter(snapshot, remarks, [b"#!lua name=x"]).chunks()))
    assert events[1:7] == [
        Aux(b"redis-ver", b"7.0.15"),
        Aux(b"redis-bits", b"64"),
        Aux(b"ctime", b"1700000000"),
        Aux(b"used-mem", b"12"),
        Aux(b"repl-id", b"a" * 40),
        Function(b"#!lua name=x"),
    ]


def test_chunks_are_small_and_show_one_moment() -> None:
    keyspace = Keyspace(16)
    for n in range(3000):
        put(keyspace, 0, b"key:%d" % n, b"v" * 50)
    before = content(keyspace)
    snapshot = Snapshot(keyspace)
    writer = RdbWriter(snapshot)
    chunks = []
    for n, chunk in enumerate(writer.chunks()):
        assert len(chunk) <= CHUNK + 200
        chunks.append(bytes(chunk))
        for at in range(n, 3000, 7):
            put(keyspace, 0, b"key:%d" % at, b"%d" % n, n)
            put(keyspace, 0, b"new:%d" % at, b"%d" % n)
    assert len(chunks) > 5
    copy = Keyspace(16)
    Loader(copy, 0, keep_stale=True).take(read(b"".join(chunks)))
    assert content(copy) == before
    assert writer.keys == 3000


def test_a_huge_value_comes_in_pieces() -> None:
    keyspace = Keyspace(16)
    put(keyspace, 0, b"k", b"v" * (3 * PIECE))
    snapshot = Snapshot(keyspace)
    chunks = list(RdbWriter(snapshot).chunks())
    assert max(len(chunk) for chunk in chunks) <= PIECE
    (key,) = [event for event in read(b"".join(chunks)) if isinstance(event, Key)]
    assert key.value == b"v" * (3 * PIECE)


# --- loading


def test_a_primary_drops_what_is_over_and_a_replica_keeps_it() -> None:
    data = written(some_keys())
    for keep, keys in ((False, 3), (True, 4)):
        keyspace = Keyspace(16)
        loader = Loader(keyspace, 5_001, keep)
        loader.take(read(data))
        assert (loader.keys, loader.stale) == (keys, 4 - keys)
        assert keyspace.database(0).volatile == keep


def test_idle_times_are_kept() -> None:
    keyspace = Keyspace(16)
    clock = keyspace.changes.clock
    clock.tick(100)
    Loader(keyspace, 100_000, False).take([Key(0, b"k", b"v", -1, 30, -1), Key(0, b"other", b"v", -1, -1, 9)])
    db = keyspace.database(0)
    assert [db.stamp(db.part_of(key), key) for key in (b"k", b"other")] == [70, 100]


@pytest.mark.parametrize("lfu", [False, True])
def test_uses_are_written_if_a_policy_goes_by_them(lfu: bool) -> None:
    keyspace = Keyspace(16)
    clock = keyspace.changes.clock
    clock.choose(lfu, 10, 1)
    clock.tick(6000)
    db = keyspace.database(0)
    db.store(db.part_of(b"k"), b"k", b"v", SET, 1 << 50)
    clock.tick(6120)
    for wanted in (False, True):
        keyspace.changes.by_use = wanted
        key = next(event for event in read(written(keyspace)) if isinstance(event, Key))
        told = (-1, 3) if lfu else (120, -1)
        assert (key.idle_s, key.freq, key.end) == ((*told, 1 << 50) if wanted else (-1, -1, 1 << 50))


def test_more_databases_than_here_are_refused() -> None:
    with pytest.raises(RdbError, match="database 9"):
        Loader(Keyspace(9), 0, False).take(read(written(some_keys())))


def test_a_key_that_occurs_twice_is_refused() -> None:
    key = Key(0, b"k", b"v", -1, -1, -1)
    with pytest.raises(RdbError, match="twice"):
        Loader(Keyspace(9), 0, False).take([key, key])
