"""A process that also serves data: clients, and replication on connections of the network, as node/io has them.

Rules kept here, which are those of node/io:
- One batch is ``begin``, requests, ``finish``; what it says leaves after what it asked for is done (clients.py).
- Housekeeping when the machine says that something is due, and work for replicas that are synchronizing in between
  (serve.py).
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from attrs import define

from gossamer.cluster.topology import Topology
from gossamer.gossip.config import GossipConfig
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.serving.session import Session
from gossamer.node.machine import REST_MS
from gossamer.node.outgoing.to_primary import RetryWait, ToPrimary
from gossamer.node.replication.primary_link import PrimaryLink
from tests.sim.carry import Carried
from tests.sim.exports import SimulatedExports
from tests.sim.history import History, Replied
from tests.sim.migrate_transport import SimulatedMigrateTransport
from tests.sim.network import End, Network
from tests.sim.process import ClientConnection, Disk, Process
from tests.sim.timeline import Clock, Micros, Timeline

PORT = 7000
WORK_US = 1_000
NOBODY = "10.9.9.9:1"


class Sink(Protocol):
    """Where the output of a client goes. ``ended`` says that the connection was closed from here."""

    def said(self, data: bytes) -> None: ...

    def ended(self) -> None: ...


class Serving(Process):
    """``Process`` with a door for clients and replicas."""

    def __init__(
        self,
        name: str,
        ip: str,
        topology: Topology,
        config: GossipConfig,
        world: tuple[Timeline, Network, History],
        clock: Clock,
        disk: Disk,
        *rest: object,
    ) -> None:
        super().__init__(name, ip, topology, config, world, clock, disk, *rest)  # type: ignore[arg-type]
        server = self.machine.server
        server.config.load("port", [str(PORT)])
        self.sinks: dict[int, Sink] = {}
        self.port = Port(self)
        self.following = Following(self)
        self.migrate_transport = SimulatedMigrateTransport(self)
        server.migrate_transport = self.migrate_transport
        self.exports = SimulatedExports(self)
        self._house_us: Micros = 0
        """When the housekeeping looks whether something is due."""
        self.has_begun = True
        """It has the data that it begins with; before that it follows nobody."""
        self.machine.on_resume = partial(self._timeline.after, 0, partial(self._attend, self._house))
        self._working = False

    # Life

    def start(self) -> None:
        self._network.listen(self.port)
        super().start()
        self._attend(self._house)
        self.following.look()

    def stop(self, silently: bool = False) -> None:
        self.port.alive = False
        self._network.vanish(self.port, silently)
        super().stop(silently)
        if not silently:
            for sink in list(self.sinks.values()):
                sink.ended()

    def _house_is_due(self, due_us: Micros) -> None:
        if due_us == self._house_us:
            self._attend(self._house)

    def _house(self) -> None:
        """Do what is due; then sleep until the next deadline."""
        now = self.now_ms()
        if self.machine.deadline(now) <= now:
            self.begin()
            self.machine.attend(now)
            self.finish()
        if self.alive:
            due = min(self.machine.deadline(now), now + REST_MS)
            self._house_us = self._timeline.now_us + max(1, self._clock.wait_us(self._timeline.now_us, due))
            self._timeline.at(self._house_us, partial(self._house_is_due, self._house_us))

    def _work(self) -> None:
        self._working = False
        self.begin()
        self.machine.work()
        self.finish()

    # Batches

    def begin(self) -> None:
        self.machine.server.begin_batch(self.now_ms())

    def finish(self) -> None:
        """Do what the batch asked for; what it has said leaves when that is done."""
        machine = self.machine
        machine.drain()
        self._look()
        self._note_published()
        leaving, machine.server.clients.to_flush = machine.server.clients.to_flush, []
        for client in leaving:
            client.announced = False
        said = [(client, client.take_output() if client.out else b"") for client in leaving if client.id in self.sinks]
        if said:
            self._pump.after(partial(self._flush, said))
        self.pump()
        if machine.has_work:
            self.work_soon()

    def work_soon(self) -> None:
        if not self._working:
            self._working = True
            self._timeline.after(WORK_US, partial(self._attend, self._work))

    def _flush(self, said: list[tuple[Client, bytes]]) -> None:
        for client, data in said:
            sink = self.sinks.get(client.id)
            if sink is None:
                continue
            if data and not client.killed:
                sink.said(data)
            if client.killed or (client.closing and client.pending is None):
                del self.sinks[client.id]
                self.machine.leave(client)
                sink.ended()

    # Clients

    def welcome(self, sink: Sink, addr: str = NOBODY) -> Session:
        session = self.machine.accept(addr, f"{self.ip}:{PORT}")
        self.sinks[session.id] = sink
        return session

    def hear(self, session: Session, data: bytes) -> None:
        """``session`` has sent ``data``; to be attended to."""
        if session.id not in self.sinks:
            return
        self.begin()
        more = session.feed(data)
        self.finish()
        if more:
            self._timeline.after(0, partial(self._attend, partial(self._next_turn, session)))

    def _next_turn(self, session: Session) -> None:
        """Serve more of what has arrived."""
        self.begin()
        more = not session.closing and session.resume()
        self.finish()
        if more:
            self._timeline.after(0, partial(self._attend, partial(self._next_turn, session)))

    def farewell(self, session: Session) -> None:
        """The other end has closed the connection."""
        if self.sinks.pop(session.id, None) is not None:
            self.begin()
            self.machine.leave(session)
            self.finish()

    def connect(self) -> ClientConnection:
        asked = Asked(self)
        asked.session = self.welcome(asked)
        return asked

    def _serve(self, client: ClientConnection, request: tuple[str, ...]) -> None:
        assert isinstance(client, Asked)
        client.request = request
        parts = [word.encode() for word in request]
        self.hear(client.session, b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))

    def note_reply(self, asked: "Asked", reply: bytes) -> None:
        self._history.add(Replied(self._timeline.now_us, self.name, asked.request, reply, None, self.gossip.snapshot()))

    # For the connections

    @property
    def timeline(self) -> Timeline:
        return self._timeline

    @property
    def network(self) -> Network:
        return self._network

    def attend(self, action: Callable[[], None]) -> None:
        self._attend(action)


class Asked(ClientConnection):
    """An operator's connection."""

    session: Session

    def __init__(self, process: Serving) -> None:
        self.reply = b""
        self.request: tuple[str, ...] = ()
        self._process = process

    def said(self, data: bytes) -> None:
        self.reply += data
        self._process.note_reply(self, data)

    def ended(self) -> None:
        pass


