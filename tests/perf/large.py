"""How fast do large values come and go, and what memory do they leave behind?"""

import time
from contextlib import ExitStack

from attrs import evolve

from gossamer.deploy.load import Load, load
from gossamer.deploy.servers import Node
from tests.perf.contenders import COMPILED
from tests.perf.figures import Figures, Goal
from tests.perf.memory import resident
from tests.perf.question import Bench, Question

SMALL = Load("set", 300_000, pipeline=16, keys=110_000)
CASES = {
    "SET 10 KB": Load("set", 100_000, size=10_240, keys=2_000),
    "GET 10 KB": Load("get", 100_000, keys=2_000),
    "SET 1 MB": Load("set", 2_000, clients=20, size=1 << 20, keys=20),
    "GET 1 MB": Load("get", 2_000, clients=20, keys=20),
}
QUIET_S = 2.5
"""In which a server may give back what it does not need any more."""


def measure(bench: Bench) -> list[Figures]:
    rate = Figures("Large values", "requests/s", (Goal(COMPILED, 0.95, at_least=True),), digits=0)
    cpu = Figures("Processor time of the server per large value", "µs")
    memory = Figures("Resident set after large values", "MB", (Goal(COMPILED, 1.3, at_least=False),), digits=0)
    for turn in range(bench.rounds):
        bench.tell(f"large: round {turn + 1} of {bench.rounds}")
        with ExitStack() as stack:
            nodes = [stack.enter_context(Node(kind)) for kind in bench.kinds]
            for case, full in {"": SMALL, **CASES}.items():
                work = evolve(full, requests=max(full.clients, bench.amount(full.requests)))
                for node in nodes:
                    found = load(node.port, work, [node.pid])
                    if case:
                        rate.add(case, node.kind.name, found.rate)
                    if case and found.cpu_us is not None:
                        cpu.add(case, node.kind.name, found.cpu_us)
            time.sleep(QUIET_S)
            for node in nodes:
                memory.add("in the end", node.kind.name, resident(node.pid) / 1e6)
    return [rate, cpu, memory]


QUESTION = Question(
    "large",
    "redis-benchmark: SET and GET of 2,000 values of 10 KB by 50 clients (100,000 requests), then of 20 values of 1 MB "
    "by 20 clients (2,000 requests), on servers that hold 110,000 small keys and take turns. Then the resident set "
    "(VmRSS), after 2.5 quiet seconds.",
    measure,
)
