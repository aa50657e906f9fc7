"""A slot that is moved key by key, in the old way: a side is killed between any two steps, replaced, and comes back.

Then ``redis-cli --cluster fix`` brings together what belongs together. A node that starts again has no keys, so each
side has a replica.
"""

from collections.abc import Callable, Sequence
from typing import Final

import pytest

from tests.integration.clusters import demand, my_id, view, wait_state, wait_until
from tests.integration.nodes import GOSSAMER, Node, Nodes
from tests.integration.test_atomic_migration import cluster_of, holds, other_primary, owner_of, replica_of
from tests.integration.test_clients import redis_cli, run
from tests.integration.test_replication import facts
from tests.integration.test_reshard import keys_in, place

KEYS: Final = 20
STEPS: Final = 6

Step = Callable[[], None]


def journey(slot: int, names: Sequence[str], source: Node, target: Node) -> list[Step]:
    def carry(part: Sequence[str]) -> None:
        demand(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *part)

    return [
        lambda: demand(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", my_id(source)),
        lambda: demand(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", my_id(target)),
        lambda: carry(names[: KEYS // 2]),
        lambda: carry(names[KEYS // 2 :]),
        lambda: demand(target, "CLUSTER", "SETSLOT", slot, "NODE", my_id(target)),
        lambda: demand(source, "CLUSTER", "SETSLOT", slot, "NODE", my_id(target)),
    ]


@pytest.mark.once
@pytest.mark.parametrize("victim", ["source", "target"])
def test_a_side_dies_between_any_two_steps_and_no_key_is_lost_or_doubled(nodes: Nodes, victim: str) -> None:
    everyone = cluster_of(nodes, GOSSAMER, GOSSAMER, GOSSAMER)
    third = everyone[2]
    for primary in everyone[:2]:
        replica_of(nodes, primary, everyone)
    for done in range(1, STEPS):
        slot = 10 + done
        tag = keys_in(slot, slot, 1)[0]
        names = [f"{{{tag}}}{number}" for number in range(KEYS)]
        source = owner_of(slot, everyone)
        target = other_primary(source, everyone, third)
        for name in names:
            demand(source, "SET", name, name)
        for step in journey(slot, names, source, target)[:done]:
            step()
        for node in (source, target):
            assert node.ask("WAIT", 1, 5000).number == 1
        dead = source if victim == "source" else target
        lost = my_id(dead)
        dead.kill()
        # not as the target sees it: a slot that it imports is left alone by claims, as in Redis
        wait_until(lambda lost=lost: without(lost, third), "replaced", 60)  # type: ignore[misc]
        dead.start()
        wait_until(lambda dead=dead: facts(dead).get("master_link_status") == "up", "it is back", 60)  # type: ignore[misc]
        wait_state(everyone, "ok")
        run(redis_cli(), "--cluster", "fix", place(third))
        owner = owner_of(slot, everyone)
        assert [owner.ask("GET", name).text.decode() for name in names] == names, f"after {done} steps"
        for node in everyone:
            mine = my_id(node) == my_id(owner) or facts(node).get("master_port") == str(owner.port)
            expected = KEYS if mine else 0
            wait_until(
                lambda node=node, slot=slot, expected=expected: count_in(node, slot) == expected,  # type: ignore[misc]
                f"{node} has {expected} keys of the slot after {done} steps",
            )
        assert "in transition" not in run(redis_cli(), "--cluster", "check", place(third))


def without(lost: str, node: Node) -> bool:
    """Does ``node`` say that ``lost`` owns nothing, and that all slots have an owner?"""
    lines = view(node)
    return not lines[lost].slots and all(any(holds(line, s) for line in lines.values()) for s in (0, 6000, 12000))


def count_in(node: Node, slot: int) -> int:
    return node.ask("CLUSTER", "COUNTKEYSINSLOT", slot).number
