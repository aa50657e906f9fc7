"""``gossamer cluster``: administer a running cluster, wherever its nodes are; a subcommand a file.

Each is given the address of one node, shows what it is going to do, and does it when it is told to. What was done stays
done when it is interrupted, and the same command goes on from there.
"""

from gossamer.deploy.commands.cluster import add as add_node
from gossamer.deploy.commands.cluster import check, create, rebalance, remove
from gossamer.deploy.commands.options import Parsers


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser("cluster", help="administer a running cluster: create, check, add, remove, rebalance")
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (create, check, add_node, remove, rebalance):
        command.add(subcommands)
