"""Shards of ours, of Redis and of Valkey in every mixture lose their primary, or hand over; our primaries elect."""

from collections.abc import Sequence
from typing import Final

import pytest

from gossamer.cluster.plan import shares
from tests.integration.clusters import (
    CLUSTER,
    OK,
    demand,
    form,
    info,
    introduce,
    my_id,
    myself,
    start_together,
    view,
    wait_state,
    wait_until,
)
from tests.integration.handing_over import hand_over
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program

pytestmark = pytest.mark.once  # nothing of it is compiled

TIMEOUT_MS: Final = 1500
KEY: Final = "06S"
"""In slot 0."""


PAIRS: Final = (
    (GOSSAMER, GOSSAMER),
    (GOSSAMER, REDIS),
    (GOSSAMER, VALKEY),
    (REDIS, GOSSAMER),
    (REDIS, REDIS),
    (VALKEY, GOSSAMER),
    (VALKEY, VALKEY),
)
"""Primary and replica. Redis 7.0 cannot read what Valkey 9.1 sends."""

each_pair = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0].name}-{pair[1].name}")


def shard(nodes: Nodes, pair: tuple[Program, Program], host: str = "127.0.0.1") -> tuple[list[Node], Node]:
    """Three primaries, two of them ours, and a replica of the first, which is in sync."""
    kinds = (pair[0], GOSSAMER, GOSSAMER, pair[1])
    options = (*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS), "--repl-diskless-sync-delay", "0")
    made = [nodes.make(*options, program=kind) for kind in kinds]
    for node in made:
        node.host = host
    start_together(made)
    primaries, replica = made[:3], made[3]
    form(primaries)
    assert primaries[0].ask("SET", KEY, "kept") == OK
    introduce([replica], primaries[1], made)
    demand(replica, "CLUSTER", "REPLICATE", my_id(primaries[0]))
    wait_until(lambda: b"master_link_status:up" in replica.ask("INFO", "replication").text, "the replica is in sync")
    wait_until(lambda: b"state=online" in primaries[0].ask("INFO", "replication").text, "its primary knows, too")
    wait_primary(made, replica, my_id(primaries[0]))
    wait_state(made, "ok")
    return primaries, replica


def wait_primary(nodes: Sequence[Node], replica: Node, primary: str) -> None:
    """Until all say that ``replica`` replicates ``primary``, ``-`` for nobody."""
    told = my_id(replica)
    wait_until(lambda: all(view(node)[told].primary == primary for node in nodes), f"{replica} replicates {primary}")


@each_pair
def test_a_killed_primary_is_replaced_and_returns_as_a_replica(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    primaries, replica = shard(nodes, pair)
    dead, ours = primaries[0], primaries[1:]
    old, epoch = my_id(dead), int(info(replica)["cluster_current_epoch"])
    dead.kill()
    wait_primary([*ours, replica], replica, "-")
    wait_state([*ours, replica], "ok")
    low, high = shares(3)[0]
    for node in (*ours, replica):
        line = view(node)[my_id(replica)]
        assert (line.slots, line.primary) == ((f"{low}-{high}",), "-")
        assert line.epoch > epoch
    assert replica.ask("GET", KEY).text == b"kept"
    assert ours[0].ask("GET", KEY).text == b"MOVED 0 127.0.0.1:%d" % replica.port
    wait_until(lambda: all("cluster_stats_messages_auth-ack_sent" in info(node) for node in ours), "both have voted")
    dead.start()
    wait_primary([*ours, replica, dead], dead, my_id(replica))
    assert my_id(dead) == old


@each_pair
def test_a_primary_hands_over_by_command(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    primaries, replica = shard(nodes, pair)
    hand_over(replica, [*primaries, replica])
    wait_primary([*primaries, replica], primaries[0], my_id(replica))
    assert myself(replica).slots
    wait_state([*primaries, replica], "ok")


def test_who_cannot_do_it_is_told_as_redis_tells_it(nodes: Nodes) -> None:
    redis, ours = (nodes.start(*CLUSTER, program=program) for program in (REDIS, GOSSAMER))
    requests: tuple[tuple[str, ...], ...] = (
        ("REPLICATE",),
        ("REPLICATE", "nobody"),
        ("REPLICATE", "0" * 40),
        ("REPLICATE", "own id"),
        ("FAILOVER",),
        ("FAILOVER", "force"),
        ("FAILOVER", "TAKEOVER"),
        ("FAILOVER", "now"),
        ("FAILOVER", "FORCE", "TAKEOVER"),
    )
    for request in requests:
        told = [
            node.ask("CLUSTER", *[word.replace("own id", my_id(node)) for word in request]) for node in (redis, ours)
        ]
        assert told[0].kind == "error"
        assert told[1] == told[0], request
