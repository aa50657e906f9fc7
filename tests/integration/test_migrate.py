"""MIGRATE between real processes: ours and the reference servers in every pairing, slow and vanished targets, and the
redirects of a slot that is half way."""

import os
import signal
import threading

import pytest

from tests.compat.pair import Word
from tests.compat.replies import Answer
from tests.integration.clusters import CLUSTER, OK, demand, form, my_id, start_together
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program

FAR = 4_102_444_800_000
"""The year 2100, in unix milliseconds."""

VALUES: dict[bytes, bytes] = {
    b"plain": b"text",
    b"number": b"-12345",
    b"": b"empty name",
    b"empty": b"",
    b"binary\x00\r\n": bytes(range(256)),
    b"long": b"0123456789" * 20_000,
}


def move(source: Node, target: Node, *keys: bytes, options: tuple[str, ...] = ()) -> Answer:
    return source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, *options, "KEYS", *keys)


@pytest.mark.parametrize(
    ("from_", "to"),
    [(GOSSAMER, GOSSAMER), (GOSSAMER, REDIS), (REDIS, GOSSAMER), (GOSSAMER, VALKEY), (VALKEY, GOSSAMER)],
    ids=lambda program: program.name,
)
def test_values_and_times_arrive(nodes: Nodes, from_: Program, to: Program) -> None:
    source, target = nodes.start(program=from_), nodes.start(program=to)
    for key, value in VALUES.items():
        demand(source, "SET", key, value)
    source.ask("PEXPIREAT", "number", FAR)
    assert move(source, target, *VALUES) == OK
    assert source.ask("DBSIZE").number == 0
    for key, value in VALUES.items():
        assert target.ask("GET", key).content == value
    assert abs(target.ask("PEXPIRETIME", "number").number - FAR) < 60_000
    assert target.ask("TTL", "plain").number == -1
    assert move(source, target, *VALUES) == Answer("status", b"NOKEY")


@pytest.mark.parametrize("program", [REDIS, VALKEY], ids=lambda program: program.name)
def test_target_answers_are_told_as_redis_tells_them(nodes: Nodes, program: Program) -> None:
    """The same story with a source of ours and one of theirs."""
    target = nodes.start("--requirepass", "secret")
    told = []
    for source in (nodes.start(), nodes.start(program=program)):
        demand(target, "AUTH", "secret")
        demand(target, "FLUSHALL")
        demand(source, "SET", "k", "1")
        story: list[tuple[Word, ...]] = [
            ("k", 0, 5000),
            ("k", 0, 5000, "AUTH", "wrong"),
            ("k", 0, 5000, "AUTH2", "default", "secret", "COPY"),
            ("k", 0, 5000, "AUTH", "secret"),
            ("k", 99, 5000, "AUTH", "secret"),
            ("k", 2, 5000, "AUTH", "secret", "COPY"),
            ("k", 0, 5000, "AUTH", "secret", "REPLACE"),
        ]
        told.append([source.ask("MIGRATE", "127.0.0.1", target.port, *words) for words in story])
        assert source.ask("EXISTS", "k").number == 0
        assert target.ask("DBSIZE").number == 1
    assert told[0] == told[1]


def test_a_target_that_does_not_answer_holds_up_nobody_else(nodes: Nodes) -> None:
    source, target = nodes.start(), nodes.start()
    demand(source, "MSET", "k", "1", "other", "1")
    target_pid = target.pid
    with source.connect() as operator, source.connect() as writer:
        os.kill(target_pid, signal.SIGSTOP)
        try:
            operator.sendall(b"MIGRATE 127.0.0.1 %d k 0 3000\r\n" % target.port)
            for _ in range(50):
                assert source.ask("INCR", "other").number > 0
            writer.sendall(b"GET k\r\nINCR k\r\n")
            assert writer.recv(100) == b"$1\r\n1\r\n"
            assert operator.recv(200) == b"-IOERR error or timeout reading to target instance\r\n"
            assert writer.recv(100) == b":2\r\n"
        finally:
            os.kill(target_pid, signal.SIGCONT)


def test_connections_are_kept_and_made_anew_when_the_target_was_away(nodes: Nodes) -> None:
    source, target = nodes.start(), nodes.start()
    numbers = set()
    for key in (b"a", b"b", b"c"):
        demand(source, "SET", key, "1")
        assert move(source, target, key) == OK
        (line,) = [line for line in target.ask("CLIENT", "LIST").text.splitlines() if b"cmd=restore" in line]
        numbers.add(line.split()[0])
    assert len(numbers) == 1
    target.restart()
    demand(source, "SET", "d", "1")
    assert move(source, target, b"d") == OK
    assert target.ask("GET", "d").text == b"1"


def test_migrations_side_by_side_lose_nothing(nodes: Nodes) -> None:
    source, target = nodes.start(), nodes.start()
    for number in range(400):
        demand(source, "SET", f"key:{number}", number)

    def carry(first: int) -> None:
        with source.connect() as sock:
            for low in range(first, 400, 40):
                names = b" ".join(b"key:%d" % number for number in range(low, low + 30))  # they overlap
                sock.sendall(b'MIGRATE 127.0.0.1 %d "" 0 5000 KEYS %s\r\n' % (target.port, names))
                assert sock.recv(100) in (b"+OK\r\n", b"+NOKEY\r\n")

    tasks = [threading.Thread(target=carry, args=(first,)) for first in (0, 20, 10)]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join(30)
    assert (source.ask("DBSIZE").number, target.ask("DBSIZE").number) == (0, 400)


def test_a_slot_that_is_half_way_is_served_from_both_ends(nodes: Nodes) -> None:
    made = [nodes.make(*CLUSTER) for _ in range(2)]
    start_together(made)
    form(made)
    source, target = made
    if source.ask("GET", "{x}").kind == "error":
        source, target = target, source
    slot = source.ask("CLUSTER", "KEYSLOT", "{x}").number
    for name in ("{x}1", "{x}2", "{x}3"):
        demand(source, "SET", name, name)
    demand(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", my_id(source))
    demand(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", my_id(target))
    assert move(source, target, b"{x}1", b"{x}missing") == OK

    ask = Answer("error", b"ASK %d 127.0.0.1:%d" % (slot, target.port))
    moved = Answer("error", b"MOVED %d 127.0.0.1:%d" % (slot, source.port))
    again = Answer("error", b"TRYAGAIN Multiple keys request during rehashing of slot")
    assert source.ask("GET", "{x}1") == ask
    assert source.ask("GET", "{x}2").text == b"{x}2"
    assert source.ask("MGET", "{x}2", "{x}3").kind == "array"
    assert source.ask("MGET", "{x}1", "{x}2") == again
    assert source.ask("MGET", "{x}1", "{x}missing") == ask
    assert target.ask("GET", "{x}1") == moved
    demand(target, "ASKING")
    assert target.ask("GET", "{x}1").text == b"{x}1"
    demand(target, "ASKING")
    assert target.ask("MGET", "{x}1", "{x}2") == again
    refusal = source.ask("CLUSTER", "SETSLOT", slot, "NODE", my_id(target))
    assert refusal.text.startswith(b"ERR Can't assign hashslot %d to a different node while I still hold keys" % slot)

    assert move(source, target, b"{x}2", b"{x}3") == OK
    for node in (target, source):
        demand(node, "CLUSTER", "SETSLOT", slot, "NODE", my_id(target))
    assert target.ask("MGET", "{x}1", "{x}2", "{x}3").kind == "array"
    assert source.ask("GET", "{x}1") == Answer("error", b"MOVED %d 127.0.0.1:%d" % (slot, target.port))
