"""Failovers that the operator asks for, and replicas that move."""

from typing import Literal

import pytest
from attrs import evolve

from gossamer.gossip.effects import DropKeys, Lead, Pause, Resume, Save, Send
from gossamer.gossip.events import BumpEpoch, Failover, KeepEpoch, Replicate, Replicated, Reset, TakeSlots
from gossamer.gossip.packet import MessageFlag, MessageType
from tests.unit.gossip.mesh import CONFIG, TIMEOUT_MS, Mesh, agree, three
from tests.unit.gossip.test_electing import leader, primaries, sent, shards


def paused(mesh: Mesh, name: str) -> bool:
    return mesh[name].paused


# CLUSTER REPLICATE


def test_who_cannot_replicate_is_told_why() -> None:
    mesh = shards()
    assert mesh.execute("d", Replicate("0" * 40, 0)) == "ERR Unknown node " + "0" * 40
    assert mesh.execute("d", Replicate(mesh["d"].id, 0)) == "ERR Can't replicate myself"
    assert mesh.execute("b", Replicate(mesh["d"].id, 0)) == "ERR I can only replicate a master, not a replica."
    text = "ERR To set a master the node must be empty and without assigned slots."
    assert mesh.execute("b", Replicate(mesh["a"].id, 0)) == text
    mesh.start("e")
    mesh.meet("a", "e")
    mesh.run(1500)
    assert mesh.execute("e", Replicate(mesh["a"].id, 1)) == text
    assert mesh.execute("e", Replicate(mesh["a"].id, 0)) == "OK"
    assert mesh.execute("d", Replicate(mesh["a"].id, 1)) == "OK", "a replica may have keys"


def test_everybody_hears_of_a_new_replica() -> None:
    mesh = shards("de")
    assert mesh.execute("d", Replicate(mesh["a"].id, 0)) == "OK"
    mesh.run(200)
    assert agree(mesh, *"abcde")
    seen = mesh["b"].sees(mesh["d"])
    assert seen is not None
    assert seen.primary == mesh["a"].id


# CLUSTER FAILOVER


@pytest.mark.parametrize("how", ["asking", "force", "takeover"])
def test_only_a_replica_can_be_told_to_take_over(how: str) -> None:
    mesh = three()
    wish = Failover(how)  # type: ignore[arg-type]
    assert mesh.execute("a", wish) == "ERR You should send CLUSTER FAILOVER to a replica"


def test_a_failed_primary_cannot_be_asked() -> None:
    mesh = shards()
    mesh.kill("a")
    mesh.kill("b")
    mesh.kill("c")
    mesh.run(10)
    text = "ERR Master is down or failed, please use CLUSTER FAILOVER FORCE"
    assert mesh.execute("d", Failover()) == text


def test_a_manual_failover_waits_for_the_last_byte() -> None:
    mesh = shards()
    mesh.receive("c", 200)
    assert mesh.execute("d", Failover()) == "OK"
    mesh.run(50)
    assert paused(mesh, "c")
    assert mesh["d"].gossip.awaited_offset == 200
    assert not sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)
    mesh.receive("d", 199)
    mesh.run(50)
    assert not sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)
    mesh.receive("d", 200)
    before = mesh.now
    while paused(mesh, "c"):
        mesh.run(1)
    assert mesh.now - before <= 5, "four messages"
    mesh.run(500)
    assert primaries(mesh) == {"a", "b", "d"}
    assert leader(mesh, "c") == mesh["d"].id
    assert agree(mesh, *"abcd")
    assert all(mesh[name].view.ok for name in "abcd")


def test_a_stream_that_goes_on_while_writes_are_held_back_is_followed_to_its_end() -> None:
    """A primary may still have had a PING to send."""
    mesh = shards()
    last = mesh["c"].offset
    mesh.receive("d", last + 14)
    assert mesh.execute("d", Failover()) == "OK"
    mesh.run(50)
    assert paused(mesh, "c")
    assert mesh["d"].gossip.awaited_offset == last
    mesh.receive("c", last + 14)
    mesh.run(500)
    assert primaries(mesh) == {"a", "b", "d"}
    assert not paused(mesh, "c")


def test_the_primary_is_paused_before_it_tells_its_offset() -> None:
    mesh = shards()
    mesh["c"].offset = 300
    mesh.execute("d", Failover())
    mesh.run(20)
    done = mesh["c"].done
    paused = next(i for i, e in enumerate(done) if isinstance(e, Pause))
    said = [i for i, e in enumerate(done) if isinstance(e, Send) and e.packet.mflags & MessageFlag.PAUSED]
    assert said
    assert min(said) > paused
    assert all(e.packet.offset == 300 for e in done[paused + 1 :] if isinstance(e, Send))


