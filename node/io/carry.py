"""Carries a connection that the node has dialled, on a real socket."""

from collections.abc import Awaitable, Callable
from typing import Final

import trio

from gossamer.node.engine.serving.unexpected import survive
from gossamer.node.io.address import Unreachable
from gossamer.node.io.clients import Clients, Receiver
from gossamer.node.io.sockets import read, write
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


class Socket(Receiver):
    """The Wire of one connection. It is read where clients are (``reactor.py``): a task would have to be woken for each
    batch of a primary, and wait again after a read that finds nothing."""

    def __init__(self, clients: Clients, speaker: Speaker) -> None:
        self.begin = clients.begin
        self.finish = clients.finish
        self.scope = trio.CancelScope()
        self.carrier = Carrier(speaker, self)
        self._clients = clients
        self._fd = -1
        self._stopped = trio.Event()
        """Nothing is read: for ``_pause_s`` seconds, or any more."""
        self._pause_s = 0.0
        self._ended = False
        self._failure: Exception | None = None
        self._hearing = False
        self._said = False
        """What was heard has an answer."""
        self._wanted = trio.Event()
        self._unsent = b""
        """What the kernel did not take at once."""
        self._writer_waits = False

    def wake_writer(self) -> None:
        if self._hearing:
            self._said = True
        else:
            self._wanted.set()

    def close(self) -> None:
        self.scope.cancel()

    async def run(self, stream: trio.SocketStream) -> None:
        """Until one of the ends has closed it."""
        try:
            async with stream, trio.open_nursery() as nursery:
                self._fd = stream.socket.fileno()
                self.carrier.up()
                nursery.start_soon(self._write, stream)
                await self._read()
                nursery.cancel_scope.cancel()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the other end has gone

    async def _read(self) -> None:
        try:
            while not self._ended:
                self._stopped = trio.Event()
                self._clients.receive(self._fd, self)
                await self._stopped.wait()
                await trio.sleep(self._pause_s)
        finally:
            self._clients.receive_no_more(self._fd)
        if self._failure is not None:
            raise self._failure

    def readable(self) -> None:
        try:
            data = read(self._fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._ended = not data
        self._hearing = True
        try:
            self._pause_s = self.carrier.heard(data) if data else 0.0
            self._hearing = False
            if self._said:
                self._answer()
        except Exception as error:
            self._ended, self._failure = True, error
        if self._ended or self._pause_s:
            self._clients.receive_no_more(self._fd)
            self._stopped.set()

    def _answer(self) -> None:
        """Say what there is to say without the writer, unless that is busy or the kernel takes no more."""
        self._said = False
        while self._writer_waits and not self._wanted.is_set():
            data = self.carrier.next_output()
            if not data:
                return
            try:
                sent = write(self._fd, data)
            except OSError:  # the writer will find out why
                sent = 0
            self._unsent = data[sent:]
            if self._unsent:
                self._wanted.set()
        self._wanted.set()

    async def _write(self, stream: trio.SocketStream) -> None:
        while True:
            self._wanted = trio.Event()
            data = self._unsent or self.carrier.next_output()
            self._unsent = b""
            if data:
                await stream.send_all(data)
            else:
                self._writer_waits = True
                await self._wanted.wait()
                self._writer_waits = False
