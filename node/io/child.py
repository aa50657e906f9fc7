"""A process that stands for work in the background, though this process does the work.

Operators of Redis know that a save is ended by ending its child: they find it by ``ps``, ``pgrep -P`` or the log. Here
it is a shell that waits for the end of its input, so it never outlives the node. Being spawned and not forked it shares
no memory and costs about a millisecond.
"""

import os
import shutil
import signal
from collections.abc import Callable
from threading import Thread
from typing import Final

DEFAULT_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)


class Child:
    """``on_killed`` is called in a thread of its own, with the number of the signal, if somebody else ends it."""

    def __init__(self, shell: str, title: str, on_killed: Callable[[int], None]) -> None:
        self._on_killed = on_killed
        self._wanted = True
        reading, self._pipe = os.pipe()
        nowhere = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
        try:
            self.pid = os.posix_spawn(
                shell,
                ["sh", "-c", "read _", title],
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, reading, 0), *nowhere],
                setpgroup=0,
                setsigdef=DEFAULT_SIGNALS,
            )
        except OSError:
            os.close(self._pipe)
            raise
        finally:
            os.close(reading)
        Thread(target=self._wait, name="child", daemon=True).start()

    def end(self) -> None:
        """The work is done, or not wanted any more."""
        if self._wanted:
            self._wanted = False
            os.close(self._pipe)

    def _wait(self) -> None:
        try:
            _, status = os.waitpid(self.pid, 0)
        except ChildProcessError:  # whoever has started this node had it ignore the ends of children
            status = 0
        if self._wanted:
            self._on_killed(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)


def start_child(title: str, on_killed: Callable[[int], None]) -> Child | None:
    """None where there is no shell, or no process more is allowed: the work is done without it."""
    shell = shutil.which("sh")
    if shell is None:
        return None
    try:
        return Child(shell, title, on_killed)
    except OSError:
        return None
