"""What the operator is told. Texts and order as redis-server 7.0.15 gives them."""

import pytest

from gossamer.gossip.effects import Deliver, Refused, Save, Send
from gossamer.gossip.events import (
    AddSlots,
    Broadcast,
    BumpEpoch,
    ClusterCommand,
    DelSlots,
    Event,
    FlushSlots,
    Forget,
    Meet,
    Reset,
    SaveConfig,
    SetConfigEpoch,
    SetSlot,
)
from gossamer.gossip.packet import MessageType
from tests.unit.gossip.mesh import Mesh, three
from tests.unit.gossip.test_electing import shards

NOBODY = "0" * 40


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        (AddSlots((3, 3)), "Slot 3 specified multiple times"),
        (AddSlots((8, 5, 8)), "Slot 5 is already busy"),
        (DelSlots((7,)), "Slot 7 is already unassigned"),
        (DelSlots((5, 5)), "Slot 5 specified multiple times"),
        (FlushSlots(1), "DB must be empty to perform CLUSTER FLUSHSLOTS."),
        (SetSlot(5, "migrating", NOBODY), f"I don't know about node {NOBODY}"),
        (SetSlot(7, "migrating", NOBODY), "I'm not the owner of hash slot 7"),
        (SetSlot(5, "importing", NOBODY), "I'm already the owner of hash slot 5"),
        (SetSlot(7, "importing", NOBODY), f"I don't know about node {NOBODY}"),
        (SetSlot(7, "node", NOBODY), f"Unknown node {NOBODY}"),
        (SetConfigEpoch(-1), "Invalid config epoch specified: -1"),
        (Forget("xyz"), "Unknown node xyz"),
        (Meet("nohost", 1), "Invalid node address specified: nohost:1"),
        (Meet("127.0.0.1", 0), "Invalid node address specified: 127.0.0.1:0"),
        (Meet("127.0.0.1", 70000), "Invalid node address specified: 127.0.0.1:70000"),
        (Meet("127.0.0.1", 7000, 70000), "Invalid node address specified: 127.0.0.1:7000"),
        (Reset(True, 1), "CLUSTER RESET can't be called with master nodes containing keys"),
    ],
)
def test_a_wish_that_cannot_be_granted_changes_nothing(wish: Event, text: str) -> None:
    mesh = Mesh("a")
    mesh.own("a", 5, 6)
    before = mesh["a"].view
    effects = mesh.tell("a", wish)
    assert effects == [Refused(text)]
    assert mesh["a"].view == before


@pytest.mark.parametrize(
    ("wish", "command"),
    [
        (DelSlots((0, 1)), "DELSLOTS"),
        (FlushSlots(0), "FLUSHSLOTS"),
        (FlushSlots(1), "FLUSHSLOTS"),
        (SetSlot(0, "stable"), "SETSLOT"),
    ],
)
def test_a_replica_does_not_change_whose_the_slots_are(wish: Event, command: str) -> None:
    mesh = shards()
    before = mesh["d"].view
    assert not before.myself.is_primary
    assert mesh.tell("d", wish) == [Refused(f"Please use {command} only with masters.")]
    assert mesh["d"].view == before


def test_a_replica_takes_no_slots() -> None:
    mesh = Mesh("a", "b")
    mesh.own("a", 5, 6)
    mesh.meet("a", "b")
    mesh.run(1500)
    mesh.replicate("a", "b")
    assert mesh.execute("b", AddSlots((7,))) == "ERR Please use ADDSLOTS only with masters."


def test_a_node_cannot_forget_itself() -> None:
    mesh = Mesh("a")
    assert mesh.execute("a", Forget(mesh["a"].id)) == "ERR I tried hard but I can't forget myself..."


def test_a_node_that_gossip_has_made_forgotten_can_be_forgotten_once_more() -> None:
    mesh = three()
    gone = mesh["c"].id
    assert mesh.execute("a", Forget(gone)) == "OK"
    assert mesh.execute("a", Forget(gone)) == "OK"
    assert mesh.execute("a", Forget("0" * 40)) == "ERR Unknown node " + "0" * 40


def test_an_epoch_can_be_set_once_and_only_while_alone() -> None:
    mesh = Mesh("a", "b")
    assert mesh.execute("b", SetConfigEpoch(5)) == "OK"
    assert mesh.execute("b", SetConfigEpoch(6)) == "ERR Node config epoch is already non-zero"
    assert mesh.execute("b", BumpEpoch()) == "STILL 5"
    mesh.meet("a", "b")
    alone = "ERR The user can assign a config epoch only when the node does not know any other node."
    assert mesh.execute("a", SetConfigEpoch(3)) == alone


