"""Carries a connection that the node has dialled, on a real socket: a task that reads and one that writes."""

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from gossamer.node.engine.serving.unexpected import survive
from gossamer.node.io.address import Unreachable
from gossamer.node.io.clients import Clients
from gossamer.node.outgoing.carrier import Carrier, Speaker

READ_BYTES: Final = 64 * 1024


async def carry(
    clients: Clients, speaker: Speaker, connect: Callable[[], Awaitable[trio.SocketStream]], what: str
) -> bool:
    """One connection, from the dial to its end; False if that was an exception that nobody expected.

    ``connect`` dials, ``what`` names the connection in the log.
    """
    socket = Socket(clients, speaker)
    why = ""
    try:
        with socket.scope:
            socket.carrier.look()
            await socket.run(await connect())
    except Unreachable as error:
        why = str(error)
    except Exception as error:
        survive(clients.machine.server, what, error)
        return False
    finally:
        socket.carrier.ended(why)
    return True


class Socket:
    """The Wire of one connection."""

    def __init__(self, clients: Clients, speaker: Speaker) -> None:
        self.begin = clients.begin
        self.finish = clients.finish
        self.scope = trio.CancelScope()
        self._wanted = trio.Event()
        self.carrier = Carrier(speaker, self)

    def wake_writer(self) -> None:
        self._wanted.set()

    def close(self) -> None:
        self.scope.cancel()

    async def run(self, stream: trio.SocketStream) -> None:
        """Until one of the ends has closed it."""
        try:
            async with stream, trio.open_nursery() as nursery:
                self.carrier.up()
                nursery.start_soon(self._write, stream)
                while data := await stream.receive_some(READ_BYTES):
                    pause_s = self.carrier.heard(bytes(data))
                    if pause_s:
                        await trio.sleep(pause_s)
                nursery.cancel_scope.cancel()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the other end has gone

    async def _write(self, stream: trio.SocketStream) -> None:
        while True:
            self._wanted = trio.Event()
            if data := self.carrier.next_output():
                await stream.send_all(data)
            else:
                await self._wanted.wait()
