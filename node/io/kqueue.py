"""The way of macOS and the BSDs to wait for many sockets."""

import select
import sys

from gossamer.node.io.readiness import READ, WRITE, Ready, sort_out

if sys.platform != "linux":

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

        def ready(self, most: int, wait_s: float = 0.0) -> Ready:
            events = self._kqueue.control(None, most, wait_s)
            return sort_out(
                [(event.ident, WRITE if event.filter == select.KQ_FILTER_WRITE else READ) for event in events]
            )

        def close(self) -> None:
            self._kqueue.close()
