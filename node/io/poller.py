"""Readiness of many sockets behind one descriptor: epoll on Linux, kqueue elsewhere, with the same four verbs.

The descriptor itself (``fileno``) is readable when any socket is ready, so a framework can wait on that one alone.
"""

import select
import sys
from typing import Final

READ: Final = 1
WRITE: Final = 4
"""EPOLLIN and EPOLLOUT; errors and hang-ups set other bits and are found by reading."""

if sys.platform == "linux":

    class Poller:
        def __init__(self) -> None:
            self._epoll: select.epoll = select.epoll()

        def fileno(self) -> int:
            return self._epoll.fileno()

        def add(self, fd: int) -> None:
            """Watch ``fd`` for input."""
            self._epoll.register(fd, READ)

        def watch_output(self, fd: int, on: bool) -> None:
            """Tell also when ``fd`` can be written to, or no longer."""
            self._epoll.modify(fd, READ | WRITE if on else READ)

        def remove(self, fd: int) -> None:
            self._epoll.unregister(fd)

        def ready(self, most: int, wait_s: float = 0.0) -> list[tuple[int, int]]:
            """``(fd, events)`` of what is ready within ``wait_s`` seconds, at most ``most``."""
            return self._epoll.poll(wait_s, most)

        def close(self) -> None:
            self._epoll.close()

else:

    class Poller:
        def __init__(self) -> None:
            self._kqueue: select.kqueue = select.kqueue()

        def fileno(self) -> int:
            return self._kqueue.fileno()

        def add(self, fd: int) -> None:
            self._kqueue.control([select.kevent(fd, select.KQ_FILTER_READ, select.KQ_EV_ADD)], 0, 0)

        def watch_output(self, fd: int, on: bool) -> None:
            change = select.KQ_EV_ADD if on else select.KQ_EV_DELETE
            self._kqueue.control([select.kevent(fd, select.KQ_FILTER_WRITE, change)], 0, 0)

        def remove(self, fd: int) -> None:
            self._kqueue.control([select.kevent(fd, select.KQ_FILTER_READ, select.KQ_EV_DELETE)], 0, 0)

        def ready(self, most: int, wait_s: float = 0.0) -> list[tuple[int, int]]:
            events = self._kqueue.control(None, most, wait_s)
            return [(event.ident, WRITE if event.filter == select.KQ_FILTER_WRITE else READ) for event in events]

        def close(self) -> None:
            self._kqueue.close()
