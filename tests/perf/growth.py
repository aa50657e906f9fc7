"""How does the cost of a command grow with the value that it is about?"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from random import Random
from typing import Final, TypeAlias

from gossamer.deploy.blocking_client import BlockingClient, Refused
from gossamer.deploy.servers import Node, cpu_seconds
from gossamer.deploy.user_error import UserError
from tests.perf.contenders import COMPILED
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

SIZES: Final = (1_000, 100_000, 1_000_000)
REQUESTS: Final = 50_000
BATCH: Final = 500
SLOW: Final = {"LINDEX middle": 20, "LINSERT middle": 500, "XRANGE": 5}
"""Cases that get so many times fewer requests."""

Words: TypeAlias = tuple[str | int, ...]
Make: TypeAlias = Callable[[int, Random], Words]


def member(number: int) -> str:
    return f"member:{number:010}"


FILL: Final[dict[str, Make]] = {
    "zset": lambda n, rng: ("ZADD", "zset", rng.randrange(1 << 40), member(n)),
    "list": lambda n, rng: ("RPUSH", "list", member(n)),
    "hash": lambda n, rng: ("HSET", "hash", member(n), member(n)),
    "set": lambda n, rng: ("SADD", "set", member(n)),
    "stream": lambda n, rng: ("XADD", "stream", f"{n + 1}-0", "field", member(n)),
}
"""The request that puts element ``n``."""

CASES: Final[dict[str, Make]] = {
    "ZADD": lambda n, rng: ("ZADD", "zset", rng.randrange(1 << 40), member(rng.randrange(n))),
    "ZRANK": lambda n, rng: ("ZRANK", "zset", member(rng.randrange(n))),
    "ZRANGE by rank": lambda n, rng: ("ZRANGE", "zset", at := rng.randrange(n), at + 9),
    "ZRANGE by score": lambda n, rng: ("ZRANGE", "zset", rng.randrange(1 << 40), "+inf", "BYSCORE", "LIMIT", 0, 10),
    "ZINCRBY": lambda n, rng: ("ZINCRBY", "zset", rng.randrange(1 << 20), member(rng.randrange(n))),
    "LINDEX middle": lambda n, rng: ("LINDEX", "list", n // 2),
    "LINSERT middle": lambda n, rng: ("LINSERT", "list", "BEFORE", member(n // 2), "new"),
    "HGET": lambda n, rng: ("HGET", "hash", member(rng.randrange(n))),
    "SISMEMBER": lambda n, rng: ("SISMEMBER", "set", member(rng.randrange(n))),
    "SPOP": lambda n, rng: ("SPOP", "set"),
    "XRANGE": lambda n, rng: ("XRANGE", "stream", rng.randrange(n), "+", "COUNT", 10),
}
"""A request about a value of ``n`` elements. SPOP takes few enough of them."""


def measure(bench: Bench) -> list[Figures]:
    goals = (Goal(COMPILED, 1.5, at_least=False, cases=tuple(f"{case}, {SIZES[-1]:,}" for case in CASES)),)
    cpu = Figures("Processor time of the server per request, by elements of the value", "µs", goals)
    for size in (bench.amount(full) for full in SIZES):
        for turn in range(bench.rounds):
            bench.tell(f"growth: {size:,} elements, round {turn + 1} of {bench.rounds}")
            with ExitStack() as stack:
                for kind in bench.judged:
                    node = stack.enter_context(Node(kind))
                    client = stack.enter_context(closing(node.client()))
                    for make in FILL.values():
                        send(client, batches(make(n, Random(n)) for n in range(size)))
                    for case, make in CASES.items():
                        cpu.add(f"{case}, {size:,}", kind.name, cost(node, client, case, make, size))
                    node.stop()
    return [cpu]


def cost(node: Node, client: BlockingClient, case: str, make: Make, size: int) -> float:
    """Microseconds a request."""
    count = min(REQUESTS // SLOW.get(case, 1), size // 2)
    rng = Random(size)
    requests = list(batches(make(size, rng) for _ in range(count)))
    before = cpu_seconds(node.pid)
    send(client, requests)
    after = cpu_seconds(node.pid)
    assert before is not None
    assert after is not None
    return (after - before) / count * 1e6


def batches(requests: Iterator[Words]) -> Iterator[list[Words]]:
    batch: list[Words] = []
    for words in requests:
        batch.append(words)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def send(client: BlockingClient, found: Iterator[list[Words]] | list[list[Words]]) -> None:
    for batch in found:
        for answer in client.ask_all(batch):
            if isinstance(answer, Refused):
                raise UserError(f"{batch[0]}: {answer}")


QUESTION = Question(
    "growth",
    "A sorted set, a list, a hash, a set and a stream of 1,000, 100,000 and 1,000,000 elements of 17 bytes each. One "
    "client sends requests in batches of 500: 50,000 of a kind, fewer of the slow ones (LINDEX 2,500, LINSERT 100, "
    "XRANGE 10,000), at most half as many as there are elements. Processor time is that of the server process.",
    measure,
)
