"""The task that serves plain clients: trio waits on one descriptor, the batch is served without a switch.

Why not a task per client: measured with 50 clients on two cores, a trio task per connection reached less than half of
redis-server's rate, this loop reaches it. The price is fairness by hand: after ``SLICE`` of uninterrupted serving the
loop gives way to the other tasks of the node, and ``Clients.turn`` bounds what one client can take of a turn.
"""

import time
from typing import Final

import trio

from gossamer.node.io.clients import Clients

SLICE: Final = 0.002
"""Seconds of serving after which other tasks run."""


async def serve_clients(clients: Clients) -> None:
    """Serve until cancelled."""
    descriptor = clients.poller.fileno()
    while True:
        await trio.lowlevel.wait_readable(descriptor)
        end = time.perf_counter() + SLICE
        while clients.turn():
            if time.perf_counter() > end:
                await trio.lowlevel.checkpoint()
                end = time.perf_counter() + SLICE
