"""``gossamer import``: an RDB file of any server, or all that a running server or cluster has, into another one.

What runs is taken into a folder of temporary files first, so the source is not held up by a target that is slower.
"""

import argparse
import os
from pathlib import Path

from gossamer.deploy.backup.bring import ALL, Order, bring
from gossamer.deploy.backup.check import Piece, piece_of
from gossamer.deploy.backup.progress import Progress, progress_here
from gossamer.deploy.backup.restore import present_of
from gossamer.deploy.backup.take import taken_aside
from gossamer.deploy.cluster.carry_out import access_of, no_options
from gossamer.deploy.cluster.survey import Access
from gossamer.deploy.options import SOURCE_PASSWORD
from gossamer.deploy.signals import Interrupted, Signals
from gossamer.deploy.user_error import INTERRUPTED, UserError


def run(args: argparse.Namespace, options: list[str]) -> int:
    no_options(options)
    order = Order(args.target, access_of(args), present_of(args), ALL if args.db is None else args.db)
    file = Path(args.source)
    if not file.exists() and ":" not in args.source:
        raise UserError(f"{args.source} is not there, and is not host:port either")
    with Signals() as signals, progress_here() as progress:
        try:
            if file.exists():
                return bring(order, [piece_of(file, progress, signals)], progress, signals)
            return import_server(args, order, progress, signals)
        except Interrupted:
            return INTERRUPTED


def import_server(args: argparse.Namespace, order: Order, progress: Progress, signals: Signals) -> int:
    with taken_aside(args.source, source_access(args), progress, signals) as (path, manifest):
        pieces = [Piece(path / shard.file, shard.size, shard.keys, shard.slots) for shard in manifest.shards]
        return bring(order, pieces, progress, signals)


def source_access(args: argparse.Namespace) -> Access:
    password = os.environ.get(SOURCE_PASSWORD, "") if args.source_password is None else args.source_password
    if args.source_user and not password:
        raise UserError("--source-user needs --source-password")
    return Access(args.source_user, password)
