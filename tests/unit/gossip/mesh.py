"""Several Gossip objects on a virtual network: links are queues, time is a number, and every message is really encoded.

Nothing is random but the seed, and nothing is lost unless a node is cut off, killed or frozen.
"""

from heapq import heapify, heappop, heappush
from itertools import count
from random import Random

from attrs import define, field

from gossamer.cluster.topology import Flag, Node, NodeId, Topology
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.core import Gossip
from gossamer.gossip.effects import (
    Answer,
    Deliver,
    Dial,
    DropKeys,
    Effect,
    Follow,
    Lead,
    Log,
    Pause,
    Publish,
    Refused,
    Resolve,
    Resume,
    Save,
    Send,
    SlotsConfirmed,
    Unfollow,
)
from gossamer.gossip.events import (
    Accepted,
    AddSlots,
    Event,
    LinkDown,
    LinkUp,
    Meet,
    PacketIn,
    Paused,
    Replicate,
    Replicated,
    Resolved,
    Woke,
)
from gossamer.gossip.packet import Fail, MessageType, Packet, decode, encode
from gossamer.gossip.pump import Pump

START = 1_700_000_000_000
TIMEOUT_MS = 1000
DELAY_MS = 1
CONFIG = GossipConfig(7000, 17000, node_timeout_ms=TIMEOUT_MS)


@define(eq=False)
class Host:
    """One node, what it has saved and published, and what was done for it, in order.

    ``follows`` is whom its replication follows, ``offset`` how far that has come; while ``paused`` nothing is written.
    """

    name: str
    ip: str
    gossip: Gossip
    config: GossipConfig
    mesh: "Mesh"
    pump: Pump = field(init=False)
    outbox: list[Effect] = field(factory=list)
    ends: dict[int, tuple["Host", int]] = field(factory=dict)
    saved: Topology | None = None
    published: Topology | None = None
    done: list[Effect] = field(factory=list)
    logs: list[str] = field(factory=list)
    heard: list[Packet] = field(factory=list)
    follows: NodeId | None = None
    offset: int = 0
    paused: bool = False
    alive: bool = True
    cut: bool = False

    def __attrs_post_init__(self) -> None:
        self.pump = Pump(self, self.take_effects)

    @property
    def id(self) -> NodeId:
        return self.gossip.me.id

    @property
    def view(self) -> Topology:
        return self.gossip.snapshot()

    def sees(self, other: "Host") -> Node | None:
        return self.view.nodes.get(other.id)

    def take_effects(self) -> list[Effect]:
        effects, self.outbox = self.outbox, []
        return effects

    # What the pump asks for

    def save(self, save: Save) -> None:
        self.saved = save.topology
        self.pump.saved(True)

    def send(self, send: Send) -> None:
        copy = decode(encode(send.packet))
        assert copy is not None
        for link in send.links:
            if link in self.ends:
                other, far = self.ends[link]
                self.mesh.later(other, PacketIn(far, copy))

    def dial(self, dial: Dial) -> None:
        self.mesh.dial(self, dial.link, dial.ip, dial.cport)

    def hang_up(self, link: int) -> None:
        self.mesh.break_link(self, link)

    def resolve(self, resolve: Resolve) -> None:
        self.mesh.later(self, Resolved(resolve.node, self.mesh.names.get(resolve.hostname, ())))

    def log(self, log: Log) -> None:
        self.logs.append(log.text)

    def deliver(self, deliver: Deliver) -> None:
        """Nobody is subscribed."""


