"""Where requests go while a slot is on its way from one node to the other."""

import pytest
from attrs import evolve

from gossamer.cluster.route import Request, RoutePolicy, route
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Flag, Node, Topology

ME, OTHER, COPIER = "a" * 40, "b" * 40, "c" * 40
NODES = {
    ME: Node(ME, "10.0.0.1", 7000, 17000, flags=Flag.MYSELF | Flag.MASTER),
    OTHER: Node(OTHER, "10.0.0.2", 7001, 17001, flags=Flag.MASTER),
}
VIEW = Topology(ME, NODES, (ME,) * 100 + (OTHER,) * (SLOTS - 100), ok=True)
SOURCE = evolve(VIEW, migrating={5: OTHER})
TARGET = evolve(VIEW, importing={200: OTHER})
ASK, MOVED, TRYAGAIN = b"ASK 5 10.0.0.2:7001", b"MOVED 200 10.0.0.2:7001", b"TRYAGAIN"


@pytest.mark.parametrize(
    ("keys", "missing", "answer"), [(1, 0, None), (1, 1, ASK), (2, 0, None), (2, 1, TRYAGAIN), (2, 2, ASK)]
)
def test_the_source_serves_what_it_still_has(keys: int, missing: int, answer: bytes | None) -> None:
    told = route(SOURCE, RoutePolicy(), Request(5, keys, missing, writes=True, asking=False, readonly=False))
    assert told is None if answer is None else told is not None and told.startswith(answer)


@pytest.mark.parametrize(
    ("asking", "keys", "missing", "answer"),
    [
        (False, 1, 0, MOVED),
        (True, 1, 1, None),
        (True, 1, 0, None),
        (True, 2, 0, None),
        (True, 2, 1, TRYAGAIN),
        (True, 2, 2, TRYAGAIN),
    ],
)
def test_the_target_serves_those_that_were_sent(asking: bool, keys: int, missing: int, answer: bytes | None) -> None:
    told = route(TARGET, RoutePolicy(), Request(200, keys, missing, writes=True, asking=asking, readonly=False))
    assert told is None if answer is None else told is not None and told.startswith(answer)


COPY = evolve(
    VIEW,
    me=COPIER,
    nodes={**NODES, COPIER: Node(COPIER, "10.0.0.3", 7002, 17002, flags=Flag.MYSELF | Flag.SLAVE, primary=ME)},
    leaving={5: OTHER},
)


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize(("keys", "missing", "answer"), [(1, 1, ASK), (2, 1, TRYAGAIN), (2, 2, ASK)])
def test_a_replica_sends_readers_after_the_keys_that_have_left(
    keys: int, missing: int, answer: bytes, writes: bool
) -> None:
    told = route(COPY, RoutePolicy(), Request(5, keys, missing, writes, asking=False, readonly=True))
    assert told is not None
    assert told.startswith(answer)


@pytest.mark.parametrize(
    ("slot", "missing", "writes", "readonly", "answer"),
    [
        (5, 0, False, True, None),
        (6, 1, False, True, None),
        (5, 0, True, True, b"MOVED 5 10.0.0.1:7000"),
        (5, 1, False, False, b"MOVED 5 10.0.0.1:7000"),
        (200, 1, False, True, MOVED),
    ],
)
def test_a_replica_serves_readers_of_what_it_has_and_nobody_else(
    slot: int, missing: int, writes: bool, readonly: bool, answer: bytes | None
) -> None:
    told = route(COPY, RoutePolicy(), Request(slot, 1, missing, writes, asking=False, readonly=readonly))
    assert told == answer


@pytest.mark.parametrize(("view", "slot"), [(SOURCE, 5), (TARGET, 200)])
def test_migrate_works_at_both_ends_on_whatever_is_there(view: Topology, slot: int) -> None:
    request = Request(slot, 2, 1, writes=True, asking=False, readonly=False)
    request.moves = True
    assert route(view, RoutePolicy(), request) is None
    assert route(VIEW, RoutePolicy(), request) == (None if slot == 5 else MOVED)


@pytest.mark.parametrize(("view", "slot"), [(SOURCE, 5), (VIEW, 200)], ids=["ASK", "MOVED"])
def test_nobody_is_sent_to_a_node_without_an_address(view: Topology, slot: int) -> None:
    lost = evolve(NODES[OTHER], ip="", port=0, cport=0, flags=Flag.MASTER | Flag.NOADDR)
    view = evolve(view, nodes={ME: NODES[ME], OTHER: lost})
    told = route(view, RoutePolicy(), Request(slot, 1, 1, writes=True, asking=False, readonly=False))
    assert told == b"CLUSTERDOWN Hash slot not served"
