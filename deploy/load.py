"""The load that redis-benchmark makes, and what comes of it: rate, latencies, processor time per request."""

import csv
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final

from attrs import frozen

from gossamer.deploy.servers import HOST, Node, cpu_seconds
from gossamer.deploy.user_error import UserError

LOAD_S: Final = 600.0
"""How long one run of redis-benchmark may take."""
KEYS: Final = 100_000
"""Random keys are drawn from so many."""


@frozen
class Load:
    """What redis-benchmark is to do."""

    test: str
    requests: int
    clients: int = 50
    pipeline: int = 1
    cluster: bool = False
    size: int = 3
    """Bytes of the values that SET writes."""
    keys: int = KEYS
    words: tuple[str, ...] = ()
    """A request to send in place of a test that redis-benchmark knows by name."""

    def command(self, port: int) -> list[str]:
        words = [benchmark_program(), "-h", HOST, "-p", str(port), "-n", str(self.requests), "--csv"]
        words += ["-c", str(self.clients), "-P", str(self.pipeline), "-r", str(self.keys)]
        words += ["-d", str(self.size)]
        words += ["--cluster"] if self.cluster else []
        return [*words, *self.words] if self.words else [*words, "-t", self.test]


@frozen
class Outcome:
    """Requests a second, latencies in milliseconds, processor time of the servers per request in microseconds."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float | None = None


def load(port: int, work: Load, pids: Iterable[int]) -> Outcome:
    """Put ``work`` on the server at ``port``; ``pids`` are the processes whose time counts."""
    pids = list(pids)
    before = [cpu_seconds(pid) for pid in pids]
    try:
        done = subprocess.run(work.command(port), capture_output=True, errors="replace", timeout=LOAD_S, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise UserError(f"redis-benchmark failed: {error}") from None
    after = [cpu_seconds(pid) for pid in pids]
    outcome = read_csv(done.stdout)
    spent = [end - start for start, end in zip(before, after, strict=True) if start is not None and end is not None]
    cpu_us = sum(spent) / work.requests * 1e6 if spent and len(spent) == len(pids) else None
    return Outcome(outcome.rate, outcome.p50_ms, outcome.p99_ms, cpu_us)


def read_csv(text: str) -> Outcome:
    """The last line of ``redis-benchmark --csv`` (since 6.2), read by the names in the heading before it."""
    lines = [line for line in text.splitlines() if line.startswith('"')]
    if len(lines) < 2:
        raise UserError(f"redis-benchmark gave no figures: {text.strip()[-200:]}")
    figures = dict(zip(*csv.reader([lines[0], lines[-1]]), strict=True))
    return Outcome(float(figures["rps"]), float(figures["p50_latency_ms"]), float(figures["p99_latency_ms"]))


def benchmark_program() -> str:
    found = shutil.which("redis-benchmark") or shutil.which("valkey-benchmark")
    if found is None:
        raise UserError("there is no redis-benchmark here: it comes with the packages redis-tools and valkey-tools")
    return found


def in_turns(nodes: Sequence[Node], work: Load, rounds: int) -> list[list[Outcome]]:
    """``rounds`` outcomes of each node, taken alternately."""
    outcomes: list[list[Outcome]] = [[] for _ in nodes]
    for _ in range(rounds):
        for node, found in zip(nodes, outcomes, strict=True):
            found.append(load(node.port, work, [node.pid]))
    return outcomes


def median_of(outcomes: Sequence[Outcome]) -> Outcome:
    """Each figure's own median."""
    cpu = [outcome.cpu_us for outcome in outcomes if outcome.cpu_us is not None]
    return Outcome(
        median(outcome.rate for outcome in outcomes),
        median(outcome.p50_ms for outcome in outcomes),
        median(outcome.p99_ms for outcome in outcomes),
        median(cpu) if len(cpu) == len(outcomes) else None,
    )
