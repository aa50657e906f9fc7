"""ioredis works with a cluster of ours while slots move both ways: transactions, pipelines, reads from replicas."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.nodes import Node, Nodes
from tests.integration.test_clients import node_js, node_modules
from tests.integration.test_goredis import WAYS, reads_while, writes_while

pytestmark = pytest.mark.once


def ioredis() -> list[str]:
    script = Path(__file__).with_name("ioredis-moving.js")
    return ["env", f"NODE_PATH={node_modules()}", node_js(), str(script)]


@WAYS
def test_transactions_and_pipelines_go_on_while_slots_move(nodes: Nodes, move: Callable[[Node, Node], None]) -> None:
    writes_while(nodes, ioredis(), move)


@WAYS
def test_reads_from_replicas_find_every_key_while_slots_move(nodes: Nodes, move: Callable[[Node, Node], None]) -> None:
    reads_while(nodes, ioredis(), move)
