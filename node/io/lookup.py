"""Names of peers, looked up while everything else goes on.

getaddrinfo blocks, for half a minute if a name server is silent, so it runs in threads: a few of its own, which hold up
nobody's writes to disk. Who waits for an answer gives up sooner; the thread is left to itself until it is done, and
counts as busy for so long.
"""

from typing import Final

import trio

from gossamer.node.io.address import addresses as look_up

THREADS: Final = 4
PATIENCE_S: Final = 10.0


class Lookup:
    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(THREADS)

    async def addresses(self, hostname: str) -> tuple[str, ...]:
        """What ``hostname`` stands for now, in the resolver's order; none if it is not known, or not in time."""
        with trio.move_on_after(PATIENCE_S):
            return await trio.to_thread.run_sync(look_up, hostname, abandon_on_cancel=True, limiter=self._limiter)
        return ()
