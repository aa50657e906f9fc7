"""Nodes that move: they are recognised by their ids, looked up by their names, and not dialled more than is of use."""

from attrs import evolve

from gossamer.cluster.topology import Flag, Topology
from gossamer.gossip.effects import Dial, Follow, Resolve, Send
from gossamer.gossip.events import ConfigChanged, Meet
from gossamer.gossip.hostname_lookup import LONGEST_WAIT_MS, LOST_MS
from gossamer.gossip.packet import MessageType
from gossamer.gossip.peers import DIALS_A_TICK, STRANGERS_A_TICK
from tests.unit.gossip.mesh import CONFIG, Mesh, agree, three

NOWHERE = "10.9.9.9"


def named(seed: int = 1) -> Mesh:
    """Three primaries that share the slots, each with a hostname that stands for its address, known to all."""
    mesh = three(seed)
    for name in "abc":
        config = evolve(CONFIG, hostname=f"{name}.example")
        mesh[name].config = config
        mesh.names[config.hostname] = (mesh[name].ip,)
        mesh.tell(name, ConfigChanged(config))
    mesh.run(1500)
    assert {n.hostname for n in mesh["a"].view.nodes.values()} == {"a.example", "b.example", "c.example"}
    return mesh


def relocate(mesh: Mesh, **ips: str) -> None:
    """All are killed, and come back at these addresses, which their names stand for."""
    saved: dict[str, Topology] = {name: mesh.kill(name) for name in ips}
    for name, ip in ips.items():
        mesh.names[f"{name}.example"] = (ip,)
        mesh.start(name, saved[name], ip, mesh[name].config)


def looked_up(mesh: Mesh, name: str) -> int:
    return sum(isinstance(effect, Resolve) for effect in mesh[name].done)


def test_all_that_restart_at_new_addresses_find_each_other() -> None:
    mesh = named()
    relocate(mesh, a="10.0.1.1", b="10.0.1.2", c="10.0.1.3")
    mesh.run(LOST_MS + 500)
    assert agree(mesh, "a", "b", "c")
    assert {n.ip for n in mesh["a"].view.nodes.values()} == {"10.0.1.1", "10.0.1.2", "10.0.1.3"}


def test_they_also_do_where_each_is_at_the_address_of_another() -> None:
    mesh = named()
    relocate(mesh, a=mesh["b"].ip, b=mesh["c"].ip, c=mesh["a"].ip)
    mesh.run(LOST_MS + 500)
    assert agree(mesh, "a", "b", "c")


def test_an_exchange_of_addresses_heals_without_names() -> None:
    """Who answers at the address of another is there itself, and others are told so."""
    mesh = three()
    ips = [mesh[name].ip for name in "bca"]
    saved = {name: mesh.kill(name) for name in "abc"}
    for name, ip in zip("abc", ips, strict=True):
        mesh.start(name, saved[name], ip)
    mesh.run(3000)
    assert agree(mesh, "a", "b", "c")


def test_silence_at_the_old_address_does_not_hold_it_up() -> None:
    """Nobody refuses: the dial is under way until it is given up."""
    mesh = named()
    for name, place in zip("xyz", "abc", strict=True):
        mesh.start(name, ip=mesh[place].ip)
        mesh.cut(name)
    relocate(mesh, a="10.0.1.1", b="10.0.1.2", c="10.0.1.3")
    mesh.run(3000)
    assert agree(mesh, "a", "b", "c")


def test_a_name_that_stands_for_somebody_else_changes_nothing() -> None:
    mesh = named()
    mesh.start("x")
    mesh.own("x", 0, 99)
    before = mesh["a"].sees(mesh["b"])
    assert before is not None
    mesh.kill("b")
    mesh.names["b.example"] = (mesh["x"].ip,)
    mesh.run(20_000)
    after = mesh["a"].sees(mesh["b"])
    assert after is not None
    assert (after.ip, after.port, after.cport) == (before.ip, before.port, before.cport)
    assert not after.has(Flag.NOADDR)
    assert len(mesh["a"].view.nodes) == 3
    assert list(mesh["x"].view.nodes) == [mesh["x"].id]
    assert any(packet.kind is MessageType.PING for packet in mesh["x"].heard), "somebody did ask there"
    assert not any(packet.kind is MessageType.MEET for packet in mesh["x"].heard)


