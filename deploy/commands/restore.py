"""``gossamer restore``: a backup into a running cluster or node; how is in ``deploy/backup``."""

import argparse
from pathlib import Path

from gossamer.deploy.commands.cluster import add_access
from gossamer.deploy.options import Parsers


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser(
        "restore", help="bring a backup into a running cluster of any number of shards, or a node"
    )
    parser.add_argument("dir", type=Path, metavar="DIR", help="the folder that gossamer backup has made")
    parser.add_argument("place", metavar="HOST:PORT", help="any node of the cluster, or a node that is in none")
    add_present(parser)
    add_access(parser)
    parser.set_defaults(run=run)


def add_present(parser: argparse.ArgumentParser) -> None:
    """A target that has keys is refused without one of these."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--merge", action="store_true", help="keys that are there stay; those that are missing are added"
    )
    choice.add_argument("--replace", action="store_true", help="keys that are there are overwritten; others stay")


def run(args: argparse.Namespace, options: list[str]) -> int:
    from gossamer.deploy.backup import restore

    return restore.run(args, options)
