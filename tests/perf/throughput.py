"""How many requests a second does one node serve, and what does each cost its processor?"""

from contextlib import ExitStack

from gossamer.deploy.load import Load, load
from gossamer.deploy.servers import Node
from tests.perf.contenders import COMPILED, INTERPRETED
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

CASES = (("set", 1, 200_000), ("get", 1, 200_000), ("set", 16, 1_000_000), ("get", 16, 1_000_000))
PLAIN = ("SET", "GET")
PIPELINED = ("SET -P 16", "GET -P 16")

RATE_GOALS = (
    Goal(COMPILED, 0.95, at_least=True, cases=PLAIN),
    Goal(COMPILED, 0.7, at_least=True, cases=PIPELINED),
    Goal(INTERPRETED, 0.7, at_least=True, cases=PLAIN),
    Goal(INTERPRETED, 0.3, at_least=True, cases=PIPELINED),
)
CPU_GOALS = (Goal(COMPILED, 1.4, at_least=False, cases=PLAIN),)


def measure(bench: Bench) -> list[Figures]:
    rate = Figures("Throughput of one node, 50 clients", "requests/s", RATE_GOALS, digits=0)
    cpu = Figures("Processor time of the server per request", "µs", CPU_GOALS)
    with ExitStack() as stack:
        nodes = [stack.enter_context(Node(kind)) for kind in bench.kinds]
        for node in nodes:
            load(node.port, Load("set", bench.amount(300_000), pipeline=16), [])
        for turn in range(bench.rounds):
            bench.tell(f"throughput: round {turn + 1} of {bench.rounds}")
            for test, pipeline, requests in CASES:
                case = test.upper() if pipeline == 1 else f"{test.upper()} -P {pipeline}"
                for node in nodes:
                    found = load(node.port, Load(test, bench.amount(requests), pipeline=pipeline), [node.pid])
                    rate.add(case, node.kind.name, found.rate)
                    if found.cpu_us is not None:
                        cpu.add(case, node.kind.name, found.cpu_us)
    return [rate, cpu]


QUESTION = Question(
    "throughput",
    "redis-benchmark with 50 clients, SET (3-byte values) and GET of 100,000 random keys, one request at a time "
    "(200,000 requests a run) and 16 in a pipeline (1,000,000). All servers run at once, hold the same keys and are "
    "loaded in turns. Processor time is user and system time of the server process (/proc/PID/stat) over the requests.",
    measure,
)
