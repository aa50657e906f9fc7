"""A failed primary is replaced by one replica, and by no more than one."""

import pytest
from attrs import evolve

from gossamer.cluster.topology import Flag
from gossamer.gossip.effects import Answer, Follow, Lead, Publish, Save, Send
from gossamer.gossip.events import BumpEpoch, ConfigChanged, Replicate, Replicated
from gossamer.gossip.packet import MessageFlag, MessageType, Packet, Update
from tests.unit.gossip.mesh import CONFIG, TIMEOUT_MS, Mesh, agree, three


def shards(replicas_of_c: str = "d", seed: int = 1, offset: int = 100) -> Mesh:
    """Three primaries, and replicas of the third."""
    mesh = three(seed=seed)
    for name in replicas_of_c:
        mesh.start(name)
        mesh.meet("a", name)
    mesh.run(1500)
    mesh.replicate("c", *replicas_of_c, offset=offset)
    assert agree(mesh, *"abc", *replicas_of_c)
    return mesh


def primaries(mesh: Mesh, observer: str = "a") -> set[str]:
    """Who owns slots."""
    owners = set(mesh[observer].view.owners)
    return {host.name for host in mesh.hosts.values() if host.id in owners}


def leader(mesh: Mesh, name: str) -> str | None:
    """Whom a node follows."""
    return mesh[name].follows


def sent(mesh: Mesh, name: str, kind: MessageType) -> list[Packet]:
    return [e.packet for e in mesh[name].done if isinstance(e, Send) and e.packet.kind is kind]


def test_a_dead_primary_is_replaced_by_its_replica() -> None:
    mesh = shards()
    assert leader(mesh, "d") == mesh["c"].id
    before = mesh["c"].view
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 3 // 2)
    for name in "abd":
        view = mesh[name].view
        assert view.ok
        assert view.owners == tuple(mesh["d"].id if o == mesh["c"].id else o for o in before.owners)
    assert leader(mesh, "d") is None
    assert mesh["d"].view.myself.config_epoch > max(n.config_epoch for n in before.nodes.values())


def test_the_winner_saves_then_leads_then_serves_then_tells() -> None:
    mesh = shards()
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 3 // 2)
    done = mesh["d"].done
    led = next(i for i, e in enumerate(done) if isinstance(e, Lead))
    assert [type(e) for e in done[led - 1 : led + 2]] == [Save, Lead, Publish]
    told = next(e for e in done[led:] if isinstance(e, Send))
    assert told.packet.kind is MessageType.PONG
    assert len(told.links) >= 2
    assert told.packet.primary is None


def test_an_only_replica_does_not_wait_and_says_that_it_need_not() -> None:
    mesh = shards()
    mesh.kill("c")
    while not sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST):
        mesh.run(1)
    seen = mesh["d"].sees(mesh["c"])
    assert seen is not None
    assert seen.has(Flag.FAIL)
    assert mesh["d"].gossip.me.flags & Flag.MY_PRIMARY_FAIL
    (request,) = sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)
    assert request.mflags & MessageFlag.FORCEACK
    mesh.run(100)
    assert not mesh["d"].gossip.me.flags & Flag.MY_PRIMARY_FAIL, "only while a replica"


def test_votes_and_requests_are_on_disk_before_they_are_sent() -> None:
    mesh = shards()
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 2)
    for name, kind in (
        ("a", MessageType.FAILOVER_AUTH_ACK),
        ("b", MessageType.FAILOVER_AUTH_ACK),
        ("d", MessageType.FAILOVER_AUTH_REQUEST),
    ):
        done = mesh[name].done
        at = next(i for i, e in enumerate(done) if isinstance(e, Send) and e.packet.kind is kind)
        packet = sent(mesh, name, kind)[0]
        saved = [e.topology for e in done[:at] if isinstance(e, Save)][-1]
        assert saved.current_epoch == packet.current_epoch
        if kind is MessageType.FAILOVER_AUTH_ACK:
            assert saved.last_vote_epoch == packet.current_epoch


