"""Several primaries die in one moment: how soon does every slot take writes again?"""

import os
import signal
import threading
import time
from contextlib import closing
from typing import Final

from gossamer.cluster.slots import key_slot
from gossamer.deploy.blocking_client import Refused
from gossamer.deploy.servers import Kind, Node
from gossamer.deploy.user_error import UserError
from tests.perf.clusters import cluster
from tests.perf.contenders import COMPILED
from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question
from tests.perf.shards import PROBE_S, REPLACED_S, place_in

PRIMARIES: Final = 12
DEATHS: Final = 4
TURNS: Final = 20
"""Of our compiled build; the others take part in the first round only, as a real server takes half a minute."""

CASE: Final = f"{DEATHS} of {PRIMARIES} primaries, default node timeout"


def measure(bench: Bench) -> list[Figures]:
    goals = (Goal(COMPILED, 1.0, False, (CASE,), absolute=True),)
    typical = Figures("Primaries killed in one moment, until each of their replicas takes a write", "s", goals)
    worst = Figures("The same, the worst of all turns", "s", (Goal(COMPILED, 2.0, False, (CASE,), absolute=True),))
    for kind in bench.kinds:
        turns = bench.amount(TURNS) if kind.ours else 1
        took: list[float] = []
        for turn in range(turns):
            took.append(one(kind, turn))
            bench.tell(f"together: {kind.name}, turn {turn + 1} of {turns}: {took[-1]:.2f} s")
            typical.add(CASE, kind.name, took[-1])
        worst.add(CASE, kind.name, max(took))
    return [typical, worst]


def one(kind: Kind, turn: int) -> float:
    with cluster(kind, 2 * PRIMARIES, replicas=1) as nodes:
        pairs = who_leads_whom(nodes)
        chosen = [pairs[(turn + 3 * at) % PRIMARIES] for at in range(DEATHS)]
        took: list[float] = []
        began = time.monotonic()
        waiting = [threading.Thread(target=until_it_writes, args=(node, key, began, took)) for _, node, key in chosen]
        for primary, _, _ in chosen:
            os.kill(primary.pid, signal.SIGKILL)
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join()
    if len(took) < DEATHS:
        raise UserError(f"{kind.name}: only {len(took)} of {DEATHS} were replaced within {REPLACED_S:.0f} s")
    return max(took)


def until_it_writes(replica: Node, key: str, began: float, took: list[float]) -> None:
    with closing(replica.client()) as client:
        while time.monotonic() - began < REPLACED_S:
            try:
                client.ask("SET", key, "again")
            except Refused:
                time.sleep(PROBE_S)
            else:
                took.append(time.monotonic() - began)
                return


def who_leads_whom(nodes: list[Node]) -> list[tuple[Node, Node, str]]:
    """Each primary, its replica and a key of its slots."""
    by_address = {node.address: node for node in nodes}
    with closing(nodes[0].client()) as client:
        lines = [line.split() for line in client.text("CLUSTER", "NODES").splitlines()]
    place = {words[0]: by_address[place_in(words[1])] for words in lines}
    replicas = {words[3]: place[words[0]] for words in lines if words[3] != "-"}
    first = {words[0]: int(words[8].split("-")[0]) for words in lines if len(words) > 8}
    span = 16384 // PRIMARIES - 1
    return [(place[name], replicas[name], key_near(at, span)) for name, at in sorted(first.items())]


def key_near(slot: int, span: int) -> str:
    return next(f"k{n}" for n in range(1 << 20) if slot <= key_slot(b"k%d" % n) < slot + span)


QUESTION = Question(
    "together",
    f"{PRIMARIES} primaries with a replica each, formed by `redis-cli --cluster create`, at the default node timeout. "
    f"{DEATHS} primaries get SIGKILL one right behind the other, and a client of each of their replicas sends SET "
    "until it is taken: the figure is the time from before the first signal to the last of these writes. Each turn has "
    "a new cluster.",
    measure,
)
