"""Several primaries die in one moment, and each is replaced: among our nodes, and with Valkey's that vote and stand.

``python -m tests.perf together`` says how soon that is.
"""

from collections.abc import Sequence
from functools import partial

import pytest

from gossamer.cluster.plan import shares
from gossamer.cluster.slots import key_slot
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
from tests.integration.nodes import GOSSAMER, VALKEY, Node, Nodes, Program

pytestmark = pytest.mark.once  # nothing of it is compiled

TIMEOUT_MS = 1500


def shards(nodes: Nodes, primaries: Sequence[Program], replicas: Sequence[Program]) -> tuple[list[Node], list[Node]]:
    """Primaries, each with the replica of the same place, in sync."""
    options = (*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS), "--repl-diskless-sync-delay", "0")
    made = [nodes.make(*options, program=program) for program in (*primaries, *replicas)]
    start_together(made)
    leading, following = made[: len(primaries)], made[len(primaries) :]
    form(leading)
    introduce(following, leading[0], made)
    for primary, replica in zip(leading, following, strict=True):
        demand(replica, "CLUSTER", "REPLICATE", my_id(primary))
    for primary, replica in zip(leading, following, strict=True):
        wait_until(partial(tells, replica, b"master_link_status:up"), f"{replica} is in sync")
        wait_until(partial(tells, primary, b"state=online"), f"{primary} knows")
    ids = {my_id(replica): my_id(primary) for primary, replica in zip(leading, following, strict=True)}
    wait_until(
        lambda: all(view(node)[replica].primary == primary for node in made for replica, primary in ids.items()),
        "all know who follows whom",
    )
    wait_state(made, "ok")
    return leading, following


def tells(node: Node, field: bytes) -> bool:
    return field in node.ask("INFO", "replication").text


def takes(node: Node, key: str) -> bool:
    return node.ask("SET", key, "again") == OK


OURS = (GOSSAMER,) * 5
MIXED = (GOSSAMER, VALKEY, GOSSAMER, VALKEY, GOSSAMER)


@pytest.mark.parametrize(
    ("primaries", "replicas"), [(OURS, OURS), (MIXED, MIXED), (MIXED, OURS)], ids=["ours", "mixed", "ours follow"]
)
def test_all_are_replaced_each_under_an_epoch_of_its_own(
    nodes: Nodes, primaries: Sequence[Program], replicas: Sequence[Program]
) -> None:
    leading, following = shards(nodes, primaries, replicas)
    dead = [0, 1]  # one of ours, and one of Valkey's where there are any
    heirs = [following[at] for at in dead]
    living = [node for at, node in enumerate(leading) if at not in dead] + following
    for at in dead:
        leading[at].kill()
    names = [my_id(heir) for heir in heirs]
    slots = [(f"{low}-{high}",) for low, high in (shares(len(leading))[at] for at in dead)]
    wait_until(
        lambda: all([view(node)[name].slots for name in names] == slots for node in living),
        "all give the slots of the dead to their replicas",
    )
    wait_state(living, "ok")
    for node in living:
        told = view(node)
        assert [told[name].primary for name in names] == ["-", "-"]
        assert len({told[name].epoch for name in names}) == len(names)
    for at, heir in zip(dead, heirs, strict=True):
        low, high = shares(len(leading))[at]
        key = next(key for key in (f"k{n}" for n in range(1000)) if low <= key_slot(key.encode()) <= high)
        wait_until(partial(takes, heir, key), f"{heir} takes writes", 5.0)