class Mesh:
    def __init__(self, *names: str, seed: int = 1, config: GossipConfig = CONFIG) -> None:
        self.now = START
        self.rng = Random(seed)
        self.hosts: dict[str, Host] = {}
        self.names: dict[str, tuple[str, ...]] = {}
        """What hostnames stand for."""
        self._walls: set[tuple[Host, Host]] = set()
        self._queue: list[tuple[int, int, Host, Event]] = []
        self._order = count()
        self._links = count(1)
        for name in names:
            self.start(name, config=config)

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    # Nodes

    def start(self, name: str, topology: Topology | None = None, ip: str = "", config: GossipConfig = CONFIG) -> Host:
        """A fresh node, or one that remembers ``topology``. Its address is new unless ``ip`` is given."""
        if topology is None:
            node_id = f"{self.rng.getrandbits(160):040x}"
            topology = Topology(node_id, {node_id: Node(node_id, "", 7000, 17000, flags=17)})
        gossip = Gossip(topology, config, Random(self.rng.getrandbits(32)), self.now)
        host = Host(name, ip or f"10.0.0.{len(self.hosts) + 1}", gossip, config, self)
        self.hosts[name] = host
        self._happen(host, Woke())
        return host

    def kill(self, name: str) -> Topology:
        """The process dies; returns what it had saved. Its kernel refuses connections."""
        host = self.hosts[name]
        host.alive = False
        for link in list(host.ends):
            self.break_link(host, link)
        assert host.saved is not None
        return host.saved

    def cut(self, name: str) -> None:
        """Nothing comes through to or from the node; its links look alive."""
        self.hosts[name].cut = True

    def heal(self, name: str) -> None:
        self.hosts[name].cut = False

    def wall(self, source: str, target: str) -> None:
        """A firewall that resets the links of ``source`` to ``target`` and refuses new ones."""
        one, other = self.hosts[source], self.hosts[target]
        self._walls.add((one, other))
        for link in [link for link, (far, _) in one.ends.items() if link < 0 and far is other]:
            self.break_link(one, link)
            self._happen(one, LinkDown(link))

    def raze(self) -> None:
        """No firewalls any more."""
        self._walls.clear()

    def lose(self, name: str) -> None:
        """What is on its way to the node never arrives; no link breaks."""
        self._queue = [q for q in self._queue if q[2].name != name or not isinstance(q[3], PacketIn)]
        heapify(self._queue)

    def leap(self, ms: int) -> None:
        """All clocks are set; or all processes were stopped for so long. What was under way still is."""
        self.now += ms
        self._queue = [(at + ms, order, host, event) for at, order, host, event in self._queue]
        for host in self.hosts.values():
            self._happen(host, Woke())

    # What happens

    def execute(self, name: str, command: Event) -> str:
        """The answer, or the refusal after ``ERR``."""
        answers = [e for e in self._happen(self.hosts[name], command) if isinstance(e, Answer | Refused)]
        assert len(answers) == 1
        return answers[0].text if isinstance(answers[0], Answer) else f"ERR {answers[0].text}"

    def meet(self, one: str, *others: str) -> None:
        for other in others:
            assert self.execute(one, Meet(self.hosts[other].ip, 7000)) == "OK"

    def own(self, name: str, first: int, last: int) -> None:
        assert self.execute(name, AddSlots(tuple(range(first, last + 1)))) == "OK"

    def replicate(self, primary: str, *replicas: str, offset: int = 100) -> None:
        """Make these nodes replicas of ``primary``; all have received ``offset`` bytes."""
        assert all(self.execute(name, Replicate(self.hosts[primary].id, 0)) == "OK" for name in replicas)
        for name in (primary, *replicas):
            self.receive(name, offset)
        self.run(500)

    def receive(self, name: str, offset: int) -> None:
        """The replication of a node has come to ``offset``, just now."""
        self.hosts[name].offset = offset
        self.tell(name, Replicated(offset, self.now))

    def tell(self, name: str, event: Event) -> list[Effect]:
        """Something happens to one node; what it asks for is done and returned."""
        return self._happen(self.hosts[name], event)

    def link_between(self, speaker: str, hearer: str) -> int:
        """The link on which ``speaker`` asks, as ``hearer`` knows it."""
        return next(link for link, (far, _) in self[hearer].ends.items() if link > 0 and far is self[speaker])

    def condemn(self, subject: str, by: str, to: str) -> None:
        """``by`` tells ``to`` that ``subject`` is FAIL."""
        packet = Packet(MessageType.FAIL, self[by].id, 7000, 0, 17000, 3, 1, body=Fail(self[subject].id))
        self.inject(to, packet, self.link_between(by, to))

    def inject(self, name: str, packet: Packet, link: int) -> list[Effect]:
        return self._happen(self.hosts[name], PacketIn(link, packet))

    def run(self, ms: int) -> None:
        """Let time pass; every node is woken when it asked to be."""
        end = self.now + ms
        while True:
            waking = min((h for h in self.hosts.values() if h.alive), key=lambda h: h.gossip.deadline())
            due = max(waking.gossip.deadline(), self.now)
            if self._queue and self._queue[0][0] <= min(due, end):
                self.now, _, host, event = heappop(self._queue)
                self._deliver(host, event)
            elif due <= end:
                self.now = due
                self._happen(waking, Woke())
            else:
                self.now = end
                return

    def _deliver(self, host: Host, event: Event) -> None:
        if isinstance(event, PacketIn | LinkUp | LinkDown) and event.link not in host.ends:
            return
        if isinstance(event, PacketIn):
            if host.cut or host.ends[event.link][0].cut:
                return
            host.heard.append(event.packet)
        if isinstance(event, LinkDown):
            del host.ends[event.link]
        self._happen(host, event)

    def _happen(self, host: Host, event: Event) -> list[Effect]:
        if not host.alive:
            return []
        effects = host.gossip.handle(event, self.now)
        host.done += effects
        for effect in effects:
            self._absorb(host, effect)
        host.pump.run()
        return effects

    def _absorb(self, host: Host, effect: Effect) -> None:
        """What concerns the node itself is done at once; the rest is for the pump."""
        match effect:
            case Publish(topology):
                host.published = topology
            case Follow(node):
                host.follows = node
            case Lead() | Unfollow():
                host.follows = None
            case Pause():
                host.paused = True
                heappush(self._queue, (self.now, next(self._order), host, Paused(host.offset)))
            case Resume():
                host.paused = False
            case DropKeys() | SlotsConfirmed() | Answer() | Refused():
                pass
            case _:
                host.outbox.append(effect)

    def dial(self, host: Host, link: int, ip: str, cport: int) -> None:
        hosts = [h for h in self.hosts.values() if h.alive and (h.ip, h.config.cport) == (ip, cport)]
        if not hosts or host.cut or hosts[0].cut:
            host.ends[link] = (host, 0)
            self.later(host, LinkDown(link, refused=not hosts and not host.cut))
            return
        if (host, hosts[0]) in self._walls:
            host.ends[link] = (host, 0)
            self.later(host, LinkDown(link, refused=True))
            return
        far = next(self._links)
        host.ends[link] = (hosts[0], far)
        hosts[0].ends[far] = (host, link)
        self.later(hosts[0], Accepted(far, host.ip, hosts[0].ip))
        self.later(host, LinkUp(link))

    def break_link(self, host: Host, link: int) -> None:
        if link in host.ends:
            other, far = host.ends.pop(link)
            if far in other.ends:
                self.later(other, LinkDown(far))

    def later(self, host: Host, event: Event) -> None:
        heappush(self._queue, (self.now + DELAY_MS, next(self._order), host, event))


def agree(mesh: Mesh, *names: str) -> bool:
    """All of these nodes see the same nodes, owners and epochs, and nobody failing.

    The epoch of a replica is that of its primary.
    """
    views = [mesh[name].view for name in names]
    first = views[0]
    return all(v.owners == first.owners and _shown(v) == _shown(first) for v in views) and not any(
        n.has(Flag.PFAIL | Flag.FAIL | Flag.HANDSHAKE) for v in views for n in v.nodes.values()
    )


def _shown(view: Topology) -> dict[NodeId, tuple[object, ...]]:
    heads = {n.id: view.nodes.get(n.primary or "", n) for n in view.nodes.values()}
    return {n.id: (n.ip, n.port, heads[n.id].config_epoch, n.primary) for n in view.nodes.values()}


def three(seed: int = 1, config: GossipConfig = CONFIG) -> Mesh:
    """Three primaries that share the slots and are up."""
    mesh = Mesh("a", "b", "c", seed=seed, config=config)
    mesh.own("a", 0, 5460)
    mesh.own("b", 5461, 10922)
    mesh.own("c", 10923, 16383)
    mesh.meet("a", "b", "c")
    mesh.run(1000)
    assert agree(mesh, "a", "b", "c")
    return mesh
