"""Several hand-overs at once: what a node takes must not take back what it gives."""

from itertools import permutations

import pytest

from gossamer.node.engine.state import PAUSED
from gossamer.node.migration.source import ANSWER_MS, Export
from tests.unit.node.migration.town import Town

RANGES = {"a": "0 199", "b": "6000 6199", "c": "11000 11199"}
KEY = "06S"
"""In slot 0."""


def town_of_three(*settings: str) -> Town:
    town = Town("a", "b", "c")
    town.own("a", 0, 5460)
    town.own("b", 5461, 10922)
    town.own("c", 10923, 16383)
    town.meet("a", "b", "c")
    town.pass_time(3000)
    for name in "abc":
        for setting in settings:
            assert town.tell(name, f"CONFIG SET {setting}") == b"+OK\r\n"
    return town


def begin(town: Town, source: str, target: str, slots: str) -> None:
    assert town.tell(source, f"CLUSTER MIGRATESLOTS SLOTSRANGE {slots} NODE {town[target].id}") == b"+OK\r\n"


@pytest.mark.parametrize("ring", [*permutations("abc", 2), *permutations("abc", 3)], ids="".join)
@pytest.mark.parametrize("head_start", range(0, 12, 3))
def test_nodes_that_hand_over_to_each_other_all_succeed(ring: tuple[str, ...], head_start: int) -> None:
    town = town_of_three()
    targets = [*ring[1:], ring[0]]
    for source, target in zip(ring, targets, strict=True):
        begin(town, source, target, RANGES[source])
        if source == ring[0]:
            for _ in range(head_start):
                town.step()
    town.pass_time(4000)
    for source, target in zip(ring, targets, strict=True):
        assert {state for state, _ in town.jobs(source)} == {"success"}
        first, last = map(int, RANGES[source].split())
        assert town.owners(first, last) == {target}
        assert not town.machine(town[source]).server.leaving.slots


def test_a_source_does_not_take_an_epoch_between_grant_and_claim() -> None:
    town = town_of_three()
    begin(town, "a", "b", RANGES["a"])
    while town.state("a") != "failover-granted":
        assert town.step()
    assert town.tell("a", "CLUSTER BUMPEPOCH").startswith(b"-ERR Slots are being handed over")
    town.pass_time(1000)
    assert town.state("a") == "success"
    assert town.owners(0, 199) == {"b"}
    assert town.tell("a", "CLUSTER BUMPEPOCH").startswith((b"+BUMPED", b"+STILL"))


def test_the_target_takes_an_epoch_beyond_that_of_the_source_though_it_has_not_heard_of_it() -> None:
    town = town_of_three()
    town.cut("b")
    for name in "caca":
        assert town.tell(name, "CLUSTER BUMPEPOCH").startswith(b"+")
        town.run(60)
    begin(town, "a", "b", RANGES["a"])
    while town.state("b") != "success":
        assert town.step()
    town.heal("b")
    town.pass_time(3000)
    assert town.state("a") == "success"
    assert town.owners(0, 199) == {"b"}


def test_one_grant_at_a_time() -> None:
    town = town_of_three()
    begin(town, "a", "b", "0 199")
    begin(town, "a", "c", "200 399")
    states = set()
    while town.step():
        states.add(tuple(sorted(state for state, _ in town.jobs("a"))))
        town.run(1)
    town.pass_time(1000)
    assert [state for state, _ in town.jobs("a")] == ["success", "success"]
    assert ("failover-granted", "failover-paused") in states
    assert ("failover-granted", "failover-granted") not in states


def test_a_target_without_the_replicas_that_writes_are_promised_takes_nothing() -> None:
    town = town_of_three("write-ack-replicas 1")
    begin(town, "a", "b", RANGES["a"])
    town.pass_time(1000)
    state, text = town.jobs("a")[0]
    assert state == "failed"
    assert "NOREPLICAS" in text
    assert town.owners(0, 199) == {"a"}


