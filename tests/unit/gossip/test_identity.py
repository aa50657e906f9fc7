"""Two clusters that touch stay two: what a cluster is known by, who takes it on, and who is refused."""

from attrs import evolve

from gossamer.cluster.nodesconf import dump, load
from gossamer.cluster.topology import Flag
from gossamer.gossip.events import Forget, Meet, Reset
from gossamer.gossip.extensions import ClusterIdentity
from gossamer.gossip.identity import LINK_BACK_MS, WHOLE_MS
from gossamer.gossip.packet import Ping
from tests.unit.gossip.mesh import CONFIG, START, Mesh, agree, three
from tests.unit.gossip.test_failing import gossip_of, word

A, X = ("a", "b", "c"), ("x", "y", "z")


def identity(mesh: Mesh, name: str) -> str:
    return mesh[name].view.cluster


def identities(mesh: Mesh, *names: str) -> set[str]:
    return {identity(mesh, name) for name in names}


def whole() -> Mesh:
    mesh = three()
    mesh.run(WHOLE_MS + 500)
    return mesh


def two() -> Mesh:
    """Two clusters of three, each with its identity."""
    mesh = whole()
    for name, (first, last) in zip(X, ((0, 5460), (5461, 10922), (10923, 16383)), strict=True):
        mesh.start(name)
        mesh.own(name, first, last)
    mesh.meet("x", "y", "z")
    mesh.run(WHOLE_MS + 2000)
    must_be_two(mesh)
    return mesh


def must_be_two(mesh: Mesh) -> None:
    assert agree(mesh, *A)
    assert agree(mesh, *X)
    assert len(identities(mesh, *A)) == len(identities(mesh, *X)) == 1
    assert identity(mesh, "a") != identity(mesh, "x")
    assert "" not in identities(mesh, *A, *X)


def refusals(mesh: Mesh, *names: str) -> int:
    return sum(mesh[name].gossip.refused_peers for name in names)


# How it comes about


def test_a_whole_cluster_gets_one_identity_which_is_saved_and_survives() -> None:
    mesh = three()
    assert identities(mesh, *A) == {""}
    mesh.run(WHOLE_MS + 500)
    assert len(identities(mesh, *A)) == 1
    assert identity(mesh, "a")
    assert sum("its identity is" in line for name in A for line in mesh[name].logs) == 1, "it is made by one"
    before = identity(mesh, "a")
    saved = {name: mesh.kill(name) for name in A}
    for name in A:
        mesh.start(name, load(dump(saved[name])), mesh[name].ip)
    mesh.run(5000)
    assert identities(mesh, *A) == {before}
    assert agree(mesh, *A)


def test_what_is_not_whole_has_none() -> None:
    mesh = Mesh("a", "b")
    mesh.own("a", 0, 8000)
    mesh.own("b", 8001, 16382)
    mesh.meet("a", "b")
    mesh.run(20_000)
    assert identities(mesh, "a", "b") == {""}
    mesh.own("b", 16383, 16383)
    mesh.run(WHOLE_MS + 500)
    assert len(identities(mesh, "a", "b")) == 1
    assert identity(mesh, "a")


def test_who_joins_takes_it_whoever_meets_whom() -> None:
    mesh = whole()
    for name in "de":
        mesh.start(name)
    mesh.meet("a", "d")
    mesh.meet("e", "b")
    mesh.run(500)
    assert len(identities(mesh, *A, "d", "e")) == 1
    assert not refusals(mesh, *A, "d", "e")


def test_owners_of_slots_that_are_no_cluster_yet_may_join() -> None:
    """As redis-cli creates clusters: slots first."""
    mesh = whole()
    mesh.start("d")
    mesh.own("d", 0, 99)
    mesh.meet("a", "d")
    mesh.run(2000)
    assert mesh["a"].sees(mesh["d"])
    assert len(identities(mesh, *A, "d")) == 1


def test_a_node_by_itself_with_all_slots_is_a_cluster_and_can_grow() -> None:
    mesh = Mesh("a", "b")
    mesh.own("a", 0, 16383)
    mesh.run(WHOLE_MS + 200)
    alone = identity(mesh, "a")
    assert alone
    mesh.meet("a", "b")
    mesh.run(500)
    assert identities(mesh, "a", "b") == {alone}


def test_who_is_alone_and_owns_nothing_has_none() -> None:
    mesh = whole()
    mesh.start("d")
    mesh.meet("a", "d")
    mesh.run(500)
    assert identity(mesh, "d")
    for name in A:
        assert mesh.execute("d", Forget(mesh[name].id)) == "OK"
    mesh.run(200)
    assert not identity(mesh, "d")


def test_two_identities_of_one_cluster_become_the_smaller_one() -> None:
    """Made in two parts of it, as a partition may have it."""
    mesh = whole()
    mesh["a"].gossip.me.cluster = "1" * 40
    mesh["b"].gossip.me.cluster = "2" * 40
    mesh.run(10_000)
    assert identities(mesh, *A) == {"1" * 40} | ({identity(mesh, "c")} if identity(mesh, "c") < "1" * 40 else set())
    assert len(identities(mesh, *A)) == 1
    assert agree(mesh, *A)


def test_two_identities_of_one_cluster_raise_no_suspicion() -> None:
    mesh = whole()
    mesh["a"].gossip.me.cluster = "1" * 40
    while identities(mesh, *A) != {min("1" * 40, identity(mesh, "b"))}:
        mesh.run(10)
        assert not any(
            n.has(Flag.PFAIL | Flag.FAIL | Flag.NOADDR) for name in A for n in mesh[name].view.nodes.values()
        )
        assert mesh.now < START + 20_000


