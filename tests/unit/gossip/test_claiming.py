"""Who owns a slot when nodes differ."""

from attrs import evolve

from gossamer.cluster.topology import Flag, NodeId
from gossamer.gossip.bitmap import slots_to_bitmap
from gossamer.gossip.effects import DropKeys, Publish, Save, Send
from gossamer.gossip.events import AddSlots, BumpEpoch, DelSlots, SetConfigEpoch, SetSlot
from gossamer.gossip.packet import MessageType, Packet, Ping, Update
from tests.unit.gossip.mesh import CONFIG, Mesh, agree, three


def inbound(mesh: Mesh, at: str, of: str) -> int:
    """The accepted link at ``at`` on which ``of`` speaks."""
    return next(link for link, way, node, _ in mesh[at].gossip.links() if way == "from" and node == mesh[of].id)


def claim(mesh: Mesh, of: str, slots: list[int], epoch: int, primary: NodeId | None = None) -> Packet:
    me = mesh[of].view.myself
    return Packet(
        MessageType.PONG,
        me.id,
        7000,
        0,
        17000,
        epoch,
        epoch,
        0,
        slots_to_bitmap(slots),
        primary,
        "",
        17,
        True,
        0,
        Ping(),
    )


def test_equal_epochs_are_told_apart() -> None:
    mesh = three()
    epochs = {n.config_epoch for n in mesh["a"].view.nodes.values()}
    assert len(epochs) == 3
    assert agree(mesh, "a", "b", "c")
    loser = min(mesh.hosts.values(), key=lambda h: h.id)
    assert any("configEpoch collision with node" in line for line in loser.logs)


def test_a_new_epoch_is_on_disk_before_it_is_said() -> None:
    mesh = three()
    for host in mesh.hosts.values():
        on_disk = 0
        for effect in host.done:
            if isinstance(effect, Save):
                on_disk = effect.topology.myself.config_epoch
            elif isinstance(effect, Send):
                assert effect.packet.config_epoch <= on_disk


def test_set_epochs_are_kept() -> None:
    mesh = Mesh("a", "b", "c")
    for epoch, name in enumerate("abc", start=1):
        assert mesh.execute(name, SetConfigEpoch(epoch)) == "OK"
    mesh.meet("a", "b", "c")
    mesh.run(500)
    assert sorted(n.config_epoch for n in mesh["c"].view.nodes.values()) == [1, 2, 3]


def test_a_larger_epoch_wins_the_slot_and_its_keys_go() -> None:
    mesh = three()
    epoch = mesh["a"].view.current_epoch + 1
    effects = mesh.inject("a", claim(mesh, "b", [0, 1, 5461], epoch), inbound(mesh, "a", "b"))
    assert mesh["a"].view.owners[:3] == (mesh["b"].id, mesh["b"].id, mesh["a"].id)
    kinds = [type(e) for e in effects if isinstance(e, Save | Publish | DropKeys)]
    assert kinds == [Save, Publish, DropKeys]
    assert DropKeys((0, 1)) in effects


def test_a_stale_claimant_is_told_by_update() -> None:
    mesh = three()
    mesh.execute("a", BumpEpoch())
    mesh.run(1100)
    stale = claim(mesh, "b", [0, 5461], 0)
    effects = mesh.inject("a", stale, inbound(mesh, "a", "b"))
    updates = [e.packet.body for e in effects if isinstance(e, Send) and isinstance(e.packet.body, Update)]
    assert [u.node for u in updates] == [mesh["a"].id]
    assert updates[0].config_epoch == mesh["a"].view.myself.config_epoch
    assert mesh["a"].view.owners[0] == mesh["a"].id


def test_an_update_moves_slots_and_older_ones_do_not() -> None:
    mesh = three()
    owner, epoch = mesh["c"].id, mesh["a"].view.current_epoch + 1
    about = evolve(
        claim(mesh, "b", [], 0), kind=MessageType.UPDATE, body=Update(epoch, owner, slots_to_bitmap([7, 10923]))
    )
    mesh.inject("a", about, inbound(mesh, "a", "b"))
    assert mesh["a"].view.owners[7] == owner
    again = evolve(about, body=Update(epoch, owner, slots_to_bitmap([8])))
    mesh.inject("a", again, inbound(mesh, "a", "b"))
    assert mesh["a"].view.owners[8] == mesh["a"].id


def test_a_slot_its_owner_stopped_claiming_is_free_for_any_epoch() -> None:
    mesh = three()
    mesh.inject("a", claim(mesh, "b", list(range(5462, 10923)), 99), inbound(mesh, "a", "b"))
    assert mesh["a"].view.owners[5461] == mesh["b"].id, "kept, but not defended"
    mesh.inject("a", claim(mesh, "c", [5461, *range(10923, 16384)], 3), inbound(mesh, "a", "c"))
    assert mesh["a"].view.owners[5461] == mesh["c"].id


