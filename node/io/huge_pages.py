"""``huge-pages``: the memory of the node in huge pages, where the kernel lets a process ask for them.

The table of keys asks for its own memory. This task asks for the rest: the interpreter's objects, among them values
that are no strings, and all keys where the table is the one in Python. It asks once when the node starts and again
whenever its memory has grown. Each piece is a call in a thread, and clients have their turns in between.
"""

from collections.abc import Callable
from typing import Final

import trio

from gossamer.node.config import Config
from gossamer.node.io.log import Log
from gossamer.node.io.thp import Kernel
from gossamer.node.store import table

GROWTH: Final = 4 << 20
"""Bytes. Less than two pieces are not worth a search."""
SHARE: Final = 8
"""Nor is less than this part of what there was."""


class HugePages:
    """``resident`` tells how many bytes of the process are in memory."""

    def __init__(self, config: Config, log: Log, resident: Callable[[], int], kernel: Kernel) -> None:
        self._config = config
        self._log = log
        self._resident = resident
        self._kernel = kernel
        self._on = False
        self._seen = 0
        self._grown = trio.Event()
        config.obey(("huge-pages",), self._set)

    def _set(self) -> str | None:
        wanted = self._config.flag("huge-pages")
        offered = self._kernel.offers() in ("always", "madvise")
        if wanted and not offered:
            self._log.write("notice", "huge-pages has no effect: the kernel does not let a process ask for them")
        self._on = wanted and offered
        self._seen = 0
        table.use_huge_pages(self._on)
        return None

    def look(self) -> None:
        """Has the memory grown so much that pieces of it can be huge pages? To be called now and then."""
        if not self._on:
            return
        resident = self._resident()
        if resident >= self._seen + max(GROWTH, self._seen // SHARE):
            self._seen = resident
            self._grown.set()
        self._seen = min(self._seen, resident)

    async def run(self) -> None:
        """Ask for huge pages whenever the memory has grown, until cancelled; no call outlives this."""
        while True:
            await self._grown.wait()
            self._grown = trio.Event()
            try:
                await self._collapse()
            except OSError as error:
                self._log.write("warning", f"huge-pages has no effect: {error}")
                self._on = False

    async def _collapse(self) -> None:
        for piece in await trio.to_thread.run_sync(self._kernel.pieces):
            if not self._on:
                return
            await trio.to_thread.run_sync(self._kernel.collapse, piece)
