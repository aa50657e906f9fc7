"""One cluster of Gossamer, Valkey 9.1 and Redis 7.0 nodes: they agree, they see each other die, and they heal."""

import signal
from collections.abc import Sequence
from typing import Final

import pytest

from gossamer.cluster.plan import shares
from tests.integration.clusters import (
    CLUSTER,
    OK,
    View,
    demand,
    form,
    info,
    introduce,
    links,
    my_id,
    myself,
    start_together,
    view,
    wait_failed,
    wait_links,
    wait_peace,
    wait_state,
    wait_until,
)
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program

pytestmark = pytest.mark.once

TIMEOUT_MS: Final = 2000
KINDS: Final = (GOSSAMER, GOSSAMER, VALKEY, VALKEY, REDIS)
MEET: Final = "2"
"""The type of the message by which a node asks to be let in."""
BODY: Final = "x" * 20_000


def unformed(nodes: Nodes, kinds: Sequence[Program] = KINDS, timeout_ms: int = TIMEOUT_MS) -> list[Node]:
    return [nodes.make(*CLUSTER, "--cluster-node-timeout", str(timeout_ms), program=kind) for kind in kinds]


def mesh(nodes: Nodes, timeout_ms: int = TIMEOUT_MS) -> list[Node]:
    """Two nodes of ours, two of Valkey, one of Redis, in this order."""
    made = unformed(nodes, timeout_ms=timeout_ms)
    start_together(made)
    form(made)
    return made


def test_all_five_tell_the_same_ids_addresses_slots_and_epochs(nodes: Nodes) -> None:
    made = mesh(nodes)
    ids = [my_id(node) for node in made]
    for node in made:
        told = view(node)
        assert set(told) == set(ids)
        for number, (other, (low, high)) in enumerate(zip(made, shares(5), strict=True)):
            line = told[ids[number]]
            assert line.address == f"127.0.0.1:{other.port}@{other.bus_port}"
            assert (line.slots, line.epoch, line.connected) == ((f"{low}-{high}",), number + 1, True)
        assert (info(node)["cluster_size"], info(node)["cluster_current_epoch"]) == ("5", "5")


def test_a_message_published_on_the_bus_disturbs_nobody(nodes: Nodes) -> None:
    made = mesh(nodes, 10_000)  # after half of which a link to a node that is held up is made anew
    before = wait_links(made)[2:]
    for publisher in made[2:]:
        for body in ("", "small", BODY):
            publisher.ask("PUBLISH", "channel", body)
    wait_until(
        lambda: all(info(ours).get("cluster_stats_messages_publish_received") == "9" for ours in made[:2]),
        "nine messages have come in",
    )
    wait_peace(made)
    # As the others tell it: a node of ours that the machine has held up for half a second dates its links anew.
    assert [links(node) for node in made[2:]] == before, "the same links, made at the same time"


@pytest.mark.parametrize("kind", [GOSSAMER, VALKEY, REDIS], ids=lambda kind: kind.name)
def test_the_death_and_the_return_of_each_kind_are_seen_by_the_others(nodes: Nodes, kind: Program) -> None:
    made = mesh(nodes)
    victim = next(node for node in made if node.program is kind)
    others = [node for node in made if node is not victim]
    before = myself(victim)
    victim.kill()
    wait_failed(others, before.id)
    wait_state(others, "fail")
    victim.start()
    wait_peace(made)
    assert myself(victim) == before, "same id, address, slots and epoch as before"


def test_a_slot_moves_between_kinds_and_everybody_hears_of_it(nodes: Nodes) -> None:
    made = mesh(nodes)
    for giver, taker in ((made[0], made[2]), (made[3], made[1]), (made[4], made[0])):
        moving = shares(5)[made.index(giver)][0]
        epoch = myself(taker).epoch
        demand(taker, "CLUSTER", "SETSLOT", moving, "IMPORTING", my_id(giver))
        demand(giver, "CLUSTER", "SETSLOT", moving, "MIGRATING", my_id(taker))
        demand(taker, "CLUSTER", "SETSLOT", moving, "NODE", my_id(taker))
        demand(giver, "CLUSTER", "SETSLOT", moving, "NODE", my_id(taker))
        wait_owner(made, moving, taker)
        assert myself(taker).epoch > epoch
    wait_peace(made)


def wait_owner(nodes: Sequence[Node], slot: int, owner: Node) -> None:
    """Until all say that ``slot``, which stands alone, belongs to ``owner``."""
    told = my_id(owner)
    wait_until(
        lambda: all(str(slot) in view(node)[told].slots for node in nodes), f"all know the new owner of slot {slot}"
    )


def test_a_node_that_is_forgotten_stays_forgotten(nodes: Nodes) -> None:
    """Valkey and Gossamer pass the word on; Redis 7.0 has to be told."""
    made = mesh(nodes)
    victim, others = made[3], made[:3] + made[4:]
    ours, _, valkey, redis = others
    gone = my_id(victim)
    low, high = shares(5)[3]
    victim.kill()
    wait_failed(others, gone)
    for node in (redis, ours):
        demand(node, "CLUSTER", "FORGET", gone)
    wait_until(lambda: all(gone not in view(node) for node in others), "nobody knows the dead node")
    demand(valkey, "CLUSTER", "ADDSLOTSRANGE", low, high)
    wait_peace(others)
    assert [len(view(node)) for node in others] == [4] * 4


