"""Refused connections: a dead process is replaced long before the node timeout, and nobody else is."""

from attrs import evolve

from gossamer.cluster.topology import Flag
from gossamer.gossip.effects import Send
from gossamer.gossip.events import ConfigChanged
from gossamer.gossip.packet import MessageType
from tests.unit.gossip.mesh import CONFIG, Mesh, agree, three

TIMEOUT_MS = 15000
PATIENT = evolve(CONFIG, node_timeout_ms=TIMEOUT_MS)
SOON_MS = 500
"""A grace, two ticks and the exchange of suspicions."""


def shards(replicas_of_c: str = "d", fast: bool = True) -> Mesh:
    """Three primaries, and replicas of the third."""
    config = evolve(PATIENT, fast_failover=fast)
    mesh = three(config=config)
    for name in replicas_of_c:
        mesh.start(name, config=config)
        mesh.meet("a", name)
    mesh.run(15_000)
    if replicas_of_c:
        mesh.replicate("c", *replicas_of_c)
    mesh.run(15_000)
    assert agree(mesh, *"abc", *replicas_of_c)
    return mesh


def flags(mesh: Mesh, observer: str, subject: str) -> int:
    seen = mesh[observer].sees(mesh[subject])
    assert seen is not None
    return seen.flags & (Flag.PFAIL | Flag.FAIL)


def restart(mesh: Mesh, name: str, after_ms: int) -> None:
    ip, config = mesh[name].ip, mesh[name].config
    saved = mesh.kill(name)
    mesh.run(after_ms)
    mesh.start(name, saved, ip, config)


def owner(mesh: Mesh, slot: int, observer: str = "a") -> str:
    return next(h.name for h in mesh.hosts.values() if h.id == mesh[observer].view.owners[slot])


def up(mesh: Mesh, name: str) -> bool:
    return mesh[name].view.ok


def convicted(mesh: Mesh) -> bool:
    return any(isinstance(e, Send) and e.packet.kind is MessageType.FAIL for h in mesh.hosts.values() for e in h.done)


def test_a_killed_primary_fails_and_is_replaced_at_once() -> None:
    mesh = shards()
    mesh.kill("c")
    killed = mesh.now
    while flags(mesh, "d", "c") != Flag.FAIL:
        mesh.run(1)
        assert mesh.now - killed <= SOON_MS
    mesh.run(100)
    assert owner(mesh, 16383) == owner(mesh, 16383, "d") == "d"
    assert all(up(mesh, n) for n in "abd")


def test_a_sibling_that_died_with_it_is_not_waited_for() -> None:
    mesh = shards("de")
    mesh.receive("e", 200)
    mesh.run(2000)
    for name in "ce":
        mesh.kill(name)
    mesh.run(SOON_MS + 100)
    assert owner(mesh, 16383) == "d"


def test_switched_off_it_takes_the_node_timeout() -> None:
    mesh = shards(fast=False)
    mesh.kill("c")
    mesh.run(TIMEOUT_MS - 1000)
    assert flags(mesh, "a", "c") == flags(mesh, "b", "c") == 0
    for name in "abd":
        mesh.tell(name, ConfigChanged(PATIENT))
    mesh.run(SOON_MS + 100)
    assert owner(mesh, 16383) == "d", "switched on, it counts"


def test_a_restart_within_the_grace_keeps_the_role() -> None:
    mesh = shards()
    restart(mesh, "c", 200)
    mesh.run(3000)
    assert not convicted(mesh)
    assert not any("possibly failing" in line for h in mesh.hosts.values() for line in h.logs)
    assert owner(mesh, 16383) == "c"
    assert agree(mesh, *"abcd")


def test_a_silence_takes_the_node_timeout() -> None:
    """A black hole: links look alive, and new ones are not refused."""
    mesh = shards()
    mesh.cut("c")
    mesh.run(TIMEOUT_MS - 1000)
    assert flags(mesh, "a", "c") == flags(mesh, "b", "c") == 0
    mesh.run(TIMEOUT_MS)
    assert owner(mesh, 16383) == "d"


def test_one_who_is_refused_alone_suspects_but_does_not_convict_and_stays_up() -> None:
    mesh = shards()
    mesh.wall("a", "c")
    mesh.wall("c", "a")
    mesh.run(1000)
    assert flags(mesh, "a", "c") == Flag.PFAIL
    assert flags(mesh, "b", "c") == 0
    mesh.run(2 * TIMEOUT_MS)
    assert not convicted(mesh)
    assert owner(mesh, 16383, "b") == "c"


def test_one_who_is_refused_but_spoken_to_does_not_suspect() -> None:
    """A firewall in one direction: the node itself reaches us."""
    mesh = shards()
    mesh.wall("a", "c")
    mesh.run(5000)
    assert flags(mesh, "a", "c") == 0


def test_a_link_that_comes_up_takes_the_suspicion_back_everywhere() -> None:
    mesh = shards()
    mesh.wall("a", "c")
    mesh.wall("c", "a")
    mesh.run(1000)
    assert mesh["b"].gossip.failure_reports(mesh["c"].id) == 1
    mesh.raze()
    mesh.run(250)
    assert flags(mesh, "a", "c") == 0
    assert mesh["b"].gossip.failure_reports(mesh["c"].id) == 0


def test_refusals_make_no_minority() -> None:
    """Two of three primaries are gone: the third cannot convict, but is not cut off either, until the timeout."""
    mesh = shards("d")
    mesh.start("e", config=PATIENT)
    mesh.meet("a", "e")
    mesh.run(15_000)
    mesh.replicate("b", "e")
    mesh.run(15_000)
    for name in "bc":
        mesh.kill(name)
    mesh.run(2000)
    assert flags(mesh, "a", "b") == flags(mesh, "a", "c") == Flag.PFAIL
    assert up(mesh, "a")
    mesh.run(TIMEOUT_MS)
    assert not up(mesh, "a")
    assert not convicted(mesh)


def test_a_primary_without_a_replica_gets_the_node_timeout() -> None:
    """Its failure would last two node timeouts longer than its absence, and help nobody."""
    mesh = shards("")
    restart(mesh, "c", 3000)
    mesh.run(3000)
    assert not convicted(mesh)
    assert agree(mesh, *"abc")
    assert all(up(mesh, n) for n in "abc")


def test_who_starts_first_does_not_convict_who_starts_later() -> None:
    mesh = shards()
    saved = {name: mesh.kill(name) for name in "abcd"}
    for name in "abd":
        mesh.start(name, saved[name], mesh[name].ip, PATIENT)
    mesh.run(5000)
    mesh.start("c", saved["c"], mesh["c"].ip, PATIENT)
    mesh.run(5000)
    assert not convicted(mesh)
    assert agree(mesh, *"abcd")
    assert owner(mesh, 16383) == "c"
