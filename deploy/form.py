"""Make nodes one cluster, and wait until they say so: with the CLUSTER commands that any operator has.

Every node first gets a config epoch of its own, so that nobody has to settle a collision later, and every primary its
share of the slots; then each meets all before it, so that nobody has to wait for gossip to introduce them. The first
nodes are the primaries, as with ``redis-cli --cluster create``, and the others are dealt out to them in turn. A node is
asked what it has already: forming can be cut short anywhere and done again.
"""

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from cluster.slots import SLOTS
from deploy.problem import Problem
from deploy.wire import Refused, Wire, as_text, fields

POLL_S: Final = 0.01
"""Between two questions to a node whose state is not yet ok."""


def shares(count: int) -> list[tuple[int, int]]:
    """First and last slot of each of ``count`` nodes; the sizes differ by one at most."""
    bounds = [SLOTS * i // count for i in range(count + 1)]
    return [(low, high - 1) for low, high in pairwise(bounds)]


def form(host: str, ports: Sequence[int], wires: Sequence[Wire], primaries: int) -> None:
    """``wires`` are connections to the nodes on ``ports``, in the same order; the first ``primaries`` get slots."""
    slots = shares(primaries)
    for at, wire in enumerate(wires):
        state = fields(wire.text("CLUSTER", "INFO"))
        commands: list[tuple[str | int, ...]] = []
        if at < primaries and state["cluster_slots_assigned"] == "0":
            commands.append(("CLUSTER", "ADDSLOTSRANGE", *slots[at]))
        if state["cluster_my_epoch"] == "0" and state["cluster_known_nodes"] == "1":
            commands.append(("CLUSTER", "SET-CONFIG-EPOCH", at + 1))
        _demand(wire, commands)
    for at, wire in enumerate(wires):
        _demand(wire, [("CLUSTER", "MEET", host, port) for port in ports[:at]])


def appoint(wires: Sequence[Wire], primaries: int, timeout_s: float, alive: Callable[[], None]) -> None:
    """Make every node behind the first ``primaries`` a replica, as soon as it has got to know its primary.

    ``alive`` is asked meanwhile and may raise.
    """
    ids = [wire.text("CLUSTER", "MYID") for wire in wires[:primaries]]
    deadline = time.monotonic() + timeout_s
    waiting = [(wire, ids[at % primaries]) for at, wire in enumerate(wires[primaries:])]
    while waiting := [(wire, primary) for wire, primary in waiting if not _replicates(wire, primary)]:
        alive()
        if time.monotonic() > deadline:
            raise Problem(f"{len(waiting)} nodes do not get to know their primary within {timeout_s:.0f} s")
        time.sleep(POLL_S)


def _replicates(wire: Wire, primary: str) -> bool:
    """Whether the node has taken the order to replicate ``primary``."""
    (answer,) = wire.ask_all([("CLUSTER", "REPLICATE", primary)])
    if isinstance(answer, Refused) and not str(answer).startswith("ERR Unknown node"):
        raise answer
    return not isinstance(answer, Refused)


def _demand(wire: Wire, commands: Sequence[tuple[str | int, ...]]) -> None:
    for words, answer in zip(commands, wire.ask_all(commands), strict=True):
        if isinstance(answer, Refused):
            raise Problem(f"the node refused {' '.join(map(str, words))}: {answer}")


def wait_until_ok(
    wires: Sequence[Wire], ports: Sequence[int], replicas: int, timeout_s: float, alive: Callable[[], None]
) -> None:
    """Until every node knows all, at least ``replicas`` of them as such, says ``cluster_state:ok``, and is in sync with
    its primary if it has one. ``alive`` is asked meanwhile and may raise."""
    deadline = time.monotonic() + timeout_s
    waiting = list(zip(wires, ports, strict=True))
    while waiting:
        waiting = [(wire, port) for wire, port in waiting if not _is_ok(wire, len(wires), replicas)]
        if not waiting:
            return
        alive()
        if time.monotonic() > deadline:
            names = ", ".join(str(port) for _, port in waiting)
            what = "cluster_state:ok and replicas in sync" if replicas else "cluster_state:ok"
            raise Problem(f"no {what} within {timeout_s:.0f} s from port {names}")
        time.sleep(POLL_S)


def _is_ok(wire: Wire, count: int, replicas: int) -> bool:
    state = fields(as_text(wire.ask("CLUSTER", "INFO")))
    if state["cluster_state"] != "ok" or int(state["cluster_known_nodes"]) < count:
        return False
    if not replicas:
        return True
    known = sum("slave" in line.split()[2].split(",") for line in wire.text("CLUSTER", "NODES").splitlines())
    return known >= replicas and fields(wire.text("INFO", "replication")).get("master_link_status", "up") == "up"
