"""Who waits for a key in a cluster is told where it is now, when the slot or the role of the node goes meanwhile.

Each command that waits is tried with real nodes, and the same is done with real servers: their words are ours.
"""

from collections.abc import Sequence
from typing import Final

import pytest

from gossamer.deploy.blocking_client import fields
from tests.compat.pair import Wire, encode
from tests.compat.replies import CLOSED, Answer
from tests.integration.clusters import ask, demand, my_id, myself, wait_until
from tests.integration.handing_over import hand_over
from tests.integration.migrating import migrate, wait_end
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program
from tests.integration.test_atomic_migration import cluster_of, replica_of
from tests.integration.test_replication import facts, name

LISTS: Final = (
    ("BLPOP", "{a}list", "0"),
    ("BRPOP", "{a}none", "{a}list", "1000"),
    ("BLMOVE", "{a}list", "{a}other", "LEFT", "RIGHT", "0"),
    ("BRPOPLPUSH", "{a}list", "{a}list", "0"),
    ("BLMPOP", "0", "2", "{a}list", "{a}other", "LEFT", "COUNT", "5"),
)
ZSETS: Final = (
    ("BZPOPMIN", "{a}zset", "0"),
    ("BZPOPMAX", "{a}none", "{a}zset", "1000"),
    ("BZMPOP", "0", "1", "{a}zset", "MIN"),
)
READER: Final = ("XREAD", "BLOCK", "0", "STREAMS", "{a}stream", "$")
STREAMS: Final = (
    READER,
    ("XREADGROUP", "GROUP", "group", "alice", "BLOCK", "0", "STREAMS", "{a}stream", ">"),
)
WITHOUT_GROUP: Final = (*LISTS, *ZSETS, READER)
"""What can wait in a slot without keys."""
ALL: Final = (*LISTS, *ZSETS, *STREAMS)
SLOT: Final = 15495
"""Of {a}; the second of two nodes has it."""
UNBLOCKED: Final = b"UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
ALIKE: Final = (GOSSAMER, *(pytest.param(program, marks=pytest.mark.once) for program in (REDIS, VALKEY)))


def called(value: object) -> str | None:
    return value.name if isinstance(value, Program) else None


def blocked(node: Node) -> int:
    return int(fields(ask(node, "INFO", "clients"))["blocked_clients"])


def wait_blocked(node: Node, count: int) -> None:
    wait_until(lambda: blocked(node) == count, f"{count} clients of {node} wait")


class Waiters:
    """A client of ``node`` for each of ``requests``; all wait when this is entered. ``before``: what they say first."""

    def __init__(self, node: Node, requests: Sequence[Sequence[str]], before: str = "PING") -> None:
        self.node = node
        self.requests = requests
        self.before = before
        self.wires: list[Wire] = []

    def __enter__(self) -> "Waiters":
        already = blocked(self.node)
        for request in self.requests:
            wire = Wire(self.node.address)
            self.wires.append(wire)
            wire.send(encode([self.before]))
            assert wire.receive().kind == "status"
            wire.send(encode(request))
        wait_blocked(self.node, already + len(self.requests))
        return self

    def __exit__(self, *_: object) -> None:
        for wire in self.wires:
            wire.close()

    def told(self) -> dict[str, bytes]:
        """What each of them is answered, which is an error, by the command."""
        answers = [wire.receive() for wire in self.wires]
        assert {answer.kind for answer in answers} == {"error"}, answers
        return {words[0]: answer.text for words, answer in zip(self.requests, answers, strict=True)}

    def are_closed(self) -> bool:
        return all(wire.receive() == CLOSED for wire in self.wires)

    def are_served(self) -> None:
        for wire in self.wires:
            wire.send(encode(["PING"]))
            assert wire.receive() == Answer("status", b"PONG")


def each(requests: Sequence[Sequence[str]], text: bytes) -> dict[str, bytes]:
    return {words[0]: text for words in requests}


def moved_to(node: Node) -> bytes:
    return b"MOVED %d 127.0.0.1:%d" % (SLOT, node.port)


