"""``gossamer check-rdb``: look at an RDB file; how is in ``deploy/files``."""

import argparse
from pathlib import Path

from gossamer.deploy.options import Parsers, add_key_file


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser("check-rdb", help="is an RDB file whole, and what is in it? exits with 0 if it is")
    parser.add_argument("file", type=Path, metavar="FILE", help="dump.rdb, of any server")
    add_key_file(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, _: list[str]) -> int:
    from gossamer.deploy.files.check_rdb import check_rdb

    return check_rdb(args.file, args.key_file)