def test_an_importing_slot_is_left_alone_by_claims() -> None:
    mesh = three()
    assert mesh.execute("a", SetSlot(6000, "importing", mesh["b"].id)) == "OK"
    mesh.inject("a", claim(mesh, "c", [6000, *range(10923, 16384)], 50), inbound(mesh, "a", "c"))
    assert mesh["a"].view.owners[6000] == mesh["b"].id
    assert mesh["a"].view.importing == {6000: mesh["b"].id}


def test_a_slot_moves_and_everybody_hears_of_it_at_once() -> None:
    mesh = three()
    source, target = mesh["a"], mesh["b"]
    assert mesh.execute("b", SetSlot(100, "importing", source.id)) == "OK"
    assert mesh.execute("a", SetSlot(100, "migrating", target.id)) == "OK"
    assert source.view.migrating == {100: target.id}
    assert mesh.execute("b", SetSlot(100, "node", target.id)) == "OK"
    assert target.view.importing == {}
    assert target.view.myself.config_epoch == target.view.current_epoch
    mesh.run(100)
    assert agree(mesh, "a", "b", "c")
    assert mesh["c"].view.owners[100] == target.id
    assert source.view.migrating == {}


def test_a_replica_owns_nothing_and_its_primary_welcomes_more() -> None:
    mesh = three()
    mesh.inject("a", claim(mesh, "b", [], 99, mesh["c"].id), inbound(mesh, "a", "b"))
    seen = mesh["a"].sees(mesh["b"])
    assert seen is not None
    assert (seen.flags & 3, seen.primary) == (Flag.SLAVE, mesh["c"].id)
    assert mesh["a"].view.owners[5461] is None
    primary = mesh["a"].sees(mesh["c"])
    assert primary is not None
    assert primary.has(Flag.MIGRATE_TO)


def test_a_promoted_replica_takes_the_slots_it_claims() -> None:
    mesh = three()
    link = inbound(mesh, "a", "b")
    mesh.inject("a", claim(mesh, "b", [], 99, mesh["c"].id), link)
    mesh.inject("a", claim(mesh, "b", list(range(10923, 16384)), 100), link)
    seen = mesh["a"].sees(mesh["b"])
    assert seen is not None
    assert seen.is_primary
    assert seen.primary is None
    assert seen.has(Flag.MIGRATE_TO)
    assert mesh["a"].view.owners[16383] == mesh["b"].id


def test_losing_the_last_slot_makes_a_replica_of_the_winner() -> None:
    mesh = three()
    effects = mesh.inject("a", claim(mesh, "b", list(range(10923)), 99), inbound(mesh, "a", "b"))
    assert mesh["a"].follows == mesh["b"].id
    assert not any(isinstance(e, DropKeys) for e in effects), "the winner's keys will replace them"


def test_losing_the_last_slot_leaves_a_primary_without_slots_where_replicas_may_not_move() -> None:
    mesh = three(config=evolve(CONFIG, allow_replica_migration=False))
    mesh.inject("a", claim(mesh, "b", list(range(10923)), 99), inbound(mesh, "a", "b"))
    assert mesh["a"].view.myself.is_primary
    assert mesh["a"].view.slots_of(mesh["a"].id) == []


def test_an_epoch_no_cluster_can_reach_is_not_believed() -> None:
    mesh = three()
    before = mesh["a"].view.current_epoch
    mesh.inject("a", claim(mesh, "b", [0], 2**64 - 1), inbound(mesh, "a", "b"))
    assert mesh["a"].view.current_epoch == before
    assert mesh["a"].gossip.garbage == 1


def test_new_slots_are_told_within_milliseconds_and_once() -> None:
    mesh = Mesh("a", "b", "c")
    mesh.meet("a", "b", "c")
    mesh.run(1000)
    before = mesh["a"].gossip.sent[MessageType.PONG]
    for slot in range(50):
        assert mesh.execute("a", AddSlots((slot,))) == "OK"
    mesh.run(20)
    assert mesh["b"].view.owners[:50] == (mesh["a"].id,) * 50
    assert mesh["a"].gossip.sent[MessageType.PONG] - before <= 4
    assert mesh.execute("a", DelSlots((0,))) == "OK"
    assert mesh["a"].view.owners[0] is None


def test_bump_epoch_says_bumped_then_still() -> None:
    mesh = Mesh("a")
    assert mesh.execute("a", BumpEpoch()) == "BUMPED 1"
    assert mesh.execute("a", BumpEpoch()) == "STILL 1"


def test_a_repair_has_time_to_tell_the_last_owner_before_it_hears_of_the_new_epoch() -> None:
    """As ``redis-cli --cluster fix`` does it: the last owner deletes its keys if it hears of the claim too soon."""
    mesh = three()
    slot = next(s for s, owner in enumerate(mesh["a"].view.owners) if owner == mesh["b"].id)
    for command in (DelSlots((slot,)), AddSlots((slot,)), BumpEpoch()):
        mesh.execute("a", command)
    asked = mesh["b"].gossip.received[MessageType.PONG]
    mesh.run(900)
    assert mesh["b"].gossip.received[MessageType.PONG] > asked + 1, "it has asked, and was answered"
    assert mesh["b"].view.owners[slot] == mesh["b"].id
    mesh.run(5000)
    assert mesh["b"].view.owners[slot] == mesh["a"].id