def test_a_grant_that_got_lost_with_its_connection_is_asked_after() -> None:
    """Neither end has been told that the connection is no more."""
    town = town_of_three("repl-timeout 5")
    begin(town, "a", "b", RANGES["a"])
    while town.state("a") != "failover-granted":
        assert town.step()
    dead = town.roads.pop()
    lasted = 0
    while not dead.export.finished:
        town.pass_time(100)
        lasted += 100
    assert ANSWER_MS <= lasted <= ANSWER_MS + 300
    town.begin(dead.source)
    dead.export.disconnected("")
    town.finish(dead.source)
    town.pass_time(1000)
    assert town.state("a") == "failover-granted", "the target could still take them"
    town.pass_time(4000)
    assert town.jobs("a")[0] == ("failed", "The target did not take over the slots that it was granted")
    assert town.owners(0, 199) == {"a"}
    assert town.tell("a", f"SET {KEY} x") == b"+OK\r\n"


def test_a_target_that_does_not_answer_is_asked_by_one_connection_at_a_time() -> None:
    town = town_of_three()
    begin(town, "a", "b", RANGES["a"])
    while town.state("a") != "failover-granted":
        assert town.step()
    export = town.roads[0].export
    asked: list[int] = []
    export.on_asking = lambda: asked.append(town.now)
    town.roads[0].cut()
    town.pass_time(2000)
    assert len(asked) == 1
    export.disconnected("timeout")
    town.pass_time(2000)
    assert len(asked) == 2


def with_a_replica() -> Town:
    """Three primaries, and d, which follows a."""
    town = Town("a", "b", "c", "d")
    town.own("a", 0, 5460)
    town.own("b", 5461, 10922)
    town.own("c", 10923, 16383)
    town.meet("a", "b", "c", "d")
    town.pass_time(3000)
    assert town.tell("d", f"CLUSTER REPLICATE {town['a'].id}") == b"+OK\r\n"
    town.pass_time(3000)
    return town


def test_a_manual_failover_of_the_source_waits_for_the_hand_over() -> None:
    town = with_a_replica()
    begin(town, "a", "b", RANGES["a"])
    while town.state("a") != "failover-granted":
        assert town.step()
    assert town.tell("d", "CLUSTER FAILOVER") == b"+OK\r\n"
    town.run(200)
    assert town["a"].gossip.me.is_primary
    town.pass_time(3000)
    assert town.owners(0, 199) == {"b"}
    assert town.owners(200, 5460) == {"d"}
    assert town.state("a") == "success"


@pytest.mark.parametrize("acks", [0, 1])
def test_what_another_may_be_writing_already_is_not_read_where_writes_are_promised(acks: int) -> None:
    town = Town("a", "b", "c", "d", "e")
    town.own("a", 0, 5460)
    town.own("b", 5461, 10922)
    town.own("c", 10923, 16383)
    town.meet("a", "b", "c", "d", "e")
    town.pass_time(3000)
    for primary, replica in (("a", "d"), ("b", "e")):
        assert town.tell(replica, f"CLUSTER REPLICATE {town[primary].id}") == b"+OK\r\n"
    town.pass_time(3000)
    for name in "ab":
        assert town.tell(name, f"CONFIG SET write-ack-replicas {acks}") == b"+OK\r\n"
    town.tell("a", f"SET {KEY} x")
    town.pass_time(200)
    town.clients["a"].take_output()
    begin(town, "a", "b", RANGES["a"])
    while town.state("a") != "failover-granted":
        assert town.tell("a", f"GET {KEY}") == b"$1\r\nx\r\n"
        assert town.step()
    assert town.tell("a", f"GET {KEY}") == (b"" if acks else b"$1\r\nx\r\n")
    town.pass_time(1000)
    if acks:
        assert town.clients["a"].take_output().startswith(b"-MOVED")
    assert town.tell("b", f"GET {KEY}") == b"$1\r\nx\r\n"
    assert not any(town.machine(town[name]).server.leaving.closed for name in "ab")


