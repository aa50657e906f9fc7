"""A node that lives long: what it takes does not grow with what it has served.

Commands on all types, keys that expire, eviction and rewrites of the append-only file, on a real process.
``GOSSAMER_SOAK=20000000 python -m pytest tests/integration/test_soak.py`` serves that many, else it is a short form.
"""

import os
import random
from collections.abc import Callable
from contextlib import closing
from typing import Final

import psutil
import pytest

from gossamer.deploy.blocking_client import BlockingClient
from tests.integration.clusters import wait_until
from tests.integration.nodes import Node, Nodes
from tests.integration.test_rdb_file import persistence

COMMANDS: Final = int(os.environ.get("GOSSAMER_SOAK", "120000"))
LONG: Final = COMMANDS >= 10_000_000
GROWTH: Final = 1.02 if LONG else 1.15
"""How large the resident set may be at the end, times what it was after the warm-up: a short run is all warm-up."""
PIPELINE: Final = 500
KEYS: Final = 20_000
MEMORY_MB: Final = 3

Words = tuple[str | int, ...]
Maker = Callable[[random.Random, int], Words]

MAKERS: Final[list[Maker]] = [
    lambda rng, key: ("SET", f"s{key}", "v" * rng.randrange(300)),
    lambda rng, key: ("SET", f"t{key}", "v", "PX", rng.randrange(1, 3000)),
    lambda rng, key: ("GET", f"s{key}"),
    lambda rng, key: ("INCR", f"n{key}"),
    lambda rng, key: ("APPEND", f"a{key % 50}", "some more"),
    lambda rng, key: ("SETRANGE", f"a{key % 50}", rng.randrange(2000), "x"),
    lambda rng, key: ("RPUSH", f"l{key % 500}", *range(key % 7 + 1)),
    lambda rng, key: ("LTRIM", f"l{key % 500}", -100, -1),
    lambda rng, key: ("LPOP", f"l{key % 500}"),
    lambda rng, key: ("HSET", f"h{key % 500}", rng.randrange(600), "v" * 20),
    lambda rng, key: ("HDEL", f"h{key % 500}", rng.randrange(600)),
    lambda rng, key: ("HPEXPIRE", f"h{key % 500}", rng.randrange(1, 900), "FIELDS", 1, rng.randrange(600)),
    lambda rng, key: ("SADD", f"m{key % 500}", rng.randrange(1000), "word"),
    lambda rng, key: ("SPOP", f"m{key % 500}"),
    lambda rng, key: ("ZADD", f"z{key % 500}", str(rng.random()), rng.randrange(400)),
    lambda rng, key: ("ZPOPMIN", f"z{key % 500}"),
    lambda rng, key: ("XADD", f"x{key % 200}", "MAXLEN", "~", 100, "*", "field", key),
    lambda rng, key: ("PFADD", f"p{key % 100}", key),
    lambda rng, key: ("EXPIRE", f"s{key}", rng.randrange(1, 5)),
    lambda rng, key: ("DEL", f"z{key % 500}"),
    lambda rng, key: ("BLPOP", f"l{key % 500}", "0.001"),
    lambda rng, key: ("GETEX", f"n{key}", "EX", 2),
    lambda rng, key: ("SCAN", 0, "COUNT", 20),
]  # fmt: skip


def serve(client: BlockingClient, rng: random.Random, count: int) -> None:
    for _ in range(count // PIPELINE):
        client.ask_all([rng.choice(MAKERS)(rng, rng.randrange(KEYS)) for _ in range(PIPELINE)])


def rest(node: Node) -> None:
    """The append-only file is as short as it can be, and nothing goes on in the background."""
    wait_until(lambda: persistence(node)["aof_rewrite_in_progress"] == "0", "no rewrite goes on")
    assert node.ask("BGREWRITEAOF").text.startswith(b"Background")
    for field in ("aof_rewrite_in_progress", "rdb_bgsave_in_progress"):
        wait_until(lambda field=field: persistence(node)[field] == "0", f"{field} is 0")  # type: ignore[misc]


def held(node: Node) -> dict[str, int]:
    """What the process holds, but for memory."""
    process = psutil.Process(node.pid)
    clients = dict(line.split(":", 1) for line in node.ask("INFO", "clients").text.decode().splitlines() if ":" in line)
    return {
        "descriptors": process.num_fds(),
        "children": len(process.children()),
        "blocked": int(clients["blocked_clients"]),
        "timeouts": int(clients["clients_in_timeout_table"]),
        "connected": int(clients["connected_clients"]),
    }


@pytest.mark.once
def test_what_a_node_takes_does_not_grow(nodes: Nodes) -> None:
    node = nodes.start(
        *("--maxmemory", f"{MEMORY_MB}mb", "--maxmemory-policy", "allkeys-lru", "--appendonly", "yes"),
        *("--auto-aof-rewrite-min-size", "1mb", "--auto-aof-rewrite-percentage", "50"),
    )
    rng = random.Random(1)
    with closing(BlockingClient(*node.address, 60.0)) as client:
        serve(client, rng, COMMANDS // 2)
        rest(node)
        process = psutil.Process(node.pid)
        before, threads, size = held(node), process.num_threads(), process.memory_info().rss
        serve(client, rng, COMMANDS // 2)
        rest(node)
        wait_until(
            lambda: all(count <= before[name] for name, count in held(node).items()),
            "the node holds no more than it held, once the last file is closed",
        )
        wait_until(lambda: process.num_threads() <= threads, "threads that have nothing to do have ended")
        grown = process.memory_info().rss / size
    stats = dict(line.split(":", 1) for line in node.ask("INFO", "stats").text.decode().splitlines() if ":" in line)
    assert int(stats["evicted_keys"]) > 0
    assert int(stats["expired_keys"]) > 0
    assert int(persistence(node)["aof_rewrites"]) >= 2
    assert grown < GROWTH, f"the resident set is {grown:.3f} times what it was"
