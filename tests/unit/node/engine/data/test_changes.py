"""Whoever listens to changes hears of each one once, whatever made it, by the name that Redis gives it."""

import pytest

from gossamer.cluster.slots import key_slot
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.data.changes import ALL_PARTS, Listener
from gossamer.node.engine.data.contents import CLUSTER_SHIFT
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.migrating import delete_accepted
from gossamer.node.engine.serving.session import Session
from gossamer.node.engine.slots.migrate import MigrateTransfer
from gossamer.node.engine.slots.slot_import import SlotImport
from gossamer.node.machine import Machine
from tests.unit.node.replication.joined import Node, join

NOW = 1_700_000_000_000


class Ear(Listener):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def key_changed(self, db: int, key: bytes, event: bytes) -> None:
        self.heard.append(f"{event.decode()} {db}:{key.decode()}")

    def keys_changed(self, db: int, part: int, event: bytes) -> None:
        self.heard.append(f"{event.decode()} {db}" + ("" if part == ALL_PARTS else f"/{part}"))

    def take(self) -> list[str]:
        heard, self.heard = self.heard, []
        return heard


class Host:
    def __init__(self, clustered: bool = False) -> None:
        self.server = Server(clustered=clustered)
        self.server.served = bytearray(b"\x01" * len(self.server.served))
        self.session: Session = Machine(self.server).accept("127.0.0.1:1", "127.0.0.1:2")
        self.server.begin_batch(NOW)
        self.ear = Ear()
        self.server.changes.listen(self.ear)

    def say(self, line: str) -> bytes:
        self.session.feed(line.encode() + b"\r\n")
        return self.session.take_output()

    def hears(self, *lines: str) -> list[str]:
        self.ear.take()
        for line in lines:
            assert not self.say(line).startswith(b"-")
        return self.ear.take()


@pytest.fixture
def host() -> Host:
    host = Host()
    for line in ("SET k 1", "SET bits abc", "SET ends 1 EX 100"):
        host.say(line)
    return host


@pytest.mark.parametrize(
    ("line", "events"),
    [
        ("SET k 2", "set 0:k"),
        ("SET k 2 EX 10", "set 0:k, expire 0:k"),
        ("SET ends 2", "set 0:ends"),
        ("SET ends 2 KEEPTTL", "set 0:ends"),
        ("SET k 2 NX", ""),
        ("SETNX n 1", "set 0:n"),
        ("SETEX k 10 2", "set 0:k, expire 0:k"),
        ("PSETEX k 10 2", "set 0:k, expire 0:k"),
        ("GETSET k 2", "set 0:k"),
        ("GETDEL k", "del 0:k"),
        ("GETEX k", ""),
        ("GETEX k EX 10", "expire 0:k"),
        ("GETEX ends PERSIST", "persist 0:ends"),
        ("GETEX k PXAT 1", "del 0:k"),
        ("MSET k 2 l 3", "set 0:k, set 0:l"),
        ("MSETNX m 2 l 3", "set 0:m, set 0:l"),
        ("APPEND k 2", "append 0:k"),
        ("APPEND new 2", "append 0:new"),
        ("SETRANGE k 3 2", "setrange 0:k"),
        ("INCR k", "incrby 0:k"),
        ("DECRBY k 3", "incrby 0:k"),
        ("INCRBYFLOAT k 3", "incrbyfloat 0:k"),
        ("SETBIT bits 3 1", "setbit 0:bits"),
        ("BITFIELD bits SET u8 0 1 SET u8 8 2", "setbit 0:bits"),
        ("BITOP NOT dest bits", "set 0:dest"),
        ("BITOP NOT bits nothing", "del 0:bits"),
        ("DEL k nothing ends", "del 0:k, del 0:ends"),
        ("UNLINK k", "del 0:k"),
        ("EXPIRE k 10", "expire 0:k"),
        ("EXPIRE k -1", "del 0:k"),
        ("PERSIST ends", "persist 0:ends"),
        ("PERSIST k", ""),
        ("RENAME ends k", "rename_from 0:ends, rename_to 0:k"),
        ("RENAMENX k l", "rename_from 0:k, rename_to 0:l"),
        ("COPY ends l", "copy_to 0:l"),
        ("MOVE k 1", "move_from 0:k, move_to 1:k"),
        ("FLUSHDB", "flushed 0"),
        ("SWAPDB 0 1", "swapped 0, swapped 1"),
        ("GET k", ""),
        ("TOUCH k", ""),
    ],
)
def test_commands_are_told_by_the_names_of_redis(host: Host, line: str, events: str) -> None:
    assert ", ".join(host.hears(line)) == events


