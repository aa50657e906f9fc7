"""Files that must survive a crash whole: written beside, made durable, then put in the place of the old one.

``NodesConf`` is the node's memory of its cluster. One process owns it: the lock is an advisory one on the file, as
Redis takes, so that ours and a redis-server keep each other away too. Because the file is replaced with every save, the
lock moves along: the new file is locked before it gets the name, and who has just got a lock checks that the file he
locked is still the one that has the name.
"""

import contextlib
import fcntl
import os


class ConfInUse(Exception):
    """Another process owns the file."""


def replace_file(path: str, data: bytes, mode: int = 0o644, lock: bool = False) -> int:
    """Replace ``path`` durably; a crash leaves the old text or the new one. Returns the new file's descriptor.

    ``lock``: hold an exclusive flock on it before anybody can see it. OSError if anything fails.
    """
    beside = f"{path}.tmp-{os.getpid()}"
    fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)
    try:
        if lock:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write_all(fd, data)
        os.fsync(fd)
        os.rename(beside, path)
    except BaseException:
        os.close(fd)
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    _sync_directory(os.path.dirname(path) or ".")
    return fd


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _sync_directory(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class NodesConf:
    """nodes.conf at ``path``, owned by this process from construction to ``close``.

    Raises ConfInUse, or OSError if the file cannot be opened.
    """

    def __init__(self, path: str) -> None:
        # A CONFIG SET dir must not move the file away from under us.
        self.path = os.path.abspath(path)
        self._fd = _lock(self.path)

    def read(self) -> str:
        """The whole text; empty for a node that has not saved yet."""
        size = os.fstat(self._fd).st_size
        return os.pread(self._fd, size, 0).decode("utf-8", "surrogateescape")

    def write(self, text: str) -> None:
        """Replace the text; it is on disk when this returns. Not from two threads at once."""
        old = self._fd
        self._fd = replace_file(self.path, text.encode("utf-8", "surrogateescape"), lock=True)
        os.close(old)

    def close(self) -> None:
        os.close(self._fd)


def _lock(path: str) -> int:
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise ConfInUse(path) from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(fd), os.stat(path)):
                return fd
        os.close(fd)  # replaced between open and lock: its owner holds the new one
