"""Writes held back until something is done, beside CLIENT PAUSE, which goes on afterwards if it came before."""

from typing import Final

from node.engine.server import PAUSED, Server

FOREVER: Final = 1 << 60


class Hold:
    def __init__(self, server: Server) -> None:
        self._server: Server = server
        self._held: bool = False
        self._before: tuple[int, bool] | None = None

    def take(self) -> None:
        """Hold writes back, again if somebody who did not know has ended that."""
        server = self._server
        if server.conditions & PAUSED and not self._held:
            self._before = server.pause_until, server.pause_writes_only
        self._held = True
        if server.pause_until != FOREVER:
            server.pause(FOREVER, writes_only=True)

    def release(self) -> None:
        if not self._held:
            return
        self._held = False
        before, self._before = self._before, None
        self._server.end_pause()
        if before is not None:
            self._server.pause(*before)