def test_restore_tells_one_thing_also_with_a_time_to_live(host: Host) -> None:
    host.session.feed(b"*2\r\n$4\r\nDUMP\r\n$1\r\nk\r\n")
    payload = host.session.take_output().partition(b"\r\n")[2][:-2]
    request = b"*4\r\n$7\r\nRESTORE\r\n$1\r\nr\r\n$3\r\n100\r\n$%d\r\n%s\r\n" % (len(payload), payload)
    host.ear.take()
    host.session.feed(request)
    assert host.ear.take() == ["restore 0:r"]


def test_time_is_told_whoever_notices_it(host: Host) -> None:
    host.hears("SET a 1 PX 10", "SET b 1 PX 10")
    host.server.begin_batch(NOW + 11)
    assert host.hears("GET a") == ["expired 0:a"]
    before = host.server.changes.dirty
    host.session.server.stats.expired_keys = 0
    Machine(host.server).tick(NOW + 11)
    assert host.ear.take() == ["expired 0:b"]
    assert host.server.changes.dirty == before, "time is nobody's change, as in Redis"
    assert host.server.stats.expired_keys == 1


def test_keys_that_migrate_has_brought_elsewhere(host: Host) -> None:
    transfer = MigrateTransfer(host.session, host.server.keyspace.database(0), copy=False)
    transfer.keys, transfer.values, transfer.accepted = [b"k", b"bits"], [b"1", b"abc"], [True, False]
    transfer.values[0] = host.server.keyspace.database(0).get_raw(b"k") or b""
    host.ear.take()
    delete_accepted(host.server, transfer)
    assert host.ear.take() == ["migrated 0:k"]


def test_slots_that_leave_and_come_are_told_as_a_whole() -> None:
    host = Host(clustered=True)
    host.hears("SET {x}1 v", "SET {x}2 v")
    slot = key_slot(b"x")
    host.server.drop_slots((slot,))
    assert host.ear.take() == [f"slot-left 0/{slot}"]
    slot_import = SlotImport("job", "a" * 40, [(slot, slot)])
    slot_import.begin(host.server.changes)
    dirty = host.server.changes.dirty
    slot_import.db.store(slot, b"{x}3", b"v", b"set")
    assert host.ear.take() == [], "nobody can see it yet"
    assert host.server.changes.dirty == dirty + 1, "but the replicas are sent it"
    watcher: Client = Machine(host.server).accept("127.0.0.1:3", "127.0.0.1:4")
    assert isinstance(watcher, Session)
    watcher.feed(b"WATCH {x}3\r\nMULTI\r\nPING\r\n")
    slot_import.settle(host.server.keyspace.database(0))
    assert host.ear.take() == [f"slot-came 0/{slot}"]
    watcher.take_output()
    watcher.feed(b"EXEC\r\n")
    assert watcher.take_output() == b"*-1\r\n"
    assert host.server.keyspace.database(0).shift == CLUSTER_SHIFT


def test_a_full_sync_is_told_once_a_database() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("SET a 1", "SELECT 3", "SET b 2 EX 100")
    replica.tell("SET own 1")
    ear = Ear()
    replica.server.changes.listen(ear)
    link = join(replica, primary)
    link.settle()
    assert ear.take() == ["replaced 0", "replaced 3"]
    primary.tell("APPEND b x", "DEL b")
    link.settle()
    assert ear.take() == ["append 3:b", "del 3:b"]
