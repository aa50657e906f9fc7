"""Plans own every slot once, keep shards apart, and are the same again after half of them was done."""

from collections import Counter
from collections.abc import Sequence

import pytest
from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from gossamer.cluster.plan import (
    Follow,
    Forget,
    Impossible,
    Meet,
    Member,
    Move,
    Number,
    Step,
    Take,
    add_primary,
    add_replica,
    after,
    contradicts,
    create,
    deal,
    finish,
    is_done,
    rebalance,
    remove,
)
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.topology import Flag, Node, NodeId, Topology, ranges_by_owner


def node(name: str, host: str = "h1", primary: str | None = None, flags: int = 0) -> Node:
    role = Flag.SLAVE if primary else Flag.MASTER
    return Node(name, host, 7000, 17000, primary=primary, flags=role | flags, config_epoch=1)


def cluster(nodes: Sequence[Node], owned: dict[NodeId, tuple[int, int]], me: str = "") -> Topology:
    owners: list[NodeId | None] = [None] * SLOTS
    for name, (first, last) in owned.items():
        owners[first : last + 1] = [name] * (last - first + 1)
    return Topology(me or nodes[0].id, {one.id: one for one in nodes}, tuple(owners))


THREE = {"a": (0, 5460), "b": (5461, 10921), "c": (10922, 16383)}


def moves(steps: Sequence[Step]) -> list[Move]:
    return [step for step in steps if isinstance(step, Move)]


@st.composite
def machines(draw: st.DrawFn) -> tuple[list[Member], int]:
    """Nodes on some hosts in any order, and how many of them shall be primaries."""
    hosts = draw(st.lists(st.sampled_from("ABCDE"), min_size=1, max_size=20))
    return [Member(f"n{at}", host) for at, host in enumerate(hosts)], draw(st.integers(1, len(hosts)))


