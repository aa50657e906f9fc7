"""Each checker finds the violation it is there for, and lets pass what is allowed."""

from random import Random
from typing import Any

import pytest
from attrs import evolve

from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Flag, Node, Topology
from gossamer.gossip.extensions import ClusterIdentity
from gossamer.gossip.packet import Fail, GossipEntry, MessageFlag, MessageType, Packet, Ping, encode
from tests.sim.checkers import (
    Checker,
    EpochsNeverGoBack,
    EveryoneAgrees,
    FailNeedsAQuorum,
    OnDiskBeforeSaid,
    OneIdentityATable,
    OneOwnerPerSlotAndEpoch,
    OneWinnerAnEpoch,
    SettledIsQuiet,
    StrangersNeverServe,
    SuspicionNeedsSilenceOrDeath,
)
from tests.sim.history import Heard, Published, Record, Replied, Said, Settled, Started, Stopped, Stored, Violation
from tests.sim.world import PORT, World

A, B, C = "a" * 40, "b" * 40, "c" * 40
TIMEOUT_MS = 1000
THIRDS = tuple([A, B, C][slot * 3 // SLOTS] for slot in range(SLOTS))


def view(me: str, **changes: Any) -> Topology:  # noqa: ANN401
    """Three primaries with a third of the slots each, as ``me`` sees them."""
    nodes = {}
    for epoch, node in enumerate((A, B, C), start=1):
        flags = Flag.MASTER | (Flag.MYSELF if node == me else 0)
        nodes[node] = Node(node, f"10.0.0.{epoch}", 7000, 17000, flags=flags, config_epoch=epoch, linked=node != me)
    return evolve(Topology(me, nodes, THIRDS, current_epoch=3, ok=True, size=3), **changes)


def with_node(topology: Topology, node: str, **changes: Any) -> Topology:  # noqa: ANN401
    return evolve(topology, nodes={**topology.nodes, node: evolve(topology.nodes[node], **changes)})


def settled(*views: Topology, sent: int = 10) -> Settled:
    hosts = {f"n{n}": v for n, v in enumerate(views, start=1)}
    return Settled(0, "", hosts, dict.fromkeys(hosts, sent), 2000)


def started(topology: Topology) -> Started:
    return Started(0, "n1", topology.me, False, topology, TIMEOUT_MS)


def said(packet: Packet) -> Said:
    return Said(0, "n1", (1,), packet, encode(packet))


def ping(sender: str, config_epoch: int = 0, current_epoch: int = 3, failing: str = "") -> Packet:
    entries = (GossipEntry(failing, 0, 0, "10.0.0.9", 7000, 17000, Flag.MASTER | Flag.PFAIL),) if failing else ()
    return Packet(MessageType.PING, sender, 7000, 0, 17000, current_epoch, config_epoch, body=Ping(entries))


def heard(packet: Packet, attended_ms: int = 0) -> Heard:
    return Heard(0, "n1", 1, packet, encode(packet), attended_ms)


def show(checker: Checker, *records: Record) -> None:
    for record in records:
        assert isinstance(record, checker.kinds)
        checker.see(record)


def test_one_view_at_all_nodes_is_agreement() -> None:
    show(EveryoneAgrees(), settled(view(A), view(B), view(C)))


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (view(C, owners=(B, *THIRDS[1:])), "slot 0"),
        (with_node(view(C), A, config_epoch=9), "another has"),
        (with_node(view(C), A, flags=Flag.MASTER | Flag.PFAIL), "flags 4"),
        (with_node(view(C), A, linked=False), "no link"),
        (with_node(view(C), A, ip="10.0.0.77"), "another has"),
        (view(C, nodes={C: view(C).nodes[C]}), "misses"),
        (view(C, current_epoch=4), "epoch 4"),
        (view(C, ok=False), "down"),
    ],
)
def test_any_difference_is_disagreement(odd: Topology, why: str) -> None:
    with pytest.raises(Violation, match=why):
        show(EveryoneAgrees(), settled(view(A), view(B), odd))


