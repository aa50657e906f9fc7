"""CLUSTER FAILOVER that is seen through to its end, between nodes of ours and real servers.

Redis and Valkey try it once, for five seconds, and have two ways to lose what they need for it. Who has no link to a
replica just then logs "Failover auth granted" and sends nothing; and the request to the primary gets lost likewise. So
all links have to stand first, and where a real server takes part, what has timed out is ordered again. Ours must take
over at the first order.
"""

from collections.abc import Sequence
from typing import Final

from tests.integration.clusters import demand, my_id, myself, only_ours, view, wait_acquainted, wait_until
from tests.integration.nodes import Node

TIMED_OUT: Final = "Manual failover timed out"
"""Logged by the replica that gives up, whoever made it."""
ORDERS: Final = 3
"""Of which each is given up after five seconds, if at all."""


def hand_over(replica: Node, nodes: Sequence[Node]) -> None:
    """CLUSTER FAILOVER at ``replica``, until each of ``nodes``, which are the whole cluster, says that it leads."""
    wait_acquainted(nodes)
    orders = 1 if only_ours(nodes) else ORDERS
    assert any(takes_over(replica) for _ in range(orders)), f"{replica} has not taken over by {orders} orders"
    told = my_id(replica)
    wait_until(lambda: all(view(node)[told].primary == "-" for node in nodes), f"all know that {replica} leads")


def takes_over(replica: Node) -> bool:
    """By one order, which it either carries out or gives up."""
    before = replica.log().count(TIMED_OUT)

    def leads() -> bool:
        return myself(replica).primary == "-"

    demand(replica, "CLUSTER", "FAILOVER")
    wait_until(lambda: leads() or replica.log().count(TIMED_OUT) > before, f"{replica} takes over or gives up")
    return leads()
