"""Clusters of three shards to be disturbed: a primary and a replica each, and clients that see when writes go on."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Final

from attrs import frozen

from gossamer.cluster.plan import shares
from gossamer.cluster.slots import key_slot
from gossamer.deploy.blocking_client import BlockingClient, Refused
from gossamer.deploy.servers import HOST, Kind, Node, wait_for
from gossamer.deploy.user_error import UserError
from tests.perf.clusters import create, wait_until_ok

SHARDS: Final = 3
REPLACED_S: Final = 120.0
"""How long a shard may stay without a primary: real servers take over 20 s at the default node timeout."""
LINKED_S: Final = 30.0
PROBE_S: Final = 0.001
LULL_S: Final = 0.05
"""Writes before a hand-over begins, so that it falls into a steady stream of them."""


@frozen
class Shard:
    """``key`` lies in it."""

    primary: Node
    replica: Node
    key: str


@contextmanager
def shards(kind: Kind, timeout_ms: int, make: Callable[..., Node] = Node) -> Iterator[list[Shard]]:
    """Three shards, all six nodes agreed and the replicas in sync. ``make`` is given kind and options of a node."""
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(timeout_ms))
    with ExitStack() as stack:
        nodes = [make(kind, *options, "--repl-diskless-sync-delay", "0") for _ in range(2 * SHARDS)]
        for node in nodes:
            stack.callback(node.stop)
        for node in nodes:
            node.wait_until_ready()
        create([node.address for node in nodes], replicas=1)
        wait_until_ok([node.address for node in nodes], replicas=SHARDS)
        wait_for(lambda: all(map(is_linked, nodes)), LINKED_S, "not all links stand")
        yield formed(nodes)


def is_linked(node: Node) -> bool:
    """Has it a link to every other? Without one a real server grants its vote and sends nothing."""
    with closing(node.client()) as client:
        return all(line.split()[7] == "connected" for line in client.text("CLUSTER", "NODES").splitlines())


def formed(nodes: Sequence[Node]) -> list[Shard]:
    """Who leads whom, in the order of the slots."""
    by_address = {node.address: node for node in nodes}
    with closing(nodes[0].client()) as client:
        lines = [line.split() for line in client.text("CLUSTER", "NODES").splitlines()]
    place = {words[0]: by_address[place_in(words[1])] for words in lines}
    replicas = {words[3]: place[words[0]] for words in lines if words[3] != "-"}
    primaries = sorted((int(words[8].split("-")[0]), words[0]) for words in lines if len(words) > 8)
    return [Shard(place[name], replicas[name], key_in(at)) for at, (_, name) in enumerate(primaries)]


def place_in(address: str) -> tuple[str, int]:
    """``ip:port@cport`` as a pair; a node that tells of itself may leave out the ip."""
    host, _, port = address.partition("@")[0].rpartition(":")
    return host or HOST, int(port)


def key_in(shard: int) -> str:
    low, high = shares(SHARDS)[shard]
    middle = (low + high) // 2
    return next(f"k{n}" for n in range(1 << 20) if abs(key_slot(b"k%d" % n) - middle) < 1000)


def seconds_to_a_write(shard: Shard, strike: Callable[[], None]) -> float:
    """From ``strike``, which ends or cuts off the primary, to the first write that the replica takes."""
    with closing(shard.replica.client()) as client:
        began = time.monotonic()
        strike()
        while time.monotonic() - began < REPLACED_S:
            try:
                client.ask("SET", shard.key, "again")
            except Refused:
                time.sleep(PROBE_S)
            else:
                return time.monotonic() - began
    raise UserError(f"{shard.replica.kind.name}: nobody took over within {REPLACED_S:.0f} s")


def hand_over(shard: Shard) -> float:
    """A client writes one value after the other while CLUSTER FAILOVER comes to the replica, and goes where it is sent.

    Returns the seconds between the last write that the old primary took and the first that the new one took.
    """
    with closing(shard.primary.client()) as old, closing(shard.replica.client()) as new:
        operator = threading.Timer(LULL_S, demand_failover, (shard.replica,))
        operator.start()
        try:
            return pause_of(old, new, shard.key)
        finally:
            operator.join()


def demand_failover(replica: Node) -> None:
    with closing(replica.client()) as client:
        client.ask("CLUSTER", "FAILOVER")


def pause_of(old: BlockingClient, new: BlockingClient, key: str) -> float:
    client, last = old, time.monotonic()
    end = last + REPLACED_S
    while last < end:
        try:
            client.ask("SET", key, "x")
        except Refused as refusal:
            if str(refusal).startswith("MOVED"):
                client = new
            continue
        now = time.monotonic()
        if client is new:
            return now - last
        last = now
    raise UserError(f"nobody took over within {REPLACED_S:.0f} s")
