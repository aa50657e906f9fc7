"""How nodes come to know each other and take up their work."""

from attrs import evolve

from gossamer.cluster.topology import Flag, Node, Topology
from gossamer.gossip.effects import Dial, Hangup, Publish, Save, Send
from gossamer.gossip.events import Accepted, ConfigChanged, Forget, LinkUp, Meet, PacketIn, Reset, Woke
from gossamer.gossip.packet import MessageType, Packet, Ping
from tests.unit.gossip.mesh import CONFIG, START, Mesh, agree, three


def test_three_nodes_meet_and_agree_within_a_second() -> None:
    mesh = three()
    for name in "abc":
        assert len(mesh[name].view.nodes) == 3
        assert mesh[name].view.ok
        assert mesh[name].view.size == 3
        assert all(n.linked for n in mesh[name].view.nodes.values() if n.id != mesh[name].id)


def test_fresh_nodes_are_up_without_the_rejoin_delay() -> None:
    mesh = Mesh(*"abcdef")
    for i, name in enumerate("abcdef"):
        mesh.own(name, i * 2730, 16383 if name == "f" else i * 2730 + 2729)
    mesh.meet("a", *"bcdef")
    mesh.run(100)
    assert all(mesh[name].view.ok for name in "abcdef")


def test_a_fresh_node_that_was_idle_for_long_is_up_at_once() -> None:
    mesh = Mesh("a")
    mesh.run(6000)
    mesh.own("a", 0, 16383)
    assert mesh["a"].view.ok


def test_a_restarted_owner_waits_two_seconds() -> None:
    mesh = three()
    mesh.run(200)
    saved = mesh.kill("a")
    mesh.start("a", saved, ip=mesh["a"].ip)
    mesh.run(1900)
    assert len(mesh["a"].view.nodes) == 3
    assert not mesh["a"].view.ok
    mesh.run(300)
    assert mesh["a"].view.ok


def test_a_restarted_node_is_what_it_was() -> None:
    mesh = three()
    mesh.run(200)
    before = mesh["b"].view
    saved = mesh.kill("b")
    mesh.start("b", saved, ip=mesh["b"].ip)
    assert mesh["b"].id == before.me
    assert mesh["b"].view.owners == before.owners
    assert mesh["b"].view.current_epoch == before.current_epoch
    assert mesh["b"].view.myself.shard_id == before.myself.shard_id
    mesh.run(200)
    assert agree(mesh, "a", "b", "c")


def test_a_node_learns_its_own_address_from_a_meet() -> None:
    mesh = Mesh("a", "b")
    assert mesh["b"].view.myself.ip == ""
    mesh.meet("a", "b")
    mesh.run(100)
    assert mesh["b"].view.myself.ip == mesh["b"].ip
    assert f"IP address for this node updated to {mesh['b'].ip}" in mesh["b"].logs


def test_an_announced_address_is_kept() -> None:
    mesh = Mesh("a")
    mesh.start("b", config=evolve(CONFIG, announce_ip="192.0.2.7"))
    mesh.meet("a", "b")
    mesh.run(100)
    assert mesh["b"].view.myself.ip == "192.0.2.7"
    seen = mesh["a"].sees(mesh["b"])
    assert seen is not None
    assert seen.ip == "192.0.2.7"


def test_a_handshake_that_is_not_answered_is_given_up() -> None:
    mesh = Mesh("a")
    assert mesh.execute("a", Meet("10.9.9.9", 7000)) == "OK"
    assert [n.flags for n in mesh["a"].view.nodes.values() if n.id != mesh["a"].id] == [Flag.HANDSHAKE | Flag.MEET]
    mesh.run(1300)
    assert list(mesh["a"].view.nodes) == [mesh["a"].id]


def test_meeting_oneself_changes_nothing() -> None:
    mesh = Mesh("a")
    mesh.meet("a", "a")
    mesh.run(300)
    assert list(mesh["a"].view.nodes) == [mesh["a"].id]


def test_meeting_a_known_node_again_makes_no_second_one() -> None:
    mesh = three()
    mesh.meet("a", "b")
    mesh.meet("c", "b")
    mesh.run(300)
    assert agree(mesh, "a", "b", "c")
    assert len(mesh["a"].view.nodes) == 3


def test_a_forgotten_node_is_banned_for_a_minute_everywhere() -> None:
    mesh = three()
    mesh.start("d")
    mesh.meet("a", "d")
    mesh.run(300)
    assert all(mesh[n].sees(mesh["d"]) for n in "abc")
    assert mesh.execute("a", Forget(mesh["d"].id)) == "OK"
    mesh.run(300)
    assert not any(mesh[n].sees(mesh["d"]) for n in "abc")
    mesh.run(50_000)
    assert not any(mesh[n].sees(mesh["d"]) for n in "abc")
    assert all(mesh[n].view.ok for n in "abc")


