"""RDB files between us and real servers: what we write they load, and what they save we read."""

from collections.abc import Iterable

import pytest

from gossamer.node.engine.data.changes import SET
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.persist.codes import REDIS_10, REDIS_11, VALKEY_80, Format
from gossamer.node.persist.dump import dump
from gossamer.node.persist.form import Style
from gossamer.node.persist.load import Loader
from gossamer.node.persist.reader import RdbReader
from gossamer.node.persist.writer import RdbWriter, aux_fields
from tests.compat.replies import Answer
from tests.integration.nodes import REDIS, VALKEY, Node, Nodes, Program

FAR = 4_102_444_800_000
"""The year 2100, in unix milliseconds."""

Row = tuple[int, bytes, bytes, int]
"""Database, key, value, end."""

ROWS: list[Row] = [
    (0, b"", b"", -1),
    (0, b"k", b"v", -1),
    (0, b"key\x00bin\r\n", bytes(range(256)), FAR + 123),
    (0, b"12345", b"-2147483648", -1),
    *[(0, b"int:%d" % n, b"%d" % n, FAR + n % 1000) for n in (0, 127, 128, -129, 32768, 2**31, 2**63 - 1)],
    (3, b"k", b"other database", FAR),
    (3, b"long" * 100, b"ab" * 50_000, -1),
    (15, b"noise", bytes(n * n % 251 for n in range(70_000)), -1),
]


def keyspace_of(rows: Iterable[Row]) -> Keyspace:
    keyspace = Keyspace(16)
    for index, key, value, end in rows:
        db = keyspace.database(index)
        db.store(db.part_of(key), key, bytearray(value) if len(key) == 1 else value, SET)
        if end >= 0:
            db.set_expire(db.part_of(key), key, end)
    return keyspace


def rows_of(keyspace: Keyspace) -> list[Row]:
    rows = []
    for db in keyspace.used():
        for part in range(db.part_count):
            for key, value, expire in db.items_of(part):
                assert isinstance(value, (bytes, bytearray))
                rows.append((db.index, key, bytes(value), expire))
    return sorted(rows)


def rows_on(node: Node) -> list[Row]:
    rows = []
    for index in range(16):
        assert node.ask("SELECT", index) == Answer("status", b"OK")
        keys = node.ask("KEYS", "*").content
        assert isinstance(keys, tuple)
        for key in (answer.content for answer in keys):
            assert isinstance(key, bytes)
            value, end = node.ask("GET", key).content, node.ask("PEXPIRETIME", key).content
            assert isinstance(value, bytes)
            assert isinstance(end, int)
            rows.append((index, key, value, end))
    return sorted(rows)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize(
    ("program", "target"),
    [(REDIS, REDIS_10), (VALKEY, REDIS_10), (VALKEY, REDIS_11), (VALKEY, VALKEY_80)],
    ids=lambda value: value.magic.decode() if isinstance(value, Format) else value.name,
)
def test_what_we_write_a_real_server_loads(nodes: Nodes, program: Program, target: Format, compress: bool) -> None:
    node = nodes.make("--rdbcompression", "no", program=program)
    snapshot = Snapshot(keyspace_of(ROWS))
    writer = RdbWriter(snapshot, aux_fields(target, "7.0.15", 1_700_000_000, 1 << 20), style=Style(target, compress))
    (node.home / "dump.rdb").write_bytes(b"".join(writer.chunks()))
    node.start()
    assert rows_on(node) == sorted(ROWS)


@pytest.mark.parametrize("compression", ["yes", "no"])
@pytest.mark.parametrize("program", [REDIS, VALKEY], ids=lambda program: program.name)
def test_what_a_real_server_saves_we_read(nodes: Nodes, program: Program, compression: str) -> None:
    node = nodes.start("--rdbcompression", compression, program=program)
    for index, key, value, end in ROWS:
        node.ask("SELECT", index)
        node.ask("SET", key, value, *(() if end < 0 else ("PXAT", end)))
    assert node.ask("SAVE") == Answer("status", b"OK")
    data = (node.home / "dump.rdb").read_bytes()
    reader, keyspace = RdbReader(), Keyspace(16)
    loader = Loader(keyspace, 0, keep_stale=False)
    for at in range(0, len(data), 999):
        loader.take(reader.feed(data[at : at + 999]))
    loader.take(reader.finish())
    assert rows_of(keyspace) == sorted(ROWS)


@pytest.mark.parametrize("program", [REDIS, VALKEY], ids=lambda program: program.name)
def test_payloads_go_both_ways(nodes: Nodes, program: Program) -> None:
    theirs, ours = nodes.start(program=program), nodes.start()
    for _, key, value, end in ROWS[:6]:
        assert (
            theirs.ask("RESTORE", key, max(end, 0), dump(value, Style(compress=True)), "ABSTTL", "REPLACE").content
            == b"OK"
        )
        payload = theirs.ask("DUMP", key).content
        assert isinstance(payload, bytes)
        assert ours.ask("RESTORE", key, max(end, 0), payload, "ABSTTL").content == b"OK"
    assert rows_on(theirs) == rows_on(ours) == sorted(ROWS[:6])
