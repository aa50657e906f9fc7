"""Make nodes one cluster, and wait until they say so: with the CLUSTER commands that any operator has.

Every node first gets its share of the slots and a config epoch of its own, so that nobody has to settle a collision
later; then each meets all before it, so that nobody has to wait for gossip to introduce them. A node is asked what it
has already: forming can be cut short anywhere and done again.
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


def form(host: str, ports: Sequence[int], wires: Sequence[Wire]) -> None:
    """``wires`` are connections to the nodes on ``ports``, in the same order."""
    for number, (wire, (first, last)) in enumerate(zip(wires, shares(len(wires)), strict=True), 1):
        state = fields(wire.text("CLUSTER", "INFO"))
        commands: list[tuple[str | int, ...]] = []
        if state["cluster_slots_assigned"] == "0":
            commands.append(("CLUSTER", "ADDSLOTSRANGE", first, last))
        if state["cluster_my_epoch"] == "0" and state["cluster_known_nodes"] == "1":
            commands.append(("CLUSTER", "SET-CONFIG-EPOCH", number))
        _demand(wire, commands)
    for at, wire in enumerate(wires):
        _demand(wire, [("CLUSTER", "MEET", host, port) for port in ports[:at]])


def _demand(wire: Wire, commands: Sequence[tuple[str | int, ...]]) -> None:
    for words, answer in zip(commands, wire.ask_all(commands), strict=True):
        if isinstance(answer, Refused):
            raise Problem(f"the node refused {' '.join(map(str, words))}: {answer}")


def wait_until_ok(wires: Sequence[Wire], ports: Sequence[int], timeout_s: float, alive: Callable[[], None]) -> None:
    """Until every node knows all and says ``cluster_state:ok``. ``alive`` is asked meanwhile and may raise."""
    deadline = time.monotonic() + timeout_s
    waiting = list(zip(wires, ports, strict=True))
    while waiting:
        waiting = [(wire, port) for wire, port in waiting if not _is_ok(wire, len(wires))]
        if not waiting:
            return
        alive()
        if time.monotonic() > deadline:
            names = ", ".join(str(port) for _, port in waiting)
            raise Problem(f"no cluster_state:ok within {timeout_s:.0f} s from port {names}")
        time.sleep(POLL_S)


def _is_ok(wire: Wire, count: int) -> bool:
    state = fields(as_text(wire.ask("CLUSTER", "INFO")))
    return state["cluster_state"] == "ok" and int(state["cluster_known_nodes"]) >= count
