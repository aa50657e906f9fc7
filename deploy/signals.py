"""Signals as something to wait for: SIGINT, SIGTERM and SIGHUP ask to end, SIGCHLD says that a child may have ended."""

import select
import signal
import socket
from types import FrameType


class Interrupted(Exception):
    """The operator, or the system, wants this process to end."""


class Signals:
    """In force inside a ``with`` block. The handlers do nothing: the wake-up descriptor tells the rest."""

    def __init__(self) -> None:
        self.asked_to_end = 0
        """How often."""

    def __enter__(self) -> "Signals":
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._old_fd = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD]
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            numbers.remove(signal.SIGHUP)  # nohup
        self._old = {number: signal.signal(number, _ignore) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_fd)
        self._read.close()
        self._write.close()

    def wait(self, timeout_s: float) -> None:
        """Until a signal comes, or the time is over."""
        if select.select([self._read], [], [], timeout_s)[0]:
            self.asked_to_end += sum(number != signal.SIGCHLD for number in self._read.recv(4096))

    def check(self) -> None:
        """Raise Interrupted if somebody has asked to end."""
        self.wait(0)
        if self.asked_to_end:
            raise Interrupted

    def more(self) -> bool:
        """Whether somebody has asked to end more than once: it should not take long any more."""
        self.wait(0)
        return self.asked_to_end > 1


def _ignore(number: int, frame: FrameType | None) -> None:
    """Not SIG_IGN: an ignored SIGCHLD would lose the exit codes."""
