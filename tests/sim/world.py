"""The whole cluster under one clock: hosts with a name, an address, a disk and a clock, and the verbs that happen to
them.

Nothing here is decided by chance but what ``rng`` draws; the stories and the swarm use the same verbs. A process that
raises anything has failed: there is nothing here that forgives.
"""

from collections.abc import Callable
from random import Random

from attrs import evolve

from gossamer.cluster.nodesconf import dump, load
from gossamer.cluster.topology import Flag, Node, NodeId, Topology
from gossamer.gossip.config import GossipConfig
from tests.sim.history import History, Noted, Started
from tests.sim.network import Network
from tests.sim.process import ClientConnection, Disk, Process
from tests.sim.timeline import Clock, Timeline

PORT = 7000
CPORT = 17000


class Host:
    """A machine in the rack. ``process`` is None while nothing runs on it."""

    def __init__(self, name: str, ip: str, disk: Disk | None = None) -> None:
        self.name = name
        self.ip = ip
        self.disk = Disk() if disk is None else disk
        self.clock = Clock()
        self.process: Process | None = None
        self.client: ClientConnection | None = None
        self.ids: list[NodeId] = []
        """Every id its nodes have had, the newest last."""

    @property
    def running(self) -> Process:
        assert self.process is not None, f"{self.name} is down"
        return self.process

    @property
    def up(self) -> bool:
        return self.process is not None

    @property
    def id(self) -> NodeId:
        return self.process.id if self.process is not None else self.ids[-1]


class World:
    def __init__(
        self,
        rng: Random,
        node_timeout_ms: int = 1000,
        full_coverage: bool = True,
        process: type[Process] = Process,
    ) -> None:
        self.settings: tuple[tuple[str, str], ...] = ()
        """What CONFIG SET is told to every process that starts."""
        self.make_disk: Callable[[], Disk] = Disk
        """For a host that is new."""
        self._process = process
        self.rng = rng
        self.timeline = Timeline()
        self.history = History()
        self.network = Network(self.timeline, Random(rng.getrandbits(64)))
        self.network.connect_timeout_us = node_timeout_ms * 1000
        self.config = GossipConfig(PORT, CPORT, node_timeout_ms=node_timeout_ms, require_full_coverage=full_coverage)
        self.hosts: dict[str, Host] = {}
        self.named = False
        """Hosts that start from now on announce a hostname, which stands for their address as soon as they are up."""
        self._addresses = 0

    @property
    def now_us(self) -> int:
        return self.timeline.now_us

    def note(self, text: str, host: str = "") -> None:
        self.history.add(Noted(self.now_us, host, text))

    def advance(self, ms: int) -> None:
        self.timeline.run_until(self.now_us + ms * 1000)

    def running(self) -> list[Host]:
        return [h for h in self.hosts.values() if h.up]

    def new_address(self) -> str:
        self._addresses += 1
        return f"10.0.{self._addresses >> 8}.{self._addresses & 255}"

    # Life of a node

    def add_host(self, name: str) -> Host:
        host = self.hosts[name] = Host(name, self.new_address(), self.make_disk())
        self.start(host)
        return host

    def start(self, host: Host) -> None:
        """With what the disk holds; with a new identity, saved before anything else, if it holds nothing."""
        assert host.process is None
        fresh = host.disk.topology is None
        if host.disk.topology is None:
            host.disk.store(self._newborn(), synced=True)
        else:
            host.disk.topology = load(dump(host.disk.topology))
        topology = host.disk.topology
        assert topology is not None
        if topology.me not in host.ids:
            host.ids.append(topology.me)
        self.history.add(
            Started(self.now_us, host.name, topology.me, fresh, topology, self.config.node_timeout_ms, host.ip)
        )
        world = (self.timeline, self.network, self.history)
        config = self.config
        if self.named:
            hostname = f"{host.name}.example"
            self.network.names[hostname] = host.ip
            config = evolve(config, hostname=hostname)
        host.process = self._process(
            host.name, host.ip, topology, config, world, host.clock, host.disk, Random(self.rng.getrandbits(64))
        )
        if self.settings:
            host.process.configure(self.settings)
        host.process.start()
        self.network.answer_resets(host.name)

    def _newborn(self) -> Topology:
        me = f"{self.rng.getrandbits(160):040x}"
        shard = f"{self.rng.getrandbits(160):040x}"
        return Topology(me, {me: Node(me, "", PORT, CPORT, flags=Flag.MYSELF | Flag.MASTER, shard_id=shard)})

    def kill(self, host: Host, silently: bool = False) -> None:
        """SIGKILL, or ``silently`` as if the power went."""
        host.running.stop(silently)
        host.process = host.client = None

    def restart(self, host: Host, lost: bool = False, ip: str = "") -> None:
        """Start again, after a kill if it is up; ``lost`` without its disk; with ``ip`` at another address."""
        if host.up:
            self.kill(host)
        if lost:
            host.disk.store(None, synced=True)
        host.ip = ip or host.ip
        self.start(host)

    # The network

    def cut(self, sources: list[Host], targets: list[Host], both_ways: bool = True) -> None:
        for source in sources:
            for target in targets:
                if source is not target:
                    self.network.cut(source.name, target.name)
                    if both_ways:
                        self.network.cut(target.name, source.name)

    def heal(self, sources: list[Host], targets: list[Host], both_ways: bool = True) -> None:
        for source in sources:
            for target in targets:
                if source is not target:
                    self.network.heal(source.name, target.name)
                    if both_ways:
                        self.network.heal(target.name, source.name)

    def others(self, host: Host) -> list[Host]:
        return [h for h in self.hosts.values() if h is not host]

    # Commands

    def tell(self, host: Host, *request: str) -> ClientConnection:
        """Send a command; the reply comes when time passes."""
        if host.client is None:
            host.client = host.running.connect()
        host.client.reply = b""
        host.running.ask(host.client, *request)
        return host.client

    def ask(self, host: Host, *request: str) -> bytes:
        """Send a command and let time pass until it is answered; empty if that takes more than ten seconds."""
        client = self.tell(host, *request)
        for _ in range(10_000):
            if client.reply or not host.up:
                break
            self.advance(1)
        return client.reply

    def set_node_timeout(self, ms: int) -> None:
        """For nodes that start from now on."""
        self.config = evolve(self.config, node_timeout_ms=ms)
        self.network.connect_timeout_us = ms * 1000

    # Questions

    def views(self) -> dict[str, Topology]:
        """What every running node believes right now."""
        return {h.name: h.running.gossip.snapshot() for h in self.running()}
