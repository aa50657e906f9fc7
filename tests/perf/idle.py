"""What does a node cost that nobody asks anything?"""

import time
from contextlib import ExitStack

from gossamer.deploy.servers import cpu_seconds
from gossamer.deploy.user_error import UserError
from tests.perf.clusters import cluster
from tests.perf.contenders import OURS
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question

NODES = 6
WATCH_S = 10.0


def measure(bench: Bench) -> list[Figures]:
    goals = tuple(Goal(name, 0.5, at_least=False, absolute=True) for name in OURS)
    used = Figures(f"Idle node in a cluster of {NODES}", "% of a core", goals)
    with ExitStack() as stack:
        clusters = [(kind.name, stack.enter_context(cluster(kind, NODES))) for kind in bench.kinds]
        for turn in range(bench.rounds):
            bench.tell(f"idle: round {turn + 1} of {bench.rounds}")
            before = {name: [spent(node.pid) for node in nodes] for name, nodes in clusters}
            started = time.monotonic()
            time.sleep(WATCH_S * bench.scale)
            for name, nodes in clusters:
                grown = sum(spent(node.pid) for node in nodes) - sum(before[name])
                used.add("idle", name, grown / NODES / (time.monotonic() - started) * 100)
    return [used]


def spent(pid: int) -> float:
    seconds = cpu_seconds(pid)
    if seconds is None:
        raise UserError("processor time of other processes is read from /proc, which is not here")
    return seconds


QUESTION = Question(
    "idle",
    "Six-node clusters of all kinds run side by side without clients, 10 s a round; processor time (/proc/PID/stat) "
    "over wall time, the mean of the six nodes.",
    measure,
)
