"""A file that must survive a crash whole: written beside, made durable, then put in the place of the old one."""

import contextlib
import fcntl
import os


def replace_file(path: str, data: bytes, mode: int = 0o644, lock: bool = False) -> int:
    """Replace ``path`` durably; a crash leaves the old text or the new one. Returns the new file's descriptor.

    ``lock``: hold an exclusive flock on it before anybody can see it. OSError if anything fails.
    """
    beside = f"{path}.tmp-{os.getpid()}"
    fd = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode)
    try:
        if lock:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        write_all(fd, data)
        os.fsync(fd)
        os.rename(beside, path)
    except BaseException:
        os.close(fd)
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    sync_directory(os.path.dirname(path) or ".")
    return fd


def overwrite_file(fd: int, data: bytes, synced: bool) -> None:
    """Write ``data`` over what is in the file. Its first byte is NUL until all is there: in that order on disk too, if
    ``synced``, and always in case the process ends.
    """
    assert data
    for offset, piece in ((0, b"\0"), (1, data[1:]), (0, data[:1])):
        os.lseek(fd, offset, os.SEEK_SET)
        write_all(fd, piece)
        if offset:
            os.ftruncate(fd, len(data))
        if synced:
            os.fsync(fd)


def write_all(fd: int, data: bytes | bytearray) -> None:
    written = os.write(fd, data)  # nearly always all of it
    while written < len(data):
        written += os.write(fd, memoryview(data)[written:])


def sync_directory(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
