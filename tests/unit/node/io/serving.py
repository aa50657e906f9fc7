"""Clients of a machine without a cluster, served in a loop of trio's."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio

from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.io.clients import Clients
from gossamer.node.io.reactor import serve_clients
from gossamer.node.machine import Machine
from tests.unit.node.io.receiving import exactly

PATIENCE_S = 20


class EdgeOfTest(Edge):
    survives = False
    """What nobody expected is expected by this test."""

    def unexpected(self, what: str, error: Exception) -> None:
        if not self.survives:
            raise error


class Served:
    """Clients of a machine, and the address at which they are let in."""

    def __init__(self) -> None:
        self.edge = EdgeOfTest()
        self.clients = Clients(Machine(Server(edge=self.edge)))
        door = socket.create_server(("127.0.0.1", 0))
        self.port: int = door.getsockname()[1]
        self.clients.listen(door)

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def ask(self, request: bytes, expected: bytes) -> None:
        async with await self.connect() as stream:
            await stream.send_all(request)
            await exactly(stream, expected)


@asynccontextmanager
async def serving() -> AsyncIterator[Served]:
    served = Served()
    try:
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(serve_clients, served.clients)
                yield served
                nursery.cancel_scope.cancel()
    finally:
        served.clients.close()


def run(talk: Callable[[Served], Awaitable[None]]) -> None:
    async def main() -> None:
        async with serving() as served:
            await talk(served)

    trio.run(main)
