"""A primary that was reset, or came back without its disk, is dead: its replica takes over with the data."""

from collections.abc import Sequence
from typing import Final

import pytest

from tests.integration.clusters import (
    CLUSTER,
    OK,
    demand,
    form,
    introduce,
    my_id,
    start_together,
    view,
    wait_state,
    wait_until,
)
from tests.integration.nodes import GOSSAMER, REDIS, Node, Nodes, Program

pytestmark = pytest.mark.once  # nothing of it is compiled

TIMEOUT_MS: Final = 2000
KEY: Final = "06S"
"""In slot 0."""

FAST: Final = pytest.mark.parametrize("fast", ["yes", "no"], ids=["fast failover", "no fast failover"])


def shard(nodes: Nodes, fast: str, first: Program = GOSSAMER) -> tuple[list[Node], Node]:
    """Three primaries and a replica of the first, in sync; one key with a value in the first."""
    common = (*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS), "--repl-diskless-sync-delay", "0")
    ours = (*common, "--cluster-fast-failover", fast)
    made = [nodes.make(*(ours if kind is GOSSAMER else common), program=kind) for kind in (first, *[GOSSAMER] * 3)]
    start_together(made)
    primaries, replica = made[:3], made[3]
    form(primaries)
    introduce([replica], primaries[1], made)
    demand(replica, "CLUSTER", "REPLICATE", my_id(primaries[0]))
    told, primary = my_id(replica), my_id(primaries[0])
    wait_until(lambda: all(view(node)[told].primary == primary for node in made), "all know whose replica it is")
    assert primaries[0].ask("SET", KEY, "kept") == OK
    wait_until(
        lambda: b"state=online" in primaries[0].ask("INFO", "replication").text, "the primary counts its replica"
    )
    assert primaries[0].ask("WAIT", "1", "5000").number == 1
    wait_state(made, "ok")
    return primaries, replica


def takes_over(replica: Node, others: Sequence[Node]) -> list[bytes]:
    """Until the replica serves the slots; what the others said to clients meanwhile."""
    said: list[bytes] = []

    def led() -> bool:
        said.extend(node.ask("GET", KEY).text for node in others)
        return replica.ask("SET", "{06S}new", "1") == OK

    wait_until(led, "a write on the replica")
    wait_until(lambda: all(b":%d" % replica.port in n.ask("GET", KEY).text for n in others), "all send there")
    return said


@FAST
def test_a_primary_that_lost_its_disk_is_replaced_with_its_data(nodes: Nodes, fast: str) -> None:
    primaries, replica = shard(nodes, fast)
    gone = my_id(primaries[0])
    primaries[0].kill()
    for path in primaries[0].home.iterdir():
        path.unlink()
    primaries[0].start()
    assert my_id(primaries[0]) != gone
    said = takes_over(replica, primaries[1:])
    assert replica.ask("GET", KEY).text == b"kept"
    assert not [text for text in said if text.endswith(b":0")], said
    wait_until(lambda: all("fail" in view(node)[gone].flags for node in (*primaries[1:], replica)), "it has failed")


@FAST
def test_a_primary_that_is_reset_is_replaced(nodes: Nodes, fast: str) -> None:
    primaries, replica = shard(nodes, fast)
    gone = my_id(primaries[0])
    demand(primaries[0], "FLUSHALL")
    assert primaries[0].ask("WAIT", "1", "5000").number == 1
    demand(primaries[0], "CLUSTER", "RESET", "HARD")
    assert my_id(primaries[0]) != gone
    wait_until(lambda: "noaddr" in view(primaries[1])[gone].flags, "its address is nobody's")
    slots = primaries[1].ask("CLUSTER", "SLOTS").items
    assert all(member.items[1].number for row in slots for member in row.items[2:])
    said = takes_over(replica, primaries[1:])
    assert not [text for text in said if text.endswith(b":0")], said
    assert any(text == b"CLUSTERDOWN Hash slot not served" for text in said), said
    # What the stranger is told from now on is no business of the replica.
    demand(primaries[0], "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    wait_state(primaries[:1], "ok")
    demand(primaries[0], "FLUSHALL")
    assert replica.ask("GET", "{06S}new").text == b"1"


def test_a_redis_primary_that_lost_its_disk_is_replaced_with_its_data(nodes: Nodes) -> None:
    primaries, replica = shard(nodes, "no", REDIS)
    primaries[0].kill()
    for path in primaries[0].home.glob("*.conf"):
        path.unlink()
    primaries[0].start()
    takes_over(replica, primaries[1:])
    assert replica.ask("GET", KEY).text == b"kept"
