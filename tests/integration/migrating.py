"""Atomic migrations as a test sees them: the jobs of a node, and how one ends."""

from typing import Final

from tests.compat.replies import Answer
from tests.integration.clusters import demand, my_id, wait_until
from tests.integration.nodes import Node

ENDS: Final = ("success", "failed", "cancelled")
END_S: Final = 30.0

Job = dict[str, str | int]


def told(answer: Answer) -> Job:
    words = answer.items
    pairs = zip(words[::2], words[1::2], strict=True)
    return {
        name.text.decode(): value.number if value.kind == "integer" else value.text.decode() for name, value in pairs
    }


def jobs(node: Node) -> list[Job]:
    """The newest first."""
    return [told(item) for item in node.ask("CLUSTER", "GETSLOTMIGRATIONS").items]


def state(node: Node) -> str:
    """Of the newest job; empty without any."""
    found = jobs(node)
    return str(found[0]["state"]) if found else ""


def migrate(source: Node, target: Node, *slots: int) -> None:
    demand(source, "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *slots, "NODE", my_id(target))


def wait_state(node: Node, *states: str, within_s: float = END_S) -> Job:
    """Until the newest job of ``node`` is in one of ``states``."""
    wait_until(lambda: state(node) in states, f"a migration of {node} comes to {states}", within_s)
    return jobs(node)[0]


def wait_end(node: Node) -> Job:
    return wait_state(node, *ENDS)


def key_count(node: Node) -> int:
    return node.ask("DBSIZE").number
