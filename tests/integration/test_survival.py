"""Clients that count keys up go on counting when the primary hands over, and when it is killed."""

import pytest

from tests.integration.clusters import my_id, wait_state, wait_until
from tests.integration.handing_over import hand_over
from tests.integration.nodes import GOSSAMER, Nodes
from tests.integration.test_election import shard, wait_primary
from tests.integration.writers import NodeJs, Python, Shell, Writer

pytestmark = pytest.mark.once

ENOUGH = 20
"""Counts after an event that show that the client goes on."""


def test_clients_go_on_through_a_hand_over_and_a_kill(nodes: Nodes) -> None:
    primaries, replica = shard(nodes, (GOSSAMER, GOSSAMER))
    primary, others = primaries[0], primaries[1:]
    everyone = [*primaries, replica]
    python = Python(others[0].port, ["{06S}py"])
    node_js = NodeJs([node.port for node in everyone], ["{06S}js"])
    shell = Shell(others[1].port, ["{06S}shell"])  # stays with the node it was sent to last, also when that is dead
    lasting: list[Writer] = [python, node_js]
    with python.at_work(), node_js.at_work():
        with shell.at_work():
            for writer in [*lasting, shell]:
                writer.wait_more(ENOUGH)
            hand_over(replica, everyone)
            for writer in [*lasting, shell]:
                writer.wait_more(ENOUGH)
                writer.verify_nothing_lost(replica)
        wait_primary(everyone, primary, my_id(replica))
        wait_until(lambda: b"master_link_status:up" in primary.ask("INFO", "replication").text, "it is in sync")
        replica.kill()
        wait_primary([primary, *others], primary, "-")
        wait_state([primary, *others], "ok")
        for writer in lasting:
            writer.wait_more(ENOUGH)
