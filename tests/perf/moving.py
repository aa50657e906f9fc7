"""How fast do keys move to another node: whole slots at one stroke, and in batches with MIGRATE?

Slots go forth and back between two nodes of a cluster, so each round finds the same keys.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Final

from gossamer.cluster.slots import key_slot
from gossamer.deploy.blocking_client import Answer, BlockingClient
from gossamer.deploy.servers import HOST, Kind, Node
from gossamer.deploy.user_error import UserError
from tests.perf.clusters import cluster
from tests.perf.contenders import COMPILED, REDIS
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

KEYS: Final = 200_000
LAST_SLOT: Final = 999
BATCH: Final = 100
PIPELINE: Final = 5000
POLL_S: Final = 0.002
MOVE_S: Final = 120.0


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
    return [atomic, single]


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
    ids = [client.text("CLUSTER", "MYID") for client in clients]
    source = 0
    while True:
        target = 1 - source
        started = time.monotonic()
        clients[source].ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", 0, LAST_SLOT, "NODE", ids[target])
        while (state := newest(clients[source].ask("CLUSTER", "GETSLOTMIGRATIONS"))) != b"success":
            if state in (b"failed", b"cancelled") or time.monotonic() - started > MOVE_S:
                raise UserError(f"the slots do not move: {state!r}")
            time.sleep(POLL_S)
        took = time.monotonic() - started
        if clients[target].ask("DBSIZE") != count:
            raise UserError("not all keys have moved")
        while clients[source].ask("DBSIZE") != 0:
            time.sleep(POLL_S)
        source = target
        yield count / took


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


QUESTION = Question(
    "moving",
    f"Slots: {KEYS:,} keys of about 10 bytes with values of 3 bytes go from one primary to another and back, in turns; "
    "the clock runs from CLUSTER MIGRATESLOTS until the source tells success. Keys: one client sends MIGRATE with "
    f"{BATCH} keys to one server after the other, without a cluster.",
    measure,
)