def test_two_primaries_with_one_epoch_are_found() -> None:
    show(OneOwnerPerSlotAndEpoch(), settled(view(A), view(B), view(C)))
    with pytest.raises(Violation, match="both keep config epoch 1"):
        show(OneOwnerPerSlotAndEpoch(), settled(view(A), with_node(view(B), B, config_epoch=1)))


def test_two_owners_of_a_slot_are_found() -> None:
    with pytest.raises(Violation, match="claim slot 0"):
        show(OneOwnerPerSlotAndEpoch(), settled(view(A), view(B, owners=(B, *THIRDS[1:]))))


def test_a_second_vote_in_an_epoch_is_found() -> None:
    vote = evolve(ping(A, current_epoch=4), kind=MessageType.FAILOVER_AUTH_ACK, body=None)
    show(OneWinnerAnEpoch(), said(vote), said(evolve(vote, current_epoch=5)), said(evolve(vote, sender=B)))
    with pytest.raises(Violation, match="votes in epoch 4 once more"):
        show(OneWinnerAnEpoch(), said(vote), said(vote))


def test_two_winners_of_an_epoch_are_found() -> None:
    asked = [said(Packet(MessageType.FAILOVER_AUTH_REQUEST, node, 7000, 0, 17000, 4, 1)) for node in (A, B)]
    show(OneWinnerAnEpoch(), *asked, said(ping(A, 4, 4)), said(evolve(ping(B, 4, 4), primary=A)), said(ping(B, 5, 5)))
    with pytest.raises(Violation, match="leads under epoch 4"):
        show(OneWinnerAnEpoch(), *asked, said(ping(A, 4, 4)), said(ping(B, 4, 4)))


@pytest.mark.parametrize(
    "later",
    [with_node(view(A), A, config_epoch=0), view(A, current_epoch=2), view(A, last_vote_epoch=1)],
    ids=["config", "current", "vote"],
)
def test_an_epoch_that_goes_back_on_disk_is_found(later: Topology) -> None:
    before = view(A, last_vote_epoch=2)
    show(EpochsNeverGoBack(), started(before), Stored(0, "n1", before))
    with pytest.raises(Violation, match="back to"):
        show(EpochsNeverGoBack(), started(before), Stored(0, "n1", evolve(later)))


def test_a_disk_that_forgot_an_epoch_over_a_restart_is_found() -> None:
    with pytest.raises(Violation, match="back to"):
        show(EpochsNeverGoBack(), Stored(0, "n1", view(A)), started(view(A, current_epoch=0)))


def test_an_epoch_that_goes_back_in_what_is_said_is_found() -> None:
    with pytest.raises(Violation, match="spoke in epoch 1 of 3"):
        show(EpochsNeverGoBack(), started(view(A)), said(ping(A, 1, 3)), said(ping(A, 1, 2)))


def test_an_epoch_told_before_it_is_on_disk_is_found() -> None:
    stored = Stored(0, "n1", with_node(view(A), A, config_epoch=4))
    show(OnDiskBeforeSaid(), started(view(A)), said(ping(A, 1)), stored, said(ping(A, 4)))
    with pytest.raises(Violation, match="told of its config epoch 4, on its disk is 1"):
        show(OnDiskBeforeSaid(), started(view(A)), said(ping(A, 4)))


def test_what_is_only_written_does_not_count_as_on_disk() -> None:
    written = Stored(0, "n1", with_node(view(A), A, config_epoch=4), synced=False)
    with pytest.raises(Violation, match="told of its config epoch 4, on its disk is 1"):
        show(OnDiskBeforeSaid(), started(view(A)), written, said(ping(A, 4)))


