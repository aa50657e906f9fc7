"""A session on a trio stream: the same as behind a socket, and the same ends."""

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MemoryReceiveStream, MemorySendStream, memory_stream_pair, wait_all_tasks_blocked

from gossamer.node.engine.clients.limits import OutputLimit
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.io.clients import Clients
from gossamer.node.io.streams import serve_stream
from gossamer.node.machine import Machine
from tests.unit.node.io.receiving import exactly


@pytest.fixture
def clients() -> Clients:
    return Clients(Machine(Server(edge=Edge())))


Stream = trio.StapledStream[MemorySendStream, MemoryReceiveStream]
Talk = Callable[[Stream], Awaitable[None]]


async def converse(clients: Clients, talk: Talk, *, loopback: bool = True) -> None:
    """Connect a client, let it ``talk``, hang up; the server's side must end by itself."""
    ours, theirs = memory_stream_pair()
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:

            async def serve() -> None:
                await serve_stream(clients, theirs, "192.0.2.7:1", "192.0.2.8:2", loopback=loopback)

            nursery.start_soon(serve)
            await talk(ours)
            await ours.aclose()


def run(clients: Clients, talk: Talk, *, loopback: bool = True) -> None:
    async def main() -> None:
        await converse(clients, talk, loopback=loopback)

    trio.run(main)
    assert clients.machine.server.clients.by_id == {}
    assert clients.outlets == {}
    clients.close()


def test_requests_in_any_pieces_are_answered_in_order(clients: Clients) -> None:
    async def talk(stream: Stream) -> None:
        request = b"SET k v\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
        for at in range(len(request)):
            await stream.send_all(request[at : at + 1])
        await exactly(stream, b"+OK\r\n$1\r\nv\r\n")

    run(clients, talk)


def test_a_long_pipeline_is_served_in_turns(clients: Clients) -> None:
    async def talk(stream: Stream) -> None:
        await stream.send_all(b"INCR n\r\n" * 3000)
        await exactly(stream, b"".join(b":%d\r\n" % n for n in range(1, 3001)))

    run(clients, talk)


def test_output_comes_while_nothing_is_read(clients: Clients) -> None:
    async def talk(stream: Stream) -> None:
        await stream.send_all(b"MONITOR\r\n")
        await exactly(stream, b"+OK\r\n")
        other = clients.machine.accept("127.0.0.1:9", "127.0.0.1:2")
        clients.begin()
        other.feed(b"PING\r\n")
        clients.finish()
        assert b'"PING"' in await stream.receive_some()
        clients.machine.leave(other)

    run(clients, talk)


def test_quit_is_answered_and_ends_the_stream(clients: Clients) -> None:
    async def talk(stream: Stream) -> None:
        await stream.send_all(b"QUIT\r\nPING\r\n")
        await exactly(stream, b"+OK\r\n")
        assert await stream.receive_some() == b""

    run(clients, talk)


def test_a_killed_client_is_let_go_while_it_is_silent(clients: Clients) -> None:
    async def talk(stream: Stream) -> None:
        await wait_all_tasks_blocked()
        (client,) = clients.machine.server.clients.by_id.values()
        client.kill()
        clients.flush()
        assert await stream.receive_some() == b""

    run(clients, talk)


def test_a_client_that_does_not_read_is_let_go_at_its_limit(clients: Clients) -> None:
    server = clients.machine.server
    server.limits.output = [OutputLimit(100_000, 0, 0)] * 3

    async def talk(stream: Stream) -> None:
        await wait_all_tasks_blocked()
        await stream.send_all(b"SET k " + b"x" * 60_000 + b"\r\n")
        await exactly(stream, b"+OK\r\n")
        await stream.send_all(b"GET k\r\n" * 5)
        await wait_all_tasks_blocked()
        assert server.stats.client_output_buffer_limit_disconnections == 1

    run(clients, talk)


def test_a_stranger_is_refused_in_protected_mode(clients: Clients) -> None:
    async def talk(stream: Stream) -> None:
        assert (await stream.receive_some()).startswith(b"-DENIED Redis is running in protected mode")
        assert await stream.receive_some() == b""

    run(clients, talk, loopback=False)
    assert clients.machine.server.stats.rejected_connections == 1


def test_an_exception_that_nobody_expected_costs_its_client_alone() -> None:
    class Telling(Edge):
        def unexpected(self, what: str, error: Exception) -> None:
            told.append(what)

    async def fail() -> None:
        raise RuntimeError("nobody expects this")

    async def talk(stream: Stream) -> None:
        await stream.send_all(b"PING\r\n")
        await exactly(stream, b"+PONG\r\n")

    async def main() -> None:
        ours, theirs = memory_stream_pair()
        assert isinstance(theirs.receive_stream, MemoryReceiveStream)
        theirs.receive_stream.receive_some_hook = fail
        with trio.fail_after(20):
            async with ours:
                await serve_stream(clients, theirs, "192.0.2.7:1", "192.0.2.8:2", loopback=True)
                assert await ours.receive_some() == b""

    told: list[str] = []
    clients = Clients(Machine(Server(edge=Telling())))
    trio.run(main)
    assert told == ["client id=1 addr=192.0.2.7:1, which is closed"]
    assert clients.machine.server.stats.unexpected_errors == 1
    run(clients, talk)
