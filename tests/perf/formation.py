"""How long from nothing to six nodes that all say ``cluster_state:ok``?"""

import time

from gossamer.deploy.servers import Kind
from tests.perf.clusters import cluster, launched
from tests.perf.contenders import OURS
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

NODES = 6
ALONE = f"{NODES} primaries"
IN_PAIRS = f"{NODES // 2} primaries, each with a replica in sync"
CASES = ((ALONE, 0, 1.2), (IN_PAIRS, 1, 1.5))


def measure(bench: Bench) -> list[Figures]:
    goals = [Goal(name, most, False, (case,), absolute=True) for case, _, most in CASES for name in OURS]
    took = Figures(f"{NODES} nodes from nothing to cluster_state:ok", "s", tuple(goals))
    for turn in range(bench.rounds):
        bench.tell(f"formation: round {turn + 1} of {bench.rounds}")
        for case, replicas, _ in CASES:
            for kind in bench.kinds:
                took.add(case, kind.name, form(kind, replicas))
    return [took]


def form(kind: Kind, replicas: int) -> float:
    """Seconds from the first process started to the last node that says ok."""
    started = time.monotonic()
    with launched(kind, NODES, replicas) if kind.ours else cluster(kind, NODES, replicas):
        return time.monotonic() - started


QUESTION = Question(
    "formation",
    f"Ours: `gossamer up {NODES} --detach` (and `--replicas 1`), an interpreter start included. Theirs: six servers "
    "started at once, then `redis-cli --cluster create`. The clock stops when CLUSTER INFO of every node says ok and "
    "knows all six, and every replica is in sync. repl-diskless-sync-delay is 0.",
    measure,
)
