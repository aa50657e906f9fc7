"""One life of a node in the simulation: the real Machine, and around it what ``node/io`` is around it in production.

Rules kept here:
- A Save that is to be synced takes the disk some time, and messages are taken in meanwhile; what is only written is
  there at once.
- A reply leaves after the effects that the command asked for.
- What is not on the disk when the process stops is lost; what is not synced goes with the power.
"""

from collections.abc import Callable
from functools import partial
from random import Random

from gossamer.cluster.slots import key_slot
from gossamer.cluster.topology import NodeId, Topology
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.core import Gossip
from gossamer.gossip.effects import Deliver, Dial, Log, Resolve, Save, Send
from gossamer.gossip.events import Accepted, Event, GarbageIn, LinkDown, LinkUp, PacketIn, Resolved
from gossamer.gossip.frames import Deframer
from gossamer.gossip.packet import PacketError, decode, encode
from gossamer.gossip.pump import Pump
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import Session
from gossamer.node.machine import Machine
from tests.sim.history import Heard, History, LinkEvent, Logged, Published, Replied, Said, Stopped, Stored, Woken
from tests.sim.network import End, Network
from tests.sim.timeline import Clock, Micros, Timeline

STALL_MS = 400
"""How late a look at the world may be and still count as time that the process attended to (gossip/clock.py)."""


class VirtualEdge(Edge):
    def __init__(self, timeline: Timeline, clock: Clock, tell: Callable[[str], None]) -> None:
        self._timeline = timeline
        self._clock = clock
        self._tell = tell

    def microseconds(self) -> int:
        return self._timeline.now_us

    def unix_microseconds(self) -> int:
        return self._clock.read_ms(self._timeline.now_us) * 1000

    def log(self, level: str, text: str) -> None:
        self._tell(text)


class Disk:
    """What survives: ``topology`` the end of a process, ``synced`` a loss of power too, which takes ``latency_us``.

    A topology stands for the text that is made of it when it is read.
    """

    def __init__(self) -> None:
        self.latency_us: Micros = 1000
        self.topology: Topology | None = None
        self.synced: Topology | None = None

    def store(self, topology: Topology | None, synced: bool) -> None:
        self.topology = topology
        if synced:
            self.synced = topology

    def lose_power(self) -> None:
        self.topology = self.synced


