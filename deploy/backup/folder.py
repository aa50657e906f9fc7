"""The folder of a backup while it is made: a backup is there as a whole or not at all.

Data come into ``shard-N.rdb.partial``. When all are there and durable they get their names, and then the manifest
gets its own; before that no reader takes the folder for a backup. The file ``unfinished`` is there all the time, locked
while its process lives: what a process that died has left is known by it, and gives way to the next backup.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Final

from gossamer.cluster.text import bytes_of
from gossamer.deploy.backup.manifest import NAME, Manifest, write
from gossamer.deploy.user_error import UserError

MARK: Final = "unfinished"
PARTIAL: Final = ".partial"
OURS: Final = re.compile(r"(shard-[1-9][0-9]{0,4}\.rdb|manifest\.json)(\.partial)?|unfinished")
TEXT: Final = "A backup is being made here, or was not finished. The manifest is missing until it is whole.\n"


class Folder:
    """A context. ``commit`` makes a backup of what was written; if that does not happen the folder is left empty, and
    gone if it was made for this. UserError out of any method."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.left = False
        """Somebody else's unfinished backup was here, and has given way."""
        self._made = False
        self._mark: IO[bytes] | None = None

    def __enter__(self) -> "Folder":
        with told(self.path):
            if not self.path.exists():
                self.path.mkdir(parents=True)
                self._made = True
            found = {path.name for path in self.path.iterdir()}
            if NAME in found:
                raise UserError(f"{self.path} holds a backup already, which stays as it is: choose another folder")
            if found and (MARK not in found or not all(map(OURS.fullmatch, found))):
                raise UserError(f"{self.path} is not empty: a backup gets a folder of its own")
            self._lock()
            self.left = bool(found - {MARK})
            self._clear()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._mark is not None
        self._mark.close()
        if not (self.path / NAME).exists():
            with contextlib.suppress(OSError):
                self._clear()
                (self.path / MARK).unlink()
                if self._made:
                    self.path.rmdir()

    def partial(self, name: str) -> Path:
        """Where the data of the file ``name`` is written."""
        return self.path / f"{name}{PARTIAL}"

    def commit(self, manifest: Manifest) -> None:
        """All files of ``manifest`` have been written and are durable: from here on they are a backup."""
        with told(self.path):
            for shard in manifest.shards:
                self.partial(shard.file).rename(self.path / shard.file)
            with self.partial(NAME).open("w") as file:
                file.write(write(manifest))
                file.flush()
                os.fsync(file.fileno())
            self._sync()
            self.partial(NAME).rename(self.path / NAME)
            self._sync()
            (self.path / MARK).unlink()

    def _lock(self) -> None:
        with told(self.path / MARK):
            self._mark = (self.path / MARK).open("ab")
            try:
                fcntl.flock(self._mark.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._mark.close()
                raise UserError(f"another process makes a backup in {self.path}") from None
            self._mark.truncate(0)
            self._mark.write(bytes_of(TEXT))
            self._mark.flush()
            if (self.path / NAME).exists():  # it was finished just now
                (self.path / MARK).unlink()
                self._mark.close()
                raise UserError(f"{self.path} holds a backup already, which stays as it is: choose another folder")

    def _clear(self) -> None:
        for path in self.path.iterdir():
            if path.name != MARK and OURS.fullmatch(path.name):
                path.unlink()

    def _sync(self) -> None:
        """What was renamed stays so."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """What goes wrong at ``path`` is told with its name."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{error.filename or path}: {error.strerror}") from None
