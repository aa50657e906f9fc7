"""What a write becomes in the stream to the replicas."""

import pytest

from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import Session
from gossamer.node.machine import Machine
from gossamer.node.resp.parser import Parser
from gossamer.node.resp.requests import encoded

NOW = 1_700_000_000_000


class Node:
    """A node that makes a stream, and one client of it."""

    def __init__(self) -> None:
        self.server = Server()
        self.machine = Machine(self.server)
        self.server.begin_batch(NOW)
        self.session: Session = self.machine.accept("127.0.0.1:1", "127.0.0.1:2")
        self.server.config.set([("repl-backlog-ttl", "0")])  # the stream stays, though no replica wants it
        self.stream = self.server.journal.open_stream(0)
        self.stream.select(0)
        self.start = len(self.stream.take())

    def tell(self, *requests: str) -> list[str]:
        """What the stream has after these requests; database 0 is selected already."""
        for request in requests:
            self.session.feed(encoded([word.encode() for word in request.split()]))
        before = self.stream.offset
        self.server.journal.release()
        offset = self.stream.offset
        data = self.stream.take()
        assert len(data) == offset - self.start, "the offset counts every byte"
        assert before <= offset
        self.start = offset
        parser = Parser()
        parser.feed(data)
        out = []
        while (argv := parser.next()) is not None:
            out.append(b" ".join(argv).decode())
        return out


@pytest.mark.parametrize(
    ("requests", "stream"),
    [
        (["SET k v"], ["SET k v"]),
        (["get k"], []),
        (["DEL missing"], []),
        (["SET k v EX 10"], [f"SET k v PXAT {NOW + 10_000}"]),
        (["SET k v get px 7 NX"], [f"SET k v PXAT {NOW + 7}"]),
        (["SET k v NX GET"], ["SET k v NX"]),
        (["SET k v XX"], []),
        (["SETEX k 10 v"], [f"SET k v PXAT {NOW + 10_000}"]),
        (["PSETEX k 10 v"], [f"SET k v PXAT {NOW + 10}"]),
        (["SET k 1.5", "INCRBYFLOAT k 1"], ["SET k 1.5", "SET k 2.5 KEEPTTL"]),
        (["GETSET k v"], ["SET k v"]),
        (["SET k v", "GETDEL k"], ["SET k v", "DEL k"]),
        (["SET k v", "GETEX k"], ["SET k v"]),
        (["SET k v", "GETEX k EX 1", "GETEX k PERSIST"], ["SET k v", f"PEXPIREAT k {NOW + 1000}", "PERSIST k"]),
        (["SET k v", "EXPIRE k 10 NX"], ["SET k v", f"PEXPIREAT k {NOW + 10_000} NX"]),
        (["SET k v", "EXPIRE k -1"], ["SET k v", "DEL k"]),
        (["EXPIRE k 10"], []),
        (["MULTI", "SET a 1", "GET a", "SET b 2", "EXEC"], ["MULTI", "SET a 1", "SET b 2", "EXEC"]),
        (["MULTI", "SET a 1", "EXEC"], ["SET a 1"]),
        (["SET a 1", "SELECT 3", "SET a 1", "SELECT 0", "SET b 1"],
         ["SET a 1", "SELECT 3", "SET a 1", "SELECT 0", "SET b 1"]),
        (["FLUSHALL"], ["FLUSHALL"]),
        (["SETBIT k 7 0", "SETBIT k 7 0"], ["SETBIT k 7 0"]),
        (["SETBIT k 7 1", "SETBIT k 7 1", "SETBIT k 6 0", "SETBIT k 8 0"], ["SETBIT k 7 1", "SETBIT k 8 0"]),
        (["BITFIELD k SET u8 0 7", "BITFIELD k SET u8 0 7 INCRBY u8 0 0"], ["BITFIELD k SET u8 0 7"]),
        (["BITFIELD k SET u8 0 7", "BITFIELD k SET u8 0 8 SET u8 0 8"],
         ["BITFIELD k SET u8 0 7", "BITFIELD k SET u8 0 8 SET u8 0 8"]),
        (["PFADD k a", "PFADD k a", "PFCOUNT k", "PFCOUNT k"], ["PFADD k a", "PFCOUNT k"]),
        (["GEOADD k 0 0 a", "GEOADD k nx CH 0 1 a"], ["ZADD k 3377699720527872 a"]),
        (["GEOADD k XX 0 0 a", "GEOSEARCHSTORE d k FROMLONLAT 0 0 BYRADIUS 1 km"], []),
        (["PFMERGE k j", "PFCOUNT k j", "PFDEBUG TODENSE k", "PFDEBUG GETREG k"],
         ["PFMERGE k j", "PFDEBUG TODENSE k"]),
        (["SETBIT k 7 1", "BITFIELD k OVERFLOW FAIL SET u2 30 9"],
         ["SETBIT k 7 1", "BITFIELD k OVERFLOW FAIL SET u2 30 9"]),
    ],
)  # fmt: skip
def test_what_the_stream_says(requests: list[str], stream: list[str]) -> None:
    assert Node().tell(*requests) == stream