@pytest.mark.parametrize("acks", [0, 1])
def test_nobody_reads_while_a_replica_takes_over_where_writes_are_promised(acks: int) -> None:
    """It may have taken writes before the old primary hears of that."""
    town = with_a_replica()
    assert town.tell("a", f"CONFIG SET write-ack-replicas {acks}") == b"+OK\r\n"
    town.tell("a", f"SET {KEY} x")
    town.pass_time(200)
    town.clients["a"].take_output()
    assert town.tell("d", "CLUSTER FAILOVER") == b"+OK\r\n"
    while not town.machine(town["a"]).server.conditions & PAUSED:
        town.run(1)
    assert town["a"].gossip.me.is_primary
    assert town.tell("a", f"GET {KEY}") == (b"" if acks else b"$1\r\nx\r\n")
    town.pass_time(1000)
    late = town.clients["a"].take_output()
    assert late.startswith(b"-MOVED") if acks else not late
    assert town.tell("d", f"GET {KEY}") == b"$1\r\nx\r\n"


@pytest.mark.parametrize("end", ["CLUSTER CANCELSLOTMIGRATIONS", "FLUSHALL"])
def test_a_job_that_is_ended_while_it_connects_does_not_begin(end: str) -> None:
    town = town_of_three()
    exports: list[Export] = []
    town.machine(town["a"]).migrations.on_export = exports.append
    begin(town, "a", "b", RANGES["a"])
    assert town.tell("a", end) == b"+OK\r\n"
    ended = town.jobs("a")
    assert ended[0][0] in ("cancelled", "failed")
    (export,) = exports
    town.begin(town["a"])
    export.connected()
    assert not export.next_output()
    assert export.finished
    assert town.jobs("a") == ended


def test_a_source_that_nobody_follows_any_more_takes_nothing_back_where_writes_are_promised() -> None:
    """Its replica may have been elected, and have taken writes."""
    town = with_a_replica()
    assert town.tell("a", "CONFIG SET write-ack-replicas 1") == b"+OK\r\n"
    begin(town, "a", "b", RANGES["a"])
    while town.state("a") != "failover-granted":
        assert town.step()
    town.kill("d")
    town.roads[0].cut()
    town.pass_time(3000)
    assert town.state("b") == "failed"
    assert town.state("a") == "failover-granted"


def test_a_target_takes_slots_of_a_second_source_when_a_majority_knows_of_those_of_the_first() -> None:
    """With an epoch more it would come back stronger than its own replica, which was elected while it was away."""
    town = town_of_three()
    begin(town, "a", "b", RANGES["a"])
    begin(town, "c", "b", RANGES["c"])
    known = max(town[name].view.current_epoch for name in "ac")
    town.settle()
    assert sorted(state for state, _ in town.jobs("b")) == ["failover-granted", "success"]
    assert town["b"].gossip.me.config_epoch == known + 1
    town.pass_time(1000)
    assert [state for state, _ in town.jobs("b")] == ["success", "success"]
    assert town.owners(0, 199) == town.owners(11000, 11199) == {"b"}


def test_a_source_without_replicas_takes_its_slots_back_where_writes_are_promised_too() -> None:
    """Nobody can have been elected in its place. It takes no writes, but its slots must not stay closed for ever."""
    town = with_a_replica()
    assert town.tell("d", f"CLUSTER REPLICATE {town['b'].id}") == b"+OK\r\n"
    town.pass_time(3000)
    assert town.tell("a", "CONFIG SET write-ack-replicas 1") == b"+OK\r\n"
    begin(town, "a", "b", RANGES["a"])
    while town.state("a") != "failover-granted":
        assert town.step()
    town.roads[0].cut()
    town.pass_time(3000)
    assert town.state("b") == "failed"
    assert town.jobs("a")[0] == ("failed", "The target did not take over the slots that it was granted")
    assert town.owners(0, 199) == {"a"}
    assert town.tell("a", f"GET {KEY}") == b"$-1\r\n"