@define
class NetworkSink:
    """A replica's or another node's connection."""

    port: "Port"
    end: End

    def said(self, data: bytes) -> None:
        self.port.process.network.send(self.end, data)

    def ended(self) -> None:
        self.port.accepted_ends.pop(self.end.link, None)
        self.port.process.network.close(self.end)


class Outgoing(Protocol):
    """Who has dialled a connection from here."""

    def up(self) -> None: ...

    def heard(self, data: bytes) -> None: ...

    def down(self) -> None: ...


class Port:
    """The data port of a process as the network knows it, and the connections that the process itself has dialled."""

    def __init__(self, process: Serving) -> None:
        self.process = process
        self.name, self.ip, self.cport = process.name, process.ip, PORT
        self.alive = True
        self.accepted_ends: dict[int, tuple[End, Session]] = {}
        self._dialled: dict[int, tuple[End, Outgoing]] = {}
        self._next = 1

    def dial(self, ip: str, port: int, outgoing: Outgoing) -> End:
        self._next += 1
        end = self.process.network.dial(self, self._next, ip, port)
        self._dialled[end.link] = end, outgoing
        return end

    def close(self, end: End) -> None:
        self._dialled.pop(end.link, None)
        self.process.network.close(end)

    # What the network tells

    def accepted(self, end: End, peer_ip: str) -> None:
        self._next += 1
        end.link = self._next
        session = self.process.welcome(NetworkSink(self, end), f"{peer_ip}:1")
        self.accepted_ends[end.link] = end, session

    def link_up(self, end: End, _: str) -> None:
        self.process.attend(partial(self._up, end))

    def receive(self, end: End, data: bytes) -> None:
        self.process.attend(partial(self._receive, end, data))

    def link_down(self, end: End, _: bool) -> None:
        self.process.attend(partial(self._down, end))

    def _up(self, end: End) -> None:
        if end.link in self._dialled:
            self._dialled[end.link][1].up()

    def _receive(self, end: End, data: bytes) -> None:
        if end.link in self._dialled:
            self._dialled[end.link][1].heard(data)
        elif end.link in self.accepted_ends:
            self.process.hear(self.accepted_ends[end.link][1], data)

    def _down(self, end: End) -> None:
        if end.link in self._dialled:
            self._dialled.pop(end.link)[1].down()
        elif end.link in self.accepted_ends:
            self.process.farewell(self.accepted_ends.pop(end.link)[1])


class Following:
    """The connection to the primary, while there is one to follow: the role of node/io/primary_connector.py."""

    def __init__(self, process: Serving) -> None:
        self._process = process
        self._replication = process.machine.replication
        self._replication.on_target = partial(process.timeline.after, 0, partial(process.attend, self.look))
        self._link: PrimaryLink | None = None
        self._connection: Carried | None = None
        self._wait = RetryWait()

    def look(self) -> None:
        """Is it still the right one? The connection of another ends by itself."""
        wanted = self._replication.primary_link
        if wanted is not self._link:
            self._link = wanted
            self._wait.reset()
            self._connect()

    def begin(self) -> None:
        """The node has the data that it begins with."""
        self.look()
        self._connect()

    def _connect(self) -> None:
        link = self._link
        process = self._process
        if link is None or link.away or self._connection is not None or not process.alive or not process.has_begun:
            return
        ended = partial(self._ended, link)
        self._connection = Carried(self._process, ToPrimary(link), link.ip, link.port, ended)

    def _ended(self, link: PrimaryLink) -> None:
        """Try again, in a while if it is the same primary."""
        self._connection = None
        wait_us = int(self._wait.after(link) * 1_000_000) if link is self._link else 0
        self._process.timeline.after(wait_us, partial(self._process.attend, self._connect))
