"""``gossamer node``: one node, with the arguments of ``redis-server``. The process becomes the node."""

from collections.abc import Sequence

from gossamer.deploy.options import Parsers


def add(parsers: Parsers) -> None:
    """Only for the list of subcommands: its arguments are redis.conf's, not ours."""
    parsers.add_parser("node", help="be one node: gossamer node [redis.conf] [--directive value ...]", add_help=False)


def run(argv: Sequence[str]) -> int:
    from gossamer.node.io.serve import main

    return main(argv)
