"""While all is well a node rests until somebody has to be pinged; whatever happens ends the rest."""

import pytest
from attrs import evolve

from gossamer.cluster.topology import Flag
from gossamer.gossip.events import BumpEpoch
from gossamer.gossip.packet import MessageType
from gossamer.gossip.peers import TICK_MS
from tests.unit.gossip.mesh import CONFIG, Mesh, three

PATIENT = evolve(CONFIG, node_timeout_ms=15_000)


@pytest.fixture
def calm() -> Mesh:
    mesh = three(config=PATIENT)
    mesh.run(10_000)
    return mesh


def rest_ms(mesh: Mesh, name: str) -> int:
    return mesh[name].gossip.deadline() - mesh.now


def looks(mesh: Mesh, name: str, ms: int) -> int:
    """How often the node wakes by itself in so many milliseconds."""
    count = 0
    for _ in range(ms):
        count += rest_ms(mesh, name) <= 1
        mesh.run(1)
    return count


def test_in_a_calm_cluster_a_node_wakes_once_a_second(calm: Mesh) -> None:
    assert looks(calm, "a", 10_000) <= 12


def test_a_calm_node_pings_somebody_every_second(calm: Mesh) -> None:
    before = calm["a"].gossip.sent[MessageType.PING]
    calm.run(20_000)
    assert calm["a"].gossip.sent[MessageType.PING] - before >= 20


def test_while_an_answer_is_awaited_it_looks_ten_times_a_second(calm: Mesh) -> None:
    calm.cut("b")
    calm.run(5000)
    assert 0 <= rest_ms(calm, "a") <= TICK_MS
    calm.heal("b")
    calm.run(20_000)  # the links on which answers were lost are made anew
    assert looks(calm, "a", 5000) <= 7, "calm again"


def test_a_rest_makes_nobody_look_silent(calm: Mesh) -> None:
    for _ in range(30):
        calm.run(1000)
        assert not any(n.has(Flag.PFAIL | Flag.FAIL) for name in "abc" for n in calm[name].view.nodes.values())


def test_a_command_ends_the_rest(calm: Mesh) -> None:
    calm.run(rest_ms(calm, "a") - 1)
    calm.execute("a", BumpEpoch())
    assert 0 <= rest_ms(calm, "a") <= TICK_MS


def test_with_a_short_node_timeout_it_looks_in_time() -> None:
    mesh = three(config=evolve(CONFIG, node_timeout_ms=200))
    mesh.run(5000)
    mesh.cut("b")
    mesh.run(200 + 200 // 2 + 3 * TICK_MS)
    seen = mesh["a"].sees(mesh["b"])
    assert seen is not None
    assert seen.has(Flag.PFAIL | Flag.FAIL)


def test_a_process_that_stops_in_its_rest_suspects_nobody(calm: Mesh) -> None:
    calm.leap(60_000)
    assert not any(n.has(Flag.PFAIL | Flag.FAIL) for n in calm["a"].view.nodes.values())
