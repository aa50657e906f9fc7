"""A node whose id has gone from its address, since it was reset or has lost its disk, is dead like any other."""

from gossamer.cluster.topology import Flag
from gossamer.gossip.effects import Follow, Lead, Unfollow
from tests.unit.gossip.mesh import TIMEOUT_MS, Mesh, three
from tests.unit.gossip.test_electing import shards


def lose_disk(mesh: Mesh, name: str) -> str:
    """The node is killed and somebody new starts at its address; the id that is gone."""
    before, ip = mesh[name].id, mesh[name].ip
    mesh.kill(name)
    mesh.start(name, ip=ip)
    return before


def flags(mesh: Mesh, observer: str, node: str) -> int:
    return mesh[observer].view.nodes[node].flags & (Flag.PFAIL | Flag.FAIL | Flag.NOADDR)


def test_a_node_that_lost_its_address_fails_after_the_node_timeout() -> None:
    mesh = three()
    gone = lose_disk(mesh, "c")
    mesh.run(TIMEOUT_MS // 2)
    assert flags(mesh, "a", gone) == flags(mesh, "b", gone) == Flag.NOADDR, "not before"
    assert mesh["a"].view.ok
    mesh.run(TIMEOUT_MS)
    assert flags(mesh, "a", gone) == flags(mesh, "b", gone) == Flag.NOADDR | Flag.FAIL
    assert not mesh["a"].view.ok


def test_a_minority_does_not_convict_who_lost_its_address() -> None:
    mesh = three()
    mesh.cut("b")
    gone = lose_disk(mesh, "c")
    mesh.run(TIMEOUT_MS * 5)
    assert flags(mesh, "a", gone) == Flag.NOADDR | Flag.PFAIL


def test_who_missed_the_conviction_hears_of_it() -> None:
    """Nobody talks of others that have no address, but of those that have failed."""
    mesh = three()
    gone = lose_disk(mesh, "c")
    mesh.run(TIMEOUT_MS // 2)
    saved = mesh.kill("a")
    mesh.start("d")
    mesh.meet("b", "d")
    mesh.run(TIMEOUT_MS * 2)
    assert flags(mesh, "b", gone) == Flag.NOADDR | Flag.PFAIL, "b alone is no majority"
    mesh.start("a", saved, ip=mesh["a"].ip)
    mesh.run(TIMEOUT_MS * 2)
    assert flags(mesh, "a", gone) == flags(mesh, "b", gone) == Flag.NOADDR | Flag.FAIL


def test_who_was_cut_off_meanwhile_hears_of_it() -> None:
    mesh = three()
    mesh.start("d")
    mesh.meet("a", "d")
    mesh.run(500)
    gone = lose_disk(mesh, "c")
    mesh.run(TIMEOUT_MS // 2)
    mesh.cut("d")
    mesh.run(TIMEOUT_MS * 3)
    assert flags(mesh, "a", gone) == Flag.NOADDR | Flag.FAIL
    mesh.heal("d")
    mesh.run(TIMEOUT_MS * 2)
    assert flags(mesh, "d", gone) == Flag.NOADDR | Flag.FAIL


def test_a_restart_takes_nothing_from_the_silence_of_who_has_no_address() -> None:
    mesh = three()
    gone = lose_disk(mesh, "c")
    mesh.run(300)
    for name in "ab":
        mesh.start(name, mesh.kill(name), ip=mesh[name].ip)
    assert flags(mesh, "a", gone) == Flag.NOADDR
    mesh.run(TIMEOUT_MS * 2)
    assert flags(mesh, "a", gone) == flags(mesh, "b", gone) == Flag.NOADDR | Flag.FAIL


def test_a_replica_leaves_the_stranger_alone_and_takes_over() -> None:
    mesh = shards()
    gone, before = lose_disk(mesh, "c"), mesh["d"].view
    mesh.run(TIMEOUT_MS // 2)
    assert mesh["d"].follows is None, "whoever is there is not its primary"
    assert mesh["d"].view.myself.primary == gone
    mesh.run(TIMEOUT_MS * 2)
    roles = [effect for effect in mesh["d"].done if isinstance(effect, Follow | Unfollow | Lead)]
    assert [type(effect) for effect in roles[-3:]] == [Follow, Unfollow, Lead]
    for name in "abd":
        view = mesh[name].view
        assert view.ok
        assert view.owners == tuple(mesh["d"].id if o == gone else o for o in before.owners)


def test_a_primary_that_is_found_again_is_followed_again() -> None:
    mesh = shards()
    id_of_c, saved = mesh["c"].id, mesh.kill("c")
    ip = mesh["c"].ip
    mesh.start("e", ip=ip)
    mesh.run(TIMEOUT_MS // 3)
    assert flags(mesh, "d", id_of_c) == Flag.NOADDR
    follows = [mesh["d"].follows]
    mesh.start("c", saved, ip="10.0.1.9")
    mesh.run(TIMEOUT_MS // 2)
    follows.append(mesh["d"].follows)
    assert follows == [None, id_of_c]
    told = [effect for effect in mesh["d"].done if isinstance(effect, Follow)]
    assert told[-1] == Follow(id_of_c, "10.0.1.9", 7000)
    assert flags(mesh, "d", id_of_c) == flags(mesh, "a", id_of_c) == 0
