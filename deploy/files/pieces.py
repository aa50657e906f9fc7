"""Reads a file piece by piece, opened if it is sealed, with a bar on a terminal if that takes a while."""

import sys
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from gossamer.deploy.user_error import UserError
from gossamer.node.io.data_file import DataFile
from gossamer.node.io.keys import NO_KEYS, KeyFileError, Keys, given_keys
from gossamer.node.persist.sealed.form import SealError

PIECE: Final = 1 << 20
LARGE: Final = 1 << 24
"""Bytes of a file that is worth a bar: it takes a second or so."""


def opened(path: Path, keys: Keys = NO_KEYS) -> DataFile:
    """UserError if it cannot be read, also for want of a key."""
    try:
        return DataFile(str(path), keys, "--key-file does not say with which key")
    except SealError as error:
        raise UserError(f"{path}: {error.reason}") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def pieces(path: Path) -> Generator[bytes, None, None]:
    """All that is in the file at ``path``, which is not sealed; UserError if it cannot be read."""
    yield from pieces_of(opened(path), path)


def pieces_of(file: DataFile, path: Path) -> Generator[bytes, None, None]:
    """All that is in ``file``, which is at ``path``; UserError if it cannot be read, SealError if that is damaged."""
    try:
        with file, _shown(path, file.size) as bar:
            while data := file.read(PIECE):
                bar.advance(len(data))
                yield data
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def keys_of(paths: Sequence[Path]) -> Keys:
    """Those that ``--key-file`` names. UserError."""
    try:
        return given_keys([str(path) for path in paths])
    except KeyFileError as error:
        raise UserError(str(error)) from None


def beginning(path: Path) -> bytes:
    """The first of the ``pieces``, or less."""
    try:
        with path.open("rb") as file:
            return file.read(PIECE)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


class _Nothing:
    """Where no bar is shown."""

    def advance(self, count: int) -> None:
        pass


class _Bar(AbstractContextManager["_Bar"]):
    """A line on the terminal, which vanishes when the file has been read."""

    def __init__(self, name: str, size: int) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=40),
            DownloadColumn(),
            TimeRemainingColumn(compact=True),
            transient=True,
        )
        self._task = self._progress.add_task(name, total=size)

    def advance(self, count: int) -> None:
        self._progress.advance(self._task, count)

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _shown(path: Path, size: int) -> AbstractContextManager[_Bar | _Nothing]:
    return _Bar(path.name, size) if size >= LARGE and sys.stdout.isatty() else nullcontext(_Nothing())
