"""Clients on any trio stream, one task each, with the same session: TLS, and the memory streams of tests.

Slower than the batches of ``clients.py`` (measured: less than half the rate), so plain sockets do not come here. Output
goes through a task of its own, since a reply may be due while nothing is read (MONITOR, the end of a pause); what the
stream has not taken yet counts against ``client-output-buffer-limit`` as everywhere.
"""

from typing import Final

import trio

from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.serving.session import Session
from gossamer.node.engine.serving.unexpected import survive
from gossamer.node.io.clients import Clients, Output
from gossamer.node.io.output_buffer import OutputBuffer

READ_BYTES: Final = 16 * 1024


class StreamOutput(Output):
    """What waits to be written to one stream."""

    def __init__(self, clients: Clients, client: Client, stream: trio.abc.SendStream) -> None:
        self._clients = clients
        self._client = client
        self._stream = stream
        self._backlog = OutputBuffer()
        self._poked = trio.Event()
        self.scope = trio.CancelScope()
        """Around the whole connection."""

    def ready(self) -> None:
        client = self._client
        if client.out and not client.killed:
            self._backlog.add(client.take_pieces())
            client.unsent = self._backlog.size
        if client.killed or self._clients.too_far_behind(client):
            self.scope.cancel()
        self._poked.set()

    async def write(self) -> None:
        """Send what comes, until the client is to be let go."""
        client, backlog = self._client, self._backlog
        while True:
            while backlog.size:
                piece = backlog.head()[0]
                await self._stream.send_all(piece)
                backlog.taken(len(piece))
                client.unsent = backlog.size
                self._clients.machine.server.stats.total_net_output_bytes += len(piece)
            if client.closing and client.pending is None:
                self.scope.cancel()
            self._poked = trio.Event()
            await self._poked.wait()


async def serve_stream(clients: Clients, stream: trio.abc.Stream, addr: str, laddr: str, *, loopback: bool) -> None:
    """Serve one client until either side ends it. ``addr`` and ``laddr`` are ``ip:port``."""
    async with stream:
        refusal = clients.refusal(loopback)
        if refusal is not None:
            await stream.send_all(refusal)
            return
        session = clients.machine.accept(addr, laddr)
        outlet = clients.outlets[session.id] = StreamOutput(clients, session, stream)
        try:
            with outlet.scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(outlet.write)
                    await _read(clients, session, stream)
                    nursery.cancel_scope.cancel()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the peer has gone
        except* Exception as errors:
            what = f"client id={session.id} addr={session.addr}, which is closed"
            survive(clients.machine.server, what, errors)
        finally:
            del clients.outlets[session.id]
            clients.machine.leave(session)


async def _read(clients: Clients, session: Session, stream: trio.abc.ReceiveStream) -> None:
    while data := await stream.receive_some(READ_BYTES):
        clients.begin()
        more = session.feed(bytes(data))
        clients.finish()
        while more:
            await trio.lowlevel.checkpoint()
            clients.begin()
            more = not session.closing and session.resume()
            clients.finish()
