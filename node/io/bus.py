"""The cluster bus on real sockets: links, messages in and out, and the effects of the gossip in their order.

The Pump (``gossip/pump.py``) decides what of ``machine.outbox`` may be performed, and performs it here. Each link has a
task that reads, and one that writes what the kernel does not take at once; a link that fails takes nobody along.
"""

import math
import os
import time
from collections.abc import Callable
from typing import Final

import trio

from gossamer.gossip.effects import Deliver, Dial, Level, Log, Resolve, Save, Send
from gossamer.gossip.events import Accepted, GarbageIn, LinkDown, LinkUp, PacketIn, Resolved
from gossamer.gossip.frames import Deframer
from gossamer.gossip.packet import PacketError, decode, encode
from gossamer.gossip.pump import Pump
from gossamer.node.engine.serving.unexpected import survive
from gossamer.node.io.address import Unreachable
from gossamer.node.io.conf_writer import ConfWriter
from gossamer.node.io.dial import dial
from gossamer.node.io.lookup import Lookup
from gossamer.node.machine import Machine

READ_BYTES: Final = 64 * 1024
RETRY_S: Final = 1.0


class Link:
    """One connection to a peer. ``queued`` is what waits to be sent on it, in bytes."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.fd = -1
        """Of its socket, while that is open."""
        self.scope = trio.CancelScope()
        self.outgoing, self.waiting = trio.open_memory_channel[bytes](math.inf)
        self.queued = 0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Bus:
    """``writer`` makes nodes.conf durable; ``log`` takes a level name and a line; ``source`` is the address that
    connections to peers come from, empty if that is for the system to choose.

    What could not be saved is tried again every ``RETRY_S``.
    """

    def __init__(
        self,
        machine: Machine,
        writer: ConfWriter,
        log: Callable[[str, str], None],
        connect_timeout_s: Callable[[], float],
        sendbuf_limit: Callable[[], int],
        source: Callable[[], str],
    ) -> None:
        self.pump = Pump(self, machine.take_effects)
        self._machine = machine
        self._writer = writer
        self._log = log
        self._connect_timeout_s = connect_timeout_s
        self._sendbuf_limit = sendbuf_limit
        self._source = source
        self._lookup = Lookup()
        self._links: dict[int, Link] = {}
        self._next_number = 1
        self._poked = trio.Event()
        self._sleep: trio.CancelScope | None = None
        """While the pump's task sleeps."""
        self._nursery: trio.Nursery | None = None

    def poke(self) -> None:
        """There may be effects to perform, or another deadline. While the pump's task sleeps this is done in its place:
        nearly always it is the answer to a PING, and to wake a task costs more than that. What goes wrong here is no
        fault of whoever pokes: the node ends.
        """
        if self._sleep is None:
            self._poked.set()
            return
        try:
            self.pump.run()
        except Exception:
            self._machine.server.changing += 1  # for good: whoever poked must not forgive it
            raise
        self._sleep.deadline = self._wake_at()

    async def run(self, listeners: list[trio.SocketListener]) -> None:
        """Serve until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(trio.serve_listeners, self._serve_accepted, listeners)
            await self._drive()

    async def _drive(self) -> None:
        """Perform what there is to perform, and wake the gossip when it asked to be; but not before what it has
        asked for is saved.
        """
        tried = -RETRY_S
        while True:
            self.pump.run()
            with trio.CancelScope(deadline=self._wake_at()) as self._sleep:
                await self._poked.wait()
            self._sleep = None
            self._poked = trio.Event()
            if self.pump.saving:
                continue
            if self.pump.mute and trio.current_time() - tried >= RETRY_S:
                tried = trio.current_time()
                self.pump.retry()
            elif now_ms() >= self._machine.gossip_deadline():
                self._machine.wake(now_ms())

    def _wake_at(self) -> float:
        """When there is something to be done though nothing has happened, by the clock of trio."""
        if self.pump.saving:
            return math.inf
        rest_s = max(0, self._machine.gossip_deadline() - now_ms()) / 1000
        return trio.current_time() + (min(rest_s, RETRY_S) if self.pump.mute else rest_s)

    # --- effects

    def save(self, save: Save) -> None:
        if self._writer.takes_time(save):
            self._tasks.start_soon(self._save_in_thread, save)
        else:
            self.pump.saved(self._writer.keep(save))

    async def _save_in_thread(self, save: Save) -> None:
        self.pump.saved(await self._writer.keep_in_thread(save))
        self.poke()

    def dial(self, dial: Dial) -> None:
        link = self._links[dial.link] = Link(dial.link)
        self._tasks.start_soon(self._dial, link, dial)

    def resolve(self, resolve: Resolve) -> None:
        self._tasks.start_soon(self._resolve, resolve)

    def log(self, log: Log) -> None:
        self._log(LEVELS[log.level], log.text)

    def deliver(self, deliver: Deliver) -> None:
        """Nobody can be subscribed yet."""

    @property
    def _tasks(self) -> trio.Nursery:
        assert self._nursery is not None
        return self._nursery

    def send(self, send: Send) -> None:
        try:
            data = encode(send.packet)
        except Exception as error:
            self._survive(f"a message to cluster links {send.links}, which are closed", error)
            for number in send.links:
                self.hang_up(number)
                self._machine.handle(LinkDown(number), now_ms())
            return
        for number in send.links:
            self._send(number, data)

    def _send(self, number: int, data: bytes) -> None:
        link = self._links.get(number)
        if link is None:
            return
        if not link.queued:
            data = data[sent_at_once(link.fd, data) :]
        link.queued += len(data)
        limit = self._sendbuf_limit()
        if limit and link.queued > limit:
            self._log("verbose", f"Freeing outbound cluster link, exceeded the send buffer limit of {limit} bytes")
            self._machine.links_over_limit += 1
            self.hang_up(number)
            self._machine.handle(LinkDown(number), now_ms())
            return
        self._machine.link_queues[number] = link.queued
        if data:
            link.outgoing.send_nowait(data)

    def hang_up(self, link: int) -> None:
        ended = self._links.pop(link, None)
        self._machine.link_queues.pop(link, None)
        if ended is not None:
            ended.scope.cancel()

    # --- links

    async def _serve_accepted(self, stream: trio.SocketStream) -> None:
        link = Link(self._next_number)
        self._next_number += 1
        self._links[link.number] = link
        try:
            peer_ip, local_ip = stream.socket.getpeername()[0], stream.socket.getsockname()[0]
        except OSError:
            self.hang_up(link.number)
            return
        self._machine.handle(Accepted(link.number, peer_ip, local_ip), now_ms())
        with link.scope:
            await self._serve(link, stream)

    async def _dial(self, link: Link, wanted: Dial) -> None:
        with link.scope:
            try:
                stream = await dial(wanted.ip, wanted.cport, self._source(), self._connect_timeout_s())
                peer_ip = stream.socket.getpeername()[0]
            except OSError as error:
                self._ended(link, isinstance(error, Unreachable) and error.refused)
                return
            self._machine.handle(LinkUp(link.number, peer_ip), now_ms())
            self.poke()
            await self._serve(link, stream)

    async def _resolve(self, wanted: Resolve) -> None:
        try:
            found = await self._lookup.addresses(wanted.hostname)
        except Exception as error:
            self._survive(f"the lookup of {wanted.hostname!a}", error)
            found = ()
        self._machine.handle(Resolved(wanted.node, found), now_ms())
        self.poke()

    async def _serve(self, link: Link, stream: trio.SocketStream) -> None:
        """Carry messages both ways until the link ends."""
        link.fd = stream.socket.fileno()
        try:
            async with stream, trio.open_nursery() as nursery:
                nursery.start_soon(self._write, link, stream)
                await self._read(link, stream)
                link.fd = -1
                nursery.cancel_scope.cancel()
        except Exception as error:
            link.fd = -1
            self._survive("a cluster link, which is closed", error)
            self._ended(link)

    async def _read(self, link: Link, stream: trio.SocketStream) -> None:
        deframer = Deframer()
        try:
            while data := await received(stream):
                deframer.stranger = not self._machine.knows(link.number)
                for frame in deframer.feed(data):
                    packet = decode(frame)
                    if packet is not None:
                        self._machine.handle(PacketIn(link.number, packet), now_ms())
                self.poke()
        except PacketError as error:
            self._log("warning", f"Bad message on a cluster link, closing it: {error}")
            self._machine.handle(GarbageIn(link.number), now_ms())
            self.poke()
            return
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        self._ended(link)

    async def _write(self, link: Link, stream: trio.SocketStream) -> None:
        async for data in link.waiting:
            try:
                await stream.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return  # the reader sees the end as well, and tells it
            link.queued -= len(data)
            self._machine.link_queues[link.number] = link.queued

    def _survive(self, what: str, error: Exception) -> None:
        survive(self._machine.server, what, error)

    def _ended(self, link: Link, refused: bool = False) -> None:
        if self._links.pop(link.number, None) is not None:
            self._machine.link_queues.pop(link.number, None)
            self._machine.handle(LinkDown(link.number, refused), now_ms())
            self.poke()


async def received(stream: trio.SocketStream) -> bytes:
    """What has come in; empty at the end. It waits before it reads, as nearly always nothing is there: that costs half
    of what ``receive_some`` does, and a node in a calm cluster does little else.
    """
    fd = stream.socket.fileno()
    while True:
        await trio.lowlevel.wait_readable(fd)
        try:
            return os.read(fd, READ_BYTES)
        except BlockingIOError:
            pass
        except OSError:
            return b""


def sent_at_once(fd: int, data: bytes) -> int:
    """How much of ``data`` the kernel takes now. What is broken is seen by who reads, and told there."""
    if fd < 0:
        return 0
    try:
        return os.write(fd, data)
    except OSError:
        return 0


LEVELS: Final = {Level.DEBUG: "debug", Level.VERBOSE: "verbose", Level.NOTICE: "notice", Level.WARNING: "warning"}
