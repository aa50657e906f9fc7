"""What several subcommands share."""

import argparse
import time
from pathlib import Path
from typing import Final, TypeAlias

from gossamer.deploy.folder import Folder
from gossamer.deploy.user_error import UserError

Parsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

DIR: Final = "gossamer-data"
PASSWORD: Final = "REDISCLI_AUTH"
"""The environment variable that redis-cli takes the password from; other users cannot see it, as they can arguments."""
SOURCE_PASSWORD: Final = "GOSSAMER_SOURCE_AUTH"
"""The same for the servers that data is taken from, where it goes to others."""
ELECTORATE: Final = 3
"""Primaries of the smallest cluster in which the others still are a majority when one has died."""

_STARTED: Final = time.monotonic() - time.process_time()


def stopwatch() -> float:
    """When this program started, by ``time.monotonic``: until this import it has only computed."""
    return _STARTED


def add_dir(parser: argparse.ArgumentParser) -> None:
    text = f"folder of the cluster (default: {DIR} in the current directory)"
    parser.add_argument("--dir", type=Path, default=Path(DIR), help=text)


def add_key_file(parser: argparse.ArgumentParser) -> None:
    text = "what a sealed file is opened with, as encrypt-at-rest-key-file; again for another key"
    parser.add_argument("--key-file", type=Path, action="append", default=[], metavar="KEYFILE", help=text)


def folder_of(args: argparse.Namespace) -> Folder:
    path: Path = args.dir
    return Folder(path.absolute())


def demand_whole_shards(count: int, replicas: int) -> None:
    """Raise UserError unless ``count`` nodes are primaries with ``replicas`` each, and enough of them to elect."""
    if replicas < 0:
        raise UserError(f"a primary cannot have {replicas} replicas")
    primaries, left = divmod(count, replicas + 1)
    if left:
        raise UserError(
            f"{count} nodes are not primaries with {counted(replicas)} each: N is to be a multiple of {replicas + 1}"
        )
    if replicas and primaries < ELECTORATE:
        raise UserError(
            f"{count} nodes with {counted(replicas)} each have fewer than {ELECTORATE} primaries, too few to elect a "
            f"replica when one has died: at least {ELECTORATE * (replicas + 1)} nodes are needed"
        )


def counted(replicas: int) -> str:
    return "1 replica" if replicas == 1 else f"{replicas} replicas"
