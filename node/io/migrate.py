"""Keys on their way to other nodes, on real sockets: what MIGRATE asks for (``gossamer.node.engine.slots.migrate``).

A connection that has worked is kept for the next transfer to the same address, and closed after ten idle seconds, as
Redis does. It may have been closed by the other end meanwhile: a transfer that fails before the target has answered
anything is tried once more on a new one.

Nobody waits longer than for what can still be of use: a transfer whose client has gone ends if its target has not been
told anything yet, and all end when this node becomes a replica, whose keys are no longer its own.
"""

from collections import deque
from typing import Final

import trio

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.serving.unexpected import survive
from gossamer.node.engine.slots.migrate import (
    PENDING,
    MigrateFailed,
    MigrateProtocol,
    MigrateTransfer,
    MigrateTransport,
    lost,
)
from gossamer.node.io import blocking_migrate
from gossamer.node.io.address import Unreachable
from gossamer.node.io.clients import Clients
from gossamer.node.io.dial import dial
from gossamer.node.resp.errors import CANNOT_CONNECT, CANNOT_READ, CANNOT_WRITE

IDLE_S: Final = 10.0
KEPT: Final = 64
PIECE: Final = 64 * 1024

Address = tuple[str, int]


class MigrateConnection:
    """A connection to a target. ``db`` is the database selected there."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.db = 0
        self.idle_since = 0.0
        self._lines: deque[bytes] = deque()
        self._tail = b""

    async def carry(self, transfer: MigrateTransfer) -> None:
        """Bring over all that the target takes. MigrateFailed."""
        protocol = MigrateProtocol(transfer, self.db)
        while said := protocol.say():
            await self._write(said, transfer.timeout_s)
            while protocol.awaited:
                protocol.answered(await self._line(transfer.timeout_s))
        self.db = protocol.db

    async def _write(self, data: bytes, timeout_s: float) -> None:
        view = memoryview(data)
        try:
            for at in range(0, len(view), PIECE):
                with trio.fail_after(timeout_s):
                    await self.stream.send_all(view[at : at + PIECE])
        except trio.TooSlowError:
            raise MigrateFailed(CANNOT_WRITE, timeout=True) from None
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise MigrateFailed(CANNOT_WRITE, timeout=False) from None

    async def _line(self, timeout_s: float) -> bytes:
        while not self._lines:
            try:
                with trio.fail_after(timeout_s):
                    data = await self.stream.receive_some(PIECE)
            except trio.TooSlowError:
                raise MigrateFailed(CANNOT_READ, timeout=True) from None
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
            if not data:
                raise MigrateFailed(CANNOT_READ, timeout=False)
            *lines, self._tail = (self._tail + data).split(b"\r\n")
            self._lines.extend(lines)
        return self._lines.popleft()


class MigrateConnections(MigrateTransport):
    """``run`` before anything is carried; what is asked for when it has ended fails at once."""

    def __init__(self, clients: Clients) -> None:
        super().__init__()
        self._clients = clients
        self._nursery: trio.Nursery | None = None
        self._kept: dict[Address, MigrateConnection] = {}
        self._keeps = trio.Event()
        """A connection has been kept since ``run`` last found none."""
        self._dialling: dict[MigrateTransfer, trio.CancelScope] = {}
        self._carried: dict[MigrateTransfer, trio.CancelScope] = {}

    async def run(self) -> None:
        """Carry until cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                while True:
                    if not self._kept:
                        self._keeps = trio.Event()
                        await self._keeps.wait()
                    await trio.sleep(1)
                    await self._close_idle()
        finally:
            self._nursery = None
            for connection in self._kept.values():
                connection.stream.socket.close()
            self._kept.clear()

    def carry(self, transfer: MigrateTransfer) -> None:
        if self._nursery is None:
            lost(transfer)
            self.finished.append(transfer)
        else:
            self._nursery.start_soon(self._carry, transfer)

    def deliver(self, transfer: MigrateTransfer) -> None:
        blocking_migrate.deliver(transfer)

    def left(self, client: Client) -> None:
        for transfer, scope in self._dialling.items():
            if transfer.client is client:
                scope.cancel()

    def give_up(self) -> None:
        for scope in self._carried.values():
            scope.cancel()

    async def _carry(self, transfer: MigrateTransfer) -> None:
        server = self._clients.machine.server
        lost(transfer)  # unless it is delivered
        with trio.CancelScope() as self._carried[transfer]:
            try:
                await self._deliver(transfer)
                transfer.failure = PENDING
            except MigrateFailed as failed:
                transfer.failure = failed.text
            except Exception as error:
                survive(server, f"a MIGRATE to {transfer.host!a}:{transfer.port}, which has failed", error)
        del self._carried[transfer]
        self._clients.begin()
        self.finished.append(transfer)
        self._clients.finish()

    async def _deliver(self, transfer: MigrateTransfer) -> None:
        while transfer.packing:
            transfer.pack()
            await trio.lowlevel.checkpoint()
        connection = self._kept.pop((transfer.host, transfer.port), None) or await self._connect(transfer)
        try:
            await self._travel(connection, transfer)
        except MigrateFailed as failed:
            if not transfer.may_repeat(failed):
                raise
            await self._travel(await self._connect(transfer), transfer)

    async def _connect(self, transfer: MigrateTransfer) -> MigrateConnection:
        """A new connection to where ``transfer`` goes; MigrateFailed. Broken off when its client has gone."""
        with trio.CancelScope() as self._dialling[transfer]:
            if transfer.client.killed:
                raise MigrateFailed(CANNOT_CONNECT, timeout=False)
            try:
                return MigrateConnection(await dial(transfer.host, transfer.port, timeout_s=transfer.timeout_s))
            except Unreachable as error:
                raise blocking_migrate.not_connected(transfer, error) from None
            finally:
                del self._dialling[transfer]
        raise MigrateFailed(CANNOT_CONNECT, timeout=True)

    async def _travel(self, connection: MigrateConnection, transfer: MigrateTransfer) -> None:
        try:
            await connection.carry(transfer)
        except BaseException:
            connection.stream.socket.close()
            raise
        self._keep((transfer.host, transfer.port), connection)

    def _keep(self, address: Address, connection: MigrateConnection) -> None:
        if address in self._kept or len(self._kept) >= KEPT:
            connection.stream.socket.close()
            return
        connection.idle_since = trio.current_time()
        self._kept[address] = connection
        self._keeps.set()

    async def _close_idle(self) -> None:
        before = trio.current_time() - IDLE_S
        for address, connection in list(self._kept.items()):
            if connection.idle_since < before:
                del self._kept[address]
                await connection.stream.aclose()
