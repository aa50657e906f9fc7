"""How many requests a second does one node serve of each type of data?"""

from contextlib import ExitStack, closing
from typing import Final

from gossamer.deploy.load import Load, load
from gossamer.deploy.servers import Node
from tests.perf.contenders import COMPILED
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

TESTS: Final = (
    "incr", "lpush", "rpush", "lpop", "rpop", "sadd", "hset", "spop", "zadd", "zpopmin",
    "lrange_100", "lrange_300", "lrange_500", "lrange_600", "mset", "xadd",
)  # fmt: skip
"""In this order, so that what takes finds what others have put."""
WORDS: Final = {"xadd": ("XADD", "mystream", "*", "myfield", "__data__")}
"""Of tests that not every redis-benchmark knows by name."""
REQUESTS: Final = {1: 100_000, 16: 400_000}
"""By pipeline."""
COSTLY: Final = 4
"""LRANGE gets so many times fewer requests."""

GOALS: Final = {
    1: (Goal(COMPILED, 1.0, at_least=True),),
    16: (Goal(COMPILED, 0.75, at_least=True),),
}


def measure(bench: Bench) -> list[Figures]:
    rates = {
        pipeline: Figures(f"Types of data, {pipeline} at a time", "requests/s", goals, 0)
        for pipeline, goals in GOALS.items()
    }
    with ExitStack() as stack:
        nodes = [stack.enter_context(Node(kind)) for kind in bench.judged]
        for turn in range(bench.rounds):
            bench.tell(f"types: round {turn + 1} of {bench.rounds}")
            for pipeline, rate in rates.items():
                for node in nodes:
                    with closing(node.client()) as client:
                        client.ask("FLUSHALL")
                for test in TESTS:
                    requests = REQUESTS[pipeline] // (COSTLY if test.startswith("lrange") else 1)
                    work = Load(test, bench.amount(requests), pipeline=pipeline, words=WORDS.get(test, ()))
                    for node in nodes:
                        rate.add(test.upper(), node.kind.name, load(node.port, work, [node.pid]).rate)
    return list(rates.values())


QUESTION = Question(
    "types",
    "redis-benchmark's own tests with 50 clients, unpipelined (100,000 requests a run) and -P 16 (400,000; LRANGE a "
    "quarter of these). All servers run at once, are emptied before each round, and are loaded in turns.",
    measure,
)
