"""Slots that are handed over: an epoch on disk first, settled only with a majority; votes count for more."""

from gossamer.cluster.topology import Topology
from gossamer.gossip.effects import Save, Send, SlotsConfirmed
from gossamer.gossip.events import BumpEpoch, DropMessageType, KeepEpoch, TakeSlots
from gossamer.gossip.packet import MessageType
from tests.unit.gossip.mesh import START, TIMEOUT_MS, Mesh, agree, three
from tests.unit.gossip.test_electing import shards

SLOT = 5
"""One of a's."""


def settled(mesh: Mesh, name: str) -> bool:
    return any(isinstance(effect, SlotsConfirmed) for effect in mesh[name].done)


def test_the_new_epoch_is_on_disk_before_anybody_hears_of_it_and_all_follow() -> None:
    mesh = three()
    mesh["b"].done.clear()
    before = mesh["b"].view.current_epoch
    assert mesh.execute("b", TakeSlots((SLOT,))) == "OK"
    kinds = [type(effect) for effect in mesh["b"].done]
    assert kinds.index(Save) < kinds.index(Send)
    assert not settled(mesh, "b")
    mesh.run(100)
    assert settled(mesh, "b")
    assert agree(mesh, "a", "b", "c")
    assert mesh["c"].view.owners[SLOT] == mesh["b"].id
    assert mesh["b"].view.nodes[mesh["b"].id].config_epoch == before + 1


def test_who_is_cut_off_is_not_settled() -> None:
    mesh = three()
    mesh.cut("b")
    assert mesh.execute("b", TakeSlots((SLOT,))) == "OK"
    mesh.run(500)
    assert not settled(mesh, "b")


def test_one_other_of_three_is_enough() -> None:
    mesh = three()
    mesh.cut("a")
    assert mesh.execute("b", TakeSlots((SLOT,))) == "OK"
    mesh.run(100)
    assert settled(mesh, "b")


def test_while_it_is_not_settled_a_claim_with_the_same_epoch_wins() -> None:
    for seed in range(6):
        mesh = three(seed=seed)
        mesh.cut("b")
        assert mesh.execute("b", TakeSlots((SLOT,))) == "OK"
        written = mesh["b"].view.nodes[mesh["b"].id].config_epoch
        assert mesh.execute("a", TakeSlots((SLOT,), written - 1)) == "OK"
        epochs = [mesh[name].view.nodes[mesh[name].id].config_epoch for name in ("a", "b")]
        assert epochs[0] == epochs[1]
        mesh.run(100)
        mesh.heal("b")
        mesh.run(5000)
        assert {mesh[name].view.owners[SLOT] for name in "abc"} == {mesh["a"].id}


def test_who_takes_its_slots_back_goes_beyond_what_the_other_may_have_written_down() -> None:
    mesh = three()
    mesh.cut("b")
    assert mesh.execute("b", TakeSlots((SLOT,))) == "OK"
    written = mesh["b"].view.nodes[mesh["b"].id].config_epoch
    assert mesh.execute("a", TakeSlots((SLOT,), written)) == "OK"
    mesh.run(100)
    mesh.heal("b")
    mesh.run(5000)
    assert agree(mesh, "a", "b", "c")
    assert mesh["b"].view.owners[SLOT] == mesh["a"].id


def test_a_collision_of_epochs_waits_until_slots_are_handed_over() -> None:
    mesh = three()
    low, high = sorted("ab", key=lambda name: mesh[name].id)
    claims = mesh[low].gossip._claims
    assert mesh.execute(low, KeepEpoch(on=True)) == "OK"
    epoch = mesh[high].gossip.me.config_epoch
    claims.current_epoch = max(claims.current_epoch, epoch)
    mesh[low].gossip.me.config_epoch = epoch
    mesh.run(3000)
    assert mesh[low].gossip.me.config_epoch == epoch
    assert mesh.execute(low, BumpEpoch()).startswith("ERR Slots are being handed over")
    assert mesh.execute(low, KeepEpoch(on=False)) == "OK"
    mesh.run(3000)
    assert mesh[low].gossip.me.config_epoch > epoch
    assert agree(mesh, "a", "b", "c")


