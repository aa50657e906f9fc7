"""Large files that take the place of others once they are whole and durable: ``NewFile`` of the engine, on a real disk.

In the background a thread of its own writes what it is handed, so that no request waits for the disk. What is written
goes to the disk in steps, too (``rdb-save-incremental-fsync``), so that the last one does not take all the time.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Final

from gossamer.node.engine.edge import NewFile
from gossamer.node.io.disk import sync_directory, write_all

FSYNC_BYTES: Final = 4 << 20
"""Bytes after which an fsync makes what was written durable (REDIS_AUTOSYNC_BYTES)."""

WAITING_BYTES: Final = 16 << 20
"""Bytes that may wait for the thread."""


class DiskFile(NewFile):
    """It will stand at ``path``; until then it is ``beside``, in the same directory."""

    def __init__(self, path: str, beside: str, fsync_often: bool) -> None:
        super().__init__()
        self._path = path
        self._beside = beside
        self._fsync_often = fsync_often
        self._unsynced = 0
        self._fd = -1
        with self._failing():
            self._fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)

    def write(self, data: bytes) -> None:
        super().write(data)
        if self.failure:
            return
        with self._failing():
            write_all(self._fd, data)
            self._unsynced += len(data)
            if self._fsync_often and self._unsynced >= FSYNC_BYTES:
                self._unsynced = 0
                os.fdatasync(self._fd)

    def commit(self) -> None:
        if self.failure:
            return
        with self._failing():
            os.fsync(self._fd)
            fd, self._fd = self._fd, -1
            os.close(fd)
            os.rename(self._beside, self._path)
            sync_directory(os.path.dirname(self._path) or ".")
            self.done = True

    def abandon(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        with contextlib.suppress(OSError):
            os.unlink(self._beside)

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = f"{self._path}: {error.strerror}"


class BackgroundFile(NewFile):
    """``begin`` makes the file, in the thread; ``tell`` runs a function in the node's own thread."""

    def __init__(self, begin: Callable[[], DiskFile], tell: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self._begin = begin
        self._tell = tell
        self._steps: SimpleQueue[bytes | None] = SimpleQueue()
        """What is to be written; empty: that was all; None: it is not wanted any more."""
        self._given = 0
        self._taken = 0
        """Bytes handed to the thread, and taken by it: each is changed by one of the two alone."""
        Thread(target=self._run, name="rdb-save", daemon=True).start()

    def full(self) -> bool:
        return self._given - self._taken >= WAITING_BYTES

    def write(self, data: bytes) -> None:
        super().write(data)
        if data:
            self._given += len(data)
            self._steps.put(data)

    def commit(self) -> None:
        self._steps.put(b"")

    def abandon(self) -> None:
        self._steps.put(None)

    def _run(self) -> None:
        file = self._begin()
        while not file.done:
            step = self._steps.get()
            if step is None:
                break
            was_full = self.full()
            if step:
                file.write(step)
                self._taken += len(step)
            else:
                file.commit()
            if file.failure or file.done:
                self._tell(lambda: self._ended(file))
            elif was_full and not self.full():
                self._tell(self._progress)
        if not file.done:
            file.abandon()

    def _ended(self, file: DiskFile) -> None:
        self.done, self.failure = file.done, file.failure
        self._progress()

    def _progress(self) -> None:
        if self.on_progress is not None:
            self.on_progress()
