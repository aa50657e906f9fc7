"""Replicas of several failed primaries want votes at once: each gets its epoch, and none waits for long."""

import pytest
from attrs import evolve

from gossamer.cluster.topology import Flag
from gossamer.gossip.packet import MessageFlag, MessageType, Packet
from gossamer.gossip.turns import Turns
from tests.unit.gossip.mesh import TIMEOUT_MS, Mesh, agree
from tests.unit.gossip.test_electing import primaries, sent, shards


def six(seed: int = 1) -> Mesh:
    """Six primaries, and a replica of each of the first two: g of a, h of b."""
    mesh = Mesh(*"abcdef", seed=seed)
    for at, name in enumerate("abcdef"):
        mesh.own(name, at * 2731, min(at * 2731 + 2730, 16383))
    mesh.meet("a", *"bcdef")
    mesh.run(1500)
    for name in "gh":
        mesh.start(name)
        mesh.meet("a", name)
    mesh.run(1500)
    mesh.replicate("a", "g")
    mesh.replicate("b", "h")
    assert agree(mesh, *"abcdefgh")
    return mesh


def without_voters() -> Mesh:
    """The primary of g has failed, g knows it, and nobody votes."""
    mesh = six()
    for name in "cdef":
        mesh.cut(name)
    mesh.kill("a")
    for by in "bh":
        mesh.condemn("a", by, "g")
    return mesh


def request(mesh: Mesh, name: str, epoch: int, flags: int = 0) -> Packet:
    """What the replica ``name`` would send to ask for votes in ``epoch``."""
    gossip = mesh[name].gossip
    me = gossip.me
    assert me.primary is not None
    primary = gossip._peers.by_id[me.primary]
    head = (MessageType.FAILOVER_AUTH_REQUEST, me.id, 7000, 0, 17000)
    return Packet(*head, epoch, primary.config_epoch, 100, primary.bitmap, me.primary, flags=17, mflags=flags)


@pytest.mark.parametrize("seed", range(6))
def test_two_that_die_at_once_are_both_replaced_within_a_moment(seed: int) -> None:
    mesh = six(seed)
    mesh.kill("a")
    mesh.kill("b")
    mesh.run(TIMEOUT_MS)
    assert primaries(mesh, "c") == set("cdefgh")
    epochs = {mesh[name].view.myself.config_epoch for name in "cdefgh"}
    assert len(epochs) == 6


def test_a_candidate_whose_epoch_is_taken_asks_again_for_a_newer_one_at_once() -> None:
    mesh = without_voters()
    while not sent(mesh, "g", MessageType.FAILOVER_AUTH_REQUEST):
        mesh.run(1)
    (first,) = sent(mesh, "g", MessageType.FAILOVER_AUTH_REQUEST)
    mesh.run(200)
    assert len(sent(mesh, "g", MessageType.FAILOVER_AUTH_REQUEST)) == 1, "without a rival the votes are waited for"
    mesh.inject("g", request(mesh, "h", first.current_epoch), mesh.link_between("h", "g"))
    mesh.run(150)
    second = sent(mesh, "g", MessageType.FAILOVER_AUTH_REQUEST)[-1]
    assert second.current_epoch == first.current_epoch + 1


def test_rivals_that_win_nothing_ask_ever_more_rarely() -> None:
    mesh = without_voters()
    end = mesh.now + 2 * TIMEOUT_MS
    while mesh.now < end:
        epoch = mesh["g"].view.current_epoch + 1
        mesh.inject("g", request(mesh, "h", epoch), mesh.link_between("h", "g"))
        mesh.run(10)
    assert 2 <= len(sent(mesh, "g", MessageType.FAILOVER_AUTH_REQUEST)) <= 8


def test_a_vote_for_an_earlier_round_counts_for_that_round_alone() -> None:
    mesh = without_voters()
    election = mesh["g"].gossip._components.election
    while not sent(mesh, "g", MessageType.FAILOVER_AUTH_REQUEST):
        mesh.run(1)
    epoch = election._epoch
    mesh.inject("g", request(mesh, "h", epoch), mesh.link_between("h", "g"))
    mesh.run(150)
    assert election._epoch > epoch
    peers = mesh["g"].gossip._peers.by_id
    for name, of in zip("bcde", (epoch, epoch, election._epoch, election._epoch), strict=True):
        ack = Packet(MessageType.FAILOVER_AUTH_ACK, mesh[name].id, 7000, 0, 17000, of, 1)
        election.vote_received(peers[mesh[name].id], ack)
    assert not election.take_over_if_won(mesh.now), "two and two are no majority of six"
    for name in "de":
        ack = Packet(MessageType.FAILOVER_AUTH_ACK, mesh[name].id, 7000, 0, 17000, epoch, 1)
        election.vote_received(peers[mesh[name].id], ack)
    assert election.take_over_if_won(mesh.now)
    assert mesh["g"].gossip.me.config_epoch == epoch, "the one in which the majority voted"


def test_who_asks_again_gets_another_vote_and_its_sibling_does_not() -> None:
    mesh = shards("de")
    mesh.kill("c")
    mesh.cut("d")
    mesh.cut("e")
    for _ in range(3):
        mesh.condemn("c", "b", "a")
    epoch = mesh["a"].view.current_epoch
    forced = MessageFlag.FORCEACK
    mesh.heal("d")
    mesh.heal("e")
    for at, (name, granted) in enumerate((("d", 1), ("e", 1), ("d", 2))):
        link = mesh.link_between(name, "a")
        mesh.inject("a", request(mesh, name, epoch + 1 + at, forced), link)
        assert len(sent(mesh, "a", MessageType.FAILOVER_AUTH_ACK)) == granted, name


def test_no_vote_for_a_replica_of_another_primary_than_the_voter_knows() -> None:
    mesh = six()
    epoch = mesh["c"].view.current_epoch
    asked = request(mesh, "g", epoch + 1, MessageFlag.FORCEACK)
    mesh.inject("c", evolve(asked, primary=mesh["b"].id), mesh.link_between("g", "c"))
    assert not sent(mesh, "c", MessageType.FAILOVER_AUTH_ACK)
    mesh.inject("c", evolve(asked, current_epoch=epoch + 2), mesh.link_between("g", "c"))
    assert len(sent(mesh, "c", MessageType.FAILOVER_AUTH_ACK)) == 1


def test_turns_follow_the_order_of_ids_and_end_with_a_successor_or_a_step() -> None:
    mesh = six()
    peers = mesh["h"].gossip._peers
    first, second = sorted((peers.by_id[mesh["a"].id], peers.by_id[mesh["b"].id]), key=lambda p: p.id)
    turns = Turns(peers)
    turns.begin(mesh.now)
    for peer in (first, second):
        peer.flags |= Flag.FAIL
        peers.touch(peer)
    now = mesh.now
    assert turns.turn_at(first, 500, now) == now
    assert turns.turn_at(second, 500, now) == now + 500
    assert turns.turn_at(second, 500, now + 500) == now + 500, "a step is waited for, not more"
    turns.begin(now)
    assert turns.turn_at(second, 500, now) == now + 500
    slots, bitmap = first.slots, first.bitmap
    first.set_slots(0)
    peers.touch(first)
    assert turns.turn_at(second, 500, now + 20) == now + 20, "the one before has a successor"
    first.slots, first.bitmap = slots, bitmap
    turns.yield_to(first.id, now + 70)
    peers.touch(first)
    assert turns.turn_at(first, 500, now + 30) == now + 70, "whoever asks is not disturbed"
