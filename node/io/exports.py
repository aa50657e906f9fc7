"""Slots on their way to other nodes, on real sockets: carries what ``gossamer.node.migration.source`` has to say.

A task for each connection; it makes the next piece of the snapshot when the last one is in the kernel's hands, so other
tasks have their turns in between. When a connection breaks after the grant another one asks the target what it did.
"""

from functools import partial
from typing import Final

import trio

from gossamer.node.io.address import Unreachable
from gossamer.node.io.carry import carry
from gossamer.node.io.clients import Clients
from gossamer.node.io.dial import dial
from gossamer.node.migration.source import Export
from gossamer.node.outgoing.to_target import Address, ToTarget

CONNECT_S: Final = 5.0


class Exports:
    """``run`` carries every export that the machine begins, until cancelled."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._nursery: trio.Nursery | None = None
        clients.machine.migrations.on_export = self._begin

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            await trio.sleep_forever()

    def _begin(self, export: Export) -> None:
        export.on_asking = lambda: self._start(export)
        self._start(export)

    def _start(self, export: Export) -> None:
        assert self._nursery is not None
        self._nursery.start_soon(self._carry, export)

    async def _carry(self, export: Export) -> None:
        """To wherever the target is, until one connection has come about or cannot."""
        what = f"the connection of slot migration {export}, which is closed"
        again = True
        while again:
            speaker = ToTarget(export, self._clients.machine.migrations)
            await carry(self._clients, speaker, partial(dial_target, speaker.address), what)
            again = speaker.again


async def dial_target(address: Address | None) -> trio.SocketStream:
    if address is None:
        raise Unreachable("target node not found")
    return await dial(*address, timeout_s=CONNECT_S)
