"""A connection that the node has dialled is read in the turns of its clients, and answers at once."""

from collections.abc import Awaitable, Callable

import trio

from gossamer.node.io.carry import carry
from tests.unit.node.io.receiving import exactly
from tests.unit.node.io.serving import Served, run

LONG = bytes(16 << 20)
"""More than the kernel takes at once."""


class Echo:
    """A speaker that says back what it hears, and what the other end is to be told at first."""

    def __init__(self, greeting: bytes = b"") -> None:
        self.out = [greeting] if greeting else []
        self.heard = b""
        self.ended: list[str] = []
        self.finished = False
        self.fails_at = b"no such byte"
        self.rest_s = 0.0
        self.tell: Callable[[], None] | None = None

    def on_output(self, tell: Callable[[], None] | None) -> None:
        self.tell = tell

    def connected(self) -> None:
        pass

    def receive(self, data: bytes) -> None:
        if self.fails_at in data:
            raise LookupError("planted")
        self.heard += data
        self.say(data)

    def say(self, data: bytes) -> None:
        self.out.append(data)
        if self.tell is not None:
            self.tell()

    def pause_s(self) -> float:
        return self.rest_s

    def next_output(self) -> bytes:
        return self.out.pop(0) if self.out else b""

    def disconnected(self, why: str) -> None:
        self.ended.append(why)


def connected(echo: Echo, talk: Callable[[Served, trio.SocketStream], Awaitable[None]]) -> bool:
    """Carry ``echo`` to the end of ``talk``, which has the other end of the connection; what ``carry`` has said."""
    outcome: list[bool] = []

    async def main(served: Served) -> None:
        async with trio.open_nursery() as nursery:
            (door,) = await trio.open_tcp_listeners(0, host="127.0.0.1")

            async def dial() -> trio.SocketStream:
                return await trio.open_tcp_stream("127.0.0.1", door.socket.getsockname()[1])

            async def carried() -> None:
                outcome.append(await carry(served.clients, echo, dial, "a connection of a test"))

            nursery.start_soon(carried)
            async with door, await door.accept() as stream:
                await talk(served, stream)
        assert not served.clients.receivers

    run(main)
    return outcome[0]


def test_what_comes_is_answered_until_the_other_end_closes() -> None:
    echo = Echo(b"hello")

    async def talk(served: Served, stream: trio.SocketStream) -> None:
        await exactly(stream, b"hello")
        for word in (b"one", b"two"):
            await stream.send_all(word)
            await exactly(stream, word)
            await served.ask(b"PING\r\n", b"+PONG\r\n")

    assert connected(echo, talk)
    assert (echo.heard, echo.ended) == (b"onetwo", [""])


def test_an_answer_that_the_kernel_does_not_take_at_once_arrives_whole_and_in_order() -> None:
    echo = Echo()

    async def talk(served: Served, stream: trio.SocketStream) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.send_all, LONG + b"end")
            await exactly(stream, LONG + b"end")

    assert connected(echo, talk)
    assert len(echo.heard) == len(LONG) + 3


def test_what_is_said_unasked_is_sent() -> None:
    echo = Echo()

    async def talk(served: Served, stream: trio.SocketStream) -> None:
        await stream.send_all(b"once")
        await exactly(stream, b"once")
        echo.say(b"unasked")
        await exactly(stream, b"unasked")

    assert connected(echo, talk)


def test_nothing_is_read_while_the_speaker_rests() -> None:
    echo = Echo()
    echo.rest_s = 0.2

    async def talk(served: Served, stream: trio.SocketStream) -> None:
        began = trio.current_time()
        for word in (b"one", b"two", b"three"):
            await stream.send_all(word)
            await exactly(stream, word)
        assert trio.current_time() - began >= 0.4

    assert connected(echo, talk)


def test_a_speaker_that_is_finished_ends_the_connection() -> None:
    echo = Echo(b"hello")

    async def talk(served: Served, stream: trio.SocketStream) -> None:
        await exactly(stream, b"hello")
        echo.finished = True
        await stream.send_all(b"last")
        assert await stream.receive_some() == b""

    assert connected(echo, talk)
    assert (echo.heard, echo.ended) == (b"last", [""])


def test_what_nobody_expected_costs_the_connection_alone() -> None:
    echo = Echo()
    echo.fails_at = b"bad"

    async def talk(served: Served, stream: trio.SocketStream) -> None:
        served.edge.survives = True
        await stream.send_all(b"bad")
        assert await stream.receive_some() == b""
        await served.ask(b"PING\r\n", b"+PONG\r\n")
        assert served.clients.machine.server.stats.unexpected_errors == 1

    assert not connected(echo, talk)
    assert echo.ended == [""]
