"""``gossamer restore``: a backup into a running cluster of any number of shards, or a node."""

import argparse

from gossamer.deploy.backup.bring import Order, bring
from gossamer.deploy.backup.check import pieces_of, read_manifest
from gossamer.deploy.backup.progress import progress_here
from gossamer.deploy.backup.sender import Present
from gossamer.deploy.cluster.carry_out import access_of, no_options
from gossamer.deploy.signals import Interrupted, Signals
from gossamer.deploy.user_error import INTERRUPTED


def run(args: argparse.Namespace, options: list[str]) -> int:
    no_options(options)
    order = Order(args.place, access_of(args), present_of(args))
    manifest = read_manifest(args.dir)
    with Signals() as signals, progress_here() as progress:
        try:
            pieces = pieces_of(args.dir, manifest, progress, signals)
            return bring(order, pieces, progress, signals)
        except Interrupted:
            return INTERRUPTED


def present_of(args: argparse.Namespace) -> Present:
    if args.replace:
        return Present.REPLACE
    return Present.MERGE if args.merge else Present.REFUSE
