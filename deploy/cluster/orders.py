"""The steps of a plan as CLUSTER commands, and how they are given: all that one node is told, in one go."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from gossamer.cluster.plan import Follow, Meet, Number, Step, Take, is_done
from gossamer.cluster.topology import Node, NodeId, Topology
from gossamer.deploy.blocking_client import BlockingClient, Refused
from gossamer.deploy.user_error import UserError

POLL_S: Final = 0.01
"""Between two attempts to have a node follow one that it may not know yet."""

BUS_OFFSET: Final = 10000
Command: TypeAlias = tuple[str | int, ...]


def commands(step: Step, nodes: Mapping[NodeId, Node]) -> list[Command]:
    """What ``step.node`` is told; ``nodes`` say where the others are. Moves and farewells take more than commands."""
    match step:
        case Take():
            return [("CLUSTER", "ADDSLOTSRANGE", step.first, step.last)]
        case Number():
            return [("CLUSTER", "SET-CONFIG-EPOCH", step.epoch)]
        case Meet():
            return [_meet(nodes[other]) for other in step.others]
        case Follow():
            return [("CLUSTER", "REPLICATE", step.primary)]
    raise TypeError(f"{step} is not done by telling one node")


def _meet(node: Node) -> Command:
    bus = () if node.cport == node.port + BUS_OFFSET else (node.cport,)
    return ("CLUSTER", "MEET", node.ip, node.port, *bus)


def establish(
    steps: Sequence[Step],
    clients: Mapping[NodeId, BlockingClient],
    views: Mapping[NodeId, Topology],
    timeout_s: float,
    alive: Callable[[], None],
) -> None:
    """Carry out the steps of ``plan.create`` or ``plan.add_…``, without those that a node's view shows as done.

    ``alive`` is called while waiting, and may raise.
    """
    nodes = {node: view.myself for node, view in views.items()}
    left = [step for step in steps if not isinstance(step, Follow) and not is_done(step, views[step.node])]
    for node, client in clients.items():
        _demand(client, [command for step in left if step.node == node for command in commands(step, nodes)])
    appoint([step for step in steps if isinstance(step, Follow)], clients, timeout_s, alive)


def _demand(client: BlockingClient, orders: Sequence[Command]) -> None:
    for words, answer in zip(orders, client.ask_all(orders), strict=True):
        if isinstance(answer, Refused):
            raise UserError(f"{client.address} refused {' '.join(map(str, words))}: {answer}")


def appoint(
    follows: Sequence[Follow], clients: Mapping[NodeId, BlockingClient], timeout_s: float, alive: Callable[[], None]
) -> None:
    """Make nodes replicas, each as soon as it has got to know its primary."""
    deadline = time.monotonic() + timeout_s
    while follows := [follow for follow in follows if not _follows(clients[follow.node], follow.primary)]:
        alive()
        if time.monotonic() > deadline:
            raise UserError(f"{len(follows)} nodes do not get to know their primary within {timeout_s:.0f} s")
        time.sleep(POLL_S)


def _follows(client: BlockingClient, primary: str) -> bool:
    """Whether the node has taken the order to replicate ``primary``."""
    (answer,) = client.ask_all([("CLUSTER", "REPLICATE", primary)])
    if isinstance(answer, Refused) and not str(answer).startswith("ERR Unknown node"):
        raise answer
    return not isinstance(answer, Refused)
