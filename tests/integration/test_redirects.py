"""Redirects in every place where a client meets them, at both ends of an open slot and at their replicas.

One ASKING serves a whole transaction, as with Redis 7.0. A replica sends those who may read from it (READONLY) after
keys that have left, as Valkey 9 does.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.compat.pair import Wire, encode
from tests.compat.replies import Answer
from tests.integration.clusters import CLUSTER, OK, demand, info, introduce, my_id, start_together, view, wait_until
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program
from tests.integration.test_clients import node_js, node_modules, run

TAG: Final = "{tag}"
SLOT: Final = 8338
HALF: Final = 8192
ABORTED: Final = "EXECABORT Transaction discarded because of previous errors."
AGAIN: Final = "TRYAGAIN Multiple keys request during rehashing of slot"
ASK: Final = f"ASK {SLOT} target"
MOVED: Final = f"MOVED {SLOT} source"


class Halfway:
    """The slot of ``{tag}`` is on its way: ``{tag}here`` is at its source, ``{tag}gone`` and ``gone2`` are not."""

    def __init__(self, nodes: Nodes, program: Program) -> None:
        self.target, self.source, self.copy = made = [nodes.make(*CLUSTER, program=program) for _ in range(3)]
        self.made = made
        start_together(made)
        for epoch, (node, first, last) in enumerate([(self.target, 0, HALF - 1), (self.source, HALF, 16383)], 1):
            demand(node, "CLUSTER", "ADDSLOTSRANGE", first, last)
            demand(node, "CLUSTER", "SET-CONFIG-EPOCH", epoch)
        introduce(made[1:], self.target, made)
        demand(self.copy, "CLUSTER", "REPLICATE", my_id(self.source))
        wait_until(lambda: b"master_link_status:up" in self.copy.ask("INFO", "replication").text, "the copy is in sync")
        wait_until(lambda: b"state=online" in self.source.ask("INFO", "replication").text, "its primary knows, too")
        wait_until(lambda: all(info(node)["cluster_state"] == "ok" for node in made), "the cluster is up")
        for name in ("here", "gone", "gone2"):
            assert self.source.ask("SET", TAG + name, name) == OK
        demand(self.target, "CLUSTER", "SETSLOT", SLOT, "IMPORTING", my_id(self.source))
        demand(self.source, "CLUSTER", "SETSLOT", SLOT, "MIGRATING", my_id(self.target))
        self.migrate("gone", "gone2")

    def migrate(self, *names: str) -> None:
        keys = [TAG + name for name in names]
        assert self.source.ask("MIGRATE", *self.target.address, "", 0, 5000, "KEYS", *keys) == OK
        assert self.source.ask("WAIT", 1, 10_000).number == 1

    def say(self, node: Node, lines: str) -> list[object]:
        """The answers to the lines, separated by ``;``, on a connection of their own; ``@`` is the tag."""
        wire = Wire(node.address)
        told = []
        for line in lines.replace("@", TAG).split(";"):
            wire.send(encode(line.split()))
            told.append(self.plain(wire.receive()))
        wire.close()
        return told

    def plain(self, answer: Answer) -> object:
        if isinstance(answer.content, tuple):
            return [self.plain(item) for item in answer.items]
        if not isinstance(answer.content, bytes):
            return answer.content
        text = answer.content.decode()
        for name, node in (("source", self.source), ("target", self.target), ("copy", self.copy)):
            text = text.replace(f"127.0.0.1:{node.port}", name)
        return text


@pytest.fixture(scope="module", params=[GOSSAMER, REDIS, VALKEY], ids=lambda program: program.name)
def halfway(request: pytest.FixtureRequest) -> Iterator[Halfway]:
    program: Program = request.param
    with Nodes() as nodes:
        yield Halfway(nodes, program)


@pytest.mark.parametrize(
    ("lines", "answers"),
    [
        ("ASKING;MULTI;SET @new 1;EXEC;GET @new", ["OK", "OK", "QUEUED", ["OK"], MOVED]),
        ("ASKING;MULTI;APPEND @new 1;GET @gone;EXEC", ["OK", "OK", "QUEUED", "QUEUED", AGAIN]),
        ("ASKING;MULTI;MGET @gone @gone2;PING;EXEC", ["OK", "OK", "QUEUED", "QUEUED", [["gone", "gone2"], "PONG"]]),
        ("ASKING;MULTI;GET @gone;GET @here;EXEC;GET @gone", ["OK", "OK", "QUEUED", "QUEUED", AGAIN, MOVED]),
        ("ASKING;MULTI;NOSUCH;GET @gone;EXEC;GET @gone", ["OK", "OK", ..., "QUEUED", ABORTED, MOVED]),
        ("ASKING;MULTI;GET;GET @gone;EXEC;GET @gone", ["OK", "OK", ..., "QUEUED", ABORTED, MOVED]),
        ("ASKING;MULTI;EXEC;GET @gone", ["OK", "OK", [], MOVED]),
        ("ASKING;MULTI;GET @gone;DISCARD;GET @gone", ["OK", "OK", "QUEUED", "OK", MOVED]),
        ("ASKING;MULTI;DISCARD;MULTI;GET @gone;EXEC", ["OK", "OK", "OK", "OK", MOVED, ABORTED]),
        ("ASKING;MULTI;GET @gone;RESET;GET @gone", ["OK", "OK", "QUEUED", "RESET", MOVED]),
        ("ASKING;MULTI;SET zz 1;EXEC", ["OK", "OK", "MOVED 14415 source", ABORTED]),
        ("MULTI;ASKING;GET @gone;EXEC;GET @gone", ["OK", "QUEUED", MOVED, ABORTED, MOVED]),
        ("MULTI;ASKING;EXEC;GET @gone", ["OK", "QUEUED", ["OK"], MOVED]),
        ("ASKING;WATCH @gone;MULTI;GET @gone;EXEC", ["OK", "OK", "OK", MOVED, ABORTED]),
        ("ASKING;WATCH @gone;ASKING;MULTI;GET @gone;EXEC", ["OK", "OK", "OK", "OK", "QUEUED", ["gone"]]),
        ("ASKING;PING;GET @gone", ["OK", "PONG", MOVED]),
        ("ASKING;NOSUCH;GET @gone", ["OK", ..., MOVED]),
        ("ASKING;DISCARD;GET @gone", ["OK", ..., MOVED]),
        ("ASKING;EXEC;GET @gone", ["OK", ..., MOVED]),
        ("ASKING;MULTI x;GET @gone", ["OK", ..., MOVED]),
    ],
)
def test_one_asking_serves_a_whole_transaction_and_nothing_behind_it(
    halfway: Halfway, lines: str, answers: list[object]
) -> None:
    told = halfway.say(halfway.target, lines)
    halfway.say(halfway.target, "ASKING;DEL @new")
    assert len(told) == len(answers)
    assert [mine for mine, wanted in zip(told, answers, strict=True) if wanted is not ...] == [
        wanted for wanted in answers if wanted is not ...
    ]


def test_who_waits_after_asking_is_served(halfway: Halfway) -> None:
    waiter = Wire(halfway.target.address)
    waiter.send(encode(["ASKING"]) + encode(["BLPOP", TAG + "queue", "20"]))
    assert waiter.receive() == OK
    wait_until(lambda: "blocked_clients:1" in halfway.target.ask("INFO", "clients").text.decode(), "it waits")
    assert halfway.say(halfway.target, "ASKING;RPUSH @queue x") == ["OK", 1]
    assert halfway.plain(waiter.receive()) == [TAG + "queue", "x"]
    waiter.close()


def test_the_source_counts_a_key_that_is_named_twice_once(halfway: Halfway) -> None:
    told = halfway.say(halfway.source, "MGET @gone @gone;MGET @gone @gone @here;MGET @here @here")
    assert told == [ASK, AGAIN, ["here", "here"]]


READS: Final = "GET @here;GET @gone;GET @never;EXISTS @gone;MGET @here @gone;MGET @gone @gone2"


def test_a_replica_of_the_source_sends_readers_after_what_has_left(halfway: Halfway) -> None:
    if halfway.copy.program is REDIS:
        pytest.skip("Redis 7.0 answers as if these keys were nowhere")
    assert halfway.say(halfway.copy, "READONLY;" + READS) == ["OK", "here", ASK, ASK, ASK, AGAIN, ASK]
    assert halfway.say(halfway.copy, READS) == [MOVED] * 6
    assert halfway.say(halfway.copy, "READONLY;WATCH @gone;SET @here 1") == ["OK", ASK, MOVED]
    assert halfway.say(halfway.copy, "READONLY;MULTI;GET @here;EXEC") == ["OK", "OK", "QUEUED", ["here"]]
    assert ASK in halfway.say(halfway.copy, "READONLY;MULTI;GET @gone;EXEC")
    if halfway.copy.program is VALKEY:  # looks at keys on EXEC alone, where Redis and we refuse to queue at once
        assert halfway.say(halfway.copy, "READONLY;MULTI;GET @here;GET @gone;EXEC")[-1] == AGAIN
    else:
        told = halfway.say(halfway.copy, "READONLY;MULTI;GET @here;GET @gone;EXEC")
        assert told == ["OK", "OK", "QUEUED", ASK, ABORTED]


def test_readers_of_a_replica_find_the_keys_at_every_step_of_the_move(nodes: Nodes) -> None:
    """No step shows a reader that follows redirects a key as missing; in the end the replica has closed it too."""
    halfway = Halfway(nodes, GOSSAMER)

    def found(name: str) -> object:
        told = halfway.say(halfway.copy, f"READONLY;GET @{name}")[1]
        if told in (ASK, f"MOVED {SLOT} target"):
            return halfway.say(halfway.target, f"ASKING;GET @{name}")[1]
        return told

    halfway.migrate("here")
    assert [found(name) for name in ("here", "gone", "gone2")] == ["here", "gone", "gone2"]
    demand(halfway.target, "CLUSTER", "SETSLOT", SLOT, "NODE", my_id(halfway.target))
    assert [found(name) for name in ("here", "gone", "gone2")] == ["here", "gone", "gone2"]
    demand(halfway.source, "CLUSTER", "SETSLOT", SLOT, "NODE", my_id(halfway.target))
    assert [found(name) for name in ("here", "gone", "gone2")] == ["here", "gone", "gone2"]
    wait_until(
        lambda: halfway.say(halfway.copy, "READONLY;GET @gone")[1] == f"MOVED {SLOT} target", "the copy knows the owner"
    )


def test_a_slot_that_stays_after_all_is_closed_for_the_replica_too(nodes: Nodes) -> None:
    halfway = Halfway(nodes, GOSSAMER)
    assert halfway.say(halfway.copy, "READONLY;GET @never") == ["OK", ASK]
    demand(halfway.source, "CLUSTER", "SETSLOT", SLOT, "STABLE")
    assert halfway.source.ask("WAIT", 1, 10_000).number == 1
    assert halfway.say(halfway.copy, "READONLY;GET @never") == ["OK", None]


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("ADDSLOTS 0", "Slot 0 is already busy"),
        ("ADDSLOTSRANGE 0 9", "Slot 0 is already busy"),
        (f"DELSLOTS {SLOT}", "Please use DELSLOTS only with masters."),
        (f"DELSLOTSRANGE {SLOT} {SLOT}", "Please use DELSLOTS only with masters."),
        ("DELSLOTSRANGE 0 9 8192 16383", "Please use DELSLOTS only with masters."),
        ("FLUSHSLOTS", "Please use FLUSHSLOTS only with masters."),
    ],
)
def test_a_replica_neither_takes_slots_nor_gives_them(halfway: Halfway, words: str, refusal: str) -> None:
    if halfway.copy.program is not GOSSAMER:
        pytest.skip("others forget, for themselves alone, whose the slots are")
    before = view(halfway.copy)
    assert halfway.say(halfway.copy, f"CLUSTER {words}") == [f"ERR {refusal}"]
    assert view(halfway.copy) == before


def test_ioredis_works_in_a_slot_that_is_open(nodes: Nodes) -> None:
    """The slot stays open, so a transaction that is sent from one end to the other and back gets nowhere."""
    halfway = Halfway(nodes, GOSSAMER)
    script = Path(__file__).with_name("ioredis-open-slot.js")
    told = json.loads(run(node_js(), script, halfway.source.port, environment={"NODE_PATH": node_modules()}))
    assert told == {
        "multi": [[None, 5], [None, "gone!"]],
        "fresh": [[None, "OK"], [None, 2]],
        "pipeline": [[None, "gone!"]] * 2,
        "read": ["here", "gone!", "gone2"],
    }
