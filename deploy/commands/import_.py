"""``gossamer import``: an RDB file or a running server into a cluster or node; how is in ``deploy/backup``."""

import argparse

from gossamer.deploy.commands.cluster import add_access
from gossamer.deploy.commands.restore import add_present
from gossamer.deploy.options import SOURCE_PASSWORD, Parsers


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser(
        "import", help="bring an RDB file, or what a running server has, into a cluster or node"
    )
    text = "dump.rdb of any server, or host:port of one that runs (its data goes through $TMPDIR)"
    parser.add_argument("source", metavar="FILE|HOST:PORT", help=text)
    parser.add_argument("target", metavar="TARGET:PORT", help="any node of the cluster, or a node that is in none")
    parser.add_argument(
        "--db", type=int, metavar="N", help="this database only (default: all); in a cluster it becomes 0"
    )
    add_present(parser)
    parser.add_argument("--source-user", default="", help="ACL user to connect to the source as (default: default)")
    parser.add_argument("--source-password", help=f"of the source (default: ${SOURCE_PASSWORD})")
    add_access(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, options: list[str]) -> int:
    from gossamer.deploy.backup import importing

    return importing.run(args, options)
