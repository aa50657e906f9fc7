"""What does a large cluster cost on the bus when nothing happens, and how soon does it agree on a death?"""

from typing import Final

from tests.perf.figures import Figures, Goal
from tests.perf.question import Bench, Question
from tests.sim.crowd import Crowd

SIZES: Final = (100, 1000)
CROWDS: Final = (100, 300, 1000)
SHARES: Final = (0.1, 0.33)
TIMEOUT_MS: Final = 15_000
WORK_MS: Final = 3_000_000
"""Milliseconds of one node's life that are watched: fewer nodes are watched for longer."""

LONGEST_MS: Final = 2 * TIMEOUT_MS
GOSSIP: Final = "gossip, simulated"


def measure(bench: Bench) -> list[Figures]:
    traffic = Figures(f"Calm cluster, node timeout {TIMEOUT_MS} ms: sent by each node", "bytes/s", digits=0)
    messages = Figures(f"Calm cluster, node timeout {TIMEOUT_MS} ms: sent by each node", "messages/s")
    refused = Figures("Death of a primary whose host refuses connections, until all say FAIL", "ms", digits=0)
    silent = Figures("The same, with cluster-fast-failover off, until all say FAIL", "ms", digits=0)
    for full in SIZES:
        size = max(6, bench.amount(full) // 2 * 2)
        for turn in range(bench.rounds if full == SIZES[0] else 1):
            bench.tell(f"scale: {size} nodes, seed {turn + 1}")
            one(bench, size, turn + 1, traffic, messages, refused)
        if full == SIZES[0]:
            for turn in range(bench.rounds):
                patient = Crowd(size, TIMEOUT_MS, turn + 1, fast=False)
                patient.run(TIMEOUT_MS // 2)
                silent.add(f"{size} nodes", GOSSIP, agreed_ms(patient, silently=True))
    return [traffic, messages, refused, silent, *together(bench)]


def together(bench: Bench) -> list[Figures]:
    """A tenth and a third of the primaries die in one moment."""
    refused = Figures("Primaries die at once (refused), until all see every slot served", "ms", goals(0), 0)
    silent = Figures(f"The same, falling silent, node timeout {TIMEOUT_MS} ms", "ms", goals(TIMEOUT_MS), 0)
    for full in CROWDS:
        size = max(12, bench.amount(full) // 2 * 2)
        for share in SHARES:
            row = row_of(size, share)
            for figures, silently in ((refused, False), (silent, True)):
                crowd = Crowd(size, TIMEOUT_MS, fast=not silently)
                crowd.run(1000)
                figures.add(row, GOSSIP, whole_ms(crowd, max(1, round(size // 2 * share)), silently))
                bench.tell(f"scale: {row} {'silent' if silently else 'dead'}: whole")
    return [refused, silent]


def goals(after_ms: int) -> tuple[Goal, ...]:
    """For a tenth and for a third of the primaries, ``after_ms`` more than where their hosts refuse."""
    most = dict(zip(SHARES, ((2000, 5000) if not after_ms else (3000, 8000)), strict=True))
    return tuple(
        Goal(GOSSIP, after_ms + most[share], at_least=False, cases=(row_of(size, share),), absolute=True)
        for size in CROWDS
        for share in SHARES
    )


def row_of(size: int, share: float) -> str:
    return f"{share:.0%} of {size // 2} primaries"


def whole_ms(crowd: Crowd, count: int, silently: bool) -> float:
    """From the deaths to the moment when nobody believes that a dead node owns slots; at most four node timeouts."""
    began, victims = crowd.now, crowd.kill_primaries(count, silently)
    while crowd.unserved_at(victims) and crowd.now - began < 2 * LONGEST_MS:
        crowd.run(20)
    return crowd.now - began


def one(bench: Bench, size: int, seed: int, traffic: Figures, messages: Figures, refused: Figures) -> None:
    case = f"{size} nodes"
    crowd = Crowd(size, TIMEOUT_MS, seed, tell=bench.tell)
    watch_ms = min(WORK_MS // size, TIMEOUT_MS)
    crowd.run(watch_ms)
    before_bytes, before = crowd.sent_bytes, crowd.sent
    crowd.run(watch_ms)
    bench.tell(f"scale: {size} nodes have been calm for {2 * watch_ms / 1000:g} s")
    traffic.add(case, GOSSIP, (crowd.sent_bytes - before_bytes) / size / watch_ms * 1000)
    messages.add(case, GOSSIP, (crowd.sent - before) / size / watch_ms * 1000)
    refused.add(case, GOSSIP, agreed_ms(crowd))


def agreed_ms(crowd: Crowd, silently: bool = False) -> float:
    """From the death of a primary to the moment when all others say FAIL; at most two node timeouts."""
    victim, began = len(crowd.members) - 1, crowd.now
    crowd.kill(victim, silently)
    while crowd.failed_at(victim) < crowd.living and crowd.now - began < LONGEST_MS:
        crowd.run(10)
    return crowd.now - began


QUESTION = Question(
    "scale",
    "The gossip of every node runs, in one process and on a virtual clock; half of the nodes are primaries with a "
    "replica each. A message takes 1 ms; nothing is encoded, saved or served, and nothing takes processor time: these "
    "are figures of the protocol, not of a machine. The cluster is there from the beginning, with every link up. A "
    "thousand nodes are a million links: they are watched for 3 s after 3 s, with one seed; a hundred for 15 s after "
    "15 s. Primaries that die at once are drawn by chance, and their replicas live. No other "
    "server takes part. What Valkey has published of 2,000 nodes (valkey.io, October 2025: Scaling a "
    "Valkey Cluster to 1 Billion Request per Second) shows recovery times in a diagram only, and no traffic.",
    measure,
)
