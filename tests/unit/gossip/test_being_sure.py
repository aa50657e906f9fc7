"""With ``write-ack-replicas`` a primary is up only while nobody can have been elected in its place."""

import pytest
from attrs import evolve

from gossamer.gossip.config import GossipConfig
from gossamer.gossip.events import PacketIn
from gossamer.gossip.packet import MessageType
from tests.unit.gossip.mesh import CONFIG, TIMEOUT_MS, three
from tests.unit.gossip.test_failing import flags

SURE = evolve(CONFIG, write_ack_replicas=1)


@pytest.mark.parametrize("config", [CONFIG, SURE], ids=["as Redis", "sure"])
def test_an_old_word_that_comes_late_keeps_nobody_up(config: GossipConfig) -> None:
    """It was under way while the sender lost sight of us, and does not tell what it thinks now."""
    mesh = three(config=config)
    link = mesh.link_between("b", "a")
    old = next(p for p in reversed(mesh["a"].heard) if p.kind is MessageType.PING and p.sender == mesh["b"].id)
    mesh.cut("a")
    mesh.run(TIMEOUT_MS * 4 // 10)
    mesh.tell("a", PacketIn(link, old))
    mesh.run(TIMEOUT_MS * 9 // 10)
    assert flags(mesh, "a", "b") == 0, "by Redis' rules it is still in sight"
    assert mesh["a"].view.ok is (config is CONFIG)


def test_it_is_down_within_the_node_timeout_and_up_again_with_the_answers() -> None:
    mesh = three(config=SURE)
    mesh.cut("a")
    mesh.run(TIMEOUT_MS)
    assert not mesh["a"].view.ok
    assert [line for line in mesh["a"].logs if "may have been replaced" in line]
    mesh.heal("a")
    mesh.run(300)
    assert mesh["a"].view.ok


def test_an_answer_of_one_who_has_given_us_up_does_not_count() -> None:
    """So who holds a node for FAIL tells it so. It does for two node timeouts, in which a replica may be elected."""
    mesh = three(config=SURE)
    mesh.condemn("a", by="c", to="b")
    mesh.condemn("a", by="b", to="c")
    mesh.run(TIMEOUT_MS)
    assert not mesh["a"].view.ok
    mesh.run(TIMEOUT_MS * 2)
    assert mesh["a"].view.ok


def test_one_of_three_that_does_not_answer_does_no_harm() -> None:
    mesh = three(config=evolve(SURE, require_full_coverage=False))
    mesh.cut("c")
    mesh.run(TIMEOUT_MS * 5)
    assert mesh["a"].view.ok


def test_who_was_stopped_is_sure_only_when_it_has_been_answered() -> None:
    mesh = three(config=SURE)
    mesh.leap(3 * TIMEOUT_MS)
    assert flags(mesh, "a", "b") == 0, "nobody is to blame for that"
    assert not mesh["a"].view.ok
    mesh.run(250)
    assert mesh["a"].view.ok


def test_a_clock_that_is_set_back_changes_nothing() -> None:
    mesh = three(config=SURE)
    mesh.leap(-60_000)
    for _ in range(20):
        mesh.run(TIMEOUT_MS // 10)
        assert mesh["a"].view.ok