def test_a_loss_of_power_may_take_back_what_was_only_written_and_no_more() -> None:
    synced, written, older = (Stored(0, "n1", view(A, current_epoch=n), n == 4) for n in (4, 5, 3))
    before = started(view(A, current_epoch=3)), synced, written
    show(EpochsNeverGoBack(), *before, Stopped(0, "n1", lost_power=True), started(synced.topology))
    with pytest.raises(Violation, match="back to"):
        show(EpochsNeverGoBack(), *before, Stopped(0, "n1"), started(synced.topology))
    with pytest.raises(Violation, match="back to"):
        show(EpochsNeverGoBack(), *before, Stopped(0, "n1", lost_power=True), started(older.topology))


def test_the_disk_of_the_simulation_loses_what_is_not_synced_with_the_power_alone() -> None:
    world = World(Random(1))
    host, other = world.add_host("n1"), world.add_host("n2")
    assert world.ask(host, "CLUSTER", "ADDSLOTSRANGE", "0", "16383") == b"+OK\r\n"
    world.ask(host, "CLUSTER", "MEET", other.ip, str(PORT))
    world.advance(3000)
    for silently in (False, True):
        assert world.ask(host, "CLUSTER", "SETSLOT", "5", "MIGRATING", other.id) == b"+OK\r\n"
        world.kill(host, silently)
        world.start(host)
        assert host.running.gossip.snapshot().migrating == ({} if silently else {5: other.id})
        assert world.ask(host, "CLUSTER", "SETSLOT", "5", "STABLE") == b"+OK\r\n"
        world.advance(3000)


def test_an_epoch_answered_before_it_is_on_disk_is_found() -> None:
    with pytest.raises(Violation, match="config epoch 4"):
        show(
            OnDiskBeforeSaid(),
            started(view(A)),
            Replied(0, "n1", ("CLUSTER", "BUMPEPOCH"), b"+BUMPED 4\r\n", None, view(A)),
        )


def test_an_identity_that_is_not_on_disk_is_found() -> None:
    with pytest.raises(Violation, match="speaks as bbbb"):
        show(OnDiskBeforeSaid(), started(view(A)), said(ping(B)))


def convicted(attended_ms: int = 0, cluster: str = "") -> list[Record]:
    fail = Packet(MessageType.FAIL, A, 7000, 0, 17000, 3, 1, body=Fail(C))
    seen = with_node(view(A, cluster=cluster), C, flags=Flag.MASTER | Flag.FAIL)
    return [Published(0, "n1", seen, attended_ms), said(fail)]


def test_a_conviction_by_two_of_three_is_allowed() -> None:
    show(FailNeedsAQuorum(), started(view(A)), heard(ping(B, failing=C)), *convicted())


TAKEN_BACK = evolve(ping(B), body=Ping((GossipEntry(C, 0, 0, "10.0.0.3", 7000, 17000, Flag.MASTER),)))
UNPROVEN = evolve(TAKEN_BACK, mflags=MessageFlag.IDENTITY)
"""Of a node that has just started: it does not say yet of which cluster it is, and nobody may believe it."""


def test_a_report_stands_until_its_reporter_can_be_believed_again() -> None:
    show(FailNeedsAQuorum(), started(view(A)), heard(ping(B, failing=C)), heard(UNPROVEN), *convicted())


@pytest.mark.parametrize(
    "reports",
    [[], [heard(ping(C, failing=B))], [heard(ping(B, failing=C)), heard(TAKEN_BACK)]],
    ids=["none", "about another", "taken back"],
)
def test_a_conviction_by_a_minority_is_found(reports: list[Heard]) -> None:
    with pytest.raises(Violation, match="1 reports of 2 needed"):
        show(FailNeedsAQuorum(), started(view(A)), *reports, *convicted())


def told_as(identity: str, packet: Packet, *about: str) -> Heard:
    """``packet`` under an identity of the cluster, in which it tells of these nodes as well."""
    assert isinstance(packet.body, Ping)
    more = tuple(GossipEntry(node, 0, 0, "10.0.0.9", 7000, 17000, Flag.MASTER) for node in about)
    body = Ping(packet.body.gossip + more, (ClusterIdentity(identity),))
    return heard(evolve(packet, kind=MessageType.PONG, mflags=MessageFlag.EXT_DATA | MessageFlag.IDENTITY, body=body))