def test_a_minority_never_promotes() -> None:
    mesh = shards()
    for name in "ab":
        mesh.cut(name)
    mesh.cut("c")
    mesh.run(TIMEOUT_MS * 20)
    assert not sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)
    assert leader(mesh, "d") == mesh["c"].id


def test_votes_of_a_minority_do_not_suffice() -> None:
    mesh = shards()
    mesh.kill("c")
    while not sent(mesh, "d", MessageType.FAIL) + sent(mesh, "a", MessageType.FAIL) + sent(mesh, "b", MessageType.FAIL):
        mesh.run(1)
    mesh.cut("b")
    mesh.run(TIMEOUT_MS * 6)
    assert sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)
    assert primaries(mesh) == {"a", "b", "c"}
    mesh.heal("b")
    mesh.run(TIMEOUT_MS * 10)
    assert primaries(mesh) == {"a", "b", "d"}, "it tries again"


@pytest.mark.parametrize("seed", range(8))
def test_the_better_offset_wins(seed: int) -> None:
    mesh = shards("defg", seed=seed)
    best = "defg"[seed % 4]
    for number, name in enumerate("defg"):
        mesh.receive(name, 5000 if name == best else 4000 + number)
    mesh.run(TIMEOUT_MS)
    for name in "defg":
        mesh.receive(name, mesh[name].offset)
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 3)
    assert primaries(mesh) == {"a", "b", best}
    assert {mesh[name].follows for name in "defg" if name != best} == {mesh[best].id}


@pytest.mark.parametrize("seed", range(4))
def test_what_was_acknowledged_last_is_known_to_whom_it_concerns(seed: int) -> None:
    """The newest offset is told by no ping before the primary dies: siblings ask, and wait for the answer."""
    mesh = shards("de", seed=seed)
    best = "de"[seed % 2]
    other = "de"[1 - seed % 2]
    mesh.receive(best, 4000)
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 3)
    assert primaries(mesh) == {"a", "b", best}
    assert not sent(mesh, other, MessageType.FAILOVER_AUTH_REQUEST)


def offsets(mesh: Mesh, name: str) -> list[int]:
    """Of one node, as all others see it."""
    return [node.repl_offset for host in mesh.hosts.values() if host.name != name and (node := host.sees(mesh[name]))]


def test_a_replica_in_its_full_sync_is_loading_for_all_until_its_primary_fails() -> None:
    """What it has is older than what it will have, but if that does not come it counts."""
    mesh = shards("de")
    mesh.receive("d", 4000)
    mesh.run(TIMEOUT_MS)
    assert offsets(mesh, "d") == [4000] * 4
    mesh.tell("d", Replicated(4000, mesh.now, syncing=True))
    mesh.run(TIMEOUT_MS)
    assert offsets(mesh, "d") == [0] * 4
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 3)
    assert primaries(mesh) == {"a", "b", "d"}
    assert not sent(mesh, "e", MessageType.FAILOVER_AUTH_REQUEST), "d has more than e"


def test_who_comes_from_another_shard_has_nothing_until_something_has_come() -> None:
    """However much it had there: a sibling that has the primary's data is elected."""
    mesh = shards("d")
    mesh.start("e")
    mesh.meet("a", "e")
    mesh.run(1500)
    mesh.receive("e", 9000)
    assert mesh.execute("e", Replicate(mesh["c"].id, 0)) == "OK"
    mesh.tell("e", Replicated(9000))
    mesh.run(TIMEOUT_MS)
    assert offsets(mesh, "e") == [0] * 4
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 3)
    assert primaries(mesh) == {"a", "b", "d"}
    assert not sent(mesh, "e", MessageType.FAILOVER_AUTH_REQUEST)


