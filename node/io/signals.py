"""SIGTERM and SIGINT as redis-server takes them: the first asks for a clean end, a second SIGINT ends it at once.

Plain handlers and not trio's signal receiver, because they must also work before the loop runs and while a command
keeps it busy (DEBUG SLEEP).
"""

import os
import signal
from collections.abc import Callable
from types import FrameType

import trio

from gossamer.node.io.log import Log


class Signals:
    """``ending`` says whether the end that a signal asked for is still under way: it can be called off."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._came = trio.Event()
        self._token: trio.lowlevel.TrioToken | None = None
        self._waiting: list[int] = []
        self.ending: Callable[[], bool] = lambda: False
        self.at_once: Callable[[], None] = lambda: None
        """What is done before the process ends at once."""
        self.obeyed: bool = False
        """One is being obeyed."""

    def install(self) -> None:
        """From the main thread, before the loop runs. A hang-up is nobody's wish here."""
        signal.signal(signal.SIGTERM, self._handle)
        signal.signal(signal.SIGINT, self._handle)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    async def wait(self) -> int:
        """The next signal that wants the node to end, or the first of those that have come already."""
        self._token = trio.lowlevel.current_trio_token()
        while not self._waiting:
            await self._came.wait()
            self._came = trio.Event()
        number, *_ = self._waiting
        self._waiting = []
        return number

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again = bool(self._waiting) or self.obeyed or self.ending()
        self._waiting.append(number)  # first of all: a second signal may come while this one is handled
        if again and number == signal.SIGINT:
            self._log.from_signal("You insist... exiting now.")
            self.at_once()
            os._exit(1)
        self._log.from_signal(f"Received {signal.Signals(number).name} scheduling shutdown...")
        if self._token is not None:
            self._token.run_sync_soon(self._wake)

    def _wake(self) -> None:
        self._came.set()
