"""A migration between machines joined in memory, stopped and broken between any two of its steps."""

from collections.abc import Callable

import pytest

from gossamer.gossip.events import SetSlot
from gossamer.node.migration import source
from tests.unit.node.migration.town import SLOTS, Town

KEYS = 60
STEPS = 22
OTHER = "1002"
"""In a slot of a that does not move."""


def town_of(replicas: bool = False) -> Town:
    """a owns 0 to 5460 with all keys, b and c the rest; d replicates a, e replicates b."""
    names = ("a", "b", "c", "d", "e") if replicas else ("a", "b", "c")
    town = Town(*names)
    town.own("a", 0, 5460)
    town.own("b", 5461, 10922)
    town.own("c", 10923, 16383)
    town.meet("a", *names[1:])
    town.pass_time(3000)
    if replicas:
        for primary, replica in (("a", "d"), ("b", "e")):
            assert town.tell(replica, f"CLUSTER REPLICATE {town[primary].id}") == b"+OK\r\n"
        town.pass_time(3000)
    for number in range(KEYS):
        assert town.tell("a", f"SET {key(number)} {number}") == b"+OK\r\n"
    assert town.tell("a", f"SET {key(0)} ends PX 100000") == b"+OK\r\n"
    town.pass_time(200)
    return town


def key(number: int) -> str:
    """In slot 0, 7 or 119."""
    return f"{{{('06S', 'key:24', '06S')[number % 3]}}}{number}"


def begin(town: Town) -> None:
    assert town.tell("a", f"CLUSTER MIGRATESLOTS SLOTSRANGE {SLOTS} NODE {town['b'].id}") == b"+OK\r\n"


def test_all_keys_move_with_the_writes_meanwhile_and_nobody_sees_them_before() -> None:
    town = town_of()
    before = town.digest("a")
    begin(town)
    while town.state("a") != "snapshotting":
        assert town.step()
    assert town.tell("a", f"SET {key(1)} changed") == b"+OK\r\n"
    assert town.tell("a", f"DEL {key(2)}") == b":1\r\n"
    changed = town.digest("a")
    assert changed != before
    while town.state("b") != "failover-requested":
        assert town.keys("b") == 0
        assert town.tell("b", "SCAN 0") == b"*2\r\n$1\r\n0\r\n*0\r\n"
        assert town.tell("b", f"GET {key(1)}").startswith(b"-MOVED")
        assert town.step()
    town.pass_time(1000)
    assert town.jobs("a") == town.jobs("b") == [("success", "")]
    assert (town.keys("a"), town.keys("b")) == (0, KEYS - 1)
    assert town.digest("b") == changed
    assert town.owners(0, 199) == {"b"}
    assert town.tell("b", f"GET {key(1)}") == b"$7\r\nchanged\r\n"
    assert town.tell("b", f"PTTL {key(0)}") > b":90000"
    assert town.tell("a", f"GET {key(1)}").startswith(b"-MOVED")


def test_slots_that_come_back_before_their_old_keys_are_deleted_have_the_new_ones_alone() -> None:
    town = town_of(replicas=True)
    town.busy.add("a")
    begin(town)
    town.pass_time(2000)
    assert (town.keys("a"), town.keys("b"), town.keys("d")) == (0, KEYS, KEYS), "d is not told yet"
    assert town.tell("b", f"DEL {key(0)}") == b":1\r\n"
    assert town.tell("b", f"SET {key(1)} new") == b"+OK\r\n"
    before = town.digest("b")
    assert town.tell("b", f"CLUSTER MIGRATESLOTS SLOTSRANGE {SLOTS} NODE {town['a'].id}") == b"+OK\r\n"
    town.pass_time(2000)
    assert town.state("b") == "success"
    town.busy.clear()
    town.pass_time(1000)
    assert town.owners(0, 199) == {"a"}
    assert town.digest("a") == town.digest("d") == before
    assert town.digest("b") == town.digest("e") == town.digest()


