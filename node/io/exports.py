"""Slots on their way to other nodes, on real sockets: carries what ``node.migration.source`` has to say.

A task for each connection; it makes the next piece of the snapshot when the last one is in the kernel's hands, so other
tasks have their turns in between. When a connection breaks after the grant another one asks the target what it did.
"""

from typing import Final

import trio

from node.io.clients import Clients
from node.migration.source import Export

READ_BYTES: Final = 64 * 1024
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
        assert self._nursery is not None
        export.on_asking = lambda: self._start(export)
        self._start(export)

    def _start(self, export: Export) -> None:
        assert self._nursery is not None
        self._nursery.start_soon(self._carry, export)

    async def _carry(self, export: Export) -> None:
        """One connection, from the first byte to the last."""
        why = ""
        try:
            why = await self._connect(export)
        finally:
            export.on_output = None
            self._clients.begin()
            export.disconnected(why)
            self._clients.finish()

    async def _connect(self, export: Export) -> str:
        node = self._clients.machine.migrations.topology.nodes.get(export.target)
        if node is None:
            return "target node not found"
        try:
            with trio.fail_after(CONNECT_S):
                stream = await trio.open_tcp_stream(node.ip, node.port)
        except (OSError, trio.TooSlowError) as error:
            return str(error) or "timeout"
        async with stream:
            await self._converse(export, stream)
        return ""

    async def _converse(self, export: Export, stream: trio.SocketStream) -> None:
        poked = Poked()
        export.on_output = poked.poke
        clients = self._clients
        clients.begin()
        export.connected()
        clients.finish()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, export, stream, poked, nursery.cancel_scope)
                while data := await stream.receive_some(READ_BYTES):
                    clients.begin()
                    export.receive(bytes(data))
                    clients.finish()
                nursery.cancel_scope.cancel()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the target has gone

    async def _write(
        self, export: Export, stream: trio.SocketStream, poked: "Poked", connection: trio.CancelScope
    ) -> None:
        """Until the export is over; then the connection ends."""
        clients = self._clients
        while True:
            clients.begin()
            data = export.next_output()
            clients.finish()
            if data:
                await stream.send_all(data)
            elif export.over:
                connection.cancel()
                return
            else:
                export.sending = 0
                await poked.wait()


class Poked:
    """Something may have to be sent."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def poke(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()
        self._event = trio.Event()