def test_a_full_sync_that_ends_is_told() -> None:
    mesh = shards("d")
    mesh.tell("d", Replicated(100, mesh.now, syncing=True))
    mesh.run(TIMEOUT_MS)
    mesh.receive("d", 5000)
    mesh.run(TIMEOUT_MS)
    assert offsets(mesh, "d") == [5000] * 3


def test_a_sibling_that_says_nothing_is_not_waited_for_much_longer_than_the_node_timeout() -> None:
    mesh = shards("de")
    silent, other = sorted("de", key=lambda name: mesh[name].id)
    mesh.receive(other, 4000)
    mesh.kill("c")
    mesh.cut(silent)
    mesh.run(TIMEOUT_MS * 3)
    assert primaries(mesh) == {"a", "b", other}


@pytest.mark.parametrize("seed", range(4))
def test_an_epoch_taken_without_asking_does_not_win_against_an_elected_successor(seed: int) -> None:
    """As SETSLOT NODE takes one, a moment before the node is cut off."""
    mesh = shards(seed=seed)
    assert mesh.execute("b", BumpEpoch()).startswith("BUMPED")
    mesh.run(500)
    mesh.cut("c")
    assert mesh.execute("c", BumpEpoch()).startswith("BUMPED")
    taken = mesh["c"].gossip.me.config_epoch
    mesh.run(TIMEOUT_MS * 4)
    assert primaries(mesh) == {"a", "b", "d"}
    assert mesh["d"].gossip.me.config_epoch == taken, "not the case that is meant"
    mesh.heal("c")
    mesh.run(TIMEOUT_MS * 4)
    assert primaries(mesh) == primaries(mesh, "c") == {"a", "b", "d"}
    assert leader(mesh, "c") == mesh["d"].id


def test_who_was_elected_and_had_to_take_another_epoch_was_elected_still() -> None:
    """Else both would yield where the old primary has taken that epoch too, and nobody would have the slots."""
    mesh = next(m for m in map(shards, "dddddddd", range(1, 9)) if m["a"].id > m["d"].id)
    had = mesh["c"].gossip.me.bitmap
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 3 // 2)
    winner = mesh["d"].gossip.me
    elected = winner.config_epoch
    mesh["a"].gossip.me.config_epoch = elected  # by a hand-over of slots, for which nobody votes
    mesh.run(TIMEOUT_MS)
    assert winner.config_epoch > elected
    claim = Update(winner.config_epoch, mesh["c"].id, had)
    late = Packet(MessageType.UPDATE, mesh["b"].id, 7000, 0, 17000, winner.config_epoch, 2, body=claim)
    mesh.inject("d", late, mesh.link_between("b", "d"))
    assert winner.is_primary
    assert primaries(mesh, "d") == {"a", "b", "d"}


def test_a_primary_that_came_back_without_its_data_is_replaced_though_it_is_well() -> None:
    mesh = shards("de")
    mesh.receive("d", 4000)
    for name in "de":
        host = mesh[name]
        mesh.tell(name, Replicated(host.offset, mesh.now, True))
        assert host.gossip.me.flags & Flag.MY_PRIMARY_FAIL
    mesh.run(TIMEOUT_MS)
    assert primaries(mesh) == {"a", "b", "d"}
    assert {leader(mesh, "c"), leader(mesh, "e")} == {mesh["d"].id}
    assert all(request.mflags & MessageFlag.FORCEACK for request in sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST))
    assert not sent(mesh, "a", MessageType.FAIL)


def test_among_equals_the_first_stands_at_once_and_alone() -> None:
    mesh = shards("def")
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 3 // 2)
    stood = [name for name in "def" if sent(mesh, name, MessageType.FAILOVER_AUTH_REQUEST)]
    assert stood == [min("def", key=lambda name: mesh[name].id)]
    assert primaries(mesh) == {"a", "b", *stood}


