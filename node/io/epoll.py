"""Linux' way to wait for many sockets."""

import select
from collections.abc import Callable
from typing import Final

from gossamer.node.io import sockets
from gossamer.node.io.readiness import READ, WRITE, Ready, sort_out

wait: Final[Callable[[int, int, float], Ready] | None] = sockets.wait


class Poller:
    def __init__(self) -> None:
        self._epoll: select.epoll = select.epoll()
        self._fd: int = self._epoll.fileno()

    def fileno(self) -> int:
        return self._fd

    def add(self, fd: int) -> None:
        """Watch ``fd`` for input."""
        self._epoll.register(fd, READ)

    def watch_output(self, fd: int, on: bool) -> None:
        """Tell also when ``fd`` can be written to, or no longer."""
        self._epoll.modify(fd, READ | WRITE if on else READ)

    def remove(self, fd: int) -> None:
        self._epoll.unregister(fd)

    def ready(self, most: int, wait_s: float = 0.0) -> Ready:
        """What is ready within ``wait_s`` seconds, at most ``most``."""
        if wait is not None:
            return wait(self._fd, most, wait_s)
        return sort_out(self._epoll.poll(wait_s, most))

    def close(self) -> None:
        self._epoll.close()
