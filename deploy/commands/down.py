"""``gossamer down``: end the nodes of a cluster that runs on this machine."""

import argparse

from gossamer.deploy.options import Parsers, add_dir, folder_of


def add(parsers: Parsers) -> None:
    parser = parsers.add_parser("down", help="end a cluster on this machine; its folder stays")
    add_dir(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, _: list[str]) -> int:
    from gossamer.deploy.local import stop_running

    folder = folder_of(args)
    count = stop_running(folder, folder.require())
    print(f"{count} nodes ended" if count else f"no node of {folder.path} was running")
    return 0
