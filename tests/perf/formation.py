"""How long from nothing to six nodes that all say ``cluster_state:ok``?"""

import time

from deploy.servers import Kind
from tests.perf.clusters import cluster, launched
from tests.perf.contenders import OURS
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

NODES = 6


def measure(bench: Bench) -> list[Figures]:
    goals = tuple(Goal(name, 1.2, at_least=False, absolute=True) for name in OURS)
    took = Figures(f"{NODES} nodes from nothing to cluster_state:ok", "s", goals)
    for turn in range(bench.rounds):
        bench.tell(f"formation: round {turn + 1} of {bench.rounds}")
        for kind in bench.kinds:
            took.add(f"{NODES} primaries", kind.name, form(kind))
    return [took]


def form(kind: Kind) -> float:
    """Seconds from the first process started to the last node that says ok."""
    started = time.monotonic()
    with launched(kind, NODES) if kind.ours else cluster(kind, NODES):
        return time.monotonic() - started


QUESTION = Question(
    "formation",
    "Ours: `gossamer up 6 --detach`, an interpreter start included. Theirs: six servers started at once, then "
    "`redis-cli --cluster create`. The clock stops when CLUSTER INFO of every node says ok and knows all six.",
    measure,
)