ONE, OTHER = "1" * 40, "2" * 40


def test_a_report_stands_until_its_reporter_is_heard_under_the_identity_of_the_cluster() -> None:
    report, unheard = told_as(ONE, ping(B, failing=C)), told_as(OTHER, TAKEN_BACK)
    show(FailNeedsAQuorum(), started(view(A, cluster=ONE)), report, unheard, *convicted(cluster=ONE))


@pytest.mark.parametrize(
    "reports",
    [
        [told_as(OTHER, ping(B, failing=C))],
        [told_as(ONE, ping(B, failing=C)), told_as(ONE, TAKEN_BACK)],
        [told_as(ONE, ping(B, failing=C)), told_as("", TAKEN_BACK)],
        [told_as(ONE, ping(B, failing=C)), told_as(OTHER, TAKEN_BACK, A)],
    ],
    ids=["accused unheard", "taken back", "taken back without an identity", "taken back by one that names the node"],
)
def test_a_conviction_by_those_who_were_not_heard_is_found(reports: list[Heard]) -> None:
    with pytest.raises(Violation, match="1 reports of 2 needed"):
        show(FailNeedsAQuorum(), started(view(A, cluster=ONE)), *reports, *convicted(cluster=ONE))


def test_before_a_node_has_an_identity_it_hears_all() -> None:
    with pytest.raises(Violation, match="1 reports of 2 needed"):
        show(
            FailNeedsAQuorum(),
            started(view(A)),
            heard(ping(B, failing=C)),
            told_as(OTHER, TAKEN_BACK),
            *convicted(),
        )


def test_a_conviction_on_an_old_report_is_found() -> None:
    with pytest.raises(Violation, match="1 reports of 2 needed"):
        show(FailNeedsAQuorum(), started(view(A)), heard(ping(B, failing=C)), *convicted(5 * TIMEOUT_MS))


def test_a_report_of_a_node_without_slots_does_not_count() -> None:
    owners = tuple(A if owner == B else owner for owner in THIRDS)
    with pytest.raises(Violation, match="1 reports"):
        show(
            FailNeedsAQuorum(),
            started(view(A, owners=owners)),
            heard(ping(B, failing=C)),
            Published(0, "n1", with_node(view(A, owners=owners), C, flags=Flag.MASTER | Flag.FAIL), 0),
            convicted()[1],
        )


@pytest.mark.parametrize("reply", [b"+OK\r\n", b"$-1\r\n"])
def test_a_stranger_that_serves_is_found(reply: bytes) -> None:
    request = ("SET", "k", "v")
    show(StrangersNeverServe(), Replied(0, "n1", request, reply, 0, view(A)))
    show(StrangersNeverServe(), Replied(0, "n1", request, b"-MOVED 16000 10.0.0.3:7000\r\n", 16000, view(A)))
    show(StrangersNeverServe(), Replied(0, "n1", request, reply, 16000, view(A, importing={16000: C})))
    with pytest.raises(Violation, match="slot 16000"):
        show(StrangersNeverServe(), Replied(0, "n1", request, reply, 16000, view(A)))


def test_a_storm_of_messages_is_found() -> None:
    show(SettledIsQuiet(), started(view(A)), settled(view(A), view(B), view(C), sent=30))
    with pytest.raises(Violation, match="sent 300 messages"):
        show(SettledIsQuiet(), started(view(A)), settled(view(A), view(B), view(C), sent=300))


SUSPECTING = with_node(view(A), B, flags=Flag.MASTER | Flag.PFAIL)
PATIENT_MS = 15_000


def patient(topology: Topology, host: str = "n1") -> Started:
    return Started(0, host, topology.me, False, topology, PATIENT_MS, topology.myself.ip)


def suspects(at_ms: int) -> Published:
    return Published(at_ms * 1000, "n1", SUSPECTING, at_ms)


def test_a_suspicion_of_one_who_lives_and_spoke_is_found() -> None:
    with pytest.raises(Violation, match="lives, after a silence of 4000 ms"):
        show(SuspicionNeedsSilenceOrDeath(), patient(view(A)), heard(ping(B), 5000), suspects(9000))


