"""Silence, suspicion and conviction, and the way back."""

import pytest
from attrs import evolve

from gossamer.cluster.topology import Flag
from gossamer.gossip.effects import Send
from gossamer.gossip.events import BumpEpoch, ConfigChanged
from gossamer.gossip.packet import GossipEntry, MessageType, Packet, Ping
from tests.unit.gossip.mesh import CONFIG, TIMEOUT_MS, Mesh, agree, three


def flags(mesh: Mesh, observer: str, subject: str) -> int:
    seen = mesh[observer].sees(mesh[subject])
    assert seen is not None
    return seen.flags & (Flag.PFAIL | Flag.FAIL)


def test_a_killed_node_fails_within_one_and_a_half_timeouts() -> None:
    mesh = three()
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 3 // 2)
    assert flags(mesh, "a", "c") == Flag.FAIL
    assert flags(mesh, "b", "c") == Flag.FAIL
    assert not mesh["a"].view.ok
    assert any(line.startswith("Marking node") for line in mesh["a"].logs + mesh["b"].logs)


def test_the_log_calls_nodes_by_the_names_that_their_operators_gave_them() -> None:
    mesh = three()
    for name in "bc":
        config = evolve(CONFIG, human_name=f"{name}-in-the-corner")
        mesh[name].config = config
        mesh.tell(name, ConfigChanged(config))
    mesh.run(TIMEOUT_MS * 2)
    mesh.cut("c")
    mesh.run(TIMEOUT_MS * 2)
    a, b, c = (mesh[name].id for name in "abc")
    assert f"Node {b} (b-in-the-corner) reported node {c} (c-in-the-corner) as not reachable." in mesh["a"].logs
    assert f"Node {a} reported node {c} (c-in-the-corner) as not reachable." in mesh["b"].logs
    told = [line for name in "ab" for line in mesh[name].logs if line.startswith(("Marking node", "FAIL message"))]
    assert told
    assert all(f"{c} (c-in-the-corner)" in line for line in told)


def test_a_silent_node_fails_although_its_links_look_alive() -> None:
    mesh = three()
    mesh.cut("c")
    mesh.run(TIMEOUT_MS * 2)
    assert flags(mesh, "a", "c") == flags(mesh, "b", "c") == Flag.FAIL


def test_a_minority_suspects_but_never_convicts() -> None:
    mesh = three()
    mesh.cut("c")
    mesh.run(TIMEOUT_MS * 10)
    assert flags(mesh, "c", "a") == flags(mesh, "c", "b") == Flag.PFAIL
    assert not mesh["c"].view.ok
    assert not [e for e in mesh["c"].done if isinstance(e, Send) and e.packet.kind is MessageType.FAIL]


def test_a_suspicion_is_reported_in_the_step_in_which_another_one_ends() -> None:
    mesh = three()
    mesh.start("d")
    mesh.meet("a", "d")
    mesh.run(500)
    mesh.cut("c")
    peers = mesh["a"].gossip._peers.by_id
    peers[mesh["c"].id].ping_sent = peers[mesh["c"].id].data_received = mesh.now - 2 * TIMEOUT_MS
    mesh.run(300)
    assert (flags(mesh, "a", "c"), flags(mesh, "b", "c")) == (Flag.PFAIL, 0)
    silent = peers[mesh["d"].id]
    mesh.now += 100
    silent.ping_sent = silent.data_received = mesh.now - 2 * TIMEOUT_MS
    mesh.condemn("c", by="b", to="a")
    assert (flags(mesh, "a", "c"), flags(mesh, "a", "d")) == (Flag.FAIL, Flag.PFAIL)
    assert mesh["a"].gossip._components.announcer.due, "soon the voters hear of it"


def test_primaries_without_slots_have_no_say() -> None:
    mesh = three()
    for name in "def":
        mesh.start(name)
        mesh.meet("a", name)
    mesh.run(500)
    for name in "bc":
        mesh.kill(name)
    mesh.run(TIMEOUT_MS * 5)
    assert flags(mesh, "a", "b") == flags(mesh, "d", "b") == Flag.PFAIL


def word(mesh: Mesh, by: str, of: str, flags: int, primary: str | None = None) -> Packet:
    """What ``by`` says of another node, with all slots that it has, or as a replica of ``primary``."""
    me, other = mesh[by].gossip.me, mesh[of]
    head = (MessageType.PING, me.id, 7000, 0, 17000, mesh[by].view.current_epoch, me.config_epoch, 0, me.bitmap)
    entry = GossipEntry(other.id, 0, 0, other.ip, 7000, 17000, flags)
    return Packet(*head, mesh[primary].id if primary else None, body=Ping((entry,)))


def gossip_of(packet: Packet) -> tuple[GossipEntry, ...]:
    assert isinstance(packet.body, Ping)
    return packet.body.gossip