def test_a_banned_node_may_be_met_again() -> None:
    mesh = Mesh("a", "b")
    mesh.meet("a", "b")
    mesh.run(100)
    assert mesh.execute("a", Forget(mesh["b"].id)) == "OK"
    mesh.run(100)
    assert mesh["a"].sees(mesh["b"]) is None
    mesh.meet("a", "b")
    mesh.run(500)
    assert mesh["a"].sees(mesh["b"])


def test_another_id_at_the_address_takes_the_address_away() -> None:
    mesh = three()
    before = mesh["b"].id
    ip = mesh["b"].ip
    mesh.kill("b")
    mesh.start("b", ip=ip)
    mesh.run(300)
    old = mesh["a"].view.nodes[before]
    assert old.has(Flag.NOADDR)
    assert (old.ip, old.port, old.cport) == ("", 0, 0)
    assert mesh["a"].sees(mesh["b"]) is None


def test_a_hard_reset_makes_another_node() -> None:
    mesh = three()
    mesh.start("d")
    mesh.meet("a", "d")
    mesh.run(300)
    before = mesh["d"].id
    assert mesh.execute("d", Reset(hard=True, keys=0)) == "OK"
    assert mesh["d"].id != before
    assert mesh["d"].view.current_epoch == 0
    assert list(mesh["d"].view.nodes) == [mesh["d"].id]
    mesh.run(2000)
    assert mesh["a"].view.nodes[before].has(Flag.NOADDR)


def test_a_new_address_is_followed() -> None:
    mesh = three()
    mesh.run(200)
    saved = mesh.kill("b")
    mesh.start("b", saved, ip="10.0.0.99")
    mesh.run(1500)
    seen = mesh["a"].sees(mesh["b"])
    assert seen is not None
    assert seen.ip == "10.0.0.99"
    assert seen.linked
    assert f"Address updated for node {mesh['b'].id}, now 10.0.0.99:7000" in mesh["a"].logs


def test_a_new_announced_address_is_followed_at_once_whatever_the_node_timeout() -> None:
    """It is told unasked, so no ping has to come first."""
    mesh = three(config=evolve(CONFIG, node_timeout_ms=60_000))
    mesh.run(2000)
    mesh.tell("a", ConfigChanged(evolve(mesh["a"].config, port=7777)))
    mesh.run(100)
    for name in "bc":
        seen = mesh[name].sees(mesh["a"])
        assert seen is not None
        assert (seen.port, seen.linked) == (7777, True)


def test_hostnames_names_and_shards_spread_and_go() -> None:
    mesh = three(config=evolve(CONFIG, hostname="one.example.com", human_name="one"))
    assert all(n.hostname == "one.example.com" for n in mesh["a"].view.nodes.values())
    seen = mesh["b"].sees(mesh["a"])
    assert seen is not None
    assert seen.human_name == "one"
    assert seen.shard_id == mesh["a"].view.myself.shard_id
    mesh.tell("a", ConfigChanged(evolve(mesh["a"].config, hostname="")))
    mesh.run(100)
    seen = mesh["b"].sees(mesh["a"])
    assert seen is not None
    assert seen.hostname == ""


def test_extensions_go_only_to_those_that_understand_them() -> None:
    """A Redis 7.0 node without a hostname never sets EXT_DATA."""
    mesh = Mesh("a", config=evolve(CONFIG, hostname="a.example.com"))
    host = mesh["a"]
    mesh.tell(host.name, Accepted(1, "10.9.9.9", "10.0.0.1"))
    answer = [
        e.packet for e in mesh.inject("a", Packet(MessageType.PING, "f" * 40, body=Ping()), 1) if isinstance(e, Send)
    ]
    assert [p.body for p in answer] == [Ping()]
    answer = [
        e.packet
        for e in mesh.inject("a", Packet(MessageType.PING, "f" * 40, mflags=4, body=Ping()), 1)
        if isinstance(e, Send)
    ]
    assert isinstance(answer[0].body, Ping)
    assert len(answer[0].body.extensions) == 2


