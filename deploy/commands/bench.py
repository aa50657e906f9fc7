"""``gossamer bench``: measure a node; the measuring itself is in ``deploy/bench.py``."""

import argparse

from gossamer.deploy.bench import add_arguments
from gossamer.deploy.options import Parsers
from gossamer.deploy.user_error import UserError


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser("bench", help="measure a node beside redis-server")
    add_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, options: list[str]) -> int:
    from gossamer.deploy import bench

    if options:
        raise UserError("bench hands no options on to the nodes")
    return bench.run(args)