def test_a_source_that_dies_before_its_old_keys_are_deleted_leaves_none_with_its_heir() -> None:
    town = town_of(replicas=True)
    assert town.tell("a", f"SET {OTHER} stays") == b"+OK\r\n"
    town.busy.add("a")
    begin(town)
    town.pass_time(2000)
    assert (town.keys("a"), town.keys("d")) == (1, KEYS + 1)
    town.kill("a")
    town.pass_time(10_000)
    assert town.owners(5000, 5000) == {"d"}
    assert town.tell("d", f"GET {OTHER}") == b"$5\r\nstays\r\n"
    assert town.keys("d") == 1
    assert town.keys("b") == KEYS


def test_a_source_that_gives_away_its_last_slot_tells_of_success_and_follows_the_target() -> None:
    town = town_of()
    before = town.digest("a")
    assert town.tell("a", f"CLUSTER MIGRATESLOTS SLOTSRANGE 0 5460 NODE {town['b'].id}") == b"+OK\r\n"
    town.pass_time(3000)
    assert town.jobs("a") == town.jobs("b") == [("success", "")]
    assert town["a"].gossip.me.primary == town["b"].id
    assert town.digest("a") == town.digest("b") == before


def test_a_source_that_is_replaced_before_the_end_tells_that_the_slots_are_no_longer_its_own() -> None:
    town = town_of(replicas=True)
    begin(town)
    while town.state("a") != "snapshotting":
        assert town.step()
    town.run(1)
    assert town.tell("d", "CLUSTER FAILOVER TAKEOVER") == b"+OK\r\n"
    town.pass_time(3000)
    assert town.jobs("a") == [("failed", "Slots are no longer owned by myself")]
    assert town["a"].gossip.me.primary == town["d"].id
    assert town.tell("d", f"SET {key(1)} x") == b"+OK\r\n"


def test_only_writes_to_the_slots_wait_and_not_longer_than_the_hand_over() -> None:
    town = town_of()
    begin(town)
    while town.state("a") != "failover-paused":
        assert town.step()
    assert town.tell("a", f"GET {key(1)}") == b"$1\r\n1\r\n"
    assert town.tell("a", f"SET {OTHER} x") == b"+OK\r\n"
    assert town.tell("a", f"SET {key(1)} late") == b""
    town.pass_time(1000)
    assert town.clients["a"].take_output().startswith(b"-MOVED")
    assert town.tell("b", f"GET {key(1)}") == b"$1\r\n1\r\n"


def test_the_new_owner_takes_no_write_before_a_majority_knows() -> None:
    town = town_of()
    begin(town)
    while town.state("b") != "success":
        assert town.step()
    assert town.tell("b", f"GET {key(1)}") == b"$1\r\n1\r\n"
    assert town.tell("b", f"SET {key(1)} early") == b""
    town.pass_time(100)
    assert town.clients["b"].take_output() == b"+OK\r\n"


def test_writers_that_are_faster_than_the_target_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BRAKE", 10_000)
    town = town_of()
    begin(town)
    while town.state("a") != "replicating":
        assert town.step()
    long = "x" * 600
    written = 0
    while town.tell("a", f"SET {key(0)} {long}") == b"+OK\r\n":
        written += 1
        assert written < 20
    assert written > 5
    assert town.tell("c", f"GET {key(1)}").startswith(b"-MOVED")
    town.pass_time(1000)
    assert town.clients["a"].take_output().startswith((b"+OK", b"-MOVED"))
    assert town.state("a") == "success"
    assert town.tell("b", f"GET {key(0)}") == b"$600\r\n%b\r\n" % long.encode()


def test_the_pause_waits_until_little_is_left_but_not_for_ever() -> None:
    town = town_of()
    begin(town)
    while town.state("a") != "waiting-to-pause":
        if town.state("b") == "waiting-for-paused":
            assert town.tell("a", f"SET {key(1)} more") == b"+OK\r\n"
        assert town.step()
    export = town.machine(town["a"]).migrations.exports()[0]
    for _ in range(3):
        assert town.tell("a", f"SET {key(1)} more") == b"+OK\r\n"
        assert export.next_output()
        assert town.state("a") == "waiting-to-pause"
    town.run(source.PAUSE_DELAY_MS)
    assert town.tell("a", f"SET {key(1)} last") == b"+OK\r\n"
    assert b"last" in export.next_output()
    assert town.state("a") == "failover-paused"


