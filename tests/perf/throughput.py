"""How many requests a second does one node serve, and what does each cost its processor?"""

from contextlib import ExitStack

from attrs import evolve

from gossamer.deploy.load import Load, load
from gossamer.deploy.servers import Node
from tests.perf.contenders import COMPILED, INTERPRETED, REDIS, VALKEY
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

CASES = {
    "SET": Load("set", 200_000),
    "GET": Load("get", 200_000),
    "SET -P 16": Load("set", 1_000_000, pipeline=16),
    "GET -P 16": Load("get", 1_000_000, pipeline=16),
    "GET -P 16, 1 M keys": Load("get", 1_000_000, pipeline=16, keys=1_000_000),
    "INCR -P 16": Load("incr", 1_000_000, pipeline=16),
    "MSET": Load("mset", 200_000),
    "PING -P 16": Load("ping_mbulk", 1_000_000, pipeline=16),
    "SET -P 512": Load("set", 4_000_000, pipeline=512),
    "GET -c 1000": Load("get", 200_000, clients=1000),
}
PLAIN = ("SET", "GET")
PIPELINED = ("SET -P 16", "GET -P 16")


def beside(redis: float, valkey: float, cases: tuple[str, ...]) -> tuple[Goal, Goal]:
    """A goal beside each peer."""
    return (
        Goal(COMPILED, redis, at_least=True, cases=cases, beside=REDIS),
        Goal(COMPILED, valkey, at_least=True, cases=cases, beside=VALKEY),
    )


RATE_GOALS = (
    Goal(COMPILED, 1.05, at_least=True, cases=PLAIN),
    *beside(1.0, 0.9, PIPELINED),
    *beside(1.3, 0.8, ("GET -P 16, 1 M keys",)),
    *beside(0.9, 0.7, ("INCR -P 16",)),
    *beside(1.0, 0.8, ("MSET",)),
    Goal(COMPILED, 1.0, at_least=True, cases=("SET -P 512", "GET -c 1000")),
    Goal(INTERPRETED, 0.75, at_least=True, cases=PLAIN),
    Goal(INTERPRETED, 0.3, at_least=True, cases=PIPELINED),
)
CPU_GOALS = (Goal(COMPILED, 1.4, at_least=False, cases=PLAIN),)


def measure(bench: Bench) -> list[Figures]:
    rate = Figures("Throughput of one node", "requests/s", RATE_GOALS, digits=0)
    cpu = Figures("Processor time of the server per request", "µs", CPU_GOALS)
    with ExitStack() as stack:
        nodes = [stack.enter_context(Node(kind)) for kind in bench.kinds]
        for node in nodes:
            for keys in (1_000_000, 100_000):
                load(node.port, Load("set", bench.amount(3 * keys), pipeline=16, keys=keys), [])
        for turn in range(bench.rounds):
            bench.tell(f"throughput: round {turn + 1} of {bench.rounds}")
            for case, full in CASES.items():
                work = evolve(full, requests=max(full.clients, bench.amount(full.requests)))
                for node in nodes:
                    found = load(node.port, work, [node.pid])
                    rate.add(case, node.kind.name, found.rate)
                    if found.cpu_us is not None:
                        cpu.add(case, node.kind.name, found.cpu_us)
    return [rate, cpu]


QUESTION = Question(
    "throughput",
    "redis-benchmark with 50 clients, SET (3-byte values) and GET of 100,000 random keys, one request at a time "
    "(200,000 requests a run), 16 (1,000,000) and 512 (4,000,000) in a pipeline, and GET with 1,000 clients; GET of a "
    "million random keys, INCR, MSET of ten keys, PING. All servers run at once, hold the same million keys and are "
    "loaded in turns. Processor time is user and system time of the server process (/proc/PID/stat) over the requests.",
    measure,
)
