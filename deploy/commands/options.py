"""What several subcommands share."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from deploy.folder import Folder

if TYPE_CHECKING:
    Parsers: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]
else:
    Parsers = object

DIR: Final = "gossamer-data"

_STARTED: Final = time.monotonic() - time.process_time()


def stopwatch() -> float:
    """When this program started, by ``time.monotonic``: until this import it has only computed."""
    return _STARTED


def add_dir(parser: argparse.ArgumentParser) -> None:
    text = f"folder of the cluster (default: {DIR} in the current directory)"
    parser.add_argument("--dir", type=Path, default=Path(DIR), help=text)


def folder_of(args: argparse.Namespace) -> Folder:
    path: Path = args.dir
    return Folder(path.absolute())
