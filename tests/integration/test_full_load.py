"""Slots move under clients that write into them as fast as they can: none of them notices, and nothing is lost.

Neither way is a client given an error, nor told to try again, by Redis 7.0.15 or by us: ASK and MOVED, which redis-py,
ioredis and redis-cli -c follow by themselves, are all that a command on one key meets. So any error is a fault here.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

import pytest

from gossamer.deploy.cli import main
from tests.integration.clusters import my_id, wait_peace, wait_until
from tests.integration.migrating import jobs, key_count, migrate, wait_end
from tests.integration.nodes import Node, Nodes
from tests.integration.test_clients import redis_cli, run
from tests.integration.test_reshard import check, cluster_of, keys_in, place
from tests.integration.writers import NodeJs, PipeliningPython, Python, Shell, Writer

pytestmark = pytest.mark.once

SLOTS: Final = 60
NAMES: Final = 160
"""Keys written to; they lie in the slots that move."""


@contextmanager
def every_client_at_work(made: Sequence[Node]) -> Iterator[list[Writer]]:
    """Each with keys of its own, and each key is there when this begins."""
    names = keys_in(0, SLOTS - 1, NAMES)
    first, second, third = (node.port for node in made)
    writers = [
        Python(first, names[::4]),
        PipeliningPython(second, names[1::4]),
        NodeJs([third, first], names[2::4]),
        Shell(second, names[3::4]),
    ]
    with ExitStack() as stack:
        for writer in writers:
            stack.enter_context(writer.at_work())
        wait_more(writers)
        yield writers


def wait_more(writers: Sequence[Writer]) -> None:
    for writer in writers:
        writer.wait_more()


def verify(made: Sequence[Node], writers: Sequence[Writer], owner: Node) -> None:
    """Every key is as its writer knows it, at ``owner`` and nowhere else."""
    wait_peace(made)
    for writer in writers:
        writer.verify(owner)
    wait_until(lambda: sum(map(key_count, made)) == NAMES, "no key is at two nodes")


def test_redis_cli_moves_slots_key_by_key(nodes: Nodes) -> None:
    made = cluster_of(nodes, 3)
    with every_client_at_work(made) as writers:
        run(
            *(redis_cli(), "--cluster", "reshard", place(made[0]), "--cluster-from", my_id(made[0])),
            *("--cluster-to", my_id(made[1]), "--cluster-slots", SLOTS, "--cluster-yes"),
        )
        wait_more(writers)
    verify(made, writers, made[1])
    check(redis_cli(), made[2])


def test_nodes_move_slots_at_one_stroke(nodes: Nodes) -> None:
    """Round and round, as one such journey is over before the clients have done much."""
    first, second, third = made = cluster_of(nodes, 3)
    with every_client_at_work(made) as writers:
        for source, target in [(first, second), (second, third), (third, first), (first, second)]:
            migrate(source, target, 0, SLOTS - 1)
            assert wait_end(source)["state"] == "success"
            wait_more(writers)
        wait_peace(made)
        assert main(["cluster", "rebalance", place(third), "--yes"]) == 0
        assert jobs(second)[0]["slot_ranges"] == f"0-{SLOTS - 1}", "they have gone home"
        wait_more(writers)
    verify(made, writers, first)