def test_two_shards_that_fail_together_are_both_led_soon() -> None:
    mesh = Mesh(*"abcdefg")
    for number, name in enumerate("abcde"):
        mesh.own(name, number * 3277, min(number * 3277 + 3276, 16383))
    mesh.meet("a", *"bcdefg")
    mesh.run(1500)
    mesh.replicate("d", "f")
    mesh.replicate("e", "g")
    mesh.kill("d")
    mesh.kill("e")
    mesh.run(TIMEOUT_MS * 2)
    assert primaries(mesh) == set("abcfg")
    assert mesh["a"].view.ok


def test_a_replica_that_may_not_does_not_stand() -> None:
    mesh = three()
    mesh.start("d", config=evolve(CONFIG, replica_no_failover=True))
    mesh.meet("a", "d")
    mesh.run(1500)
    mesh.replicate("c", "d")
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 5)
    assert not sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)


def test_a_replica_without_data_does_not_stand_unless_any_age_will_do() -> None:
    mesh = shards()
    mesh.tell("d", Replicated(0, 0))
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 5)
    assert not sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)
    refusals = [line for line in mesh["d"].logs if line.startswith("Currently unable to failover")]
    assert len(refusals) == 1
    assert "cluster-replica-validity-factor" in refusals[0]


def test_data_may_be_as_old_as_the_validity_factor_says() -> None:
    mesh = shards()
    limit = CONFIG.stale_ms
    assert limit == 20_000
    mesh.kill("c")
    mesh.tell("d", Replicated(100, mesh.now - limit - TIMEOUT_MS + 100))
    mesh.run(TIMEOUT_MS * 2)
    assert not sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)


# Voters


def request(mesh: Mesh, name: str, epoch: int, **changes: object) -> Packet:
    """A vote request as ``name`` would send it."""
    me = mesh[name].gossip.me
    primary = mesh["a"].gossip._peers.by_id[me.primary or ""]
    packet = Packet(
        MessageType.FAILOVER_AUTH_REQUEST,
        me.id,
        7000,
        0,
        17000,
        epoch,
        primary.config_epoch,
        100,
        primary.bitmap,
        me.primary,
        flags=Flag.SLAVE | Flag.MYSELF,
        mflags=MessageFlag.FORCEACK,
    )
    return evolve(packet, **changes)  # type: ignore[arg-type]


def votes(mesh: Mesh, voter: str, packet: Packet) -> bool:
    """Whether the voter answers with a vote."""
    link = mesh[voter].gossip._peers.by_id[packet.sender].inbound
    assert link is not None
    effects = mesh.inject(voter, packet, link)
    return any(isinstance(e, Send) and e.packet.kind is MessageType.FAILOVER_AUTH_ACK for e in effects)


def test_a_primary_votes_once_in_an_epoch() -> None:
    mesh = shards("de")
    epoch = mesh["a"].view.current_epoch
    assert votes(mesh, "a", request(mesh, "d", epoch + 1))
    assert not votes(mesh, "a", request(mesh, "d", epoch + 1))
    assert not votes(mesh, "a", request(mesh, "e", epoch + 1))
    assert not votes(mesh, "a", request(mesh, "e", epoch)), "an older epoch"
    assert not votes(mesh, "a", request(mesh, "e", epoch + 2)), "too soon for another replica of that primary"
    mesh.run(2 * TIMEOUT_MS)
    assert votes(mesh, "a", request(mesh, "e", epoch + 3))


def test_a_vote_is_remembered_across_a_restart() -> None:
    mesh = shards("de")
    epoch = mesh["a"].view.current_epoch
    assert votes(mesh, "a", request(mesh, "d", epoch + 1))
    saved = mesh.kill("a")
    assert saved.last_vote_epoch == epoch + 1
    ip = mesh["a"].ip
    packets = request(mesh, "e", epoch + 1), request(mesh, "e", epoch + 2)
    mesh.start("a", saved, ip=ip)
    mesh.run(2 * TIMEOUT_MS)
    assert not votes(mesh, "a", packets[0])
    assert votes(mesh, "a", packets[1])