def test_a_stranger_gets_a_pong_but_is_not_believed() -> None:
    mesh = three()
    host = mesh["a"]
    before = host.view
    stranger = Packet(
        MessageType.PING, "f" * 40, 7000, 0, 17000, 99, 99, slots=b"\xff" * 2048, ip="10.9.9.9", body=Ping(), flags=17
    )
    mesh.tell(host.name, Accepted(900, "10.9.9.9", host.ip))
    effects = mesh.inject("a", stranger, 900)
    assert [type(e) for e in effects] == [Send]
    assert host.view.owners == before.owners
    assert host.view.current_epoch == before.current_epoch
    assert set(host.view.nodes) == set(before.nodes)


def test_a_light_message_closes_a_link_that_nobody_is_known_on() -> None:
    mesh = Mesh("a")
    mesh.tell("a", Accepted(1, "10.9.9.9", "10.0.0.1"))
    effects = mesh.inject("a", Packet(MessageType.PUBLISH, light=True), 1)
    assert Hangup(1) in effects


def test_a_packet_from_a_link_that_is_gone_is_ignored() -> None:
    mesh = Mesh("a")
    assert mesh.tell("a", PacketIn(77, Packet(MessageType.PING, "f" * 40, body=Ping()))) == []


def test_what_is_saved_comes_before_what_is_said() -> None:
    mesh = three()
    for host in mesh.hosts.values():
        order = [type(e) for e in host.done]
        assert Save in order
    fresh = Mesh("a")
    effects = fresh.tell("a", Meet("10.9.9.9", 7000))
    assert [type(e) for e in effects if isinstance(e, Save | Dial)] == [Save, Dial]


def test_the_clock_may_be_set_without_anybody_being_suspected() -> None:
    for jump in (-3_600_000, 3_600_000):
        mesh = three()
        gossip = mesh["a"].gossip
        later = mesh.now + jump
        gossip.handle(Woke(), later)
        gossip.handle(Woke(), later + 100)
        assert not any(n.has(Flag.PFAIL | Flag.FAIL) for n in gossip.snapshot().nodes.values())
        assert later < gossip.deadline() <= later + 200


def test_a_node_without_peers_keeps_quiet() -> None:
    node_id = "a" * 40
    mesh = Mesh()
    host = mesh.start("a", Topology(node_id, {node_id: Node(node_id, "", 7000, 17000, flags=17)}))
    host.done.clear()
    mesh.run(5000)
    assert mesh.now == START + 5000
    assert not [e for e in host.done if isinstance(e, Send | Dial)]
    assert sum(isinstance(e, Save | Publish) for e in host.done) <= 2


def test_a_half_finished_handshake_is_begun_again() -> None:
    """The other side answered our MEET but never came to know us: it is asked to meet us until it does."""
    mesh = Mesh("a")
    dial = next(e for e in mesh.tell("a", Meet("10.9.9.9", 7000)) if isinstance(e, Dial))
    other = Packet(MessageType.PONG, "f" * 40, 7000, 0, 17000, flags=17, body=Ping())
    gossip, now, kinds = mesh["a"].gossip, mesh.now, []
    effects = gossip.handle(LinkUp(dial.link), now)
    while now < mesh.now + 4000:
        kinds += [e.packet.kind for e in effects if isinstance(e, Send) and dial.link in e.links]
        now += 100
        effects = gossip.handle(PacketIn(dial.link, other), now)
    assert kinds[0] is MessageType.MEET
    assert MessageType.PING in kinds
    assert kinds[-1] is MessageType.MEET
    assert "f" * 40 in gossip.snapshot().nodes


def test_many_nodes_with_one_epoch_agree_soon_and_without_a_flood() -> None:
    names = [f"n{i}" for i in range(20)]
    mesh = Mesh(*names)
    mesh.meet(names[0], *names[1:])
    for i, name in enumerate(names):
        mesh.own(name, i * 819, 16383 if i == 19 else i * 819 + 818)
    mesh.run(1000)
    assert agree(mesh, *names)
    assert all(mesh[name].view.ok for name in names)
    assert max(sum(mesh[name].gossip.sent) for name in names) < 20 * 20


def test_a_node_restarted_elsewhere_learns_its_new_address() -> None:
    mesh = three()
    mesh.run(200)
    saved = mesh.kill("b")
    assert saved.myself.ip == "10.0.0.2"
    mesh.start("b", saved, ip="10.0.0.99")
    mesh.run(1500)
    assert mesh["b"].view.myself.ip == "10.0.0.99"


def test_whom_we_met_is_on_disk_at_once() -> None:
    mesh = Mesh("a", "b")
    mesh.own("a", 0, 0)
    mesh.meet("a", "b")
    while mesh["a"].sees(mesh["b"]) is None:
        mesh.run(1)
    saved = mesh["a"].saved
    assert saved is not None
    assert mesh["b"].id in saved.nodes
