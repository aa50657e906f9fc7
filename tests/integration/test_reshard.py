"""redis-cli and valkey-cli --cluster move slots of our cluster while a client writes into them, and do the rest.

What the client was told is written must be there at the end, the newest of it, and once.
"""

from typing import Final

import pytest
from redis.cluster import RedisCluster
from redis.crc import key_slot

from tests.integration.clusters import (
    CLUSTER,
    at_peace,
    demand,
    form,
    my_id,
    myself,
    start_together,
    view,
    wait_peace,
    wait_until,
)
from tests.integration.nodes import GOSSAMER, REDIS, Node, Nodes, Program
from tests.integration.test_clients import AGREED, CLIENTS, COVERED, Find, run
from tests.integration.writers import Python

pytestmark = pytest.mark.once

SLOTS: Final = 200
NAMES: Final = 300
"""Keys written to; they lie in the slots that move."""


def place(node: Node) -> str:
    return f"127.0.0.1:{node.port}"


def cluster_of(nodes: Nodes, count: int) -> list[Node]:
    made = [nodes.make(*CLUSTER) for _ in range(count)]
    start_together(made)
    form(made)
    return made


def check(cli: str, node: Node) -> str:
    told = run(cli, "--cluster", "check", place(node))
    assert COVERED in told
    assert AGREED in told
    assert "WARNING" not in told
    return told


def keys_in(low: int, high: int, count: int) -> list[str]:
    """Names whose slots are from ``low`` to ``high``."""
    names: list[str] = []
    number = 0
    while len(names) < count:
        name = f"key:{number}"
        if low <= key_slot(name.encode()) <= high:
            names.append(name)
        number += 1
    return names


@CLIENTS
def test_a_reshard_under_writes_loses_nothing(nodes: Nodes, find: Find) -> None:
    made = cluster_of(nodes, 3)
    writers = [Python(node.port, keys_in(0, SLOTS - 1, NAMES)[half::2]) for half, node in enumerate(made[:2])]
    with writers[0].at_work(), writers[1].at_work():
        for writer in writers:
            writer.wait_more()
        run(
            *(find(), "--cluster", "reshard", place(made[0]), "--cluster-from", my_id(made[0])),
            *("--cluster-to", my_id(made[1]), "--cluster-slots", SLOTS, "--cluster-yes"),
        )
        for writer in writers:
            writer.wait_more()
    wait_until(lambda: at_peace(made) and myself(made[1]).slots[0] == f"0-{SLOTS - 1}", "the slots have moved")
    for writer in writers:
        writer.verify(made[1])
    assert sum(node.ask("DBSIZE").number for node in made) == NAMES, "no key is at two nodes"
    check(find(), made[2])


@CLIENTS
def test_a_cluster_grows_balances_shrinks_and_is_fixed(nodes: Nodes, find: Find) -> None:
    cli = find()
    made = cluster_of(nodes, 3)
    names = keys_in(0, 16383, 1000)
    with RedisCluster(host="127.0.0.1", port=made[0].port) as client:
        for name in names:
            client.set(name, name)

    fourth = nodes.start(*CLUSTER)
    run(cli, "--cluster", "add-node", place(fourth), place(made[0]))
    everyone = [*made, fourth]
    wait_peace(everyone)
    light = f"{my_id(fourth)}=0.03"
    run(cli, "--cluster", "rebalance", place(made[0]), "--cluster-use-empty-masters", "--cluster-weight", light)
    wait_peace(everyone)
    check(cli, fourth)
    assert fourth.ask("DBSIZE").number > 0

    run(cli, "--cluster", "rebalance", place(made[0]), "--cluster-weight", f"{my_id(fourth)}=0")
    # who gives away the last slot follows who took it, as in Redis
    wait_until(lambda: all("slave" in view(node)[my_id(fourth)].flags for node in everyone), "the fourth is a replica")
    run(cli, "--cluster", "del-node", place(made[0]), my_id(fourth))
    wait_peace(made)
    check(cli, made[0])

    made[0].ask("CLUSTER", "SETSLOT", 0, "MIGRATING", my_id(made[1]))
    made[1].ask("CLUSTER", "SETSLOT", 0, "IMPORTING", my_id(made[0]))
    run(cli, "--cluster", "fix", place(made[0]))
    wait_peace(made)
    check(cli, made[0])
    with RedisCluster(host="127.0.0.1", port=made[0].port) as client:
        assert [client.get(name) for name in names] == [name.encode() for name in names]


@CLIENTS
def test_fix_brings_a_slot_together_that_was_left_half_way(nodes: Nodes, find: Find) -> None:
    source, target = made = cluster_of(nodes, 2)
    names = [f"{{{keys_in(7, 7, 1)[0]}}}{number}" for number in range(20)]
    for name in names:
        demand(source, "SET", name, name)
    demand(target, "CLUSTER", "SETSLOT", 7, "IMPORTING", my_id(source))
    demand(source, "CLUSTER", "SETSLOT", 7, "MIGRATING", my_id(target))
    demand(source, "MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *names[:10])
    assert [node.ask("CLUSTER", "COUNTKEYSINSLOT", 7).number for node in made] == [10, 10]
    run(find(), "--cluster", "fix", place(source))
    wait_peace(made)
    check(find(), source)
    assert sorted(node.ask("CLUSTER", "COUNTKEYSINSLOT", 7).number for node in made) == [0, 20]


@CLIENTS
@pytest.mark.parametrize("program", [GOSSAMER, REDIS], ids=lambda program: program.name)
def test_import_takes_the_keys_of_a_single_server(nodes: Nodes, program: Program, find: Find) -> None:
    made = cluster_of(nodes, 2)
    single = nodes.start(program=program)
    for number in range(100):
        demand(single, "SET", f"key:{number}", number)
    run(find(), "--cluster", "import", place(made[0]), "--cluster-from", place(single))
    assert single.ask("DBSIZE").number == 0
    assert sum(node.ask("DBSIZE").number for node in made) == 100
