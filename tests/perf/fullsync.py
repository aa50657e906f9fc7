"""For how long does a full sync keep the primary from its other clients, and how long does it take?"""

import threading
import time
from contextlib import closing
from typing import Final

from gossamer.deploy.blocking_client import BlockingClient, Refused, fields
from gossamer.deploy.servers import HOST, Kind, Node, wait_for
from tests.perf.contenders import OURS
from tests.perf.figures import Figures, Goal
from tests.perf.memory import fill
from tests.perf.question import Bench, Question

KEYS: Final = 1_000_000
SYNC_S: Final = 300.0
OPTIONS: Final = ("--repl-diskless-sync-delay", "0")


def measure(bench: Bench) -> list[Figures]:
    goals = tuple(Goal(name, 20.0, at_least=False, absolute=True) for name in OURS)
    gap = Figures("Longest gap between two replies of the primary during a full sync", "ms", goals)
    took = Figures("From REPLICAOF to master_link_status:up", "s")
    keys = bench.amount(KEYS)
    for turn in range(bench.rounds):
        bench.tell(f"fullsync: round {turn + 1} of {bench.rounds}")
        for kind in bench.kinds:
            longest_ms, seconds = sync(kind, keys)
            gap.add(f"{keys:,} keys", kind.name, longest_ms)
            took.add(f"{keys:,} keys", kind.name, seconds)
    return [gap, took]


def sync(kind: Kind, keys: int) -> tuple[float, float]:
    """The longest gap in milliseconds, and the seconds until a replica of the same kind is in sync."""
    with (
        Node(kind, *OPTIONS) as primary,
        Node(kind, *OPTIONS) as replica,
        closing(primary.client()) as client,
        closing(BlockingClient(HOST, replica.port, SYNC_S)) as other,
    ):
        fill(client, keys, 64)
        with Pinger(primary) as pinger:
            started = time.monotonic()
            other.ask("REPLICAOF", HOST, primary.port)
            wait_for(lambda: is_up(other), SYNC_S, "the replica is not in sync")
            seconds = time.monotonic() - started
        return pinger.longest_s * 1000, seconds


def is_up(replica: BlockingClient) -> bool:
    try:
        return fields(replica.text("INFO", "replication"))["master_link_status"] == "up"
    except Refused:
        return False


class Pinger:
    """A client that does nothing but PING ``node``, in a thread of its own, until its block is left."""

    def __init__(self, node: Node) -> None:
        self.longest_s = 0.0
        self._client = node.client()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ping)

    def __enter__(self) -> "Pinger":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()

    def _ping(self) -> None:
        before = time.monotonic()
        while not self._over.is_set():
            self._client.ask("PING")
            now = time.monotonic()
            self.longest_s = max(self.longest_s, now - before)
            before = now


QUESTION = Question(
    "fullsync",
    "A server with 1,000,000 keys (16-byte keys, 64-byte values) and an empty one of the same kind that becomes its "
    "replica, `repl-diskless-sync-delay 0`. One client does nothing but PING the primary meanwhile; what counts is the "
    "longest it waited from one reply to the next, fork and time slices of the two processors included.",
    measure,
)
