"""What made a connection pointless ends it, though its address drops all packets: nobody waits for a timeout."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

import pytest

from gossamer.deploy.blocking_client import fields
from tests.compat.pair import encode
from tests.integration.blackhole import black_hole
from tests.integration.clusters import (
    CLUSTER,
    ask,
    demand,
    form,
    info,
    my_id,
    start_together,
    wait_peace,
    wait_state,
    wait_until,
)
from tests.integration.migrating import migrate, state
from tests.integration.mute import STAGES, mute_primary
from tests.integration.nodes import Node, Nodes
from tests.integration.test_addresses import attach, in_sync, move

pytestmark = pytest.mark.once

FAST: Final = ("--repl-diskless-sync-delay", "0")
SOON_S: Final = 6.0
"""Of the ten seconds and the minute that the timeouts here are."""


def dialling(address: tuple[str, int]) -> bool:
    """Does anybody wait to be let in at ``address``?"""
    host, port = address
    packed = "".join(f"{int(part):02X}" for part in reversed(host.split(".")))
    with open("/proc/net/tcp") as table:
        return any(line.split()[2:4] == [f"{packed}:{port:04X}", "02"] for line in table)


def wait_dialling(address: tuple[str, int]) -> None:
    wait_until(lambda: dialling(address), "it waits to be let in")


def wait_up(node: Node, within_s: float) -> float:
    return wait_until(
        lambda: "master_link_status:up" in ask(node, "INFO", "replication"), "the replica is in sync", within_s
    )


def test_a_replica_leaves_a_primary_that_drops_packets_at_once(nodes: Nodes) -> None:
    primary, replica = nodes.start(*FAST), nodes.start(*FAST)
    with black_hole() as (host, port):
        demand(replica, "REPLICAOF", host, str(port))
        wait_dialling((host, port))
        demand(replica, "REPLICAOF", *map(str, primary.address))
        wait_up(replica, SOON_S)
        wait_until(lambda: not dialling((host, port)), "nobody waits any more", SOON_S)


def test_replicaof_no_one_ends_the_dial(nodes: Nodes) -> None:
    replica = nodes.start()
    with black_hole() as (host, port):
        demand(replica, "REPLICAOF", host, str(port))
        wait_dialling((host, port))
        demand(replica, "REPLICAOF", "NO", "ONE")
        wait_until(lambda: not dialling((host, port)), "it waits no more", SOON_S)


@pytest.mark.parametrize("stage", STAGES)
def test_a_replica_leaves_a_primary_that_has_fallen_silent_at_once(nodes: Nodes, stage: str) -> None:
    """The timeout of each step is a minute."""
    primary, replica = nodes.start(*FAST), nodes.start(*FAST)
    demand(primary, "SET", "k", "v")
    with mute_primary(stage) as mute:
        demand(replica, "REPLICAOF", *map(str, mute.address))
        assert mute.silent.wait(20), "it has not come so far"
        demand(replica, "REPLICAOF", *map(str, primary.address))
        wait_up(replica, SOON_S)
        assert mute.left.wait(SOON_S), "the old connection is still there"
    assert ask(replica, "GET", "k") == "v"


@pytest.mark.parametrize("stage", STAGES)
def test_replicaof_no_one_leaves_it_at_once_with_the_data_that_was_there(nodes: Nodes, stage: str) -> None:
    replica = nodes.start()
    demand(replica, "SET", "k", "v")
    with mute_primary(stage) as mute:
        demand(replica, "REPLICAOF", *map(str, mute.address))
        assert mute.silent.wait(20), "it has not come so far"
        demand(replica, "REPLICAOF", "NO", "ONE")
        assert mute.left.wait(SOON_S), "the old connection is still there"
    demand(replica, "SET", "new", "v")
    assert ask(replica, "GET", "k") == "v"


@pytest.mark.parametrize("name", ["redis-0..svc", "x" * 64, "a b", b"\xff\xfe"], ids=ascii)
def test_a_primary_that_has_no_possible_name_is_one_that_is_not_there(nodes: Nodes, name: str | bytes) -> None:
    """It is logged and tried again, and the next command is obeyed at once."""
    primary, replica = nodes.start(*FAST), nodes.start(*FAST)
    answer = replica.ask("REPLICAOF", name, "6379")
    if answer.kind == "error":
        pytest.skip("such a name is refused where it comes in")
    wait_until(lambda: replica.log().count("Unable to connect to primary") >= 2, "it was tried again")
    demand(replica, "REPLICAOF", *map(str, primary.address))
    wait_up(replica, SOON_S)
    assert fields(ask(replica, "INFO", "stats"))["unexpected_errors"] == "0"


def test_a_migrate_ends_with_its_client_while_nothing_was_sent(nodes: Nodes) -> None:
    """Its keys can be written again at once."""
    node = nodes.start()
    demand(node, "SET", "k", "v")
    with black_hole() as (host, port), node.connect(SOON_S) as writer:
        with node.connect() as sock:
            sock.sendall(encode(("MIGRATE", host, str(port), "k", "0", "60000")))
            wait_dialling((host, port))
            writer.sendall(encode(("APPEND", "k", "w")))
        assert writer.recv(100) == b":2\r\n"
        wait_until(lambda: not dialling((host, port)), "nobody waits any more", SOON_S)


def test_a_migrate_ends_when_client_kill_ends_its_client(nodes: Nodes) -> None:
    node = nodes.start()
    demand(node, "SET", "k", "v")
    with black_hole() as (host, port), node.connect(SOON_S) as sock:
        sock.sendall(encode(("CLIENT", "ID")))
        name = sock.recv(100)[1:-2]
        sock.sendall(encode(("MIGRATE", host, str(port), "k", "0", "60000")))
        wait_dialling((host, port))
        assert node.ask("CLIENT", "KILL", "ID", name).number == 1
        assert sock.recv(100) == b""
        wait_until(lambda: not dialling((host, port)), "it waits no more", SOON_S)
        assert node.ask("APPEND", "k", "w").number == 2


def test_a_migrate_ends_when_its_node_becomes_a_replica(nodes: Nodes) -> None:
    node, primary = nodes.start(*FAST), nodes.start(*FAST)
    demand(node, "SET", "k", "v")
    with black_hole() as (host, port), node.connect(SOON_S) as sock:
        sock.sendall(encode(("MIGRATE", host, str(port), "k", "0", "60000")))
        wait_dialling((host, port))
        demand(node, "REPLICAOF", *map(str, primary.address))
        assert sock.recv(200).startswith(b"-UNBLOCKED")
        wait_until(lambda: not dialling((host, port)), "it waits no more", SOON_S)


def test_failover_abort_ends_the_dial_to_its_target(nodes: Nodes) -> None:
    """The replica hangs behind a full queue, having acknowledged everything; writes go on at once."""
    primary = nodes.start(*FAST)
    with black_hole() as (host, port):
        replica = nodes.start(*FAST, "--replica-announce-ip", host, "--replica-announce-port", str(port))
        demand(replica, "REPLICAOF", *map(str, primary.address))
        wait_up(replica, 20.0)
        wait_until(lambda: f"ip={host},port={port}" in ask(primary, "INFO", "replication"), "the replica is known")
        demand(primary, "FAILOVER", "TO", host, str(port))
        wait_dialling((host, port))
        demand(primary, "FAILOVER", "ABORT")
        wait_until(lambda: not dialling((host, port)), "it waits no more", SOON_S)
        demand(primary, "SET", "k", "v")


def test_cancelslotmigrations_ends_the_dial_to_the_target(nodes: Nodes) -> None:
    source, target = nodes.make(*CLUSTER), nodes.make(*CLUSTER)
    start_together([source, target])
    form([source, target])
    with black_hole() as (host, port):
        demand(target, "CONFIG", "SET", "cluster-announce-port", str(port))
        wait_until(lambda: f":{port}@" in ask(source, "CLUSTER", "NODES"), "the source knows where the target is")
        migrate(source, target, 0, 99)
        wait_dialling((host, port))
        demand(source, "CLUSTER", "CANCELSLOTMIGRATIONS")
        wait_until(lambda: not dialling((host, port)), "it waits no more", SOON_S)
    assert state(source) == "cancelled"


def shards(nodes: Nodes, timeout_ms: int) -> tuple[list[Node], list[tuple[Node, Node]]]:
    """Six nodes with names, each at an address of its own: all of them, and pairs of primary and replica."""
    made = []
    for number in range(1, 7):
        node = nodes.make(
            *CLUSTER, *FAST, "--cluster-node-timeout", str(timeout_ms), "--protected-mode", "no",
            "--cluster-announce-hostname", f"redis-{number}.localhost", "--bind-source-addr", "",
        )  # fmt: skip
        move(node, f"127.0.1.{number}")
        made.append(node)
    start_together(made)
    form(made[:3])
    wait_peace(made[:3])
    pairs = list(zip(made[:3], made[3:], strict=True))
    for count, (primary, replica) in enumerate(pairs):
        attach(replica, primary, made[: 3 + count])
    return made, pairs


def all_in_sync(pairs: Sequence[tuple[Node, Node]]) -> bool:
    return all(in_sync(replica, primary) or in_sync(primary, replica) for primary, replica in pairs)


def test_all_nodes_come_back_elsewhere_while_the_old_addresses_drop_packets(nodes: Nodes) -> None:
    """As pods of a set that are deleted at once. The timeout for a replica's dial is a minute."""
    made, pairs = shards(nodes, 5000)
    ids = [my_id(node) for node in made]
    with ExitStack() as held:
        for node in made:
            node.stop()
        for node in made:
            for port in (node.port, node.bus_port):
                held.enter_context(black_hole(node.host, port))
        for number, node in enumerate(made, 1):
            move(node, f"127.0.2.{number}")
        start_together(made)
        # somebody tells one of them where the others are, as a start script does
        for node in made[1:]:
            demand(made[0], "CLUSTER", "MEET", node.host, str(node.port), str(node.bus_port))
        wait_until(lambda: all(info(node)["cluster_state"] == "ok" for node in made), "the cluster is up", 25.0)
        took = wait_until(lambda: all_in_sync(pairs), "all replicas are in sync")
    assert [my_id(node) for node in made] == ids
    assert took < 20.0, "not by the timeout of a dial"


def test_a_replica_follows_the_newest_address_of_its_primary_at_once(nodes: Nodes) -> None:
    made, pairs = shards(nodes, 5000)
    primary, replica = pairs[0]
    wait_state(made, "ok")
    with black_hole(primary.host) as (host, port):
        demand(primary, "CONFIG", "SET", "cluster-announce-port", str(port))
        wait_dialling((host, port))
        demand(primary, "CONFIG", "SET", "cluster-announce-port", "0")
        wait_until(lambda: in_sync(replica, primary), "it is in sync again", SOON_S)