def test_nobody_waits_for_the_disk_of_the_replica_while_writes_are_held_back() -> None:
    mesh = shards()
    before = mesh["d"].view.current_epoch
    for name in "cd":
        mesh.receive(name, 200)
    assert mesh.execute("d", Failover()) == "OK"
    done = mesh["d"].done
    asked = next(i for i, e in enumerate(done) if isinstance(e, Send) and e.packet.kind is MessageType.MFSTART)
    saved = [e for e in done[:asked] if isinstance(e, Save)][-1]
    assert (saved.synced, saved.topology.current_epoch) == (True, before + 1)
    mesh.run(50)
    stood = next(
        i for i, e in enumerate(done) if isinstance(e, Send) and e.packet.kind is MessageType.FAILOVER_AUTH_REQUEST
    )
    assert not any(isinstance(e, Save) for e in done[asked:stood])
    (request,) = sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)
    assert request.current_epoch == before + 1


def test_an_epoch_taken_in_advance_that_others_have_passed_is_not_used() -> None:
    mesh = shards()
    mesh.receive("c", 200)
    mesh.execute("d", Failover())
    mesh.run(10)
    other = "a" if mesh["a"].view.myself.config_epoch < mesh["b"].view.myself.config_epoch else "b"
    assert mesh.execute(other, BumpEpoch()).startswith("BUMPED")
    epoch = mesh[other].view.current_epoch
    mesh.run(1200)
    mesh.receive("d", 200)
    mesh.run(50)
    (request,) = sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)
    assert request.current_epoch == epoch + 1


def test_a_manual_failover_that_takes_too_long_is_given_up_on_both_sides() -> None:
    mesh = shards()
    mesh.receive("c", 200)
    mesh.execute("d", Failover())
    mesh.run(4900)
    assert paused(mesh, "c")
    mesh.run(300)
    assert not paused(mesh, "c")
    mesh.receive("d", 200)
    mesh.run(TIMEOUT_MS * 3)
    assert primaries(mesh) == {"a", "b", "c"}
    pause = next(e for e in mesh["c"].done if isinstance(e, Pause))
    assert isinstance(pause, Pause)
    assert [e for e in mesh["c"].done if isinstance(e, Resume)] == [Resume()]


@pytest.mark.parametrize("leap_ms", [-3_600_000, 0, 3_600_000])
def test_a_failover_put_off_while_slots_are_handed_over_survives_a_clock_that_is_set(leap_ms: int) -> None:
    mesh = shards()
    assert mesh.execute("c", KeepEpoch(on=True)) == "OK"
    assert mesh.execute("d", Failover()) == "OK"
    mesh.run(200)
    assert not paused(mesh, "c")
    mesh.leap(leap_ms)
    assert mesh.execute("c", KeepEpoch(on=False)) == "OK"
    assert paused(mesh, "c")


def test_a_failover_put_off_for_too_long_is_not_begun() -> None:
    mesh = shards()
    mesh.execute("c", KeepEpoch(on=True))
    mesh.execute("d", Failover())
    mesh.run(CONFIG.manual_failover_ms + 100)
    mesh.execute("c", KeepEpoch(on=False))
    assert not paused(mesh, "c")


def test_a_stranger_cannot_pause_a_primary() -> None:
    mesh = shards("de")
    mesh.receive("c", 200)
    assert mesh.execute("d", Replicate(mesh["a"].id, 0)) == "OK"
    mesh.run(200)
    stray = evolve(mesh["d"].gossip._components.messages._packet(MessageType.MFSTART, None))
    link = next(n for n, way, node, _ in mesh["c"].gossip.links() if way == "from" and node == mesh["d"].id)
    assert not any(isinstance(e, Pause) for e in mesh.inject("c", stray, link))


def test_force_does_without_the_primary() -> None:
    mesh = shards()
    mesh.cut("c")
    assert mesh.execute("d", Failover("force")) == "OK"
    mesh.run(50)
    assert primaries(mesh) == {"a", "b", "d"}
    assert not sent(mesh, "d", MessageType.MFSTART)
    mesh.heal("c")
    mesh.run(TIMEOUT_MS * 2)
    assert leader(mesh, "c") == mesh["d"].id


def test_force_does_not_mind_old_data_or_no_failover() -> None:
    mesh = three()
    mesh.start("d", config=evolve(CONFIG, replica_no_failover=True))
    mesh.meet("a", "d")
    mesh.run(1500)
    mesh.replicate("c", "d")
    mesh.tell("d", Replicated(0, 0))
    assert mesh.execute("d", Failover("force")) == "OK"
    mesh.run(50)
    assert primaries(mesh) == {"a", "b", "d"}


