"""A killed primary is replaced in a moment although the node timeout is long; a frozen one is not."""

import os
import signal
import time
from typing import Final

import pytest

from tests.integration.clusters import (
    CLUSTER,
    OK,
    demand,
    form,
    my_id,
    start_together,
    view,
    wait_peace,
    wait_state,
    wait_until,
)
from tests.integration.nodes import Node, Nodes

pytestmark = pytest.mark.once  # nothing of it is compiled

TIMEOUT_MS: Final = 15000
SOON_S: Final = 5.0
"""Far below the node timeout, far above what it takes on a quiet machine."""

KEY: Final = "06S"
"""In slot 0."""


def shard(nodes: Nodes) -> tuple[list[Node], Node]:
    """Three primaries and a replica of the first, in sync."""
    options = (*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS), "--repl-diskless-sync-delay", "0")
    made = [nodes.make(*options) for _ in range(4)]
    start_together(made)
    primaries, replica = made[:3], made[3]
    form(primaries)
    demand(replica, "CLUSTER", "MEET", "127.0.0.1", primaries[1].port)
    wait_until(lambda: all(len(view(node)) == 4 for node in made), "all know the fourth")
    demand(replica, "CLUSTER", "REPLICATE", my_id(primaries[0]))
    wait_until(lambda: b"master_link_status:up" in replica.ask("INFO", "replication").text, "the replica is in sync")
    told, primary = my_id(replica), my_id(primaries[0])
    wait_until(lambda: all(view(node)[told].primary == primary for node in made), "all know whose replica it is")
    wait_state(made, "ok")
    return primaries, replica


def test_a_killed_primary_is_replaced_in_a_moment(nodes: Nodes) -> None:
    primaries, replica = shard(nodes)
    assert primaries[0].ask("SET", KEY, "kept") == OK
    wait_until(lambda: b"slave0" in primaries[0].ask("INFO", "replication").text, "the primary counts its replica")
    assert primaries[0].ask("WAIT", "1", "5000").number == 1
    started = time.monotonic()
    primaries[0].kill()
    wait_until(lambda: replica.ask("SET", "{06S}new", "1") == OK, "a write on the replica", SOON_S)
    print(f"SIGKILL to a write on the replica, node timeout {TIMEOUT_MS} ms: {time.monotonic() - started:.3f} s")
    assert replica.ask("GET", KEY).text == b"kept"
    primaries[0].start()
    told = my_id(replica)
    living = [*primaries, replica]
    wait_until(lambda: all(view(node)[my_id(primaries[0])].primary == told for node in living), "it is a replica now")


def test_a_frozen_primary_has_the_node_timeout(nodes: Nodes) -> None:
    primaries, replica = shard(nodes)
    frozen = primaries[0]
    name, others = my_id(frozen), [*primaries[1:], replica]
    os.kill(frozen.pid, signal.SIGSTOP)
    until = time.monotonic() + 2.0
    try:
        while time.monotonic() < until:
            assert not any(view(node)[name].flags & {"fail", "fail?"} for node in others)
            time.sleep(0.05)
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    assert frozen.ask("SET", KEY, "still here") == OK


def test_a_primary_without_a_replica_may_take_its_time(nodes: Nodes) -> None:
    made = [nodes.make(*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS)) for _ in range(3)]
    start_together(made)
    form(made)
    name = my_id(made[0])
    made[0].kill()
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        assert not any(view(node)[name].flags & {"fail", "fail?"} for node in made[1:])
        time.sleep(0.05)
    made[0].start()
    wait_peace(made)