def with_group(node: Node) -> None:
    demand(node, "XGROUP", "CREATE", "{a}stream", "group", "$", "MKSTREAM")


# --- the slot goes


@pytest.mark.parametrize("program", ALIKE, ids=called)
def test_a_slot_that_is_given_away_by_setslot(nodes: Nodes, program: Program) -> None:
    """Nobody is told before it has gone, and who waits for another slot goes on waiting."""
    target, source = cluster_of(nodes, program, program)
    with Waiters(source, WITHOUT_GROUP) as waiters, Waiters(source, [("BLPOP", "{d}list", "0")]) as other:
        demand(target, "CLUSTER", "SETSLOT", SLOT, "IMPORTING", my_id(source))
        demand(source, "CLUSTER", "SETSLOT", SLOT, "MIGRATING", my_id(target))
        wait_blocked(source, len(WITHOUT_GROUP) + 1)
        for node in (target, source):
            demand(node, "CLUSTER", "SETSLOT", SLOT, "NODE", my_id(target))
        assert waiters.told() == each(WITHOUT_GROUP, moved_to(target))
        waiters.are_served()
        wait_blocked(source, 1)
        assert source.ask("LPUSH", "{d}list", "v").number == 1
        assert [item.text for item in other.wires[0].receive().items] == [b"{d}list", b"v"]


