"""The loop that serves plain clients: it waits in the place of trio, and serves whole batches without a switch.

Why not a task per client: measured with 50 clients on two cores, a trio task per connection reached less than half of
redis-server's rate, this loop reaches it. The price is fairness by hand: after ``SLICE`` of uninterrupted serving the
loop gives way to the other tasks of the node, and ``Clients.turn`` bounds what one client can take of a turn.

Why not a task at all: to be woken costs a turn of trio's scheduler each time, a third of what a request takes if few
clients are there. trio calls its instruments before it looks for events. That is where clients are served, until trio
has something to do: its own epoll is watched beside the clients' sockets. Where it is not found (no Linux, no
``/proc``), or if another node in the same process waits already, a task waits for the clients' descriptor.
"""

import socket
import time
from typing import Final

import trio

from gossamer.node.io.clients import Clients
from gossamer.node.io.trio_epoll import find_epoll

SLICE: Final = 0.002
"""Seconds of serving after which other tasks run."""

_taken: Final = trio.lowlevel.RunVar("_taken", default=False)
"""Somebody serves clients in the place of this trio's waiting. Two would not see each other's clients."""


async def serve_clients(clients: Clients) -> None:
    """Serve until cancelled."""
    if _taken.get():
        await serve_when_woken(clients)
        return
    _taken.set(True)
    try:
        epoll = await find_epoll()
        if epoll is None:
            await serve_when_woken(clients)
        else:
            await serve_while_waiting(clients, epoll)
    finally:
        _taken.set(False)


async def serve_when_woken(clients: Clients) -> None:
    """As a task like others."""
    descriptor = clients.poller.fileno()
    while True:
        await trio.lowlevel.wait_readable(descriptor)
        end = time.perf_counter() + SLICE
        while clients.turn():
            if time.perf_counter() > end:
                await trio.lowlevel.checkpoint()
                end = time.perf_counter() + SLICE


async def serve_while_waiting(clients: Clients, epoll: int) -> None:
    """In the place of trio's waiting for ``epoll``."""
    instrument = ServeBeforeWait(clients)
    clients.watch_event_loop(epoll)
    trio.lowlevel.add_instrument(instrument)
    try:
        await instrument.run()
    finally:
        trio.lowlevel.remove_instrument(instrument)
        instrument.close()


class ServeBeforeWait(trio.abc.Instrument):
    """Serves clients whenever trio is about to look for events, and waits in its stead if nothing is to be done."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._wakeup, self._waker = socket.socketpair()
        """trio has computed already how long it waits. A byte sent to ``_wakeup`` ends that."""
        self._waker.setblocking(False)
        self._failure: BaseException | None = None

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        self._clients.task_runnable = True

    def before_io_wait(self, timeout: float) -> None:
        """Serve clients until trio has something to do: at once, or ``timeout`` seconds from now at the latest."""
        if self._failure is not None:
            return  # the task that raises it is about to run
        try:
            self._clients.serve(timeout, SLICE)
        except BaseException as failure:  # trio would go on without this instrument, and clients would wait for ever
            self._failure = failure
            self._waker.send(b"\0")
            return
        if timeout > 0 and (self._clients.task_runnable or not self._clients.event_loop_ready):
            self._waker.send(b"\0")

    async def run(self) -> None:
        """The task that takes the bytes of ``_wakeup``, and raises what serving has raised."""
        while True:
            await trio.lowlevel.wait_readable(self._wakeup)
            self._wakeup.recv(64)
            if self._failure is not None:
                raise self._failure

    def close(self) -> None:
        self._wakeup.close()
        self._waker.close()
