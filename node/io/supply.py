"""Snapshots on their way to replicas: a piece whenever the clients leave time for it, as fast as the replicas read."""

import math
from typing import Final

import trio

from node.io.clients import Clients

LOOK_AGAIN_S: Final = 0.1
"""For replicas whose connection does not tell when it has room again."""


class Supply:
    """``run`` goes on with whatever replicas wait for, until cancelled."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._machine = clients.machine
        self._poked = trio.Event()
        clients.on_room = self._poke
        clients.machine.replication.primary.syncs.on_work = self._poke

    def _poke(self) -> None:
        self._poked.set()

    async def run(self) -> None:
        while True:
            while self._machine.sending:
                self._clients.work()
                await trio.lowlevel.checkpoint()
            self._poked = trio.Event()
            with trio.move_on_after(LOOK_AGAIN_S if self._machine.replication.primary.syncs.transfers else math.inf):
                await self._poked.wait()
