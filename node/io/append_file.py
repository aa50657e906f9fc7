"""A file that grows at its end: ``AppendFile`` of the engine, on a real disk.

With a key it is sealed: what is appended at once is a chunk, in the same write. Behind a write that has failed, and
whatever stood in the file before, a new run of chunks begins: see ``form.py`` of ``persist/sealed``.
"""

import contextlib
import os
from collections.abc import Callable
from threading import Thread

from gossamer.node.engine.edge import AppendFile
from gossamer.node.io.disk import sync_directory, write_all
from gossamer.node.persist.sealed.form import GROWING, NONE_BEFORE, SALT_SIZE, TAG_SIZE
from gossamer.node.persist.sealed.key import Key
from gossamer.node.persist.sealed.sealer import Sealer


class DiskAppendFile(AppendFile):
    """``tell`` runs a function in the node's own thread. ``key``: what is appended is sealed with it; what is there has
    to be sealed, too. OSError if the file cannot be opened."""

    def __init__(
        self, path: str, size: int, tell: Callable[[Callable[[], None]], None], key: Key | None = None
    ) -> None:
        super().__init__()
        self._path = path
        self._tell = tell
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self.size = size
        self._has_rest = False
        self._key = key
        self._sealer: Sealer | None = None
        """Of the run that is appended to."""
        self._before = NONE_BEFORE
        """The last bytes of the file."""
        self._durable = size
        """So much of it, from its beginning, is on the disk."""
        try:
            os.ftruncate(self._fd, size)
            os.fsync(self._fd)
            if key is not None and size:
                self._before = os.pread(self._fd, TAG_SIZE, size - TAG_SIZE)
            sync_directory(os.path.dirname(path) or ".")
        except OSError as error:
            os.close(self._fd)
            raise OSError(error.errno, error.strerror, path) from None

    def append(self, data: bytes | bytearray) -> bool:
        key = self._key
        if key is not None:
            data = self._sealed(key, bytes(data))
        try:
            if self._has_rest:
                self._cut_off_rest()
            self._has_rest = True
            write_all(self._fd, data)
        except OSError as error:
            self.failure = f"{self._path}: {error.strerror}"
            self._sealer = None
            with contextlib.suppress(OSError):
                self._cut_off_rest()
            return False
        self._has_rest = False
        self.size += len(data)
        if key is not None:
            self._before = bytes(data[-TAG_SIZE:])
        self.failure = ""
        return True

    def _cut_off_rest(self) -> None:
        """What a write that failed has left of itself goes away before anything is written behind it. OSError."""
        os.ftruncate(self._fd, self.size)
        self._has_rest = False

    def _sealed(self, key: Key, data: bytes) -> bytes:
        if self._sealer is None:
            self._sealer = Sealer(key, os.urandom(SALT_SIZE), GROWING, self.size, self._before)
        return self._sealer.seal(data)

    def sync(self) -> bool:
        self.failure = fsync_failure(self._fd, self._path)
        if not self.failure:
            self._durable = self.size
        return not self.failure

    def sync_soon(self) -> None:
        assert not self.syncing
        self.syncing = True
        fd = os.dup(self._fd)  # the file may be closed meanwhile
        Thread(target=self._sync, args=(fd, self.size), name="aof-fsync", daemon=True).start()

    def drop_unsynced(self) -> None:
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, self._durable)

    def close(self) -> None:
        os.close(self._fd)

    def _sync(self, fd: int, size: int) -> None:
        failure = fsync_failure(fd, self._path)
        os.close(fd)
        self._tell(lambda: self._synced(failure, size))

    def _synced(self, failure: str, size: int) -> None:
        self.syncing = False
        self.failure = failure
        if not failure:
            self._durable = max(size, self._durable)
        if self.on_synced is not None:
            self.on_synced()


def fsync_failure(fd: int, path: str) -> str:
    """Make the file durable; why that has failed, empty if it has not."""
    try:
        os.fdatasync(fd)
    except OSError as error:
        return f"{path}: {error.strerror}"
    return ""
