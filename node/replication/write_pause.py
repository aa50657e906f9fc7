"""Requests held back until something is done, beside CLIENT PAUSE, which goes on afterwards if it came before."""

from typing import Final

from gossamer.node.engine.clients.pause import WRITES
from gossamer.node.engine.server import Server
from gossamer.node.engine.state import PAUSED

FOREVER: Final = 1 << 60


class WritePause:
    def __init__(self, server: Server) -> None:
        self._server: Server = server
        self._taken: bool = False
        self._before: tuple[int, int] | None = None

    def take(self, until: int = FOREVER, flags: int = WRITES) -> None:
        """Hold them back, again if somebody who did not know has ended that."""
        server = self._server
        if server.conditions & PAUSED and not self._taken:
            self._before = server.pause.until, server.pause.flags
        self._taken = True
        server.pause.begin(until, flags)

    def release(self) -> None:
        if not self._taken:
            return
        self._taken = False
        before, self._before = self._before, None
        self._server.pause.end()
        if before is not None:
            self._server.pause.begin(*before)
