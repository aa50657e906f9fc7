"""What is done a piece at a time, whenever the clients leave time for it.

Snapshots for replicas, as fast as these read, and for the RDB file, as fast as the disk takes it, replies that take
long, values that leave the memory or come back, and the deletion of what has gone.
"""

import math
from typing import Final

import trio

from gossamer.node.io.clients import Clients

LOOK_AGAIN_S: Final = 0.1
"""For replicas whose connection does not tell when it has room again, and for the end of a pause."""


class BackgroundWork:
    """``run`` goes on with it until cancelled."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._machine = clients.machine
        self._poked = trio.Event()
        clients.on_room = self._poke
        clients.machine.replication.replicas.syncs.on_work = self._poke
        clients.machine.server.lazyfree.on_work = self._poke
        clients.machine.server.memory.on_work = self._poke
        clients.machine.server.long_replies.on_work = self._poke
        clients.machine.saves.on_work = self._poke
        clients.machine.vm.on_work = self._poke
        clients.machine.saves.rewrites.on_work = self._poke

    def _poke(self) -> None:
        self._poked.set()

    async def run(self) -> None:
        while True:
            while self._machine.has_work:
                self._clients.work()
                await trio.lowlevel.checkpoint()
            self._poked = trio.Event()
            machine = self._machine
            saves = machine.saves
            waiting = (
                machine.replication.replicas.syncs.transfers
                or machine.server.memory.evicting
                or machine.server.lazyfree.pending
                or saves.current
                or saves.rewrites.current
            )
            with trio.move_on_after(LOOK_AGAIN_S if waiting else math.inf):
                await self._poked.wait()