class ClientConnection:
    """A client's connection and what it asked last."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.reply = b""


class Process:
    """``topology`` is what the node remembers. It is ``alive`` until ``stop``; ``frozen`` it takes nothing in."""

    def __init__(
        self,
        name: str,
        ip: str,
        topology: Topology,
        config: GossipConfig,
        world: tuple[Timeline, Network, History],
        clock: Clock,
        disk: Disk,
        rng: Random,
    ) -> None:
        self.name, self.ip, self.cport = name, ip, config.cport
        self.alive = True
        self.silent = False
        """It was stopped without a word, with its host."""
        self.frozen = False
        self.lag_us: Micros = 0
        """A slow node: how long after its arrival a thing is looked at."""
        self.logs: list[str] = []
        self.attended_ms = 0
        self._timeline, self._network, self._history = world
        self._clock = clock
        self._disk = disk
        self._last_look_us = self._next_look_us = self._timeline.now_us
        server = self.make_server()
        server.rng = Random(rng.getrandbits(64))
        self.machine = Machine(server, Gossip(topology, config, Random(rng.getrandbits(64)), self.now_ms()))
        self._published = server.topology
        self._ends: dict[int, End] = {}
        self._deframers: dict[int, Deframer] = {}
        self._next_link = 1
        self._pump = Pump(self, self.machine.take_effects)
        self._alarm_us: Micros | None = None
        self._postponed: list[Callable[[], None]] = []
        self._looked_us: Micros = 0

    def make_server(self) -> Server:
        return Server(1, True, self.make_edge())

    def make_edge(self) -> Edge:
        return VirtualEdge(self._timeline, self._clock, self._logged)

    @property
    def gossip(self) -> Gossip:
        gossip = self.machine.gossip
        assert gossip is not None
        return gossip

    @property
    def id(self) -> NodeId:
        return self.gossip.me.id

    def now_ms(self) -> int:
        return self._clock.read_ms(self._timeline.now_us)

    # Life

    def start(self) -> None:
        self._network.listen(self)
        self._handled(None)
        self.pump()

    def configure(self, settings: tuple[tuple[str, str], ...]) -> None:
        """Before ``start``: as if the configuration file said so."""
        self.machine.server.config.set(list(settings))

    def stop(self, silently: bool = False) -> None:
        self.alive = False
        self.silent = silently
        self._network.vanish(self, silently)
        if silently:
            self._disk.lose_power()
        self._history.add(Stopped(self._timeline.now_us, self.name, silently))

    def freeze(self) -> None:
        self.frozen = True

    def thaw(self) -> None:
        """Everything that came meanwhile is there at once."""
        self.frozen = False
        postponed, self._postponed = self._postponed, []
        for action in postponed:
            self._attend(action)

    def _attend(self, action: Callable[[], None]) -> None:
        """Do it now, or when the process gets to it."""
        if not self.alive:
            return
        if self.frozen:
            self._postponed.append(action)
        elif self.lag_us or self._looked_us > self._timeline.now_us:
            self._looked_us = max(self._looked_us, self._timeline.now_us + self.lag_us)
            self._timeline.at(self._looked_us, partial(self._late, action))
        else:
            action()

    def _late(self, action: Callable[[], None]) -> None:
        if not self.alive:
            return
        if self.frozen:
            self._postponed.append(action)
        else:
            action()

    # What the network tells

    def accepted(self, end: End, peer_ip: str) -> None:
        end.link = self._next_link
        self._next_link += 1
        self._ends[end.link] = end
        self._deframers[end.link] = Deframer()
        self._attend(partial(self._link_event, end, "accepted", Accepted(end.link, peer_ip, self.ip)))

    def link_up(self, end: End, peer_ip: str) -> None:
        self._attend(partial(self._link_event, end, "up", LinkUp(end.link, peer_ip)))

    def receive(self, end: End, data: bytes) -> None:
        self._attend(partial(self._receive, end, data))

    def link_down(self, end: End, refused: bool) -> None:
        what = "refused" if refused else "down"
        self._attend(partial(self._link_event, end, what, LinkDown(end.link, refused)))

    def _link_event(self, end: End, what: str, event: Event) -> None:
        if self._ends.get(end.link) is not end:
            return
        if what in {"down", "refused"}:
            self._drop(end.link)
        self._history.add(LinkEvent(self._timeline.now_us, self.name, end.link, what))
        self._handled(event)
        self.pump()

    def _resolved(self, node: NodeId, ips: tuple[str, ...]) -> None:
        self._attend(partial(self._told_address, Resolved(node, ips)))

    def _told_address(self, event: Resolved) -> None:
        self._handled(event)
        self.pump()

    def _receive(self, end: End, data: bytes) -> None:
        if self._ends.get(end.link) is not end:
            return
        try:
            for frame in self._deframers[end.link].feed(data):
                packet = decode(frame)
                if packet is not None:
                    self._look()
                    self._history.add(
                        Heard(self._timeline.now_us, self.name, end.link, packet, frame, self.attended_ms)
                    )
                    self._handled(PacketIn(end.link, packet))
        except PacketError:
            self._history.add(LinkEvent(self._timeline.now_us, self.name, end.link, "garbage"))
            self._handled(GarbageIn(end.link))
        self.pump()

    def _drop(self, link: int) -> End | None:
        self._deframers.pop(link, None)
        return self._ends.pop(link, None)

    # What clients ask

    def connect(self) -> ClientConnection:
        return ClientConnection(self.machine.accept("10.1.1.1:40000", f"{self.ip}:7000"))

    def ask(self, client: ClientConnection, *request: str) -> None:
        """Serve one request; its reply is there when what it promises is on disk, at once if it promises nothing."""
        self._attend(partial(self._serve, client, request))

    def _serve(self, client: ClientConnection, request: tuple[str, ...]) -> None:
        server, session = self.machine.server, client.session
        server.begin_batch(self.now_ms())
        parts = [word.encode() for word in request]
        session.feed(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        self.machine.drain()
        server.clients.to_flush.clear()
        session.announced = False
        reply = session.take_output()
        slot = key_slot(parts[1]) if request[0] in {"GET", "SET"} else None
        knew = self.gossip.snapshot()
        self._look()
        self._plan_look()
        self._note_published()
        self._pump.after(partial(self._reply, client, request, reply, slot, knew))
        self.pump()

    def _reply(
        self, client: ClientConnection, request: tuple[str, ...], reply: bytes, slot: int | None, knew: Topology
    ) -> None:
        client.reply = reply
        self._history.add(Replied(self._timeline.now_us, self.name, request, reply, slot, knew))

    # The machine, and what it asks for

    def _look(self) -> None:
        """Time passes for the process as far as it looks at the world, or has nothing to look for."""
        now_us = self._timeline.now_us
        rest_us = max(0, self._next_look_us - self._last_look_us)
        self.attended_ms += min(now_us - self._last_look_us, rest_us + STALL_MS * 1000) // 1000
        self._last_look_us = now_us

    def _plan_look(self) -> None:
        now_us = self._timeline.now_us
        self._next_look_us = now_us + self._clock.wait_us(now_us, self.machine.gossip_deadline())

    def _handled(self, event: Event | None) -> None:
        self._look()
        if event is None:
            self.machine.wake(self.now_ms())
        else:
            self.machine.handle(event, self.now_ms())
        self._plan_look()
        self._note_published()

    def _logged(self, text: str) -> None:
        self._history.add(Logged(self._timeline.now_us, self.name, text))

    def _note_published(self) -> None:
        topology = self.machine.server.topology
        if topology is not self._published:
            assert topology is not None
            self._published = topology
            self._history.add(Published(self._timeline.now_us, self.name, topology, self.attended_ms))

    def pump(self) -> None:
        """Perform what can be performed now, and see to it that the machine is woken when it asked to be."""
        if not self.alive:
            return
        self._pump.run()
        if not self._pump.saving:
            self._set_alarm()

    # What the pump asks for

    def save(self, save: Save) -> None:
        if save.synced:
            self._timeline.after(self._disk.latency_us, partial(self._synced, save.topology))
        else:
            self._store(save.topology, synced=False)
            self._pump.saved(True)

    def _synced(self, topology: Topology) -> None:
        """The disk is done, whether or not the process is stopped by a signal; the process goes on when it can."""
        if self.alive:
            self._store(topology, synced=True)
            self._attend(self._saved)

    def _store(self, topology: Topology, synced: bool) -> None:
        self._disk.store(topology, synced)
        self._history.add(Stored(self._timeline.now_us, self.name, topology, synced))

    def _saved(self) -> None:
        self._pump.saved(True)
        self.pump()

    def send(self, send: Send) -> None:
        raw = encode(send.packet)
        self._history.add(Said(self._timeline.now_us, self.name, send.links, send.packet, raw))
        for link in send.links:
            if link in self._ends:
                self._network.send(self._ends[link], raw)

    def dial(self, dial: Dial) -> None:
        self._ends[dial.link] = self._network.dial(self, dial.link, dial.ip, dial.cport)
        self._deframers[dial.link] = Deframer()

    def hang_up(self, link: int) -> None:
        end = self._drop(link)
        if end is not None:
            self._network.close(end)

    def resolve(self, resolve: Resolve) -> None:
        self._network.look_up(resolve.hostname, partial(self._resolved, resolve.node))

    def log(self, log: Log) -> None:
        self.logs.append(log.text)

    def deliver(self, deliver: Deliver) -> None:
        """Nobody can be subscribed yet."""

    # Time

    def _set_alarm(self) -> None:
        deadline = self.machine.gossip_deadline()
        now_us = self._timeline.now_us
        due_us = now_us + self._clock.wait_us(now_us, deadline)
        if self._alarm_us is None or self._alarm_us > due_us:
            self._alarm_us = due_us
            self._timeline.at(due_us, partial(self._ring, due_us))

    def _ring(self, due_us: Micros) -> None:
        if self._alarm_us == due_us:
            self._attend(self._wake)

    def _wake(self) -> None:
        self._alarm_us = None
        if self._pump.saving:
            return
        deadline = self.machine.gossip_deadline()
        if self.now_ms() >= deadline:
            self._history.add(Woken(self._timeline.now_us, self.name))
            self._handled(None)
        self.pump()
