"""The tally is what the data takes, whatever was done to it; maxmemory holds by it."""

from random import Random

import pytest

from gossamer.node.engine.clients.client import IN_MULTI
from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.part import size_in_tally
from gossamer.node.engine.data.tally import STARTUP
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import Session
from gossamer.node.machine import Machine
from tests.unit.node.replication.joined import Node, join

START = 1_700_000_000_000
OOM = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"


def client(*settings: tuple[str, str], clustered: bool = False, edge: Edge | None = None) -> Session:
    server = Server(clustered=clustered, edge=edge)
    server.begin_batch(START)
    server.config.set(settings)
    return Machine(server).accept("127.0.0.1:1", "127.0.0.1:2")


def say(session: Session, *lines: str) -> bytes:
    for line in lines:
        session.feed(line.encode() + b"\r\n")
    return session.take_output()


def weight(*dbs: Database) -> int:
    return sum(size_in_tally(table) for db in dbs for table in db.tables())


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.once) for seed in (2, 3, 4))])
def test_the_tally_is_exact_after_whatever_commands(seed: int) -> None:
    rng = Random(seed)
    session = client(("proto-max-bulk-len", "1mb"))
    server = session.server
    lines = [
        "SET {k} {v}", "SET {k} {v} EX 1", "APPEND {k} {v}", "SETRANGE {k} 50 {v}", "SETBIT {k} {n} 1", "DEL {k} {l}",
        "APPEND {k} {v}", "SETRANGE {k} 1048570 123456789", "BITFIELD {k} SET u8 #{n} 3", "EXPIRE {k} 1", "PERSIST {k}",
        "RENAME {k} {l}", "COPY {k} {l} REPLACE", "COPY {k} {l} DB 1", "MOVE {k} 1", "SELECT 1", "SELECT 0",
        "SWAPDB 0 1", "INCR n{k}", "GETDEL {k}", "MSET {k} {v} {l} {v}", "GETEX {k} PX 1", "BITOP OR {k} {l} {k}",
        "GETSET {k} {v}", "RPUSH a{k} {v} {n}", "LPOP a{k} 2", "RENAME a{k} a{l}", "HSET b{k} {n} {v}", "HDEL b{k} {n}",
        "SADD c{k} {n} {v}", "SMOVE c{k} c{l} {v}", "ZADD d{k} {n} {v}", "ZRANGE d{k} 0 -1", "ZPOPMIN d{k}",
        "XADD e{k} * f {v}", "XTRIM e{k} MAXLEN 3", "MOVE a{k} 1", "MOVE d{k} 1", "COPY a{k} a{l} REPLACE",
        "SET a{k} {v}", "DEL a{k} b{k} d{l}", "SWAPDB 0 1", "RPUSH a{k} {v}", "FLUSHDB",
    ]  # fmt: skip
    for step in range(3000):
        line = rng.choice(lines[:-1] if rng.random() < 0.99 else lines)
        k, l = (f"key{rng.randrange(12)}" for _ in range(2))  # noqa: E741
        say(session, line.format(k=k, l=l, v="v" * rng.randrange(1, 300), n=rng.randrange(2000)))
        if step % 100 == 0:
            server.begin_batch(START + step * 20)
        assert server.keyspace.tally.held == weight(*server.keyspace.used()), line
    say(session, "FLUSHALL")
    assert server.keyspace.tally.held == 0


def test_a_list_that_is_swapped_away_and_back_is_counted_right() -> None:
    """What it takes was known when it was changed last, but in a database that has other books now."""
    session = client()
    say(session, "RPUSH l v", "RPUSH l w", "SWAPDB 0 1", "SELECT 1", "RPUSH l x", f"RPUSH m {'v' * 500}", "RPUSH m y")
    say(session, "SWAPDB 0 1", "SELECT 0", "RPUSH l z")
    assert session.server.keyspace.tally.held == weight(*session.server.keyspace.used())


