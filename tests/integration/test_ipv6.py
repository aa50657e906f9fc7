"""A cluster at an IPv6 address: clients, bus, replication, both ways to move slots, and failover."""

import socket
import subprocess
from typing import Final

import pytest

from tests.integration.clusters import ask, demand, my_id, view, wait_state, wait_until
from tests.integration.migrating import migrate
from tests.integration.nodes import GOSSAMER, REDIS, VALKEY, Node, Nodes, Program
from tests.integration.test_clients import redis_cli
from tests.integration.test_election import KEY, shard, wait_primary

HOST: Final = "::1"

pytestmark = pytest.mark.once  # nothing of it is compiled


@pytest.fixture(autouse=True)
def ipv6() -> None:
    try:
        with socket.socket(socket.AF_INET6) as trial:
            trial.bind((HOST, 0))
    except OSError as error:
        pytest.skip(f"no IPv6 on this machine: {error}")


def owner_of(node: Node, slot: int) -> str:
    return next(
        line.id
        for line in view(node).values()
        for first, _, last in (word.partition("-") for word in line.slots)
        if first.isdigit() and int(first) <= slot <= int(last or first)
    )


@pytest.mark.parametrize(
    "pair", [(GOSSAMER, REDIS), (VALKEY, GOSSAMER)], ids=lambda pair: f"{pair[0].name}-{pair[1].name}"
)
def test_all_of_it_works_there(nodes: Nodes, pair: tuple[Program, Program]) -> None:
    primaries, replica = shard(nodes, pair, HOST)
    first, source, target = primaries
    everyone = [*primaries, replica]
    assert ask(target, "GET", KEY) == f"MOVED 0 {HOST}:{first.port}"
    assert all(line.address.startswith(f"{HOST}:") for line in view(source).values())
    migrate(source, target, 6000, 6009)
    wait_until(lambda: all(owner_of(node, 6000) == my_id(target) for node in everyone), "the slots have moved")
    reshard = ["--cluster-from", my_id(source), "--cluster-to", my_id(target), "--cluster-slots", "3", "--cluster-yes"]
    told = subprocess.run(
        [redis_cli(), "--cluster", "reshard", f"{HOST}:{source.port}", *reshard],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    first.kill()
    wait_primary([source, target, replica], replica, "-")
    wait_state([source, target, replica], "ok")
    assert ask(replica, "GET", KEY) == "kept"
    first.start()
    demand(replica, "SET", KEY, "new")
    wait_until(lambda: view(first)[my_id(first)].primary == my_id(replica), "the old primary follows")