@pytest.mark.parametrize(
    ("requests", "stream"),
    [
        (["MULTI", "SET a 1", "SET b 2", "EXEC"], ["MULTI", "SELECT 3", "SET a 1", "SET b 2", "EXEC"]),
        (["MULTI", "SELECT 0", "SET a 1", "SELECT 3", "SET b 2", "EXEC", "SET c 3"],
         ["MULTI", "SET a 1", "SELECT 3", "SET b 2", "EXEC", "SET c 3"]),
        (["MULTI", "SET a 1", "SELECT 0", "SET b 2", "EXEC", "SET c 3"],
         ["MULTI", "SELECT 3", "SET a 1", "SELECT 0", "SET b 2", "EXEC", "SET c 3"]),
        (["MULTI", "SET a 1", "EXEC"], ["SELECT 3", "SET a 1"]),
    ],
)  # fmt: skip
def test_a_database_is_selected_inside_the_transaction_that_needs_it(requests: list[str], stream: list[str]) -> None:
    node = Node()
    assert node.tell("SELECT 3") == []
    assert node.tell(*requests) == stream


def test_a_key_whose_time_is_over_is_deleted_in_the_stream() -> None:
    node = Node()
    node.tell("SET k v PX 10")
    node.server.begin_batch(NOW + 20)
    assert node.tell("GET k") == ["DEL k"]


def test_a_write_to_such_a_key_and_its_deletion_go_together() -> None:
    node = Node()
    node.tell("SET k v PX 10")
    node.server.begin_batch(NOW + 20)
    assert node.tell("APPEND k x") == ["MULTI", "DEL k", "APPEND k x", "EXEC"]


@pytest.mark.parametrize("request_", ["SCAN 0", "RANDOMKEY"])
def test_what_a_walk_comes_upon_goes_one_by_one(request_: str) -> None:
    """The keys may be of different slots."""
    node = Node()
    node.tell("SET a v PX 10", "SET b v PX 10")
    node.server.begin_batch(NOW + 20)
    assert sorted(node.tell(request_)) == ["DEL a", "DEL b"]


def test_what_active_expiry_deletes_goes_one_by_one() -> None:
    node = Node()
    node.tell("SET a v PX 10", "SET b v PX 10")
    node.server.begin_batch(NOW + 20)
    node.machine.tick(NOW + 20)
    assert sorted(node.tell()) == ["DEL a", "DEL b"]


def test_a_client_knows_where_its_last_write_ended() -> None:
    node = Node()
    node.tell("SET a 1")
    end = node.stream.offset
    node.session.feed(b"GET a\r\n")
    assert node.session.wrote_to == end