def test_a_slot_with_keys_is_not_given_away() -> None:
    mesh = three()
    text = "ERR Can't assign hashslot 5 to a different node while I still hold keys for this hash slot."
    assert mesh.execute("a", SetSlot(5, "node", mesh["b"].id, keys=1)) == text
    assert mesh.execute("a", SetSlot(5, "node", mesh["a"].id, keys=1)) == "OK"
    assert mesh.execute("a", SetSlot(5, "node", mesh["b"].id)) == "OK"
    assert mesh["a"].view.owners[5] == mesh["b"].id


def test_an_unassigned_slot_may_be_set_and_an_open_one_closed() -> None:
    mesh = Mesh("a")
    me = mesh["a"].id
    assert mesh.execute("a", SetSlot(7, "importing", me)) == "OK"
    assert mesh.execute("a", SetSlot(7, "stable")) == "OK"
    assert mesh["a"].view.importing == {}
    assert mesh.execute("a", SetSlot(7, "node", me)) == "OK"
    assert mesh["a"].view.owners[7] == me


def unasked(mesh: Mesh, name: str) -> int:
    """How many of the messages that others have had from this node were no answers."""
    heard = [packet.kind for host in mesh.hosts.values() for packet in host.heard if packet.sender == mesh[name].id]
    asked = [packet.kind for packet in mesh[name].heard if packet.kind in (MessageType.PING, MessageType.MEET)]
    return len(heard) - heard.count(MessageType.PING) - len(asked)


def test_of_a_slot_that_moves_only_its_two_ends_have_news() -> None:
    """Everybody is told by the operator, as redis-cli does it; and nobody else has anything to say about it."""
    mesh = three()
    mesh.start("r")
    mesh.meet("c", "r")
    mesh.run(1000)
    mesh.replicate("c", "r")
    mesh.run(1000)
    for host in mesh.hosts.values():
        host.heard.clear()
    assert mesh.execute("b", SetSlot(5, "importing", mesh["a"].id)) == "OK"
    assert mesh.execute("a", SetSlot(5, "migrating", mesh["b"].id)) == "OK"
    mesh.run(200)
    assert [unasked(mesh, name) for name in "abcr"] == [0, 0, 0, 0]
    for name in "bac":
        assert mesh.execute(name, SetSlot(5, "node", mesh["b"].id)) == "OK"
    assert mesh.execute("r", SetSlot(5, "node", mesh["b"].id, from_primary=True)) == "OK"
    mesh.run(200)
    assert [unasked(mesh, name) for name in "abcr"] == [3, 3, 0, 0]
    assert {host.view.owners[5] for host in mesh.hosts.values()} == {mesh["b"].id}


def test_the_answer_comes_after_the_save() -> None:
    mesh = Mesh("a")
    effects = mesh.tell("a", SaveConfig())
    assert isinstance(effects[0], Save)
    assert mesh.execute("a", SaveConfig()) == "OK"


def test_only_what_is_promised_waits_for_the_disk() -> None:
    mesh = three()
    wishes: tuple[tuple[ClusterCommand, bool], ...] = (
        (SetSlot(7, "migrating", mesh["b"].id), False),
        (SetSlot(7, "stable"), False),
        (SetSlot(5461, "importing", mesh["b"].id), False),
        (SetSlot(5461, "node", mesh["a"].id), True),
        (SetSlot(7, "node", mesh["b"].id), False),
        (DelSlots((8,)), False),
        (AddSlots((8,)), True),
        (SaveConfig(), True),
        (Forget(mesh["c"].id), True),
        (Reset(hard=False, keys=0), True),
    )
    for wish, synced in wishes:
        mesh.run(2000)
        saves = [effect.synced for effect in mesh.tell("a", wish) if isinstance(effect, Save)]
        assert saves == [synced], wish
    assert [e.synced for e in mesh.tell("c", BumpEpoch()) if isinstance(e, Save)] == [True]


def test_what_was_only_written_is_synced_a_second_later() -> None:
    mesh = three()
    mesh.run(2000)
    host, before = mesh["a"], len(mesh["a"].done)
    mesh.execute("a", SetSlot(7, "migrating", mesh["b"].id))
    mesh.run(900)
    assert [e.synced for e in host.done[before:] if isinstance(e, Save)] == [False]
    mesh.run(300)
    saves = [e for e in host.done[before:] if isinstance(e, Save)]
    assert [save.synced for save in saves] == [False, True]
    assert saves[-1].topology.migrating == {7: mesh["b"].id}


def test_a_published_message_is_delivered_at_every_other_node() -> None:
    mesh = three()
    effects = mesh.tell("a", Broadcast(b"news", b"hello"))
    assert [(e.packet.kind, len(e.links)) for e in effects if isinstance(e, Send)] == [(MessageType.PUBLISH, 2)]
    mesh.run(10)
    for name in "bc":
        assert Deliver(b"news", b"hello", False) in mesh[name].done
    mesh.tell("a", Broadcast(b"news", b"mine", sharded=True))
    mesh.run(10)
    assert Deliver(b"news", b"mine", True) not in mesh["b"].done, "another shard"
