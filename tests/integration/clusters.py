"""Clusters of real nodes: started together, formed with commands that any operator has, and asked what they believe.

What a node believes is read from CLUSTER NODES, without what only that node can know (times, links, which is itself),
so that the views of several nodes of any kind can be compared. Waiting is always for a condition, with a deadline.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from attrs import field, frozen

from gossamer.cluster.plan import shares
from gossamer.deploy.blocking_client import fields
from tests.compat.pair import Word
from tests.compat.replies import Answer
from tests.integration.nodes import GOSSAMER, READY, Node

OK: Final = Answer("status", b"OK")
CLUSTER: Final = ("--cluster-enabled", "yes")
AGREE_S: Final = 30.0
"""Deadline for what takes a few seconds on a quiet machine."""

POLL_S: Final = 0.02
MEET_AGAIN_S: Final = 5.0
"""Far above what a handshake takes, and above the node timeout of all tests but those that leave it at 15 s."""


@frozen
class Line:
    """One node as another tells of it. ``address`` is ``ip:port@cport[,hostname]``; ``connected`` is the teller's own
    link and does not count when views are compared."""

    id: str
    address: str
    flags: frozenset[str]
    primary: str
    epoch: int
    slots: tuple[str, ...]
    connected: bool = field(eq=False)

    @property
    def failed(self) -> bool:
        return "fail" in self.flags


def parse(line: str) -> Line:
    words = line.split()
    flags = frozenset(words[2].split(",")) - {"myself"}
    return Line(words[0], words[1], flags, words[3], int(words[6]), tuple(words[8:]), words[7] == "connected")


View = dict[str, Line]


def ask(node: Node, *words: Word) -> str:
    """The reply to a command that answers with a string."""
    return node.ask(*words).text.decode()


def demand(node: Node, *words: Word) -> None:
    """A command that must be answered with OK."""
    answer = node.ask(*words)
    assert answer == OK, f"{node} answered {words} with {answer}"


def view(node: Node) -> View:
    """What ``node`` tells of all nodes, by id."""
    lines = [parse(line) for line in ask(node, "CLUSTER", "NODES").splitlines()]
    return {line.id: line for line in lines}


def info(node: Node) -> dict[str, str]:
    return fields(ask(node, "CLUSTER", "INFO"))


def my_id(node: Node) -> str:
    return ask(node, "CLUSTER", "MYID")


def myself(node: Node) -> Line:
    return view(node)[my_id(node)]


def links(node: Node) -> list[tuple[str, str, int]]:
    """Direction, peer and time of creation of each link."""
    answer = node.ask("CLUSTER", "LINKS")
    found = []
    for link in answer.items:
        words = link.items
        fields = {key.text: value for key, value in zip(words[::2], words[1::2], strict=True)}
        found.append((fields[b"direction"].text.decode(), fields[b"node"].text.decode(), fields[b"create-time"].number))
    return sorted(found)


# --- waiting


def wait_until(condition: Callable[[], bool], what: str, within_s: float = AGREE_S) -> float:
    """Seconds that it took; AssertionError with ``what`` if it does not come true in time."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < within_s, f"not within {within_s} s: {what}"
        time.sleep(POLL_S)
    return time.monotonic() - started


def at_peace(nodes: Sequence[Node]) -> bool:
    """All tell the same, of all, without a doubt, with every link up and the cluster ok."""
    first = view(nodes[0])
    sound = len(first) == len(nodes) and all(line.flags == {"master"} for line in first.values())
    return sound and all(_agrees(node, first) and info(node)["cluster_state"] == "ok" for node in nodes)


def _agrees(node: Node, other: View) -> bool:
    own = view(node)
    return own == other and all(line.connected for line in own.values())


def wait_peace(nodes: Sequence[Node]) -> float:
    try:
        return wait_until(lambda: at_peace(nodes), "all nodes tell the same, and that all is well")
    except AssertionError as error:
        for node in nodes:
            error.add_note(f"{node}: {info(node)['cluster_state']}\n{ask(node, 'CLUSTER', 'NODES')}")
        raise


def wait_links(nodes: Sequence[Node]) -> list[list[tuple[str, str, int]]]:
    """The links of each node, once there are two between any two nodes: an accepted one counts when its peer speaks."""
    expected = 2 * (len(nodes) - 1)
    wait_until(lambda: all(len(links(node)) == expected for node in nodes), "every node has heard from every other")
    return [links(node) for node in nodes]


def wait_failed(nodes: Sequence[Node], failed: str, within_s: float = AGREE_S) -> float:
    """Until all ``nodes`` say ``fail`` for the id ``failed``."""
    return wait_until(
        lambda: all(view(node)[failed].failed for node in nodes), f"all of {nodes} say fail for {failed}", within_s
    )


def wait_state(nodes: Sequence[Node], state: str) -> float:
    """Until all ``nodes`` say cluster_state:``state``."""
    return wait_until(
        lambda: all(info(node)["cluster_state"] == state for node in nodes), f"cluster_state:{state} from {nodes}"
    )


# --- making


def start_together(nodes: Sequence[Node]) -> None:
    for node in nodes:
        node.launch()
    for node in nodes:
        node.wait_log(READY)


def only_ours(nodes: Sequence[Node]) -> bool:
    return all(node.program is GOSSAMER for node in nodes)


def acquainted(nodes: Sequence[Node]) -> bool:
    """Each knows all of ``nodes`` and nobody else, and has a link to each.

    Whom gossip has brought is known before it is dialled: by Redis and Valkey in their next cron, 100 ms later. Until
    then they can send it nothing.
    """
    views = [view(node) for node in nodes]
    ids = {my_id(node) for node in nodes}
    return all(told.keys() == ids and all(line.connected for line in told.values()) for told in views)


def wait_acquainted(nodes: Sequence[Node]) -> None:
    wait_until(lambda: acquainted(nodes), f"each of {nodes} knows the others and has a link to them")


def introduce(newcomers: Sequence[Node], guide: Node, everyone: Sequence[Node], *bus_port: int) -> None:
    """Each of ``newcomers`` meets ``guide``, and then all know all, by links that stand.

    A handshake that Redis or Valkey has not ended within the node timeout is forgotten for good, on a busy machine
    too. So where one of them is there, who is still a stranger is told to meet once more; ours need it once.
    """
    meet: tuple[Word, ...] = ("CLUSTER", "MEET", *guide.address, *bus_port)
    for newcomer in newcomers:
        demand(newcomer, *meet)
    again = time.monotonic() + MEET_AGAIN_S

    def introduced() -> bool:
        nonlocal again
        if acquainted(everyone):
            return True
        if not only_ours(everyone) and time.monotonic() > again:
            again += MEET_AGAIN_S
            for newcomer in newcomers:
                if my_id(guide) not in view(newcomer) or my_id(newcomer) not in view(guide):
                    demand(newcomer, *meet)
        return False

    wait_until(introduced, f"{newcomers} are known to {everyone}, who all have links to all")


def form(nodes: Sequence[Node]) -> None:
    """Spread the slots, meet, and wait until all agree: as redis-cli --cluster create does it."""
    for epoch, (node, (low, high)) in enumerate(zip(nodes, shares(len(nodes)), strict=True), 1):
        demand(node, "CLUSTER", "ADDSLOTSRANGE", low, high)
        demand(node, "CLUSTER", "SET-CONFIG-EPOCH", epoch)
    introduce(nodes[1:], nodes[0], nodes)
    wait_peace(nodes)
