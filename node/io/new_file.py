"""Large files that take the place of others once they are whole and durable: ``NewFile`` of the engine, on a real disk.

In the background a thread of its own writes what it is handed, so that no request waits for the disk. What is written
goes to the disk in steps, too (``rdb-save-incremental-fsync``), so that the last one does not take all the time. With a
key files are sealed, also while they are not whole.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Final

from gossamer.node.engine.edge import NewFile
from gossamer.node.io.child import start_child
from gossamer.node.io.disk import sync_directory, write_all
from gossamer.node.persist.sealed.form import SALT_SIZE, WHOLE
from gossamer.node.persist.sealed.key import Key
from gossamer.node.persist.sealed.sealer import Sealer

FSYNC_BYTES: Final = 4 << 20
"""Bytes after which an fsync makes what was written durable (REDIS_AUTOSYNC_BYTES)."""

WAITING_BYTES: Final = 16 << 20
"""Bytes that may wait for the thread."""

CHUNK_BYTES: Final = 1 << 16
"""Bytes that are sealed as one chunk, or a few more."""

TEMPORARY: Final = re.compile(r"temp-(\d+)(-bg)?\.rdb")
"""Names of files that are not whole yet, with the process that they belong to."""

unfinished: Final[set[str]] = set()
"""Paths of those of this process."""


class Permit:
    """To take the place of the old file. When ``withdraw`` returns, that has happened or never will."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.valid = True

    def withdraw(self) -> None:
        with self.lock:
            self.valid = False


class DiskFile(NewFile):
    """It will stand at ``path``; until then it is ``beside``, in the same directory. ``key``: it is sealed with it.

    Once it is done, ``size`` is that of the file.
    """

    def __init__(self, path: str, beside: str, fsync_often: bool, key: Key | None = None) -> None:
        super().__init__()
        self._path = path
        self._beside = beside
        self._fsync_often = fsync_often
        self._unsynced = 0
        self._fd = -1
        self._sealer = None if key is None else Sealer(key, os.urandom(SALT_SIZE), WHOLE)
        self._unsealed: list[bytes] = []
        self._unsealed_size = 0
        self._written = 0
        self.permit = Permit()
        unfinished.add(beside)
        with self._failing():
            self._fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            with contextlib.suppress(OSError):  # not every file system has locks
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def write(self, data: bytes) -> None:
        super().write(data)
        if self._sealer is None:
            self._write(data)
            return
        self._unsealed.append(data)
        self._unsealed_size += len(data)
        if self._unsealed_size >= CHUNK_BYTES:
            self._write(self._sealer.seal(self._take()))

    def _take(self) -> bytes:
        """What is to be sealed."""
        data = b"".join(self._unsealed)
        self._unsealed = []
        self._unsealed_size = 0
        return data

    def _write(self, data: bytes) -> None:
        if self.failure:
            return
        with self._failing():
            write_all(self._fd, data)
            self._written += len(data)
            self._unsynced += len(data)
            if self._fsync_often and self._unsynced >= FSYNC_BYTES:
                self._unsynced = 0
                os.fdatasync(self._fd)

    def commit(self) -> None:
        if self._sealer is not None:
            self._write(self._sealer.seal(self._take(), last=True))
        if self.failure:
            return
        with self._failing():
            self.size = self._written
            os.fsync(self._fd)
            fd, self._fd = self._fd, -1
            os.close(fd)
            with self.permit.lock:
                if not self.permit.valid:
                    return
                os.rename(self._beside, self._path)
            unfinished.discard(self._beside)
            sync_directory(os.path.dirname(self._path) or ".")
            self.done = True

    def abandon(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        with contextlib.suppress(OSError):
            os.unlink(self._beside)
        unfinished.discard(self._beside)

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.failure = f"{self._path}: {error.strerror}"


class BackgroundFile(NewFile):
    """``begin`` makes the file, in the thread, of the name of the process that it is given; ``tell`` runs a function in
    the node's own thread."""

    def __init__(self, begin: Callable[[str], DiskFile], tell: Callable[[Callable[[], None]], None]) -> None:
        super().__init__()
        self._begin = begin
        self._tell = tell
        self._child = start_child("gossamer-bgsave", self._killed)
        self.pid = os.getpid() if self._child is None else self._child.pid
        self._steps: SimpleQueue[bytes | None] = SimpleQueue()
        """What is to be written; empty: that was all; None: it is not wanted any more."""
        self._given = 0
        self._taken = 0
        """Bytes handed to the thread, and taken by it: each is changed by one of the two alone."""
        self._permit = Permit()
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
        """The thread may be at the last step: from now on it replaces nothing that others put at this path."""
        self._permit.withdraw()
        self._end_child()
        self._steps.put(None)

    def _killed(self, number: int) -> None:
        """In a thread."""
        self._tell(lambda: self._give_up(number))

    def _give_up(self, number: int) -> None:
        if not (self.done or self.failure):
            self.failure = f"terminated by signal {number}"
            self._progress()

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()

    def _run(self) -> None:
        file = self._begin(f"{self.pid}-bg" if self._child is None else f"{self.pid}")
        file.permit = self._permit
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
        self._end_child()
        if not self.failure:
            self.done, self.failure, self.size = file.done, file.failure, file.size
        self._progress()

    def _progress(self) -> None:
        if self.on_progress is not None:
            self.on_progress()


def begin_file(path: str, fsync_often: bool, process: str, key: Key | None = None) -> DiskFile:
    """``process`` is in its name until it is whole, as with Redis."""
    return DiskFile(path, os.path.join(os.path.dirname(path), f"temp-{process}.rdb"), fsync_often, key)


def remove_unfinished() -> None:
    """The process ends at once."""
    for path in list(unfinished):
        with contextlib.suppress(OSError):
            os.unlink(path)


def remove_orphans(folder: str, log: Callable[[str, str], None]) -> None:
    """Remove what processes that are no more have left unfinished in ``folder``."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            found = TEMPORARY.fullmatch(name)
            if found is not None and not lives(int(found[1])) and is_free(os.path.join(folder, name)):
                log("notice", f"Removing {name}, which a process that is no more has left unfinished")
                os.unlink(os.path.join(folder, name))


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def is_free(path: str) -> bool:
    """Does nobody hold it who may be in another container, with process ids of its own?"""
    fd = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