def test_under_another_identity_nobody_accuses_and_nobody_takes_it_back() -> None:
    """But who names the node is of its cluster beyond doubt, and is heard."""
    mesh = whole()
    mesh.cut("b")
    mesh.cut("c")
    mesh["a"].gossip.me.cluster = "1" * 40
    link, c = mesh.link_between("b", "a"), mesh["c"].id
    ill, well = word(mesh, "b", "c", Flag.MASTER | Flag.PFAIL), word(mesh, "b", "c", Flag.MASTER)
    about_a = gossip_of(word(mesh, "b", "a", Flag.MASTER))
    for packet, cluster, names_a, reports in (
        (ill, "2", False, 0),
        (ill, "1", False, 1),
        (well, "2", False, 1),
        (well, "2", True, 0),
    ):
        body = Ping(gossip_of(packet) + (about_a if names_a else ()), (ClusterIdentity(cluster * 40),))
        mesh.inject("a", evolve(packet, body=body), link)
        assert mesh["a"].gossip.failure_reports(c) == reports
    assert identity(mesh, "a") == "1" * 40


# Who is refused


def test_two_clusters_cannot_be_made_to_meet() -> None:
    mesh = two()
    before = refusals(mesh, *A, *X)
    mesh.meet("a", "x")
    mesh.meet("y", "b")
    mesh.run(5000)
    must_be_two(mesh)
    assert refusals(mesh, *A, *X) - before >= 2
    assert any("belongs to another cluster" in line for line in mesh["a"].logs)
    assert any("belongs to another cluster" in line for line in mesh["y"].logs)
    assert not any(n.has(Flag.HANDSHAKE) for n in mesh["a"].view.nodes.values())


def test_a_node_that_was_reset_may_change_clusters() -> None:
    mesh = two()
    mesh.start("d")
    mesh.meet("a", "d")
    mesh.run(500)
    for name in A:
        assert mesh.execute(name, Forget(mesh["d"].id)) == "OK"
    assert mesh.execute("d", Reset(hard=False, keys=0)) == "OK"
    assert not identity(mesh, "d")
    mesh.run(500)
    mesh.meet("x", "d")
    mesh.run(1000)
    assert mesh["x"].sees(mesh["d"])
    assert identity(mesh, "d") == identity(mesh, "x")
    assert agree(mesh, *A)


def with_a_deserter() -> Mesh:
    """Node d was one of the first cluster, is reset, and is just told to meet the second."""
    mesh = two()
    mesh.start("d")
    mesh.meet("a", "d")
    mesh.run(2000)
    assert mesh.execute("d", Reset(hard=False, keys=0)) == "OK"
    mesh.meet("x", "d")
    return mesh


def test_a_node_that_was_reset_but_not_forgotten_does_not_bring_its_new_cluster() -> None:
    """It keeps its id, and the old cluster still asks it: this is how clusters of Redis merge."""
    mesh = with_a_deserter()
    mesh.run(LINK_BACK_MS + 5000)
    assert agree(mesh, *X, "d")
    for name in A:
        view = mesh[name].view
        assert set(view.nodes) == {mesh[n].id for n in (*A, "d")}
        assert view.nodes[mesh["d"].id].has(Flag.NOADDR)
        assert view.ok
        assert view.current_epoch < 100
    assert all(set(mesh[name].view.nodes) == {mesh[n].id for n in (*X, "d")} for name in X)


def test_the_address_of_a_dead_node_brings_no_other_cluster() -> None:
    mesh = two()
    place = mesh["c"].ip
    mesh.kill("c")
    saved = mesh.kill("z")
    mesh.start("z", saved, place)
    mesh.run(3000)
    assert agree(mesh, *X)
    assert mesh.execute("a", Meet(place, 7000)) == "OK"
    mesh.run(3000)
    assert agree(mesh, *X)
    assert set(mesh["a"].view.nodes) == {mesh[n].id for n in A}
    assert mesh["a"].view.nodes[mesh["c"].id].has(Flag.NOADDR)
    assert refusals(mesh, "a") == 1


def test_all_of_both_may_change_places() -> None:
    mesh = two()
    config = {name: evolve(CONFIG, hostname=f"{name}.example") for name in (*A, *X)}
    ips = {name: mesh[name].ip for name in config}
    saved = {name: mesh.kill(name) for name in config}
    for name, ip in zip(config, (ips[n] for n in (*X, *A)), strict=True):
        mesh.names[f"{name}.example"] = (ip,)
        remembered = saved[name]
        nodes = {
            n.id: evolve(n, hostname=next(f"{h.name}.example" for h in mesh.hosts.values() if h.id == n.id))
            for n in remembered.nodes.values()
        }
        mesh.start(name, evolve(remembered, nodes=nodes), ip, config[name])
    mesh.run(5000)
    must_be_two(mesh)


def test_who_has_changed_sides_cannot_introduce_his_new_friends() -> None:
    """Told to meet a former friend, it does not tell its identity with the first message."""
    mesh = with_a_deserter()
    mesh.run(300)
    for name in A:
        mesh.meet("d", name)
    mesh.run(LINK_BACK_MS + 5000)
    assert agree(mesh, *X, "d")
    assert all(set(mesh[name].view.nodes) == {mesh[n].id for n in (*A, "d")} for name in A)
    assert all(mesh[name].view.nodes[mesh["d"].id].has(Flag.NOADDR) for name in A)


def test_who_has_changed_sides_may_come_back() -> None:
    mesh = with_a_deserter()
    mesh.run(LINK_BACK_MS + 2000)
    assert mesh.execute("d", Reset(hard=False, keys=0)) == "OK"
    mesh.meet("d", "a")
    mesh.run(3000)
    assert agree(mesh, *A, "d")
    assert identity(mesh, "d") == identity(mesh, "a")