def test_hostnames_are_seen_across_kinds(nodes: Nodes) -> None:
    """Names that are addresses: should one be looked up when its node is gone, no name server is asked."""
    made = mesh(nodes)
    for number, node in enumerate(made):
        demand(node, "CONFIG", "SET", "cluster-announce-hostname", f"127.9.9.{number}")

    def named(told: View) -> bool:
        wanted = {f"127.0.0.1:{node.port}@{node.bus_port},127.9.9.{number}" for number, node in enumerate(made)}
        return {line.address for line in told.values()} == wanted

    wait_until(lambda: all(named(view(node)) for node in made), "all know all hostnames")
    demand(made[0], "CONFIG", "SET", "cluster-announce-hostname", "")
    first = my_id(made[0])
    wait_until(
        lambda: all(view(node)[first].address.rstrip(",").endswith(f"@{made[0].bus_port}") for node in made),
        "all know that a node of ours has no name any more",
    )
    wait_peace(made)


def test_our_nodes_keep_id_slots_and_friends_through_a_restart(nodes: Nodes) -> None:
    made = mesh(nodes)
    before = view(made[4])
    for node in made[:2]:
        node.stop(signal.SIGTERM)
    start_together(made[:2])
    wait_peace(made)
    for node in made:
        assert view(node) == before


def test_a_node_of_ours_joins_and_leads_a_cluster_of_others(nodes: Nodes) -> None:
    """Met by an empty node of ours, and given slots by them: the other way round than ``form``."""
    made = unformed(nodes, (VALKEY, REDIS, VALKEY, GOSSAMER))
    start_together(made)
    form(made[:3])
    ours = made[3]
    introduce([ours], made[1], made, made[1].bus_port)
    wait_peace(made)
    demand(ours, "CLUSTER", "SETSLOT", 0, "IMPORTING", my_id(made[0]))
    demand(ours, "CLUSTER", "SETSLOT", 0, "NODE", my_id(ours))
    wait_owner(made, 0, ours)
    wait_peace(made)
    key = "06S"
    assert ours.ask("CLUSTER", "KEYSLOT", key).number == 0
    assert ours.ask("SET", key, "here") == OK
    for other in made[:3]:
        assert other.ask("GET", key).text == b"MOVED 0 127.0.0.1:%d" % ours.port


def test_what_debug_does_to_the_bus_of_a_node_ends_with_it(nodes: Nodes) -> None:
    kinds = (GOSSAMER, GOSSAMER, REDIS)
    options = (*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS), "--enable-debug-command", "yes")
    made = [nodes.make(*options, program=kind) for kind in kinds]
    start_together(made)
    form(made)
    first, redis = made[0], made[2]
    before = [link for link in wait_links(made)[0] if link[1] == my_id(redis)]
    demand(first, "DEBUG", "CLUSTERLINK", "KILL", "all", my_id(redis))
    wait_until(
        lambda: (
            len(again := [link for link in links(first) if link[1] == my_id(redis)]) == 2
            and not set(again) & set(before)
        ),
        "both links are made again",
    )
    assert b"Unknown direction" in first.ask("DEBUG", "CLUSTERLINK", "KILL", "there", my_id(redis)).text
    assert b"Unknown node" in first.ask("DEBUG", "CLUSTERLINK", "KILL", "to", "nobody").text
    demand(first, "DEBUG", "PAUSE-CRON", "1")
    redis.kill()
    demand(first, "DEBUG", "PAUSE-CRON", "0")
    wait_failed(made[:2], before[0][1])


@pytest.mark.parametrize("kind", [GOSSAMER, VALKEY], ids=lambda kind: kind.name)
def test_messages_of_a_type_that_debug_drops_are_not_read(nodes: Nodes, kind: Program) -> None:
    """A node that asks to be let in is not heard until that ends; PING and the rest are, all the time."""
    options = (*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS), "--enable-debug-command", "yes")
    made = [nodes.make(*options, program=each) for each in (kind, GOSSAMER, REDIS)]
    start_together(made)
    form(made[:2])
    first, newcomer = made[0], made[2]
    demand(first, "DEBUG", "DROP-CLUSTER-PACKET-FILTER", MEET)
    demand(newcomer, "CLUSTER", "MEET", *first.address)
    first.wait_log("that matches debug drop filter")
    assert my_id(newcomer) not in view(first)
    assert len(view(first)) == 2
    assert int(info(first)["cluster_stats_messages_meet_received"]) >= 1, "it is counted all the same"
    wait_peace(made[:2])
    demand(first, "DEBUG", "DROP-CLUSTER-PACKET-FILTER", "-1")
    wait_until(lambda: len(view(newcomer)) == 1, "the newcomer has given up")
    introduce([newcomer], first, made)
    wait_peace(made)
