"""How long does a data set of all types take to another server: by a full sync, by DUMP and RESTORE, by MIGRATE?"""

import time
from contextlib import closing
from typing import Final

from gossamer.cluster.text import text_of
from gossamer.deploy.blocking_client import Answer, BlockingClient
from gossamer.deploy.servers import HOST, Kind, Node, wait_for
from gossamer.deploy.user_error import UserError
from tests.perf.contenders import COMPILED
from tests.perf.figures import Figures, Goal
from tests.perf.fullsync import OPTIONS, SYNC_S, is_up
from tests.perf.growth import Words, batches, send
from tests.perf.moving import BATCH
from tests.perf.question import Bench, Question

KEYS: Final = 1_000_000
ELEMENTS: Final = 5


def measure(bench: Bench) -> list[Figures]:
    took = Figures("A mixed data set goes to another server", "s", (Goal(COMPILED, 2.0, at_least=False),))
    keys = bench.amount(KEYS)
    for turn in range(bench.rounds):
        bench.tell(f"mixed: round {turn + 1} of {bench.rounds}")
        for kind in bench.judged:
            for case, seconds in carry(kind, keys).items():
                took.add(case, kind.name, seconds)
    return [took]


def carry(kind: Kind, keys: int) -> dict[str, float]:
    """Seconds that each way takes."""
    found: dict[str, float] = {}
    with (
        Node(kind, *OPTIONS) as source,
        Node(kind, *OPTIONS) as target,
        closing(BlockingClient(*source.address, SYNC_S)) as here,
        closing(BlockingClient(*target.address, SYNC_S)) as there,
    ):
        send(here, batches(make(number) for number in range(keys)))
        began = time.monotonic()
        there.ask("REPLICAOF", HOST, source.port)
        wait_for(lambda: is_up(there), SYNC_S, "the replica is not in sync")
        found[f"full sync, {keys:,} keys"] = time.monotonic() - began
        whole(there, keys)
        there.ask("REPLICAOF", "NO", "ONE")
        some = [f"key:{number}" for number in range(keys // 10)]
        there.ask("FLUSHALL")
        began = time.monotonic()
        for at in range(0, len(some), BATCH):
            names = some[at : at + BATCH]
            payloads = here.ask_all([("DUMP", name) for name in names])
            restore(there, names, payloads)
        found[f"DUMP and RESTORE, {len(some):,} keys"] = time.monotonic() - began
        whole(there, len(some))
        there.ask("FLUSHALL")
        began = time.monotonic()
        for at in range(0, len(some), BATCH):
            here.ask("MIGRATE", HOST, target.port, "", 0, 5000, "KEYS", *some[at : at + BATCH])
        found[f"MIGRATE, {len(some):,} keys"] = time.monotonic() - began
        whole(there, len(some))
    return found


def make(number: int) -> Words:
    """Of ten keys four are strings, two hashes, and one each a list, a set, a sorted set and a stream."""
    key = f"key:{number}"
    items = [f"element:{number}:{place}" for place in range(ELEMENTS)]
    match number % 10:
        case 0 | 1:
            return ("HSET", key, *(word for item in items for word in (item, item)))
        case 2:
            return ("RPUSH", key, *items)
        case 3:
            return ("SADD", key, *items)
        case 4:
            return ("ZADD", key, *(word for place, item in enumerate(items) for word in (place * 7, item)))
        case 5:
            return ("XADD", key, "*", *(word for item in items for word in (item, item)))
    return ("SET", key, f"{number:064}")


def restore(client: BlockingClient, names: list[str], payloads: list[Answer]) -> None:
    requests: list[Words] = []
    for name, payload in zip(names, payloads, strict=True):
        assert isinstance(payload, bytes)
        requests.append(("RESTORE", name, 0, text_of(payload)))
    send(client, [requests])


def whole(client: BlockingClient, keys: int) -> None:
    if client.ask("DBSIZE") != keys:
        raise UserError("not all keys have arrived")


QUESTION = Question(
    "mixed",
    f"1,000,000 keys: of ten four are strings of 64 bytes, two hashes, and one each a list, a set, a sorted set and a "
    f"stream, of {ELEMENTS} elements of about 15 bytes each. A full sync (REPLICAOF until `master_link_status:up`, "
    f"`repl-diskless-sync-delay 0`) of all of them; then a tenth of them by DUMP and RESTORE through one client and by "
    f"MIGRATE, {BATCH} at a time.",
    measure,
)