def test_slots_that_have_gone_leave_the_tally_as_they_are_freed() -> None:
    session = client(clustered=True)
    server = session.server
    server.served = bytearray(b"\x01" * len(server.served))
    say(session, *[f"SET {{a}}{number} v EX 100" for number in range(1500)], "SET b v")
    server.drop_slots((15495,))
    assert server.keyspace.database(0).size == 1
    while server.lazyfree.pending:
        server.lazyfree.work()
    assert server.keyspace.tally.held == weight(server.keyspace.database(0)) > 0


def test_a_full_sync_brings_the_tally_of_the_primary() -> None:
    primary, replica = Node(1), Node(2)
    primary.tell("SET a 1", "SET b 2 EX 100", "SELECT 3", "APPEND c xyz")
    replica.tell("SET own " + "x" * 1000, "SELECT 9", "SET own y")
    link = join(replica, primary)
    primary.tell("APPEND c more", "DEL c")
    link.settle()
    held = replica.server.keyspace.tally.held
    assert held == primary.server.keyspace.tally.held == weight(*primary.server.keyspace.used())


def test_with_maxmemory_writes_are_refused_at_the_limit_until_there_is_room() -> None:
    session = client(("maxmemory", "10mb"))
    value = "v" * 100_000
    written = 0
    while say(session, f"SET k{written} {value}") == b"+OK\r\n":
        written += 1
        assert written < 400
    assert 8_900_000 < written * 100_000 < 9_600_000
    used = session.server.keyspace.tally.used()
    assert 10 << 20 < used < (10 << 20) + 200_000
    assert f"used_memory:{used}\r\n".encode() in say(session, "INFO memory")
    for line in ("SET k v", "APPEND k0 v", "INCR n", "SETBIT k0 1 1"):
        assert say(session, line) == OOM
    assert say(session, "STRLEN k0", "EXPIRE k0 100", "DEL k1 k2") == b":100000\r\n:1\r\n:2\r\n"
    assert say(session, "SET k v") == b"+OK\r\n"
    assert b"errorstat_OOM:count=5\r\n" in say(session, "INFO errorstats")


def test_a_full_node_queues_nothing_and_exec_says_why() -> None:
    session, other = client(), None
    other = Machine(session.server).accept("127.0.0.1:3", "127.0.0.1:2")
    say(session, "SET big " + "v" * 200_000, "MULTI", "SET k v")
    say(other, "CONFIG SET maxmemory 1mb", "MULTI", "GET k")
    assert say(session, "EXEC") == b"-EXECABORT Transaction discarded because of: " + OOM[1:]
    assert not session.modes & IN_MULTI
    assert say(other, "EXEC") == b"-EXECABORT Transaction discarded because of previous errors.\r\n"
    assert say(session, "MULTI", "GET k", "DISCARD") == b"+OK\r\n" + OOM + b"+OK\r\n"
    assert say(session, "CONFIG SET maxmemory 0", "SET k v") == b"+OK\r\n+OK\r\n"


def test_a_replica_takes_what_its_primary_sends_whatever_its_own_limit() -> None:
    primary, replica = Node(1), Node(2, ("maxmemory", "1mb"))
    link = join(replica, primary)
    primary.tell("SET big " + "v" * 200_000, "SET k v")
    link.settle()
    assert replica.digest == primary.digest
    assert replica.tell("SET k v").startswith(b"-READONLY")


class Listening(Edge):
    """Keeps what is logged. The log of a compiled edge cannot be replaced on the object."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def log(self, level: str, text: str) -> None:
        self.told.append(f"{level} {text}")


def test_a_limit_below_what_is_used_is_told_in_the_log() -> None:
    listening = Listening()
    session = client(edge=listening)
    session.server.memory.edge = listening
    told = listening.told
    say(session, "SET big " + "v" * 200_000)
    used = session.server.keyspace.tally.used()
    say(session, "CONFIG SET maxmemory 100mb")
    assert told == []
    say(session, f"CONFIG SET maxmemory {STARTUP}")
    assert told[0].startswith("warning WARNING: the new maxmemory value set via CONFIG SET (1048576) is smaller than")
    assert f"({used})" in told[0]