def test_the_steps_below_are_all_there_are() -> None:
    town = town_of(replicas=True)
    begin(town)
    for _ in range(STEPS - 2):
        town.step()
        town.run(1)
    assert town.state("a") == town.state("b") == "success"


def acknowledged(town: Town, name: str) -> dict[str, bytes]:
    """What a node has of the moving keys."""
    return {key(n): town.tell(name, f"GET {key(n)}") for n in range(KEYS)}


@pytest.mark.parametrize("step", range(STEPS))
def test_a_connection_that_breaks_at_any_step_leaves_one_owner_with_all_keys(step: int) -> None:
    town = town_of()
    had = acknowledged(town, "a")
    begin(town)
    for _ in range(step):
        town.step()
        town.run(1)
    for road in town.roads:
        road.cut()
    town.pass_time(8000)
    assert town.jobs("a")[0][0] in ("success", "failed")
    owners = town.owners(0, 199)
    assert len(owners) == 1
    (owner,) = owners
    assert (owner == "b") == (town.jobs("a")[0][0] == "success")
    assert acknowledged(town, owner) == had
    assert town.keys("b" if owner == "a" else "a") == 0
    assert town.tell(owner, f"SET {key(1)} again") == b"+OK\r\n", "writers are free"
    if owner == "a":
        begin(town)
        town.pass_time(1000)
        assert town.jobs("a")[0] == ("success", "")
        assert town.keys("b") == KEYS


@pytest.mark.parametrize("step", range(STEPS))
@pytest.mark.parametrize("victim", ["a", "b"])
def test_a_side_that_dies_at_any_step_is_replaced_and_nothing_is_lost(step: int, victim: str) -> None:
    town = town_of(replicas=True)
    had = acknowledged(town, "a")
    begin(town)
    for _ in range(step):
        town.step()
        town.run(1)
    written = town.tell("a", f"SET {key(3)} during")
    if written == b"+OK\r\n":
        had[key(3)] = b"$6\r\nduring\r\n"
        town.links["d"].step()
    town.kill(victim)
    town.pass_time(15000)
    if victim == "b" and not written and town.clients["a"].take_output() == b"+OK\r\n":
        had[key(3)] = b"$6\r\nduring\r\n"
    heir = {"a": "d", "b": "e"}
    owners = town.owners(0, 199)
    assert len(owners) == 1, owners
    (owner,) = owners
    assert owner in {"a", "b", "d", "e"} - {victim}
    assert acknowledged(town, owner) == had
    assert town.tell(owner, f"SET {key(1)} again") == b"+OK\r\n", "writers are free"
    for name in {"a", "b", "d", "e"} - {victim, owner}:
        followed = town.machine(town[name]).replication.primary_link is not None and owner in (
            {"d": "a", "e": "b"}.get(name),
            heir.get(name),
        )
        assert followed or town.keys(name) == 0, name


def end_by_cancelling(town: Town) -> None:
    assert town.tell("a", "CLUSTER CANCELSLOTMIGRATIONS") == b"+OK\r\n"


def end_by_flushing_the_source(town: Town) -> None:
    town.tell("a", "FLUSHALL")


def end_by_flushing_the_target(town: Town) -> None:
    assert town.tell("b", "FLUSHALL") == b"+OK\r\n"


def end_by_giving_the_slots_away(town: Town) -> None:
    for slot in (150, 151):
        town.execute("c", SetSlot(slot, "node", town["c"].id))