def test_a_suspicion_stays_though_somebody_listens_where_the_name_leads() -> None:
    mesh = named()
    mesh.start("x")
    mesh.kill("b")
    mesh.names["b.example"] = (mesh["x"].ip,)
    mesh.run(10_000)
    after = mesh["a"].sees(mesh["b"])
    assert after is not None
    assert after.has(Flag.FAIL)


def test_all_addresses_of_a_name_are_tried() -> None:
    mesh = named()
    saved = mesh.kill("b")
    mesh.start("x")
    mesh.names["b.example"] = (NOWHERE, mesh["x"].ip, "10.0.1.2")
    mesh.start("b", saved, "10.0.1.2", mesh["b"].config)
    mesh.cut("b")
    mesh.run(LOST_MS)
    mesh.heal("b")
    mesh.run(3000)
    assert agree(mesh, "a", "b", "c")


def test_a_node_without_an_address_is_looked_up() -> None:
    mesh = named()
    saved = {name: mesh.kill(name) for name in "ab"}
    mesh.start("x", ip=mesh["b"].ip)
    mesh.start("a", saved["a"], mesh["a"].ip, mesh["a"].config)
    mesh.run(300)
    lost = mesh["a"].sees(mesh["b"])
    assert lost is not None
    assert lost.has(Flag.NOADDR)
    mesh.names["b.example"] = ("10.0.1.2",)
    mesh.start("b", saved["b"], "10.0.1.2", mesh["b"].config)
    mesh.run(LONGEST_WAIT_MS)
    assert agree(mesh, "a", "b", "c")


def test_nobody_is_looked_up_who_is_there_or_has_no_name() -> None:
    mesh = named()
    mesh.run(20_000)
    assert not any(looked_up(mesh, name) for name in "abc")
    mesh = three()
    mesh.kill("b")
    mesh.run(20_000)
    assert not any(looked_up(mesh, name) for name in "ac")


def test_lookups_become_rare() -> None:
    mesh = named()
    mesh.kill("b")
    mesh.run(60_000)
    assert 5 <= looked_up(mesh, "a") <= 4 + 60_000 // LONGEST_WAIT_MS


def test_replication_follows_a_primary_that_moved() -> None:
    mesh = named()
    mesh.start("d", config=evolve(CONFIG, hostname="d.example"))
    mesh.names["d.example"] = (mesh["d"].ip,)
    mesh.meet("a", "d")
    mesh.run(1000)
    mesh.replicate("c", "d")
    mesh.run(1000)
    relocate(mesh, a="10.0.1.1", b="10.0.1.2", c="10.0.1.3", d="10.0.1.4")
    mesh.run(LOST_MS + 500)
    follows = [effect for effect in mesh["d"].done if isinstance(effect, Follow)]
    assert follows[-1] == Follow(mesh["c"].id, "10.0.1.3", 7000)


def dials(mesh: Mesh, name: str) -> int:
    return sum(isinstance(effect, Dial) for effect in mesh[name].done)


def test_a_dead_node_is_dialled_less_and_less_and_at_once_when_it_speaks() -> None:
    mesh = three()
    mesh.run(500)
    saved = mesh.kill("b")
    mesh.run(60_000)
    before = dials(mesh, "a")
    mesh.run(10_000)
    assert 8 <= dials(mesh, "a") - before <= 12
    mesh.start("b", saved, mesh["b"].ip)
    mesh.run(20)
    assert mesh["a"].sees(mesh["b"]).linked  # type: ignore[union-attr]


def test_a_flood_of_dead_strangers_is_dialled_a_few_at_a_time() -> None:
    mesh = three()
    mesh["a"].done.clear()
    for number in range(300):
        assert mesh.execute("a", Meet(f"10.7.{number // 100}.{number % 100 + 1}", 7000)) == "OK"
    assert dials(mesh, "a") <= STRANGERS_A_TICK
    mesh.run(900)
    assert dials(mesh, "a") <= 10 * STRANGERS_A_TICK
    assert not any(isinstance(e, Send) and e.packet.kind is MessageType.FAIL for e in mesh["a"].done)


def test_strangers_do_not_keep_us_from_our_own() -> None:
    mesh = three()
    mesh.run(500)
    for number in range(300):
        mesh.execute("a", Meet(f"10.7.{number // 100}.{number % 100 + 1}", 7000))
    saved = mesh.kill("b")
    mesh.run(300)
    mesh["a"].done.clear()
    mesh.run(300)
    mine = [e for e in mesh["a"].done if isinstance(e, Dial) and e.node == mesh["b"].id]
    assert len(mine) == 3, "with every tick"
    assert len(saved.nodes) == 3 < DIALS_A_TICK
