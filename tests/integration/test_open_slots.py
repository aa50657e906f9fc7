"""A slot on its way to another node: whoever takes over from the source knows of it, ours and Valkey in either role."""

import pytest

from tests.integration.clusters import demand, my_id, wait_until
from tests.integration.nodes import GOSSAMER, VALKEY, Node, Nodes, Program
from tests.integration.test_election import shard, wait_primary

PAIRS = [(GOSSAMER, GOSSAMER), (GOSSAMER, VALKEY), (VALKEY, GOSSAMER)]


def open_slots(node: Node) -> str:
    """What a node tells of its own open slots."""
    lines = node.ask("CLUSTER", "NODES").text.decode().splitlines()
    return next(line for line in lines if "myself" in line).partition("[")[2].rstrip("]")


@pytest.mark.once
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0].name}-{pair[1].name}")
def test_the_slot_stays_open_when_its_source_is_replaced(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    primaries, replica = shard(nodes, pair)
    source, target = primaries[:2]
    demand(target, "CLUSTER", "SETSLOT", "0", "IMPORTING", my_id(source))
    demand(source, "CLUSTER", "SETSLOT", "0", "MIGRATING", my_id(target))
    assert open_slots(source) == f"0->-{my_id(target)}"
    assert source.ask("WAIT", "1", "5000").number == 1
    source.kill()
    wait_primary([*primaries[1:], replica], replica, "-")
    wait_until(lambda: open_slots(replica) == f"0->-{my_id(target)}", "the slot is open at the successor")
    wait_until(lambda: open_slots(target) == f"0-<-{my_id(replica)}", "the target knows the successor")