@pytest.mark.parametrize(
    "act", [end_by_cancelling, end_by_flushing_the_source, end_by_flushing_the_target, end_by_giving_the_slots_away]
)
@pytest.mark.parametrize("step", range(5))
def test_a_job_that_is_ended_leaves_nothing_behind(act: Callable[[Town], None], step: int) -> None:
    town = town_of(replicas=True)
    begin(town)
    while not town.jobs("b"):
        town.step()
    for _ in range(step):
        town.step()
        town.run(1)
    act(town)
    town.pass_time(2000)
    state, text = town.jobs("a")[0]
    assert state == ("cancelled" if act is end_by_cancelling else "failed")
    assert text or state == "cancelled"
    assert [town.keys(name) for name in ("b", "e")] == [0, 0]
    assert not town.machine(town["b"]).server.slot_imports.all
    assert not town.machine(town["e"]).server.slot_imports.all
    assert town.owners(0, 1) == {"a"}
    assert town.digest("a") == town.digest("d")
    assert town.tell("a", f"SET {key(1)} x") == b"+OK\r\n"


@pytest.mark.parametrize("step", range(0, STEPS, 2))
def test_a_replica_of_the_target_that_begins_anew_meanwhile_has_all_in_the_end(step: int) -> None:
    town = town_of(replicas=True)
    before = town.digest("a")
    begin(town)
    for _ in range(step):
        town.step()
        town.run(1)
    link = town.links.pop("e")
    link.cut()
    town.machine(town["e"]).replication.history.forget()
    full = town.machine(town["b"]).server.stats.full_syncs
    while town.state("b") != "success":
        assert town.keys("e") == 0
        town.step()
        town.run(1)
    town.pass_time(3000)
    assert town.machine(town["b"]).server.stats.full_syncs == full + 1
    assert town.digest("e") == town.digest("b") == before
    assert not town.machine(town["e"]).server.slot_imports.all
    town.kill("b")
    town.pass_time(8000)
    assert town.owners(0, 199) == {"e"}
    assert town.digest("e") == before


# --- readers of replicas


def readers(town: Town) -> None:
    for replica in "de":
        assert town.tell(replica, "READONLY") == b"+OK\r\n"
    town.pass_time(200)


def looked_up(town: Town, replica: str) -> bytes:
    """What a reader of a replica hears of a key that moves: the value, or who has it."""
    told = town.tell(replica, f"GET {key(1)}")
    assert told == b"$1\r\n1\r\n" or told.startswith((b"-MOVED 119", b"-ASK 119")), f"{replica}: {told!r}"
    return told


def test_a_reader_of_a_replica_finds_every_key_though_the_stream_is_ahead_of_the_bus() -> None:
    town = town_of(replicas=True)
    readers(town)
    town.cut("d")
    begin(town)
    told = set()
    for _ in range(40):
        town.pass_time(20)
        told |= {looked_up(town, replica) for replica in "de"}
    assert town.state("a") == "success"
    assert (town.keys("a"), town.keys("d")) == (0, 0)
    assert any(line.startswith(b"-ASK 119") for line in told), "d has no key any more, and does not know why"
    town.heal("d")
    town.pass_time(3000)
    assert looked_up(town, "d").startswith(b"-MOVED 119")
    assert looked_up(town, "e") == b"$1\r\n1\r\n"


def test_a_reader_of_a_replica_finds_every_key_though_the_bus_is_ahead_of_the_stream() -> None:
    town = town_of(replicas=True)
    readers(town)
    begin(town)
    while town.state("a") != "failover-granted":
        town.step()
        looked_up(town, "e")
    while town.state("b") != "success":
        assert any(road.step() for road in town.roads), "the stream of b stands still"
    town.run(500)
    assert town["e"].view.owners[119] == town["b"].id, "the bus has told it"
    assert looked_up(town, "e").startswith(b"-MOVED 119"), "its keys are still beside the data"
    town.pass_time(3000)
    assert looked_up(town, "e") == b"$1\r\n1\r\n"


def test_slots_that_come_back_are_read_from_the_replica_again() -> None:
    town = town_of(replicas=True)
    readers(town)
    town.cut("d")
    begin(town)
    town.pass_time(300)
    assert looked_up(town, "d").startswith(b"-ASK 119")
    assert town.tell("b", f"CLUSTER MIGRATESLOTS SLOTSRANGE {SLOTS} NODE {town['a'].id}") == b"+OK\r\n"
    town.pass_time(300)
    assert town.owners(0, 199) == {"a"}
    assert looked_up(town, "d") == b"$1\r\n1\r\n"
