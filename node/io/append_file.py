"""A file that grows at its end: ``AppendFile`` of the engine, on a real disk."""

import contextlib
import os
from collections.abc import Callable
from threading import Thread

from gossamer.node.engine.edge import AppendFile
from gossamer.node.io.disk import sync_directory, write_all


class DiskAppendFile(AppendFile):
    """``tell`` runs a function in the node's own thread. OSError if the file cannot be opened."""

    def __init__(self, path: str, size: int, tell: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self._path = path
        self._tell = tell
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.size = size
        try:
            os.ftruncate(self._fd, size)
            os.fsync(self._fd)
            sync_directory(os.path.dirname(path) or ".")
        except OSError as error:
            os.close(self._fd)
            raise OSError(error.errno, error.strerror, path) from None

    def append(self, data: bytes) -> bool:
        try:
            write_all(self._fd, data)
        except OSError as error:
            self.failure = f"{self._path}: {error.strerror}"
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self.size)
            return False
        self.size += len(data)
        self.failure = ""
        return True

    def sync(self) -> bool:
        self.failure = fsync_failure(self._fd, self._path)
        return not self.failure

    def sync_soon(self) -> None:
        assert not self.syncing
        self.syncing = True
        fd = os.dup(self._fd)  # the file may be closed meanwhile
        Thread(target=self._sync, args=(fd,), name="aof-fsync", daemon=True).start()

    def close(self) -> None:
        os.close(self._fd)

    def _sync(self, fd: int) -> None:
        failure = fsync_failure(fd, self._path)
        os.close(fd)
        self._tell(lambda: self._synced(failure))

    def _synced(self, failure: str) -> None:
        self.syncing = False
        self.failure = failure
        if self.on_synced is not None:
            self.on_synced()


def fsync_failure(fd: int, path: str) -> str:
    """Make the file durable; why that has failed, empty if it has not."""
    try:
        os.fdatasync(fd)
    except OSError as error:
        return f"{path}: {error.strerror}"
    return ""
