"""Requests held back until something is done, beside CLIENT PAUSE, which goes on afterwards if it came before."""

from typing import Final

from gossamer.node.engine.server import PAUSED, WRITES, Server

FOREVER: Final = 1 << 60


class Hold:
    def __init__(self, server: Server) -> None:
        self._server: Server = server
        self._held: bool = False
        self._before: tuple[int, int] | None = None

    def take(self, until: int = FOREVER, flags: int = WRITES) -> None:
        """Hold them back, again if somebody who did not know has ended that."""
        server = self._server
        if server.conditions & PAUSED and not self._held:
            self._before = server.pause_until, server.pause_flags
        self._held = True
        server.pause(until, flags)

    def release(self) -> None:
        if not self._held:
            return
        self._held = False
        before, self._before = self._before, None
        self._server.end_pause()
        if before is not None:
            self._server.pause(*before)