def test_who_has_no_right_to_stand_gets_no_vote() -> None:
    mesh = shards("d")
    epoch = mesh["a"].view.current_epoch + 1
    assert not votes(mesh, "a", request(mesh, "d", epoch, mflags=0)), "its primary is up"
    assert not votes(mesh, "a", request(mesh, "d", epoch, config_epoch=0)), "somebody else may own these slots now"
    assert not votes(mesh, "a", evolve(request(mesh, "d", epoch), sender=mesh["b"].id, primary=None)), "a primary"
    assert votes(mesh, "a", request(mesh, "d", epoch))


def test_only_primaries_with_slots_vote() -> None:
    mesh = shards("de")
    mesh.start("f")
    mesh.meet("a", "f")
    mesh.run(1000)
    epoch = mesh["a"].view.current_epoch + 1
    assert not votes(mesh, "e", request(mesh, "d", epoch))
    assert not votes(mesh, "f", request(mesh, "d", epoch))


# Afterwards


def test_the_old_primary_returns_as_a_replica() -> None:
    mesh = shards()
    saved = mesh.kill("c")
    mesh.run(TIMEOUT_MS * 2)
    mesh.start("c", saved, ip=mesh["c"].ip)
    mesh.run(TIMEOUT_MS * 3)
    assert leader(mesh, "c") == mesh["d"].id
    assert agree(mesh, *"abcd")
    assert mesh["c"].view.myself.has(Flag.SLAVE)
    assert mesh["c"].view.myself.shard_id == mesh["d"].view.myself.shard_id
    assert mesh["a"].view.ok


def test_a_primary_cut_off_and_replaced_returns_as_a_replica() -> None:
    mesh = shards()
    mesh.cut("c")
    mesh.run(TIMEOUT_MS * 3)
    assert not mesh["c"].view.ok
    assert primaries(mesh) == {"a", "b", "d"}
    mesh.heal("c")
    mesh.run(TIMEOUT_MS * 3)
    assert leader(mesh, "c") == mesh["d"].id
    assert agree(mesh, *"abcd")


def test_siblings_follow_the_winner() -> None:
    mesh = shards("def")
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 2)
    (winner,) = primaries(mesh) - {"a", "b"}
    assert {mesh[name].follows for name in "def" if name != winner} == {mesh[winner].id}


def test_a_replica_that_is_restarted_follows_again() -> None:
    mesh = shards()
    saved = mesh.kill("d")
    mesh.start("d", saved, ip=mesh["d"].ip)
    assert leader(mesh, "d") == mesh["c"].id


def test_a_replica_is_told_where_its_primary_has_moved() -> None:
    mesh = shards()
    saved = mesh.kill("c")
    mesh.start("c", saved, ip="10.0.1.1")
    mesh.run(500)
    told = [e for e in mesh["d"].done if isinstance(e, Follow)]
    assert told[-1] == Follow(mesh["c"].id, "10.0.1.1", 7000)


def test_a_failure_remembered_from_before_a_restart_does_not_unseat_a_primary_that_lives() -> None:
    mesh = shards()
    saved = mesh.kill("d")
    old = saved.nodes[mesh["c"].id]
    saved = evolve(saved, nodes={**saved.nodes, old.id: evolve(old, flags=old.flags | Flag.FAIL)})
    mesh.start("d", saved, ip=mesh["d"].ip)
    for _ in range(40):
        mesh.run(100)
        mesh.receive("d", 100)
    assert primaries(mesh) == {"a", "b", "c"}
    assert not any(
        packet.mflags & MessageFlag.FORCEACK for packet in sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)
    )


def test_replicate_saves_and_follows_before_it_answers() -> None:
    mesh = three()
    mesh.start("d")
    mesh.meet("a", "d")
    mesh.run(1500)
    effects = mesh.tell("d", Replicate(mesh["c"].id, 0))
    kinds = [type(e) for e in effects]
    assert kinds.index(Save) < kinds.index(Follow) < kinds.index(Publish) < kinds.index(Answer)


