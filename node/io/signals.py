"""SIGTERM and SIGINT as redis-server takes them: the first asks for a clean end, a second SIGINT ends it at once.

Plain handlers and not trio's signal receiver, because they must also work before the loop runs and while a command
keeps it busy (DEBUG SLEEP).
"""

import os
import signal
from types import FrameType

import trio

from node.io.log import Log


class Signals:
    def __init__(self, log: Log) -> None:
        self._log = log
        self._wanted = trio.Event()
        self._token: trio.lowlevel.TrioToken | None = None
        self._asked = False

    def install(self) -> None:
        """From the main thread, before the loop runs. A hang-up is nobody's wish here."""
        signal.signal(signal.SIGTERM, self._handle)
        signal.signal(signal.SIGINT, self._handle)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def stop(self) -> None:
        """The node itself wants to end."""
        self._asked = True
        self._wanted.set()

    async def wait_stop(self) -> None:
        """Until somebody wants the node to end."""
        self._token = trio.lowlevel.current_trio_token()
        if not self._asked:
            await self._wanted.wait()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again, self._asked = self._asked, True  # first of all: a second signal may come while this one is handled
        if again and number == signal.SIGINT:
            self._log.from_signal("You insist... exiting now.")
            os._exit(1)
        self._log.from_signal(f"Received {signal.Signals(number).name} scheduling shutdown...")
        if self._token is not None:
            self._token.run_sync_soon(self._wanted.set)
