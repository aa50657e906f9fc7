"""A slot on its way to another node: whoever takes over from the source knows of it, ours and Valkey in either role."""

import pytest

from tests.integration.clusters import CLUSTER, demand, form, my_id, start_together, wait_state, wait_until
from tests.integration.nodes import GOSSAMER, VALKEY, Node, Nodes, Program
from tests.integration.test_election import shard, wait_primary

APPENDED = ("--appendonly", "yes", "--appendfsync", "always")
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


@pytest.mark.parametrize("options", [APPENDED, ()], ids=["aof", "rdb"])
def test_keys_that_have_come_into_an_open_slot_are_there_after_a_restart(
    nodes: Nodes, options: tuple[str, ...]
) -> None:
    """The source has deleted them, though it owns the slot: the file of the target is all there is."""
    target, source = made = [nodes.make(*CLUSTER, *options) for _ in range(2)]
    start_together(made)
    form(made)
    slot = source.ask("CLUSTER", "KEYSLOT", "{a}1").number
    demand(source, "MSET", "{a}1", "one", "{a}2", "two")
    demand(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", my_id(source))
    demand(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", my_id(target))
    demand(source, "MIGRATE", *target.address, "{a}1", "0", "5000")
    if not options:
        demand(target, "SAVE")
    target.kill()
    target.start()
    assert [node.ask("DBSIZE").number for node in made] == [1, 1]
    wait_state(made, "ok")
    demand(source, "MIGRATE", *target.address, "{a}2", "0", "5000")
    for node in made:
        demand(node, "CLUSTER", "SETSLOT", slot, "NODE", my_id(target))
    assert [item.text for item in target.ask("MGET", "{a}1", "{a}2").items] == [b"one", b"two"]
