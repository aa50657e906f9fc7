"""Plain clients are served in the place of trio's waiting, and trio's tasks run none the later for it."""

import functools
import socket
import sys
from pathlib import Path

import pytest
import trio
from trio.testing import memory_stream_pair

from gossamer.gossip.effects import Level, Log
from gossamer.node.io import trio_epoll
from gossamer.node.io.streams import serve_stream
from tests.unit.node.io.receiving import exactly
from tests.unit.node.io.serving import Served, run, serving

FLOOD = b"PING\r\n" * 1000

linux = pytest.mark.skipif(sys.platform != "linux", reason="trio has no epoll here")


@linux
def test_the_epoll_of_trio_is_found() -> None:
    async def talk(served: Served) -> None:
        await served.ask(b"PING\r\n", b"+PONG\r\n")
        assert served.clients.event_loop >= 0

    run(talk)


@pytest.mark.parametrize("folder", ["/proc/self/fdinfo", "", "absent"])
def test_clients_of_the_same_loop_are_served(folder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The client's own task waits in that loop too; also where the kernel does not tell what an epoll watches."""
    monkeypatch.setattr(trio_epoll, "DESCRIPTORS", tmp_path / folder)

    async def talk(served: Served) -> None:
        async with trio.open_nursery() as nursery:
            for number in range(10):
                request = b"SET k%d v\r\nGET k%d\r\n" % (number, number)
                nursery.start_soon(served.ask, request, b"+OK\r\n$1\r\nv\r\n")
        if folder != "/proc/self/fdinfo":
            assert served.clients.event_loop == -1

    run(talk)


def test_a_task_wakes_at_its_time_while_clients_send_without_end() -> None:
    async def flood(stream: trio.SocketStream) -> None:
        while True:
            await stream.send_all(FLOOD)

    async def drain(stream: trio.SocketStream) -> None:
        while await stream.receive_some():
            pass

    async def talk(served: Served) -> None:
        async with await served.connect() as stream, trio.open_nursery() as nursery:
            nursery.start_soon(flood, stream)
            nursery.start_soon(drain, stream)
            for _ in range(20):
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()

    run(talk)


def test_clients_are_served_while_a_task_never_rests() -> None:
    """As the snapshot for a replica, made a piece at a time: trio waits for nothing meanwhile."""

    async def work() -> None:
        while True:
            await trio.lowlevel.checkpoint()

    async def talk(served: Served) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            for _ in range(20):
                await served.ask(b"PING\r\n", b"+PONG\r\n")
            nursery.cancel_scope.cancel()

    run(talk)


def test_what_a_request_sets_off_happens_at_once() -> None:
    """No event of trio's own and no time that is up tells it: the task of the other client was made runnable."""

    async def talk(served: Served) -> None:
        ours, theirs = memory_stream_pair()
        async with trio.open_nursery() as nursery:
            serve = functools.partial(serve_stream, served.clients, theirs, "a:1", "b:2", loopback=True)
            nursery.start_soon(serve)
            await ours.send_all(b"BLPOP list 0\r\n")
            with socket.create_connection(("127.0.0.1", served.port)) as pusher:
                pusher.sendall(b"RPUSH list v\r\n")
                await exactly(ours, b"*2\r\n$4\r\nlist\r\n$1\r\nv\r\n")
            await ours.aclose()

    run(talk)


def test_two_in_one_loop_serve_both_their_clients() -> None:
    async def main() -> None:
        async with serving() as one, serving() as other:
            for served in (one, other, one, other):
                await served.ask(b"PING\r\n", b"+PONG\r\n")

    trio.run(main)


def test_the_place_is_free_again_when_it_ends() -> None:
    async def main() -> None:
        for _ in range(2):
            async with serving() as served:
                await served.ask(b"PING\r\n", b"+PONG\r\n")
                assert (served.clients.event_loop >= 0) == (sys.platform == "linux")

    trio.run(main)


@linux
def test_what_nobody_expected_is_raised_and_not_swallowed() -> None:
    """trio would log it, go on without the instrument, and clients would wait for ever."""

    def fail() -> None:
        raise LookupError("planted")

    async def talk(served: Served) -> None:
        served.clients.on_effects = fail
        served.clients.machine.outbox.append(Log(Level.NOTICE, "something to do"))
        await served.ask(b"PING\r\n", b"+PONG\r\n")

    with pytest.raises(ExceptionGroup) as caught:
        run(talk)
    assert caught.group_contains(LookupError, match="planted")
