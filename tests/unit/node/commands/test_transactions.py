"""What a transaction does to the books, and commands on databases where the node is part of a cluster."""

import pytest

from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import Session
from gossamer.node.machine import Machine


class Ticking(Edge):
    """Each look at the clock takes a microsecond."""

    def __init__(self) -> None:
        self.time = 0

    def microseconds(self) -> int:
        self.time += 1
        return self.time


def client(clustered: bool = False, served: bool = True) -> Session:
    server = Server(clustered=clustered, edge=Ticking())
    if served:
        server.served = bytearray(b"\x01" * len(server.served))
    session = Machine(server).accept("127.0.0.1:1", "127.0.0.1:2")
    server.begin_batch(1000)
    return session


def say(session: Session, *lines: bytes) -> bytes:
    for line in lines:
        session.feed(line + b"\r\n")
    return session.take_output()


def test_queued_commands_and_exec_itself_are_counted() -> None:
    session = client()
    server = session.server
    names = (b"get", b"incr", b"exec", b"multi")
    say(session, b"MULTI", b"GET k", b"GET k", b"SET s x", b"INCR s", b"EXEC")
    usages = {name: server.usages.of(server.table[name]) for name in names}
    grown = {name: (usage.calls, usage.failed_calls, usage.microseconds) for name, usage in usages.items()}
    assert grown[b"get"][:2] == (2, 0)
    assert grown[b"incr"][:2] == (1, 1)
    assert grown[b"exec"][:2] == (1, 0)
    assert grown[b"exec"][2] > grown[b"get"][2] + grown[b"incr"][2], "the time of EXEC is that of the whole"
    assert session.server.stats.total_commands_processed == 6


def test_watches_leave_nothing_behind() -> None:
    session = client()
    db = session.server.keyspace.database(0)
    for ending in (b"UNWATCH", b"DISCARD", b"EXEC"):
        say(session, b"WATCH a b a")
        assert sorted(db.watchers) == [b"a", b"b"]
        assert len(db.watchers[b"a"]) == 1
        say(session, *([] if ending == b"UNWATCH" else [b"MULTI"]), ending)
        assert db.watchers == {}
    say(session, b"WATCH a")
    Machine(session.server).leave(session)
    assert db.watchers == {}


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (b"SWAPDB x y", b"-ERR SWAPDB is not allowed in cluster mode\r\n"),
        (b"MOVE k x", b"-ERR MOVE is not allowed in cluster mode\r\n"),
        (b"COPY k {k}2 DB 0", b":0\r\n"),
        (b"COPY k k DB 1", b"-ERR Copying to another database is not allowed in cluster mode\r\n"),
        (b"COPY k {k}2 DB 16", b"-ERR DB index is out of range\r\n"),
    ],
)
def test_a_cluster_has_one_database(request_: bytes, reply: bytes) -> None:
    assert say(client(clustered=True), request_) == reply


def test_an_exec_that_is_redirected_ends_the_transaction() -> None:
    session = client(clustered=True)
    assert say(session, b"MULTI", b"GET k") == b"+OK\r\n+QUEUED\r\n"
    session.server.served = bytearray(len(session.server.served))
    assert say(session, b"EXEC", b"EXEC") == b"-CLUSTERDOWN Hash slot not served\r\n-ERR EXEC without MULTI\r\n"
