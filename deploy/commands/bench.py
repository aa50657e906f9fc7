"""``gossamer bench``: measure a node; the measuring itself is in ``deploy/bench.py``."""

import argparse

from deploy.commands.options import Parsers
from deploy.problem import Problem


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser("bench", help="measure a node beside redis-server")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, options: list[str]) -> int:
    raise Problem("there are no benchmarks yet")
