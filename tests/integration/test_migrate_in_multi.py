"""MIGRATE within a transaction, between real processes: answered as by redis-server, and nobody comes between."""

import os
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.compat.pair import Word, encode
from tests.compat.replies import Answer
from tests.integration.clusters import CLUSTER, OK, demand, form, introduce, my_id, start_together, wait_until
from tests.integration.nodes import GOSSAMER, REDIS, Node, Nodes, Program
from tests.integration.test_replication import facts

Request = tuple[Word, ...]
NULL = Answer("nullbulk")
BOTH = pytest.mark.parametrize("program", [GOSSAMER, REDIS], ids=lambda program: program.name)
FALLS_SILENT_S = 0.2
"""Who is not answered for so long is not being served: others take well under a millisecond."""


def queue(node: Node, *requests: Request) -> None:
    demand(node, "MULTI")
    for request in requests:
        assert node.ask(*request) == Answer("status", b"QUEUED")


def transact(node: Node, *requests: Request) -> Answer:
    queue(node, *requests)
    return node.ask("EXEC")


@pytest.mark.parametrize("to", [GOSSAMER, REDIS], ids=lambda program: program.name)
def test_the_replies_are_those_of_redis(nodes: Nodes, to: Program) -> None:
    """The same story with a source of ours and one of theirs."""
    target, frozen, nobody = nodes.start("--requirepass", "secret", program=to), nodes.start(), nodes.make()
    demand(target, "AUTH", "secret")
    frozen_pid = frozen.pid
    told = []
    for source in (nodes.start(), nodes.start(program=REDIS)):
        demand(target, "FLUSHALL")

        def move(port: int, *words: Word) -> Request:
            return "MIGRATE", "127.0.0.1", port, *words

        def send(*words: Word, port: int = target.port, db: int = 0) -> Request:
            return move(port, words[0], db, 5000, "AUTH", "secret", *words[1:])

        demand(source, "MSET", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5")
        stories: list[list[Request]] = [
            # First of all, for Redis goes on with a connection on which the right password was said.
            [move(target.port, "e", 0, 5000), move(target.port, "e", 0, 5000, "AUTH", "wrong"), ("INCR", "e")],
            [("INCR", "a"), send("a"), ("INCR", "a"), send("a"), send("a", "REPLACE"), ("GET", "a")],
            [send("nobody"), ("GET", "b")],
            [send("", "KEYS", "b", "nobody", "c"), send("d", "COPY"), ("GET", "b"), ("GET", "d")],
            [send("d", db=99), send("d", "FOO"), ("INCR", "d"), send("d", "REPLACE", db=3), ("GET", "d")],
            [send("e", port=nobody.port), ("INCR", "e")],
            [move(frozen.port, "e", 0, 200), ("INCR", "e")],
            [move(source.port, "e", 0, 200), ("INCR", "e")],
            [("RENAME", "e", "f"), send("f"), ("DBSIZE",)],
        ]
        os.kill(frozen_pid, signal.SIGSTOP)
        try:
            told.append([transact(source, *story) for story in stories])
        finally:
            os.kill(frozen_pid, signal.SIGCONT)
        assert [item.text for item in target.ask("MGET", "a", "b", "c", "d").items] == [b"1", b"2", b"3", b"4"]
    assert told[0] == told[1]


@BOTH
def test_a_transaction_that_is_not_run_moves_nothing(nodes: Nodes, program: Program) -> None:
    source, target = nodes.start(program=program), nodes.start()
    demand(source, "SET", "a", "1")
    demand(source, "WATCH", "a")
    with source.connect() as other:
        other.sendall(encode(("INCR", "a")))
        assert other.recv(100) == b":2\r\n"
    assert transact(source, ("MIGRATE", "127.0.0.1", target.port, "a", 0, 5000)).kind == "nullarray"
    queue(source, ("MIGRATE", "127.0.0.1", target.port, "a", 0, 5000))
    assert source.ask("MIGRATE").kind == "error"
    assert source.ask("EXEC").text.startswith(b"EXECABORT")
    assert (source.ask("GET", "a").text, target.ask("DBSIZE").number) == (b"2", 0)


class Slow:
    """A target that has read the keys and answers when it is told to."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        data = sock.recv(1000)
        assert b"RESTORE" in data
        self._requests = data.count(b"*")  # Redis sends SELECT along

    def answer(self) -> None:
        self._sock.sendall(b"+OK\r\n" * self._requests)


@contextmanager
def slow_move(source: Node, operator: socket.socket) -> Iterator[Slow]:
    """``operator`` has sent a transaction that moves a, between other things; the target has got it.

    It goes away, and its port with it, at the end of the block.
    """
    demand(source, "SET", "a", "text")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        port = listener.getsockname()[1]
        move = ("MIGRATE", "127.0.0.1", port, "a", 0, 10_000)
        operator.sendall(b"".join(map(encode, (("MULTI",), ("SET", "b", 1), move, ("INCR", "b"), ("EXEC",)))))
        sock, _ = listener.accept()
    with sock:
        sock.settimeout(20)
        yield Slow(sock)


@BOTH
def test_nobody_is_served_before_the_end_of_the_transaction(nodes: Nodes, program: Program) -> None:
    source = nodes.start(program=program)
    with source.connect() as operator, source.connect() as guest:
        with slow_move(source, operator) as target:
            guest.sendall(encode(("GET", "b")))
            assert not select.select([guest, operator], [], [], FALLS_SILENT_S)[0]
            target.answer()
            assert guest.recv(100) == b"$1\r\n2\r\n"
        assert operator.recv(1000).endswith(b"*3\r\n+OK\r\n+OK\r\n:2\r\n")
        assert source.ask("EXISTS", "a").number == 0


@BOTH
def test_a_client_that_goes_away_leaves_the_whole_transaction_behind(nodes: Nodes, program: Program) -> None:
    source = nodes.start(program=program)
    with source.connect() as operator, slow_move(source, operator) as target:
        operator.close()
        target.answer()
        assert source.ask("MGET", "a", "b").items == (NULL, Answer("bulk", b"2"))


@BOTH
def test_a_target_that_goes_away_leaves_the_key_here(nodes: Nodes, program: Program) -> None:
    source = nodes.start(program=program)
    with source.connect() as operator:
        with slow_move(source, operator):
            pass
        assert source.ask("MGET", "a", "b").items == (Answer("bulk", b"text"), Answer("bulk", b"2"))
        # It has tried again, and nobody is there to be written to.
        failure = b"-IOERR error or timeout writing to target instance\r\n"
        assert operator.recv(1000).endswith(b"*3\r\n+OK\r\n" + failure + b":2\r\n")


@BOTH
def test_a_slot_may_be_moved_in_transactions_and_the_replica_follows(nodes: Nodes, program: Program) -> None:
    made = [nodes.make(*CLUSTER, "--repl-diskless-sync-delay", "0", program=program) for _ in range(3)]
    start_together(made)
    form(made[:2])
    source, target = made[:2]
    if source.ask("GET", "{x}").kind == "error":
        source, target = target, source
    replica = made[2]
    introduce([replica], source, made)
    demand(replica, "CLUSTER", "REPLICATE", my_id(source))
    wait_until(lambda: facts(replica).get("master_link_status") == "up", "it is in sync")
    slot = source.ask("CLUSTER", "KEYSLOT", "{x}").number
    for name in ("{x}1", "{x}2", "{x}3"):
        demand(source, "SET", name, name)
    demand(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", my_id(source))
    demand(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", my_id(target))

    def move(*keys: Word) -> Request:
        return "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys

    told = transact(source, ("SET", "{x}2", "new"), move("{x}1", "{x}2"), ("GET", "{x}2"), ("GET", "{x}3"))
    assert told.items == (OK, OK, NULL, Answer("bulk", b"{x}3"))
    queue(source, move("{x}3"), ("GET", "{x}3"))
    assert source.ask("EXEC").items == (OK, NULL)
    demand(replica, "READONLY")
    wait_until(lambda: replica.ask("DBSIZE").number == 0, "the replica has deleted them too")
    for node in (target, source):
        demand(node, "CLUSTER", "SETSLOT", slot, "NODE", my_id(target))
    assert target.ask("MGET", "{x}1", "{x}2", "{x}3").content == tuple(
        Answer("bulk", text) for text in (b"{x}1", b"new", b"{x}3")
    )
