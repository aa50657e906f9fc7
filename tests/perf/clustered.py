"""What do three nodes serve together?"""

from contextlib import ExitStack

from gossamer.deploy.load import Load, load
from tests.perf.clusters import cluster
from tests.perf.contenders import COMPILED
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

NODES = 3
CASES = (("set", 1, 200_000), ("get", 1, 200_000), ("set", 16, 1_000_000), ("get", 16, 1_000_000))

CPU_GOALS = (
    Goal(COMPILED, 1.1, at_least=False, cases=("SET", "GET")),
    Goal(COMPILED, 1.3, at_least=False, cases=("SET -P 16", "GET -P 16")),
)


def measure(bench: Bench) -> list[Figures]:
    rate = Figures(f"Throughput of {NODES} nodes, redis-benchmark --cluster", "requests/s", digits=0)
    cpu = Figures("Processor time of all nodes per request", "µs", CPU_GOALS)
    with ExitStack() as stack:
        clusters = [(kind.name, stack.enter_context(cluster(kind, NODES))) for kind in bench.kinds]
        for turn in range(bench.rounds):
            bench.tell(f"cluster: round {turn + 1} of {bench.rounds}")
            for test, pipeline, requests in CASES:
                case = test.upper() if pipeline == 1 else f"{test.upper()} -P {pipeline}"
                for name, nodes in clusters:
                    work = Load(test, bench.amount(requests), pipeline=pipeline, cluster=True)
                    found = load(nodes[0].port, work, [node.pid for node in nodes])
                    rate.add(case, name, found.rate)
                    if found.cpu_us is not None:
                        cpu.add(case, name, found.cpu_us)
    return [rate, cpu]


QUESTION = Question(
    "cluster",
    "Three primaries of each kind, formed by redis-cli --cluster create, under redis-benchmark --cluster with 50 "
    "clients and random keys. The client takes a thread a node and shares the processors with the servers, so "
    "processor time says more than the rate.",
    measure,
)
