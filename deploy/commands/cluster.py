"""``gossamer cluster``: administer a running cluster, wherever its nodes are.

Each subcommand is given the address of one node, shows what it is going to do, and does it when it is told to. What was
done stays done when it is interrupted, and the same command goes on from there. Here are their options; what they do is
in ``deploy/cluster``, a file each, and is imported when it is asked for: ``gossamer up`` starts sooner without it.
"""

import argparse
from collections.abc import Callable
from typing import Final

from gossamer.deploy.options import PASSWORD, Parsers

Run = Callable[[argparse.Namespace, list[str]], int]

REBALANCE_EPILOG: Final = (
    "Primaries without slots get theirs too. Weight 0 drains a primary, or keeps an empty one empty; who has given its "
    "last slot follows the one that took it, as in Redis."
)


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser("cluster", help="administer a running cluster: create, check, add, remove, rebalance")
    subcommands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add_options in (add_create, add_check, add_add, add_remove, add_rebalance):
        add_options(subcommands)


# --- the options of each


def add_create(parsers: Parsers) -> None:
    parser = parsers.add_parser("create", help="make empty nodes one cluster, shards spread over their hosts")
    parser.add_argument("places", nargs="+", metavar="HOST:PORT", help="the nodes, started with cluster-enabled yes")
    parser.add_argument("--replicas", type=int, default=0, metavar="R", help="of each primary (default: 0)")
    add_access(parser)
    add_consent(parser)
    parser.set_defaults(run=run_create)


def add_check(parsers: Parsers) -> None:
    parser = parsers.add_parser(
        "check", help="one owner per slot, all views equal, replicas in sync; exits with 0 if all is well"
    )
    parser.add_argument("place", metavar="HOST:PORT", help="any node of the cluster")
    parser.add_argument("--json", action="store_true", help="for programs: sound, nodes and findings as one object")
    add_access(parser)
    parser.set_defaults(run=run_check)


def add_add(parsers: Parsers) -> None:
    parser = add_change(parsers, "add", run_add, "let a node join, as a primary without slots or as a replica")
    parser.add_argument("new", metavar="NEW:PORT", help="the node that joins")
    parser.add_argument("--replica", action="store_true", help="as a replica of the primary that needs one most")
    parser.add_argument("--of", metavar="NODE", help="as a replica of this primary: its address, or how its id begins")


def add_remove(parsers: Parsers) -> None:
    text = "drain a node and have it forgotten; it is empty and alone afterwards"
    parser = add_change(parsers, "remove", run_remove, text)
    parser.add_argument("node", metavar="NODE", help="who leaves: an address, or how its id begins")


def add_rebalance(parsers: Parsers) -> None:
    text = "give every primary its share of the slots"
    parser = add_change(parsers, "rebalance", run_rebalance, text, REBALANCE_EPILOG)
    parser.add_argument(
        "--weight",
        action="append",
        default=[],
        metavar="NODE=W",
        help="the share of a primary (address, or how its id begins) against the others' 1; can be repeated",
    )


# --- options that several have


def add_change(parsers: Parsers, name: str, run: Run, help: str, epilog: str | None = None) -> argparse.ArgumentParser:
    """A subcommand that changes the cluster of which its first argument names a node."""
    parser = parsers.add_parser(name, help=help, epilog=epilog)
    parser.add_argument("place", metavar="HOST:PORT", help="any node of the cluster")
    add_access(parser)
    add_consent(parser)
    parser.set_defaults(run=run)
    return parser


def add_access(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--user", default="", help="ACL user to connect as (default: default)")
    parser.add_argument("--password", help=f"of the nodes (default: ${PASSWORD})")


def add_consent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show the plan, and stop")
    parser.add_argument("--yes", action="store_true", help="do not ask before carrying it out")


# --- what they do


def run_create(args: argparse.Namespace, options: list[str]) -> int:
    from gossamer.deploy.cluster import create

    return create.run(args, options)


def run_check(args: argparse.Namespace, options: list[str]) -> int:
    from gossamer.deploy.cluster import check

    return check.run(args, options)


def run_add(args: argparse.Namespace, options: list[str]) -> int:
    from gossamer.deploy.cluster import add

    return add.run(args, options)


def run_remove(args: argparse.Namespace, options: list[str]) -> int:
    from gossamer.deploy.cluster import remove

    return remove.run(args, options)


def run_rebalance(args: argparse.Namespace, options: list[str]) -> int:
    from gossamer.deploy.cluster import rebalance

    return rebalance.run(args, options)
