"""redis-cli --cluster and valkey-cli --cluster find in a cluster of ours what they expect; each ``check`` is clean.

What moves slots under load, and mends them, is in ``test_reshard.py``.
"""

import re
import shutil
from pathlib import Path

import pytest

from tests.integration.clusters import CLUSTER, demand, my_id, myself, start_together, view, wait_peace, wait_until
from tests.integration.nodes import REDIS, Node, Nodes
from tests.integration.test_clients import CLIENTS, Find, redis_cli, run
from tests.integration.test_reshard import check, keys_in, place

pytestmark = pytest.mark.once
REPLICAS = ("--cluster-replicas", 1)


def replicas_known(nodes: list[Node], count: int) -> bool:
    """Who follows whom is gossip, for which neither tool waits; so is what a replica knows of slots that moved."""
    told = [{line.id: (line.primary, line.slots) for line in view(node).values()} for node in nodes]
    return all(own == told[0] for own in told) and sum(primary != "-" for primary, _ in told[0].values()) == count


@CLIENTS
def test_a_cluster_with_replicas_is_made_looked_at_and_changed(nodes: Nodes, find: Find) -> None:
    cli = find()
    made = [nodes.make(*CLUSTER) for _ in range(7)]
    start_together(made)
    *made, late = made
    run(cli, "--cluster", "create", *map(place, made), *REPLICAS, "--cluster-yes")
    wait_until(lambda: replicas_known(made, 3), "all know the replicas")
    assert len(re.findall("1 additional replica", check(cli, made[4]))) == 3
    first = place(made[0])

    names = keys_in(0, 4, 20)
    for name in names:
        demand(made[0], "SET", name, name)
    target = my_id(made[1])
    run(
        *(cli, "--cluster", "reshard", first, "--cluster-from", my_id(made[0]), "--cluster-to", target),
        *("--cluster-slots", 3, "--cluster-yes"),
    )
    wait_until(lambda: myself(made[1]).slots[0] == "0-2" and replicas_known(made, 3), "three slots have moved")
    told = run(cli, "--cluster", "info", first)
    assert f"{len(names)} keys in 3" in told

    run(cli, "--cluster", "add-node", place(late), first, "--cluster-slave", "--cluster-master-id", target)
    everyone = [*made, late]
    wait_until(lambda: replicas_known(everyone, 4), "all know the replica")
    assert myself(late).primary == target
    assert "2 additional replica" in check(cli, late)
    told = run(cli, "--cluster", "call", first, "DBSIZE", "--cluster-only-masters")
    assert sum(map(int, re.findall(r":\d+: (?:\(integer\) )?(\d+)", told))) == len(names)
    run(cli, "--cluster", "set-timeout", first, 4321)
    assert all(node.ask("CONFIG", "GET", "cluster-node-timeout").items[1].text == b"4321" for node in everyone)
    run(cli, "--cluster", "del-node", first, my_id(late))
    wait_until(lambda: replicas_known(made, 3), "all have forgotten it")
    check(cli, made[0])


def test_a_backup_holds_every_key_and_can_be_loaded_by_redis(nodes: Nodes, tmp_path: Path) -> None:
    cli = redis_cli()
    made = [nodes.make(*CLUSTER) for _ in range(3)]
    start_together(made)
    run(cli, "--cluster", "create", *map(place, made), "--cluster-yes")
    wait_peace(made)
    names = keys_in(0, 16383, 60)
    for name in names:
        assert any(node.ask("SET", name, name).kind == "status" for node in made)
    run(cli, "--cluster", "backup", place(made[0]), tmp_path)
    files = sorted(tmp_path.glob("*.rdb"))
    assert len(files) == 3
    loaded: set[bytes] = set()
    for file in files:
        node = nodes.make(program=REDIS)
        shutil.copy(file, node.home / "dump.rdb")
        node.start()
        loaded |= {key.text for key in node.ask("KEYS", "*").items}
        assert node.stop() == 0
    assert loaded == {name.encode() for name in names}


def test_a_dump_of_one_node_comes_with_its_keys_and_functions_alone_without(nodes: Nodes, tmp_path: Path) -> None:
    node = nodes.start()
    demand(node, "SET", "a-key-to-look-for", "x")
    whole, functions = tmp_path / "whole.rdb", tmp_path / "functions.rdb"
    run(redis_cli(), "-p", node.port, "--rdb", whole)
    run(redis_cli(), "-p", node.port, "--functions-rdb", functions)
    assert b"a-key-to-look-for" in whole.read_bytes()
    assert functions.read_bytes().startswith(b"REDIS")
    assert b"a-key-to-look-for" not in functions.read_bytes()
