"""Append-only files of a process that has not ended in good order: the disk gets what they seem to hold once more.

Linux tells of an fsync that failed once, and who was told may be dead. What it was to write is still seen, until the
system wants the memory, or ends. So it is written again where it is, byte for byte, before anybody builds on it. If the
system has started since, what is seen is what the disk has: the lock file tells, in which a process notes as which run
of the system it has begun, until all that it has written is on the disk.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"
LONGEST: Final = 64
PIECE: Final = 1 << 20


def note_begin(fd: int) -> bool:
    """A process begins to write to the files that the lock file ``fd`` is for. Did the one before it leave them in good
    order?"""
    run = this_run()
    was_left = os.pread(fd, LONGEST, 0) != run
    with contextlib.suppress(OSError):  # of a full disk others tell
        os.pwrite(fd, run, 0)
        os.ftruncate(fd, len(run))
    return was_left


def note_end(fd: int) -> None:
    """All that it has written is on the disk."""
    with contextlib.suppress(OSError):
        os.ftruncate(fd, 0)


def this_run() -> bytes:
    """What no other run of the system is called; where that is unknown, any may be this one."""
    try:
        return Path(BOOT_ID).read_bytes().strip()[:LONGEST]
    except OSError:
        return b"unknown"


def write_over(paths: list[Path]) -> int:
    """Write what is in the files once more, durably; how many bytes. OSError."""
    return sum(written_over(path) for path in paths)


def written_over(path: Path) -> int:
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return 0  # who loads it tells
    at = 0
    try:
        while data := os.pread(fd, PIECE, at):
            at += os.pwrite(fd, data, at)
        os.fdatasync(fd)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        os.close(fd)
    return at
