"""How long does a client wait, when it is alone and when there are 500?"""

from contextlib import ExitStack

from gossamer.deploy.load import Load, load
from gossamer.deploy.servers import Node
from tests.perf.figures import Figures
from tests.perf.question import Bench, Question

CASES = ((1, 30_000), (500, 200_000))


def measure(bench: Bench) -> list[Figures]:
    middle = Figures("Latency, median", "ms", digits=3)
    tail = Figures("Latency, 99th percentile", "ms", digits=3)
    with ExitStack() as stack:
        nodes = [stack.enter_context(Node(kind)) for kind in bench.kinds]
        for turn in range(bench.rounds):
            bench.tell(f"latency: round {turn + 1} of {bench.rounds}")
            for clients, requests in CASES:
                for test in ("set", "get"):
                    case = f"{test.upper()}, {clients} client{'s' if clients > 1 else ''}"
                    for node in nodes:
                        found = load(node.port, Load(test, max(clients, bench.amount(requests)), clients), [])
                        middle.add(case, node.kind.name, found.p50_ms)
                        tail.add(case, node.kind.name, found.p99_ms)
    return [middle, tail]


QUESTION = Question(
    "latency",
    "redis-benchmark's own percentiles, seen from the client, with 1 client (30,000 requests a run) and 500 clients "
    "(200,000), each sending the next request when it has its reply: with 500 "
    "clients this is the time a full queue takes.",
    measure,
)
