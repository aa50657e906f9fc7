"""``gossamer check-aof``: look at append-only files, and mend the last one; how is in ``deploy/files``."""

import argparse
from pathlib import Path

from gossamer.deploy.options import Parsers, add_key_file


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser("check-aof", help="are append-only files whole? exits with 0 if they are")
    parser.add_argument(
        "--fix", action="store_true", help="cut the last file behind its last whole command, after asking"
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="appendonly.aof.manifest, or a single file")
    add_key_file(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, _: list[str]) -> int:
    from gossamer.deploy.files.check_aof import check_aof

    return check_aof(args.file, args.fix, args.key_file)
