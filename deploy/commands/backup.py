"""``gossamer backup``: the data of a running cluster or node as files; how is in ``deploy/backup``."""

import argparse
from pathlib import Path

from gossamer.deploy.commands.cluster import add_access
from gossamer.deploy.options import Parsers


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser("backup", help="take the data of a running cluster or node into a folder")
    parser.add_argument("place", metavar="HOST:PORT", help="any node of the cluster, or a node that is in none")
    parser.add_argument("dir", type=Path, metavar="DIR", help="the folder of this backup: not there yet, or empty")
    parser.add_argument(
        "--from-replicas", action="store_true", help="ask a replica of each shard, which spares the primaries"
    )
    add_access(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, options: list[str]) -> int:
    from gossamer.deploy.backup import take

    return take.run(args, options)