@pytest.mark.parametrize(
    "pair", [(GOSSAMER, GOSSAMER), (GOSSAMER, VALKEY), (VALKEY, GOSSAMER), (VALKEY, VALKEY)], ids=name
)
def test_a_slot_that_moves_at_one_stroke(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    target, source = cluster_of(nodes, pair[1], pair[0])
    with_group(source)
    with Waiters(source, ALL) as waiters:
        migrate(source, target, SLOT, SLOT)
        assert wait_end(source)["state"] == "success"
        assert waiters.told() == each(ALL, moved_to(target))
        waiters.are_served()
    with Waiters(target, ALL):
        assert target.ask("XADD", "{a}stream", "1-1", "f", "v").text == b"1-1"
        wait_blocked(target, len(ALL) - len(STREAMS))


@pytest.mark.parametrize("program", ALIKE, ids=called)
def test_a_stream_that_is_migrated_away_from_its_group(nodes: Nodes, program: Program) -> None:
    target, source = cluster_of(nodes, program, program)
    with_group(source)
    with Waiters(source, STREAMS) as waiters:
        demand(target, "CLUSTER", "SETSLOT", SLOT, "IMPORTING", my_id(source))
        demand(source, "CLUSTER", "SETSLOT", SLOT, "MIGRATING", my_id(target))
        demand(source, "MIGRATE", *target.address, "{a}stream", "0", "5000")
        wait_blocked(source, 1)
        for node in (target, source):
            demand(node, "CLUSTER", "SETSLOT", SLOT, "NODE", my_id(target))
        gone = b"ASK" + moved_to(target).removeprefix(b"MOVED")
        if program is REDIS:
            gone = b"UNBLOCKED the stream key no longer exists"  # before 7.2, which asks anew as we do
        assert waiters.told() == {"XREAD": moved_to(target), "XREADGROUP": gone}


@pytest.mark.parametrize("program", ALIKE, ids=called)
@pytest.mark.parametrize(
    ("covered", "text"), [("yes", b"CLUSTERDOWN The cluster is down"), ("no", b"CLUSTERDOWN Hash slot not served")]
)
def test_a_slot_that_nobody_has_any_more(nodes: Nodes, program: Program, covered: str, text: bytes) -> None:
    """Where all slots must be served nobody waits on, not for another slot, and not where reads go on."""
    other, source = cluster_of(nodes, program, program)
    for node in (other, source):
        demand(node, "CONFIG", "SET", "cluster-require-full-coverage", covered)
        demand(node, "CONFIG", "SET", "cluster-allow-reads-when-down", "yes")
    everywhere = [("BLPOP", "{d}list", "0"), ("XREAD", "BLOCK", "0", "STREAMS", "{d}stream", "0")]
    with Waiters(source, WITHOUT_GROUP) as waiters, Waiters(source, everywhere) as others:
        demand(source, "CLUSTER", "DELSLOTS", SLOT)
        assert waiters.told() == each(WITHOUT_GROUP, text)
        waiters.are_served()
        if covered == "yes":
            assert others.told() == each(everywhere, text)
        else:
            wait_blocked(source, len(everywhere))


@pytest.mark.parametrize("program", ALIKE, ids=called)
def test_who_waits_in_a_slot_that_arrives_stays_when_other_slots_go(nodes: Nodes, program: Program) -> None:
    target, source = cluster_of(nodes, program, program)
    demand(target, "CLUSTER", "SETSLOT", SLOT, "IMPORTING", my_id(source))
    demand(source, "CLUSTER", "SETSLOT", SLOT, "MIGRATING", my_id(target))
    with Waiters(target, [LISTS[0]], "ASKING") as waiters:
        for node in (source, target):
            demand(node, "CLUSTER", "SETSLOT", 0, "NODE", my_id(source))
        wait_blocked(target, 1)
        for node in (target, source):
            demand(node, "CLUSTER", "SETSLOT", SLOT, "NODE", my_id(target))
        assert target.ask("RPUSH", "{a}list", "v").number == 1
        assert [item.text for item in waiters.wires[0].receive().items] == [b"{a}list", b"v"]


@pytest.mark.parametrize("program", ALIKE, ids=called)
def test_a_reader_of_a_replica_follows_the_slot(nodes: Nodes, program: Program) -> None:
    target, source = cluster_of(nodes, program, program)
    replica = replica_of(nodes, source, [target, source], program)
    with Waiters(replica, [READER], "READONLY") as waiters:
        for node in (target, source):
            demand(node, "CLUSTER", "SETSLOT", SLOT, "NODE", my_id(target))
        assert waiters.told() == each([READER], moved_to(target))
        waiters.are_served()


# --- the role goes


@pytest.mark.parametrize("program", ALIKE, ids=called)
def test_a_primary_that_becomes_a_replica(nodes: Nodes, program: Program) -> None:
    other, source = cluster_of(nodes, program, program)
    replica = replica_of(nodes, source, [other, source], program)
    with_group(source)
    assert source.ask("WAIT", 1, 10_000).number == 1
    with Waiters(source, ALL) as waiters:
        hand_over(replica, [other, source, replica])
        wait_until(lambda: myself(source).primary == my_id(replica), "it is a replica")
        assert waiters.told() == each(ALL, moved_to(replica) if program is VALKEY else UNBLOCKED)
        if program is VALKEY:  # since 9 it sends them to the new primary
            waiters.are_served()
        else:
            assert waiters.are_closed()
    with Waiters(replica, ALL):
        assert replica.ask("XADD", "{a}stream", "1-1", "f", "v").text == b"1-1"
        wait_blocked(replica, len(ALL) - len(STREAMS))
    refused = Wire(source.address)
    refused.send(encode(LISTS[0]))
    assert refused.receive() == Answer("error", moved_to(replica))
    refused.close()


@pytest.mark.parametrize("program", ALIKE, ids=called)
def test_a_server_without_a_cluster_that_becomes_a_replica(nodes: Nodes, program: Program) -> None:
    primary, server = (nodes.start(program=program) for _ in range(2))
    with_group(server)
    with Waiters(server, ALL) as waiters:
        demand(server, "REPLICAOF", *primary.address)
        assert waiters.told() == each(ALL, UNBLOCKED)
        assert waiters.are_closed()
    wait_until(lambda: facts(server)["master_link_status"] == "up", "it is in sync")
    for request in (*LISTS, *ZSETS):
        assert server.ask(*request) == Answer("error", b"READONLY You can't write against a read only replica.")
    with Waiters(server, [READER]):
        assert primary.ask("XADD", "{a}stream", "1-1", "f", "v").text == b"1-1"
        wait_blocked(server, 0)
