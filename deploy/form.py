"""Make nodes one cluster, and wait until they say so: with the CLUSTER commands that any operator has.

Every node first gets a config epoch of its own, so that nobody has to settle a collision later, and every primary its
share of the slots; then each meets all before it, so that nobody has to wait for gossip to introduce them, and replicas
follow their primaries (``cluster/plan.py``). A node is asked what it has already: forming can be cut short anywhere and
done again.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from gossamer.cluster.plan import Member, create
from gossamer.deploy.blocking_client import BlockingClient, as_text, fields
from gossamer.deploy.cluster.orders import establish
from gossamer.deploy.cluster.survey import Contact
from gossamer.deploy.user_error import UserError

POLL_S: Final = 0.01
"""Between two questions to a node whose state is not yet ok."""


def form(contacts: Sequence[Contact], primaries: int, timeout_s: float, alive: Callable[[], None]) -> None:
    """On one host: the first ``primaries`` of the nodes share the slots, the others follow them in turn."""
    steps = create([Member(contact.id, contact.host) for contact in contacts], primaries)
    clients = {contact.id: contact.client for contact in contacts}
    views = {contact.id: contact.view() for contact in contacts}
    establish(steps, clients, views, timeout_s, alive)


def wait_until_ok(
    clients: Sequence[BlockingClient],
    names: Sequence[object],
    replicas: int,
    timeout_s: float,
    alive: Callable[[], None],
) -> None:
    """Until every node knows all, at least ``replicas`` of them as such, says ``cluster_state:ok``, and is in sync with
    its primary if it has one. ``alive`` is asked meanwhile and may raise. ``names`` are those of the nodes in texts."""
    deadline = time.monotonic() + timeout_s
    waiting = list(zip(clients, names, strict=True))
    while waiting:
        waiting = [(client, name) for client, name in waiting if not is_ok(client, len(clients), replicas)]
        if not waiting:
            return
        alive()
        if time.monotonic() > deadline:
            late = ", ".join(str(name) for _, name in waiting)
            what = "cluster_state:ok and replicas in sync" if replicas else "cluster_state:ok"
            raise UserError(f"no {what} within {timeout_s:.0f} s from {late}")
        time.sleep(POLL_S)


def is_ok(client: BlockingClient, count: int, replicas: int) -> bool:
    """Does the node say that all is well, as ``wait_until_ok`` has it?"""
    state = fields(as_text(client.ask("CLUSTER", "INFO")))
    if state["cluster_state"] != "ok" or int(state["cluster_known_nodes"]) < count:
        return False
    if not replicas:
        return True
    known = sum("slave" in line.split()[2].split(",") for line in client.text("CLUSTER", "NODES").splitlines())
    return known >= replicas and fields(client.text("INFO", "replication")).get("master_link_status", "up") == "up"
