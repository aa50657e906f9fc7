"""``gossamer bench``: one node of ours beside redis-server, with the load that redis-benchmark makes.

Ours and theirs run at once and are loaded in turns, so that a busy machine is busy for both; the figure is the median
of the rounds. Processor time per request is disturbed least: other programs change when a server runs, hardly what it
costs.
``tests/perf`` asks more, with the same servers and loads.
"""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from gossamer.deploy.load import KEYS, Load, Outcome, benchmark_program, in_turns, median_of
from gossamer.deploy.servers import Kind, Node, gossamer
from gossamer.deploy.user_error import UserError

CASES: Final = (("set", 1), ("get", 1), ("set", 16), ("get", 16))
REQUESTS: Final = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"of each run (default: {REQUESTS})")
    parser.add_argument("--clients", type=int, default=50, help="connections (default: 50)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of which the median counts (default: 3)")


def run(args: argparse.Namespace) -> int:
    """Measure and print; UserError if that cannot be done here."""
    from rich.table import Table

    from gossamer.deploy.table import console

    for name in ("requests", "clients", "rounds"):
        if getattr(args, name) < 1:
            raise UserError(f"--{name} {getattr(args, name)} is not a positive number")
    benchmark_program()
    kinds = here()
    table = Table(title=f"{args.clients} clients, {KEYS} random keys, median of {args.rounds}")
    for heading in ("load", "server"):
        table.add_column(heading, no_wrap=True)
    for heading in ("requests/s", "p50 ms", "p99 ms", "CPU µs", "rate"):
        table.add_column(heading, justify="right")
    with ExitStack() as stack:
        nodes = [stack.enter_context(Node(kind)) for kind in kinds]
        for test, pipeline in CASES:
            work = Load(test, args.requests, args.clients, pipeline)
            for row in rows(work, kinds, [median_of(outs) for outs in in_turns(nodes, work, args.rounds)]):
                table.add_row(*row)
            table.add_section()
    console().print(table)
    return 0


def here() -> list[Kind]:
    """Our node as it is installed, and redis-server or valkey-server where there is one."""
    root = Path(__file__).parents[2]
    kinds = [gossamer("gossamer", root, os.environ.get("GOSSAMER_PURE") == "1")]
    for name in ("redis-server", "valkey-server"):
        path = shutil.which(name)
        if path is not None:
            return [*kinds, Kind(name, (path,))]
    return kinds


def rows(work: Load, kinds: list[Kind], medians: list[Outcome]) -> list[list[str]]:
    """A line for each server; ``rate`` is how many times the rate of the last, the peer."""
    out = []
    for kind, found in zip(kinds, medians, strict=True):
        cpu = "–" if found.cpu_us is None else f"{found.cpu_us:.2f}"
        times = f"{found.rate / medians[-1].rate:.2f} ×"
        figures = [f"{found.rate:,.0f}", f"{found.p50_ms:.2f}", f"{found.p99_ms:.2f}", cpu, times]
        out.append([f"{work.test.upper()} -P {work.pipeline}", kind.name, *figures])
    return out


def main(argv: Sequence[str]) -> int:
    """``gossamer bench ARGV``; the exit status."""
    parser = argparse.ArgumentParser(prog="gossamer bench", description="Measure a node beside redis-server.")
    add_arguments(parser)
    try:
        return run(parser.parse_args(argv))
    except UserError as problem:
        print(f"gossamer: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
