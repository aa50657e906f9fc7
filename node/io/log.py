"""The log, in the form redis-server writes: ``<pid>:<role> <dd Mon YYYY HH:MM:SS.mmm> <mark> <text>``.

The file is opened for every line, as Redis does, so that a log that was moved away is continued in a new file. A line
that cannot be written is lost: a full disk is no reason to stop serving.
"""

import contextlib
import os
import time
from typing import Final

from gossamer.cluster.text import bytes_of

MARKS: Final = {"debug": ".", "verbose": "-", "notice": "*", "warning": "#"}
"""In rising order of importance."""

RANKS: Final = {name: rank for rank, name in enumerate((*MARKS, "nothing"))}
STDOUT: Final = 1


def can_append(path: str) -> str | None:
    """The reason why no log can be written to ``path``, None if it can."""
    if not path:
        return None
    try:
        os.close(_open(path))
    except OSError as error:
        return error.strerror or str(error)
    return None


def _open(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


class Log:
    """``path`` empty means standard output. ``role`` is C while the node starts, then M (primary) or S (replica)."""

    def __init__(self, path: str = "", level: str = "notice") -> None:
        self.path = path
        self.role = "C"
        self._least = RANKS[level]

    def set_level(self, level: str) -> None:
        """Leave out what is less important than ``level``."""
        self._least = RANKS[level]

    def wants(self, level: str) -> bool:
        return RANKS[level] >= self._least

    def write(self, level: str, text: str) -> None:
        if self.wants(level):
            self._append(f"{os.getpid()}:{self.role} {stamp(time.time())} {MARKS[level]} {text}\n")

    def from_signal(self, text: str) -> None:
        """A line written by a signal handler, in Redis' form for those."""
        if self.wants("warning"):
            self._append(f"{os.getpid()}:signal-handler ({int(time.time())}) {text}\n")

    def _append(self, line: str) -> None:
        data = bytes_of(line)
        with contextlib.suppress(OSError):
            if not self.path:
                os.write(STDOUT, data)
                return
            fd = _open(self.path)
            try:
                os.write(fd, data)
            finally:
                os.close(fd)


def stamp(seconds: float) -> str:
    """Local time of a log line: ``21 Nov 2026 10:22:44.619``."""
    milliseconds = int(seconds * 1000)
    return time.strftime("%d %b %Y %H:%M:%S", time.localtime(milliseconds // 1000)) + f".{milliseconds % 1000:03d}"