def test_who_would_stand_for_an_empty_primary_does_not_stand_for_the_next_one() -> None:
    """The empty one has lost its slots meanwhile, and its replicas follow whoever has taken them."""
    mesh = shards()
    mesh.tell("d", Replicated(100, mesh.now, primary_lost_data=True))
    assert mesh.execute("d", Replicate(mesh["a"].id, 0)) == "OK"
    mesh.run(5000)
    assert not mesh["d"].gossip.me.is_primary
    assert primaries(mesh) == {"a", "b", "c"}


def test_votes_for_one_primary_are_none_for_the_slots_of_another() -> None:
    mesh = shards()
    mesh.tell("d", Replicated(100, mesh.now, primary_lost_data=True))
    while not sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST):
        mesh.run(1)
    assert mesh.execute("d", Replicate(mesh["a"].id, 0)) == "OK"
    mesh.tell("d", Replicated(100, mesh.now, primary_lost_data=True))
    mesh.run(3)
    assert not mesh["d"].gossip.me.is_primary


def doubts(mesh: Mesh, name: str) -> bool:
    return mesh[name].gossip.acks_suspended


def test_a_replica_acknowledges_nothing_while_a_sibling_may_be_elected() -> None:
    """It need not see a failure itself: the sibling has been told how far it is, and relies on that."""
    mesh = shards("de")
    mesh.condemn("c", by="a", to="d")
    mesh.run(50)
    assert doubts(mesh, "d")
    assert doubts(mesh, "e")
    seen = mesh["e"].sees(mesh["c"])
    assert seen is not None
    assert not seen.has(Flag.FAIL)
    while doubts(mesh, "d"):
        mesh.run(1)
    mesh.run(50)
    assert not doubts(mesh, "e")
    assert primaries(mesh) == {"a", "b", "c"}


def test_a_sibling_that_is_dead_is_not_waited_for() -> None:
    mesh = shards("de")
    mesh.condemn("c", by="a", to="d")
    mesh.run(50)
    mesh.kill("d")
    mesh.run(TIMEOUT_MS * 2)
    assert not doubts(mesh, "e")


def test_who_has_voted_takes_no_failure_back_while_the_vote_counts() -> None:
    """The winner may be waiting for its disk."""
    mesh = shards()
    mesh.cut("c")
    while not sent(mesh, "a", MessageType.FAILOVER_AUTH_ACK):
        mesh.run(1)
    mesh.cut("d")
    mesh.run(TIMEOUT_MS * 3 // 2)
    mesh["a"].gossip._peers.by_id[mesh["c"].id].voted_at = mesh.now
    mesh.heal("c")
    mesh.run(TIMEOUT_MS * 3 // 2)
    seen = mesh["a"].sees(mesh["c"])
    assert seen is not None
    assert seen.has(Flag.FAIL)
    mesh.run(TIMEOUT_MS)
    seen = mesh["a"].sees(mesh["c"])
    assert seen is not None
    assert not seen.has(Flag.FAIL)


@pytest.mark.parametrize("acks", [0, 1])
def test_one_that_has_less_gives_a_sibling_more_time_where_writes_are_promised(acks: int) -> None:
    """Here the sibling will not stand at all: its data is too old for it."""
    mesh = shards("de")
    config = evolve(CONFIG, write_ack_replicas=acks)
    for name in "abcde":
        mesh.tell(name, ConfigChanged(config))
    mesh.tell("d", Replicated(4000, mesh.now - 10**7))
    mesh.run(TIMEOUT_MS)
    mesh.kill("c")
    while not mesh["e"].gossip.me.flags & Flag.MY_PRIMARY_FAIL:
        mesh.run(1)
    began = mesh.now
    while not sent(mesh, "e", MessageType.FAILOVER_AUTH_REQUEST):
        mesh.run(1)
    assert (mesh.now - began > TIMEOUT_MS) == bool(acks)
    assert not sent(mesh, "d", MessageType.FAILOVER_AUTH_REQUEST)