def test_who_has_come_to_have_a_say_meanwhile_is_counted_from_its_second_answer_on() -> None:
    """The first may be to a question that was asked before the slots were handed over."""
    mesh = three()
    mesh.cut("b")
    assert mesh.execute("b", TakeSlots((SLOT,))) == "OK"
    mesh["b"].gossip._components.handover._owed.clear()  # as if those that have a say now had none then
    mesh["b"].heard.clear()
    mesh.heal("b")
    while not settled(mesh, "b"):
        mesh.run(1)
        assert mesh.now - START < 10_000
    senders = [packet.sender for packet in mesh["b"].heard if packet.kind is MessageType.PONG]
    assert max(map(senders.count, senders)) >= 2


def test_a_collision_of_epochs_waits_until_who_was_stopped_can_have_been_told_what_happened() -> None:
    mesh = three()
    low, high = sorted("ab", key=lambda name: mesh[name].id)
    mesh.leap(10 * TIMEOUT_MS)
    epoch = mesh[high].gossip.me.config_epoch
    mesh[low].gossip._claims.current_epoch = max(mesh[low].gossip._claims.current_epoch, epoch)
    mesh[low].gossip.me.config_epoch = epoch
    mesh.run(TIMEOUT_MS - 100)
    assert mesh[low].gossip._claims.collision_due is not None
    assert mesh[low].gossip.me.config_epoch == epoch
    mesh.run(2 * TIMEOUT_MS)
    assert mesh[low].gossip.me.config_epoch > epoch
    assert agree(mesh, "a", "b", "c")


def test_who_was_away_takes_no_slots_before_it_can_have_been_told_what_happened() -> None:
    """A new epoch of its own would win back all that has been taken from it."""
    mesh = three()
    mesh.leap(TIMEOUT_MS // 2 - 50)
    assert mesh.execute("a", TakeSlots((6000,))) == "OK"
    mesh.run(1000)
    mesh.leap(TIMEOUT_MS * 2)
    epoch = mesh["b"].gossip.me.config_epoch
    assert mesh.execute("b", TakeSlots((SLOT,))).startswith("ERR This node was away")
    assert mesh["b"].gossip.me.config_epoch == epoch
    mesh.run(TIMEOUT_MS * 2)
    assert mesh.execute("b", TakeSlots((SLOT,))) == "OK"


# Who was away comes back with slots that were handed over to it, and meets its successor, who has the same epoch


def replaced_at_the_claim() -> tuple[Mesh, Topology]:
    """c has taken one of a's slots, and was gone before anybody heard: d was elected in the epoch that c had taken, and
    a has its slot back. Also what c has on disk.
    """
    meshes = (shards(seed=seed) for seed in range(20))
    mesh = next(mesh for mesh in meshes if mesh["c"].id < mesh["d"].id)  # then it is for c to take another epoch
    mesh.cut("c")
    assert mesh.execute("c", TakeSlots((SLOT,))) == "OK"
    taken, saved = mesh["c"].gossip.me.config_epoch, mesh["c"].saved
    mesh.run(TIMEOUT_MS * 3)
    assert mesh["d"].gossip.me.config_epoch == taken
    assert mesh.execute("a", TakeSlots((SLOT,), taken + 16)) == "OK"
    mesh.run(100)
    assert saved is not None
    assert saved.owners[SLOT] == mesh["c"].id
    return mesh, saved


def meets_its_successor_first(mesh: Mesh) -> None:
    """c is back, and hears of d before it hears of a. Nobody tells it in a's place: UPDATE is lost."""
    assert mesh.execute("c", DropMessageType(MessageType.UPDATE)) == "OK"
    for other in "ab":
        mesh.wall("c", other)
        mesh.wall(other, "c")
    taken = mesh["c"].gossip.me.config_epoch
    mesh.heal("c")
    mesh.run(400)
    assert mesh["c"].sees(mesh["d"]).config_epoch == taken  # type: ignore[union-attr]
    assert mesh["c"].gossip.me.config_epoch == taken, "a new one would beat that of a, of which it knows nothing yet"
    mesh.raze()
    mesh.run(5 * TIMEOUT_MS)
    assert agree(mesh, *"abcd")
    assert mesh["a"].view.owners[SLOT] == mesh["a"].id


def test_who_was_cut_off_is_told_whose_its_slots_are_before_it_takes_a_new_epoch() -> None:
    mesh, _ = replaced_at_the_claim()
    meets_its_successor_first(mesh)


def test_who_was_restarted_is_told_whose_its_slots_are_before_it_takes_a_new_epoch() -> None:
    mesh, saved = replaced_at_the_claim()
    ip = mesh["c"].ip
    mesh.kill("c")
    mesh.start("c", saved, ip=ip)
    meets_its_successor_first(mesh)
