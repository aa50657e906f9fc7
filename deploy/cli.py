"""The ``gossamer`` command: one parser, a subcommand a file in ``deploy/commands``.

Whatever the operator can mend ends in one line on standard error: exit code 2 for a wrong command line, 1 for the rest.
"""

import argparse
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import NoReturn

from gossamer.deploy.commands import (
    backup,
    bench,
    check_aof,
    check_rdb,
    cluster,
    down,
    import_,
    node,
    restore,
    status,
    up,
)
from gossamer.deploy.user_error import INTERRUPTED, UserError
from gossamer.node.version import TITLE


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake takes one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help shows the options)\n")


def parser() -> Parser:
    out = Parser(prog="gossamer", description="A Redis-Cluster-compatible, in-memory data store.", allow_abbrev=False)
    out.add_argument("--version", action="version", version=TITLE)
    subcommands = out.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for command in (up, down, status, cluster, node, backup, restore, import_, check_rdb, check_aof, bench):
        command.add(subcommands)
    return out


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (default: this process') and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what nodes answer may be any bytes
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["node"]:
        return node.run(words[1:])
    own, options = split_options(words)
    args = parser().parse_args(own)
    try:
        code: int = args.run(args, options)
    except UserError as problem:
        print(f"gossamer: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def split_options(words: list[str]) -> tuple[list[str], list[str]]:
    """What stands before ``--`` and what behind it."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


if __name__ == "__main__":
    sys.exit(main())