def test_force_still_needs_a_majority() -> None:
    mesh = shards()
    for name in "ab":
        mesh.cut(name)
    mesh.execute("d", Failover("force"))
    mesh.run(TIMEOUT_MS * 10)
    assert primaries(mesh, "d") == {"a", "b", "c"}


def test_takeover_asks_nobody() -> None:
    mesh = shards()
    for name in "abc":
        mesh.cut(name)
    epoch = mesh["d"].view.current_epoch
    assert mesh.execute("d", Failover("takeover")) == "OK"
    assert primaries(mesh, "d") == {"a", "b", "d"}
    assert mesh["d"].view.myself.config_epoch == epoch + 1
    for name in "abc":
        mesh.heal(name)
    mesh.run(TIMEOUT_MS * 4)
    assert agree(mesh, *"abcd")
    assert leader(mesh, "c") == mesh["d"].id


def test_back_and_forth() -> None:
    mesh = shards()
    for new, old in ("dc", "cd", "dc"):
        mesh.run(2 * TIMEOUT_MS)
        for name in "cd":
            mesh.receive(name, 500)
        assert mesh.execute(new, Failover()) == "OK"
        mesh.run(100)
        assert primaries(mesh) == {"a", "b", new}
        assert mesh[old].follows == mesh[new].id
    mesh.run(500)
    assert agree(mesh, *"abcd")


# Replica migration


def orphaned(**changes: object) -> Mesh:
    """Primary a has lost its only replica d; c has e and f."""
    config = evolve(CONFIG, **changes)  # type: ignore[arg-type]
    mesh = three()
    for name in "def":
        mesh.start(name, config=config)
        mesh.meet("a", name)
    mesh.run(1500)
    mesh.replicate("a", "d")
    mesh.replicate("c", "e", "f")
    mesh.kill("d")
    return mesh


def test_an_orphaned_primary_gets_the_replica_with_the_smallest_id() -> None:
    mesh = orphaned()
    mesh.run(TIMEOUT_MS + 4500)
    assert {mesh[name].follows for name in "ef"} == {mesh["c"].id}, "not yet"
    mesh.run(2000)
    first, second = sorted("ef", key=lambda name: mesh[name].id)
    assert mesh[first].follows == mesh["a"].id
    assert mesh[second].follows == mesh["c"].id
    seen = mesh["b"].sees(mesh[first])
    assert seen is not None
    assert seen.primary == mesh["a"].id


@pytest.mark.parametrize("change", [{"migration_barrier": 2}, {"allow_replica_migration": False}])
def test_replicas_stay_where_the_operator_wants_them(change: dict[str, object]) -> None:
    mesh = orphaned(**change)
    mesh.run(TIMEOUT_MS + 10_000)
    assert {mesh[name].follows for name in "ef"} == {mesh["c"].id}


def test_a_primary_that_never_had_replicas_beside_others_is_left_alone() -> None:
    mesh = shards("de")
    seen = mesh["d"].sees(mesh["b"])
    assert seen is not None
    mesh.run(10_000)
    assert {mesh[name].follows for name in "de"} == {mesh["c"].id}


def test_a_replica_that_is_reset_leads_itself() -> None:
    mesh = shards()
    assert mesh.execute("d", Reset(hard=False, keys=5)) == "OK"
    assert leader(mesh, "d") is None
    assert any(isinstance(e, Lead) for e in mesh["d"].done)
    assert mesh["d"].view.myself.is_primary


@pytest.mark.parametrize("how", ["takeover", "asking"])
def test_who_succeeds_a_primary_leaves_alone_what_that_one_has_given_up(how: Literal["takeover", "asking"]) -> None:
    """The replica has not heard yet whose the slot is now, and its primary has taken a newer epoch than that one."""
    mesh = shards()
    slot, kept = [slot for slot, owner in enumerate(mesh["c"].view.owners) if owner == mesh["c"].id][:2]
    mesh.wall("b", "d")
    mesh.wall("d", "b")
    mesh.run(250)  # now no ping is due that would tell the replica
    assert mesh.execute("b", TakeSlots((slot,))) == "OK"
    mesh.run(100)
    mesh.execute("c", TakeSlots((kept,)))
    mesh.run(100)
    assert mesh["d"].view.owners[slot] == mesh["c"].id
    assert mesh.execute("d", Failover(how)) == "OK"
    mesh.run(300)
    assert mesh["d"].gossip.me.is_primary
    mesh.raze()
    mesh.run(3000)
    assert {mesh[name].view.owners[slot] for name in "abcd"} == {mesh["b"].id}
    assert any(isinstance(effect, DropKeys) and slot in effect.slots for effect in mesh["d"].done)