@pytest.mark.parametrize(
    ("flags_as_replica", "judged"), [(Flag.MASTER, Flag.PFAIL), (Flag.MASTER | Flag.PFAIL, Flag.FAIL)]
)
def test_a_replica_takes_back_what_it_reported_as_a_primary(flags_as_replica: int, judged: int) -> None:
    """It was replaced, says so and that the node is well, and is elected again: its old report must not count."""
    mesh = three()
    mesh.cut("b")
    mesh.cut("c")
    link, suspect = mesh.link_between("b", "a"), Flag.MASTER | Flag.PFAIL
    for packet in (word(mesh, "b", "c", suspect), word(mesh, "b", "c", flags_as_replica, primary="c")):
        mesh.inject("a", packet, link)
    seen = mesh["a"].sees(mesh["b"])
    assert seen is not None
    assert not seen.is_primary
    mesh.inject("a", evolve(word(mesh, "b", "c", 0), body=Ping(())), link)
    assert mesh["a"].view.size == 3
    mesh.run(TIMEOUT_MS * 3 // 2)
    assert flags(mesh, "a", "c") == judged


def test_a_node_that_answers_again_is_trusted_again() -> None:
    mesh = three()
    mesh.cut("c")
    mesh.run(TIMEOUT_MS * 2)
    assert flags(mesh, "a", "c") == Flag.FAIL
    mesh.heal("c")
    mesh.run(TIMEOUT_MS)
    assert flags(mesh, "a", "c") == Flag.FAIL, "a primary with slots waits two node timeouts"
    mesh.run(TIMEOUT_MS * 2)
    assert agree(mesh, "a", "b", "c")
    assert all(mesh[n].view.ok for n in "abc")
    cleared = (
        f"Clear FAIL state for node {mesh['c'].id}: is reachable again and nobody is serving its slots after some time."
    )
    assert cleared in mesh["a"].logs


def asked_at(mesh: Mesh, observer: str, subject: str) -> int:
    """Since when ``observer`` has been waiting for an answer; 0 if it is not."""
    seen = mesh[observer].sees(mesh[subject])
    assert seen is not None
    return seen.ping_sent


def test_a_question_lost_on_the_way_is_asked_again() -> None:
    """Nothing breaks the link, and the node is never silent: it goes on to talk to us on its own link."""
    mesh = three()
    while not asked_at(mesh, "a", "c"):
        mesh.run(1)
    mesh.lose("c")
    lost = asked_at(mesh, "a", "c")
    for _ in range(12):
        mesh.execute("c", BumpEpoch())
        mesh.run(TIMEOUT_MS // 5)
    assert asked_at(mesh, "a", "c") != lost


def test_a_primary_without_slots_is_trusted_at_once() -> None:
    mesh = three()
    mesh.start("d")
    mesh.meet("a", "d")
    mesh.run(500)
    mesh.cut("d")
    mesh.run(TIMEOUT_MS * 2)
    assert flags(mesh, "a", "d") == Flag.FAIL
    mesh.heal("d")
    mesh.run(700)
    assert flags(mesh, "a", "d") == 0
    assert f"Clear FAIL state for node {mesh['d'].id}: master without slots is reachable again." in mesh["a"].logs


def test_a_primary_back_from_a_minority_waits_before_it_serves() -> None:
    mesh = three()
    mesh.cut("c")
    mesh.run(TIMEOUT_MS * 4)
    mesh.heal("c")
    back = mesh.now
    while not mesh["c"].view.ok:
        mesh.run(10)
    assert mesh.now - back >= TIMEOUT_MS


def test_reports_expire_and_are_counted() -> None:
    mesh = three()
    mesh.cut("c")
    mesh.run(TIMEOUT_MS * 2)
    assert mesh["a"].gossip.failure_reports(mesh["c"].id) == 1
    assert mesh["a"].gossip.failure_reports("0" * 40) is None
    mesh.cut("b")
    mesh.run(TIMEOUT_MS * 3)
    assert mesh["a"].gossip.failure_reports(mesh["c"].id) == 0


def test_a_failure_is_remembered_across_a_restart() -> None:
    mesh = three()
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 2)
    saved = mesh.kill("a")
    mesh.start("a", saved, ip=mesh["a"].ip)
    assert flags(mesh, "a", "c") == Flag.FAIL


def test_a_newcomer_learns_what_has_failed() -> None:
    mesh = three()
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 2)
    mesh.start("d")
    mesh.meet("a", "d")
    mesh.run(300)
    assert flags(mesh, "d", "c") == Flag.FAIL


def test_without_full_coverage_the_others_go_on() -> None:
    mesh = three(config=evolve(CONFIG, require_full_coverage=False))
    mesh.kill("c")
    mesh.run(TIMEOUT_MS * 2)
    assert flags(mesh, "a", "c") == Flag.FAIL
    assert mesh["a"].view.ok


def test_pings_are_as_rare_as_they_may_be() -> None:
    """Two peers, one of them asked each second, everybody at least twice per node timeout."""
    mesh = three()
    before = mesh["a"].gossip.sent[MessageType.PING]
    mesh.run(10_000)
    assert 20 <= mesh["a"].gossip.sent[MessageType.PING] - before <= 60