@given(machines())
def test_a_shard_has_a_host_twice_only_where_hosts_have_more_nodes_than_there_are_shards(
    case: tuple[list[Member], int],
) -> None:
    members, primaries = case
    shards = deal(members, primaries)
    assert sorted(member.id for shard in shards for member in shard) == sorted(member.id for member in members)
    sizes = [len(shard) for shard in shards]
    assert max(sizes) - min(sizes) <= 1
    for host, count in Counter(member.host for member in members).items():
        most = max(sum(member.host == host for member in shard) for shard in shards)
        assert most == -(-count // primaries), "no host is in a shard more often than it has to be"


@given(machines())
def test_no_exchange_within_shards_spreads_the_primaries_better(case: tuple[list[Member], int]) -> None:
    members, primaries = case
    assume(primaries <= 6)
    shards = deal(members, primaries)
    most = max(Counter(shard[0].host for shard in shards).values())
    ways = [{member.host for member in shard} for shard in shards]
    assert most == least_possible(ways)


def least_possible(ways: list[set[str]]) -> int:
    """The smallest number such that every shard can choose a host and none is chosen more often, by trying all."""
    loads = {()}
    for hosts in ways:
        loads = {tuple(sorted([*load, host])) for load in loads for host in hosts}  # type: ignore[misc]
    return min(max(Counter(load).values()) for load in loads)


@given(machines())
def test_a_new_cluster_owns_all_slots_once_numbers_all_and_everybody_meets(case: tuple[list[Member], int]) -> None:
    members, primaries = case
    steps = create(members, primaries)
    takes = [step for step in steps if isinstance(step, Take)]
    assert [slot for take in takes for slot in range(take.first, take.last + 1)] == list(range(SLOTS))
    spans = [take.last - take.first for take in takes]
    assert max(spans) - min(spans) <= 1
    owners = [take.node for take in takes]
    assert len(set(owners)) == primaries
    follows = {step.node: step.primary for step in steps if isinstance(step, Follow)}
    assert set(follows.values()) <= set(owners)
    assert set(follows) | set(owners) == {member.id for member in members}
    epochs = {step.node: step.epoch for step in steps if isinstance(step, Number)}
    assert sorted(epochs.values()) == list(range(1, len(members) + 1))
    met = {frozenset((step.node, other)) for step in steps if isinstance(step, Meet) for other in step.others}
    assert len(met) == len(members) * (len(members) - 1) // 2


def test_on_one_host_the_first_nodes_are_the_primaries_and_the_others_follow_them_in_turn() -> None:
    shards = deal([Member(f"n{at}", "h") for at in range(7)], 3)
    assert [[member.id for member in shard] for shard in shards] == [["n0", "n3", "n6"], ["n1", "n4"], ["n2", "n5"]]


def test_three_hosts_with_two_nodes_each_have_a_primary_each_and_no_shard_alone() -> None:
    members = [Member(f"{host}{at}", host) for host in "ABC" for at in range(2)]
    shards = deal(members, 3)
    assert {shard[0].host for shard in shards} == set("ABC")
    assert all(shard[0].host != shard[1].host for shard in shards)


def test_more_primaries_than_nodes_is_impossible() -> None:
    with pytest.raises(Impossible, match="2 nodes cannot be 3 primaries"):
        create([Member("a", "h"), Member("b", "h")], 3)


def test_a_half_formed_cluster_goes_on_where_it_stopped_and_another_one_does_not() -> None:
    members = [Member("a", "h1"), Member("b", "h1")]
    steps = create(members, 1)
    fresh = cluster([evolve(node("a"), config_epoch=0)], {})
    assert [is_done(step, fresh) for step in steps if step.node == "a"] == [False, False]
    begun = cluster([node("a")], {"a": (0, SLOTS - 1)})
    assert [is_done(step, begun) for step in steps if step.node == "a"] == [True, True]
    joined = cluster([node("b", primary="a"), node("a")], {"a": (0, SLOTS - 1)}, me="b")
    assert [is_done(step, joined) for step in steps if step.node == "b"] == [True, True, True]
    for view in (fresh, begun, joined):
        assert contradicts(steps, view) is None
    assert contradicts(steps, cluster([node("a"), node("x", "h9")], {})) == "knows other nodes, h9:7000 for one"
    assert contradicts(steps, cluster([node("b")], {"b": (0, 10)}, me="b")) == "has slots already"


def test_a_newcomer_is_named_to_all_that_live_and_follows_who_has_no_replica_on_another_host() -> None:
    topology = cluster(
        [node("a"), node("b", "h2"), node("c", "h3"), node("d", "h2", primary="c"), node("x", flags=Flag.FAIL)], THREE
    )
    assert add_primary(topology, Member("new", "h3")) == [Meet("new", ("a", "b", "c", "d"))]
    assert add_replica(topology, Member("new", "h3"))[1] == Follow("new", "a")
    assert add_replica(topology, Member("new", "h1"))[1] == Follow("new", "b")
    assert add_replica(topology, Member("new", "h1"), "c")[1] == Follow("new", "c")
    with pytest.raises(Impossible, match="h2:7000 is a replica itself"):
        add_replica(topology, Member("new", "h1"), "d")


def test_a_replica_is_removed_without_ado() -> None:
    topology = cluster([node("a"), node("r", primary="a")], {"a": (0, SLOTS - 1)})
    assert remove(topology, "r") == [Forget("r")]
    with pytest.raises(Impossible, match="h1:7000 is the only primary"):
        remove(topology, "a")


def test_a_primary_is_drained_its_replicas_go_where_they_are_needed_and_then_it_is_forgotten() -> None:
    nodes = [node("a"), node("b", "h2"), node("c", "h3"), node("ra", "h3", "a"), node("rb", "h1", "b")]
    steps = remove(cluster(nodes, THREE), "c")
    assert sum(move.size for move in moves(steps)) == 5462
    assert {move.source for move in moves(steps)} == {"c"}
    assert steps[-1] == Forget("c")
    done = after(cluster(nodes, THREE), *steps)
    sizes = {owner: sum(last - first + 1 for first, last in held) for owner, held in ranges_by_owner(done).items()}
    assert sizes == {"a": 8192, "b": 8192}
    steps = remove(cluster(nodes, THREE), "a")
    assert steps[-2:] == [Follow("ra", "b"), Forget("a")], "c stands on its host"


@given(st.permutations("abcd"), st.integers(0, 3))
def test_a_rebalance_that_was_cut_short_is_the_rest_when_planned_again(order: list[str], done: int) -> None:
    topology = cluster([node(name) for name in order], THREE)
    steps = rebalance(topology, {})
    half = after(topology, *steps[:done])
    again = rebalance(half, {})
    assert sum(move.size for move in moves(again)) == sum(move.size for move in moves(steps[done:]))
    end = ranges_by_owner(after(half, *again))
    assert {sum(last - first + 1 for first, last in held) for held in end.values()} == {4096}
    assert rebalance(after(half, *again), {}) == []


def test_weights_count_and_those_that_make_no_sense_are_refused() -> None:
    topology = cluster([node("a"), node("b"), node("c"), node("r", primary="a")], THREE)
    steps = rebalance(topology, {"a": 0, "b": 3})
    sizes = {o: sum(b - a + 1 for a, b in held) for o, held in ranges_by_owner(after(topology, *steps)).items()}
    assert sizes == {"b": 12288, "c": 4096}
    with pytest.raises(Impossible, match="all weights are 0"):
        rebalance(topology, {"a": 0, "b": 0, "c": 0})
    with pytest.raises(Impossible, match="no primary that could have slots"):
        rebalance(topology, {"r": 1})
    with pytest.raises(Impossible, match="-1 is not a weight"):
        rebalance(topology, {"a": -1})


def test_slots_left_open_are_finished_first_whichever_end_knows() -> None:
    both = [node("a"), node("b")]
    owned = {"a": (0, 100), "b": (101, SLOTS - 1)}
    source = evolve(cluster(both, owned, "a"), migrating={7: "b", 8: "b"})
    target = evolve(cluster(both, owned, "b"), importing={8: "a", 9: "a"})
    assert finish({"a": source, "b": target}) == [Move("a", "b", ((7, 9),), half_way=True)]
    assert finish({"a": cluster(both, owned, "a")}) == []
    moved = evolve(cluster(both, {"b": (0, SLOTS - 1)}, "a"), migrating={7: "b"})
    assert finish({"a": moved}) == [Move("a", "b", ((7, 7),), half_way=True)], "the source has not been told"


def test_slots_open_in_contradiction_are_left_to_somebody_who_knows() -> None:
    three = [node("a"), node("b"), node("c")]
    wrong = evolve(cluster(three, THREE, "b"), importing={7: "c"})
    with pytest.raises(Impossible, match="slot 7 is open on h1:7000 in a way that does not fit"):
        finish({"b": wrong})
