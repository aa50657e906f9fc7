"""Slots on their way to other nodes, on real sockets: carries what ``gossamer.node.migration.source`` has to say.

A task for each connection; it makes the next piece of the snapshot when the last one is in the kernel's hands, so other
tasks have their turns in between. When a connection breaks after the grant another one asks the target what it did.

A connection ends when nothing can come of it: its job is over, or the target is somewhere else by now.
"""

from collections.abc import Callable
from typing import Final

import trio

from gossamer.cluster.topology import Node
from gossamer.node.engine.serving.unexpected import survive
from gossamer.node.io.address import Unreachable
from gossamer.node.io.clients import Clients
from gossamer.node.io.dial import dial
from gossamer.node.migration.source import Export

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
        except Exception as error:
            survive(self._clients.machine.server, f"the connection of slot migration {export}, which is closed", error)
        finally:
            export.on_output = None
            self._clients.begin()
            export.disconnected(why)
            self._clients.finish()

    async def _connect(self, export: Export) -> str:
        node = self._target(export)
        if node is None:
            return "target node not found"
        there = False
        with trio.CancelScope() as connection:

            def look() -> None:
                now = self._target(export)
                if export.over or now is None or (now.ip, now.port) != (node.ip, node.port):
                    connection.cancel()

            export.on_output = export.on_seen = look
            look()
            try:
                stream = await dial(node.ip, node.port, timeout_s=CONNECT_S)
                there = True
                async with stream:
                    await self._converse(export, stream, look)
            except Unreachable as error:
                return str(error)
            finally:
                export.on_output = export.on_seen = None
        return "" if there or export.over else await self._connect(export)

    def _target(self, export: Export) -> Node | None:
        return self._clients.machine.migrations.topology.nodes.get(export.target)

    async def _converse(self, export: Export, stream: trio.SocketStream, look: Callable[[], None]) -> None:
        poked = Poked(look)
        export.on_output = poked.poke
        clients = self._clients
        clients.begin()
        export.connected()
        clients.finish()
        look()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, export, stream, poked)
                while data := await stream.receive_some(READ_BYTES):
                    clients.begin()
                    export.receive(bytes(data))
                    clients.finish()
                nursery.cancel_scope.cancel()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the target has gone

    async def _write(self, export: Export, stream: trio.SocketStream, poked: "Poked") -> None:
        """Until the connection ends, as it does when the export is over."""
        clients = self._clients
        while True:
            clients.begin()
            data = export.next_output()
            clients.finish()
            if data:
                await stream.send_all(data)
            else:
                export.sending = 0
                await poked.wait()


class Poked:
    """Something may have to be sent, or the connection may be of no more use: that is for ``look`` to see."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._event = trio.Event()
        self._look = look

    def poke(self) -> None:
        self._event.set()
        self._look()

    async def wait(self) -> None:
        await self._event.wait()
        self._event = trio.Event()