def test_a_word_under_another_identity_does_not_end_a_silence() -> None:
    ours = view(A, cluster=ONE)
    begin = patient(ours), heard(ping(B), 1000)
    with pytest.raises(Violation, match="lives, after a silence of 12000 ms"):
        show(SuspicionNeedsSilenceOrDeath(), *begin, evolve(told_as(ONE, ping(B)), attended_ms=5000), suspects(17_000))
    show(SuspicionNeedsSilenceOrDeath(), *begin, evolve(told_as(OTHER, ping(B)), attended_ms=5000), suspects(17_000))


def test_a_suspicion_after_a_silence_or_of_the_dead_may_be() -> None:
    begin = (patient(view(A)), patient(view(B), "n2"), heard(ping(B), 5000))
    show(SuspicionNeedsSilenceOrDeath(), *begin, suspects(21_000))
    show(SuspicionNeedsSilenceOrDeath(), *begin, Stopped(8_000_000, "n2"), suspects(9000))


def test_a_suspicion_of_one_who_was_gone_for_less_than_the_grace_is_found() -> None:
    back = Started(8_200_000, "n2", B, False, view(B), PATIENT_MS, "10.0.0.2")
    with pytest.raises(Violation, match="suspects"):
        show(
            SuspicionNeedsSilenceOrDeath(),
            patient(view(A)),
            patient(view(B), "n2"),
            heard(ping(B), 5000),
            Stopped(8_000_000, "n2"),
            back,
            suspects(9000),
        )


def test_one_who_moved_is_gone_from_where_he_was() -> None:
    begin = (patient(view(A)), patient(view(B), "n2"), heard(ping(B), 5000), Stopped(6_000_000, "n2"))
    back = Started(6_200_000, "n2", B, False, view(B), PATIENT_MS, "10.0.0.9")
    show(SuspicionNeedsSilenceOrDeath(), *begin, back, suspects(9000))
    with pytest.raises(Violation, match="suspects"):
        show(SuspicionNeedsSilenceOrDeath(), *begin, evolve(back, ip="10.0.0.2"), suspects(9000))


@pytest.mark.parametrize(("lived_ms", "noticed"), [(1, False), (200, True)])
def test_a_life_that_nobody_could_notice_does_not_end_an_absence(lived_ms: int, noticed: bool) -> None:
    begin = (patient(view(A)), patient(view(B), "n2"), heard(ping(B), 5000), Stopped(8_000_000, "n2"))
    back = Started(8_150_000, "n2", B, False, view(B), PATIENT_MS, "10.0.0.2")
    again = Stopped(8_150_000 + lived_ms * 1000, "n2")
    records = (*begin, back, again, suspects(8_150 + lived_ms + 150))
    if noticed:
        with pytest.raises(Violation, match="suspects"):
            show(SuspicionNeedsSilenceOrDeath(), *records)
    else:
        show(SuspicionNeedsSilenceOrDeath(), *records)


def of(identity: str, me: str) -> Topology:
    return view(me, cluster=identity)


def test_a_node_of_another_cluster_in_the_table_is_found() -> None:
    ours, theirs = "1" * 40, "2" * 40
    show(OneIdentityATable(), settled(of(ours, A), of(ours, B), of(ours, C)))
    with pytest.raises(Violation, match="in its table"):
        show(OneIdentityATable(), settled(of(ours, A), of(theirs, B), of(ours, C)))
    seen = Published(0, "n1", of(ours, A), 0)
    show(OneIdentityATable(strict=True), started(of(ours, B)), Stored(0, "n2", of(theirs, B)), seen)
    show(OneIdentityATable(strict=True), started(of(theirs, B)), Stored(0, "n2", of("", B)), seen)
    with pytest.raises(Violation, match="has let in bbbbbbbb"):
        show(OneIdentityATable(strict=True), started(of(theirs, B)), seen)
