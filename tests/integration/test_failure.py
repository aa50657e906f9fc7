"""What the cluster says and serves while nodes of it are dead, frozen or in a minority; and that it heals by itself."""

import os
import signal
import time
from collections.abc import Sequence
from typing import Final

import pytest

from gossamer.cluster.plan import shares
from gossamer.cluster.slots import key_slot
from tests.compat.replies import Answer
from tests.integration.clusters import (
    CLUSTER,
    OK,
    form,
    info,
    my_id,
    myself,
    start_together,
    view,
    wait_failed,
    wait_peace,
    wait_state,
    wait_until,
)
from tests.integration.nodes import Node, Nodes

pytestmark = pytest.mark.once  # nothing of it is compiled

TIMEOUT_MS: Final = 1500
SEEN_S: Final = 1.5 * TIMEOUT_MS / 1000
"""How long all others may need to say ``fail`` for a node that is gone."""

DOWN: Final = Answer("error", b"CLUSTERDOWN The cluster is down")


def six(nodes: Nodes, *options: str) -> list[Node]:
    made = [nodes.make(*CLUSTER, "--cluster-node-timeout", str(TIMEOUT_MS), *options) for _ in range(6)]
    start_together(made)
    form(made)
    return made


def key_of(nodes: Sequence[Node], node: Node) -> str:
    """A key whose slot ``form`` gave to ``node``."""
    low, high = shares(len(nodes))[nodes.index(node)]
    return next(key for key in map(str, range(100_000)) if low <= key_slot(key.encode()) <= high)


def test_all_others_say_fail_for_a_killed_node_in_time_and_it_comes_back_without_a_command(nodes: Nodes) -> None:
    made = six(nodes)
    for victim in made[2:5]:  # a node held up by a busy machine takes the gap out of all its times: then another one
        others = [node for node in made if node is not victim]
        before = myself(victim)
        started = time.monotonic()
        victim.kill()
        wait_failed(others, before.id)
        taken = time.monotonic() - started
        if taken <= SEEN_S:
            break
        victim.start()
        wait_peace(made)
    assert taken <= SEEN_S, f"all others said fail only after {taken:.2f} s"

    wait_state(others, "fail")
    for key in (key_of(made, victim), key_of(made, made[0])):  # full coverage is asked for: also slots of the living
        assert [node.ask("GET", key) for node in others] == [DOWN] * 5

    victim.start()
    wait_peace(made)
    assert myself(victim) == before
    key = key_of(made, victim)
    assert victim.ask("SET", key, "back") == OK
    moved = b"MOVED %d 127.0.0.1:%d" % (key_slot(key.encode()), victim.port)
    assert others[0].ask("GET", key) == Answer("error", moved)


def test_without_full_coverage_the_others_go_on_serving_their_slots(nodes: Nodes) -> None:
    made = six(nodes, "--cluster-require-full-coverage", "no")
    victim, others = made[5], made[:5]
    gone = my_id(victim)
    victim.kill()
    wait_failed(others, gone)
    for node in others:
        assert info(node)["cluster_state"] == "ok"
        assert node.ask("SET", key_of(made, node), "served") == OK
    key = key_of(made, victim)
    moved = b"MOVED %d 127.0.0.1:%d" % (key_slot(key.encode()), victim.port)
    assert others[0].ask("GET", key) == Answer("error", moved)
    victim.start()
    wait_peace(made)


def test_a_frozen_node_is_failed_and_forgiven_when_it_moves_again(nodes: Nodes) -> None:
    made = six(nodes)
    for victim in made[:3]:  # another one, as above
        others = [node for node in made if node is not victim]
        before = myself(victim)
        started = time.monotonic()
        os.kill(victim.pid, signal.SIGSTOP)
        wait_failed(others, before.id)
        # Its links do not break: up to half a timeout goes by before the first ping that it does not answer.
        taken = time.monotonic() - started
        if taken <= SEEN_S + 1:
            break
        os.kill(victim.pid, signal.SIGCONT)
        wait_peace(made)
    assert taken <= SEEN_S + 1, f"all others said fail only after {taken:.2f} s"
    wait_state(others, "fail")
    os.kill(victim.pid, signal.SIGCONT)
    wait_peace(made)
    assert myself(victim) == before


def test_a_minority_says_that_the_cluster_is_down_but_convicts_nobody(nodes: Nodes) -> None:
    made = six(nodes)
    dead, alive = made[:3], made[3:]
    gone = [my_id(node) for node in dead]
    for node in dead:
        node.kill()
    wait_state(alive, "fail")
    wait_until(
        lambda: all("fail?" in view(node)[failed].flags for node in alive for failed in gone),
        "the three suspect the other three",
    )
    for node in alive:
        assert node.ask("SET", key_of(made, node), "value") == DOWN
        assert not any(line.failed for line in view(node).values())
    start_together(dead)
    wait_peace(made)
    assert [my_id(node) for node in dead] == gone
