"""What test suites of clusters do to a node: drop its messages, end its links, stop its clock."""

from typing import Literal

import pytest

from gossamer.cluster.topology import Flag
from gossamer.gossip.effects import Hangup, Refused
from gossamer.gossip.events import DropMessageType, KillLink, PauseCron
from gossamer.gossip.packet import MessageType
from tests.unit.gossip.mesh import TIMEOUT_MS, Mesh, three


def links(mesh: Mesh, name: str, other: str) -> dict[str, int]:
    return {way: link for link, way, node, _ in mesh[name].gossip.links() if node == mesh[other].id}


def test_messages_of_a_dropped_type_are_not_read_until_that_ends() -> None:
    mesh = three()
    assert mesh.execute("a", DropMessageType(MessageType.FAIL)) == "OK"
    assert mesh.execute("b", DropMessageType(MessageType.FAIL)) == "OK"
    mesh.condemn("c", by="b", to="a")
    mesh.run(10)
    seen = mesh["a"].sees(mesh["c"])
    assert seen is not None
    assert not seen.has(Flag.FAIL)
    assert mesh["a"].gossip.received[MessageType.FAIL] == 1, "it is counted all the same"
    assert mesh.execute("a", DropMessageType(-1)) == "OK"
    mesh.condemn("c", by="b", to="a")
    seen = mesh["a"].sees(mesh["c"])
    assert seen is not None
    assert seen.has(Flag.FAIL)


@pytest.mark.parametrize(("way", "ended"), [("to", ["to"]), ("from", ["from"]), ("all", ["to", "from"])])
def test_a_link_that_is_ended_is_made_again(way: Literal["to", "from", "all"], ended: list[str]) -> None:
    mesh = three()
    before = links(mesh, "a", "b")
    assert set(before) == {"to", "from"}
    effects = mesh.tell("a", KillLink(way, mesh["b"].id))
    assert [effect.link for effect in effects if isinstance(effect, Hangup)] == [before[each] for each in ended]
    mesh.run(2000)
    after = links(mesh, "a", "b")
    assert set(after) == {"to", "from"}
    assert [each for each in ("to", "from") if after[each] != before[each]] == ended


def test_a_link_to_nobody_cannot_be_ended() -> None:
    assert three().tell("a", KillLink("all", "0" * 40)) == [Refused("Unknown node " + "0" * 40)]


def test_a_node_whose_clock_is_stopped_suspects_nobody_until_it_goes_on() -> None:
    mesh = three()
    assert mesh.execute("a", PauseCron(on=True)) == "OK"
    mesh.cut("c")
    mesh.run(3 * TIMEOUT_MS)
    assert mesh["a"].gossip.deadline() > mesh.now, "it does not ask to be woken again and again"
    assert not mesh["a"].gossip._peers.suspects
    assert mesh.execute("a", PauseCron(on=False)) == "OK"
    mesh.run(3 * TIMEOUT_MS)
    seen = mesh["a"].sees(mesh["c"])
    assert seen is not None
    assert seen.has(Flag.FAIL)


def test_the_links_of_a_node_are_told_one_after_the_other() -> None:
    """To it and then from it, as in Redis: clients read them in pairs."""
    told = [(node, way) for _, way, node, _ in three()["a"].gossip.links()]
    assert len(told) == 4
    for at in (0, 2):
        node = told[at][0]
        assert told[at : at + 2] == [(node, "to"), (node, "from")]
