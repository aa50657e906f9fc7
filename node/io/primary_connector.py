"""The connection to the primary: the task that carries the replica's link, and comes back when it breaks.

One connection at a time. Each try after a failure waits a little longer, up to a second, as Redis tries once a second;
and up to ten where the primary was there but what came from it was of no use, for each such try may cost it a snapshot.

When another primary is to be followed, or the same one at another address, nothing is waited for any more: not the
lookup, not the dial, not bytes that the old connection does not take.
"""

from typing import Final

import trio

from gossamer.node.engine.serving.unexpected import survive
from gossamer.node.io.address import Unreachable
from gossamer.node.io.clients import Clients
from gossamer.node.io.dial import dial
from gossamer.node.replication.primary_link import PrimaryLink

READ_BYTES: Final = 64 * 1024
FIRST_WAIT_S: Final = 0.1
LONGEST_WAIT_S: Final = 1.0
LONGEST_AFTER_DAMAGE_S: Final = 10.0


class PrimaryConnector:
    """``run`` follows whomever the machine wants to follow, until cancelled."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._replication = clients.machine.replication
        self._poked = trio.Event()
        self._replication.on_target = self._look
        self._connection = trio.CancelScope()

    def _look(self) -> None:
        """Somebody else is to be followed, or nobody."""
        self._poked.set()
        self._connection.cancel()

    async def run(self) -> None:
        wait_s = FIRST_WAIT_S
        while True:
            self._poked = trio.Event()
            primary_link = self._replication.primary_link
            if primary_link is None or primary_link.away:
                await self._poked.wait()
                wait_s = FIRST_WAIT_S
                continue
            await self._converse(primary_link)
            if self._replication.primary_link is not primary_link:
                wait_s = FIRST_WAIT_S
                continue
            if primary_link.lasted:
                wait_s = FIRST_WAIT_S
            with trio.move_on_after(wait_s):
                await self._poked.wait()
            wait_s = min(wait_s * 2, LONGEST_AFTER_DAMAGE_S if primary_link.damaged else LONGEST_WAIT_S)

    async def _converse(self, primary_link: PrimaryLink) -> None:
        """One connection, from the first byte to the last."""
        primary_link.connecting()
        try:
            with trio.CancelScope() as self._connection:
                stream = await self._connect(primary_link)
                if stream is not None:
                    async with stream:
                        await self._carry(primary_link, stream)
        except Exception as error:
            what = f"the connection to primary {primary_link.ip!a}:{primary_link.port}, which is closed"
            survive(self._clients.machine.server, what, error)
            primary_link.mark_damaged()
        finally:
            primary_link.on_output = None
            primary_link.disconnected()

    async def _connect(self, primary_link: PrimaryLink) -> trio.SocketStream | None:
        config = self._clients.machine.server.config
        source, patience_s = config.text("bind-source-addr"), config.integer("repl-timeout")
        try:
            return await dial(primary_link.ip, primary_link.port, source, patience_s)
        except Unreachable as error:
            told = f"Unable to connect to primary {primary_link.ip}:{primary_link.port}: {error}"
            self._clients.machine.server.edge.log(
                "warning", "Timeout connecting to the MASTER..." if error.late else told
            )
            return None

    async def _carry(self, primary_link: PrimaryLink, stream: trio.SocketStream) -> None:
        output = Output(stream, primary_link, self._connection)
        primary_link.on_output = output.poke
        clients = self._clients
        clients.begin()
        primary_link.connected_to()
        clients.finish()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(output.write)
                while data := await stream.receive_some(READ_BYTES):
                    clients.begin()
                    primary_link.receive(bytes(data))
                    clients.finish()
                    pause_s = primary_link.load_pause_s()
                    if pause_s:
                        await trio.sleep(pause_s)
                nursery.cancel_scope.cancel()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the primary has gone


class Output:
    """What the link has to say, on its way."""

    def __init__(self, stream: trio.SocketStream, primary_link: PrimaryLink, connection: trio.CancelScope) -> None:
        self._stream = stream
        self._conversation = primary_link
        self._connection = connection
        self._poked = trio.Event()

    def poke(self) -> None:
        """There is something to say; or the link has failed, and the connection ends."""
        self._poked.set()
        if self._conversation.failure or self._conversation.abandoned:
            self._connection.cancel()

    async def write(self) -> None:
        """Until the connection ends."""
        while True:
            data = self._conversation.take_output()
            if data:
                await self._stream.send_all(data)
                continue
            self._poked = trio.Event()
            await self._poked.wait()
