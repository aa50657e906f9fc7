"""How fast do slots move at one stroke, and keys with MIGRATE? Do nodes stand still while a large key moves?

Slots go forth and back between two nodes of a cluster, so each round finds the same keys.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from random import Random
from typing import Final

from gossamer.cluster.slots import key_slot
from gossamer.deploy.blocking_client import Answer, BlockingClient, Refused
from gossamer.deploy.servers import HOST, Kind, Node
from gossamer.deploy.user_error import UserError
from tests.perf.clusters import cluster
from tests.perf.contenders import COMPILED, REDIS
from tests.perf.figures import Figures, Goal
from tests.perf.fullsync import Pinger
from tests.perf.growth import batches as in_batches
from tests.perf.growth import member, send
from tests.perf.question import Bench, Question

KEYS: Final = 200_000
LAST_SLOT: Final = 999
BATCH: Final = 100
PIPELINE: Final = 5000
POLL_S: Final = 0.002
MOVE_S: Final = 120.0
MEMBERS: Final = 1_000_000
LONGEST_MS: Final = 50
WRITE_S: Final = 0.001


def measure(bench: Bench) -> list[Figures]:
    atomic = Figures("CLUSTER MIGRATESLOTS", "keys/s", (Goal(COMPILED, 150_000, at_least=True, absolute=True),), 0)
    single = Figures("MIGRATE", "keys/s", (Goal(COMPILED, 60_000, at_least=True, absolute=True),), 0)
    for kind in bench.kinds:
        if kind.name != REDIS:
            with slots(kind, bench.amount(KEYS)) as move:
                for turn in range(bench.rounds):
                    bench.tell(f"moving: slots of {kind.name}, round {turn + 1} of {bench.rounds}")
                    atomic.add(f"{bench.amount(KEYS)} keys in {LAST_SLOT + 1} slots", kind.name, next(move))
        for turn in range(bench.rounds):
            bench.tell(f"moving: keys of {kind.name}, round {turn + 1} of {bench.rounds}")
            single.add(f"{BATCH} keys at a time, one client", kind.name, batches(kind, bench.amount(KEYS // 4)))
    goal = Goal(COMPILED, LONGEST_MS, at_least=False, absolute=True)
    waits = Figures("Longest wait of a PING while a sorted set moves under writes", "ms", (goal,), digits=1)
    for turn in range(bench.rounds):
        for kind in bench.judged:
            bench.tell(f"moving: a sorted set of {kind.name}, round {turn + 1} of {bench.rounds}")
            for case, wait_s in longest_waits(kind, bench.amount(MEMBERS)).items():
                waits.add(case, kind.name, wait_s * 1e3)
    return [atomic, single, waits]


# --- slots


@contextmanager
def slots(kind: Kind, count: int) -> Iterator[Iterator[float]]:
    """Each ``next`` moves ``count`` keys from one node to the other, and tells how many a second."""
    with ExitStack() as stack:
        nodes = stack.enter_context(cluster(kind, 3))
        clients = [stack.enter_context(closing(node.client())) for node in nodes[:2]]
        fill(clients[0], names(count))
        yield to_and_fro(clients, count)


def to_and_fro(clients: list[BlockingClient], count: int) -> Iterator[float]:
    source = 0
    while True:
        target = 1 - source
        took = move_slots(clients[source], clients[target])
        if clients[target].ask("DBSIZE") != count:
            raise UserError("not all keys have moved")
        while clients[source].ask("DBSIZE") != 0:
            time.sleep(POLL_S)
        source = target
        yield count / took


def move_slots(source: BlockingClient, target: BlockingClient) -> float:
    """The first slots go from one to the other; how many seconds that takes."""
    name = target.text("CLUSTER", "MYID")
    started = time.monotonic()
    source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", 0, LAST_SLOT, "NODE", name)
    while (state := newest(source.ask("CLUSTER", "GETSLOTMIGRATIONS"))) != b"success":
        if state in (b"failed", b"cancelled") or time.monotonic() - started > MOVE_S:
            raise UserError(f"the slots do not move: {state!r}")
        time.sleep(POLL_S)
    return time.monotonic() - started


def newest(jobs: Answer) -> Answer:
    """The state of the first job that is told."""
    assert isinstance(jobs, list)
    words = jobs[0]
    assert isinstance(words, list)
    return words[words.index(b"state") + 1]


def names(count: int) -> list[str]:
    """In the slots that move, spread evenly."""
    tags: dict[int, str] = {}
    number = 0
    while len(tags) <= LAST_SLOT:
        slot = key_slot(b"%d" % number)
        if slot <= LAST_SLOT:
            tags.setdefault(slot, str(number))
        number += 1
    found = list(tags.values())
    return [f"{{{found[at % len(found)]}}}:{at}" for at in range(count)]


def fill(client: BlockingClient, keys: list[str]) -> None:
    for at in range(0, len(keys), PIPELINE):
        client.ask_all([["SET", key, "xxx"] for key in keys[at : at + PIPELINE]])


# --- keys


def batches(kind: Kind, count: int) -> float:
    """Keys a second from one server to the other."""
    with Node(kind) as source, Node(kind) as target, closing(source.client()) as client:
        keys = [f"key:{number}" for number in range(count)]
        fill(client, keys)
        started = time.monotonic()
        for at in range(0, count, BATCH):
            client.ask("MIGRATE", HOST, target.port, "", 0, 5000, "KEYS", *keys[at : at + BATCH])
        took = time.monotonic() - started
        with closing(target.client()) as there:
            if there.ask("DBSIZE") != count:
                raise UserError("not all keys have moved")
        return count / took


# --- a large value


def longest_waits(kind: Kind, size: int) -> dict[str, float]:
    """Seconds that a client of the source, and one of the target, waits for PING at most, by each way of moving."""
    found: dict[str, float] = {}
    with Node(kind) as source, Node(kind) as target:
        found |= waits_at(source, target, "MIGRATE", size)
    if kind.name != REDIS:
        with cluster(kind, 3) as nodes:
            found |= waits_at(nodes[0], nodes[1], "MIGRATESLOTS", size)
    return found


def waits_at(source: Node, target: Node, way: str, size: int) -> dict[str, float]:
    (key,) = names(1)
    with ExitStack() as stack:
        here, there = (stack.enter_context(closing(BlockingClient(*node.address, MOVE_S))) for node in (source, target))
        send(here, in_batches(("ZADD", key, number, member(number)) for number in range(size)))
        with Pinger(source) as pings_here, Pinger(target) as pings_there, Writer(source, key, size):
            if way == "MIGRATE":
                here.ask("MIGRATE", HOST, target.port, key, 0, int(MOVE_S * 1000))
            else:
                move_slots(here, there)
        if there.ask("ZCARD", key) != size:
            raise UserError("not all members have moved")
    case = f"{way}, {size:,} members"
    return {f"{case}, at the source": pings_here.longest_s, f"{case}, at the target": pings_there.longest_s}


class Writer:
    """A client that gives members of ``key`` other scores until the key is elsewhere, or its block is left."""

    def __init__(self, node: Node, key: str, size: int) -> None:
        self._client = BlockingClient(*node.address, MOVE_S)
        self._key = key
        self._size = size
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()

    def _write(self) -> None:
        rng = Random(self._size)
        try:
            while not self._over.wait(WRITE_S):
                self._client.ask("ZADD", self._key, rng.randrange(1 << 40), member(rng.randrange(self._size)))
        except Refused:
            return  # ASK or MOVED


QUESTION = Question(
    "moving",
    f"Slots: {KEYS:,} keys of about 10 bytes with values of 3 bytes go from one primary to another and back, in turns; "
    "the clock runs from CLUSTER MIGRATESLOTS until the source tells success. Keys: one client sends MIGRATE with "
    f"{BATCH} keys to one server after the other, without a cluster. Last, a sorted set of {MEMBERS:,} members of 17 "
    "bytes goes in both ways while a client changes a score every millisecond, and at either end one does nothing but "
    "PING: what counts is the longest it waited.",
    measure,
)
