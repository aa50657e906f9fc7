"""Whole machines on the virtual network of the gossip tests: the bus is ``Mesh``; here are clients, data and roads.

A road is the connection on which an export travels, a link the one between a replica and its primary. Both carry a
piece whenever they are asked to (``step``), so a test can stop the world between any two of them.
"""

from random import Random

from gossamer.cluster.topology import NodeId, Topology
from gossamer.gossip.effects import Answer, Effect
from gossamer.gossip.events import Event
from gossamer.node.commands.digest import digest_of_all
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.session import Session
from gossamer.node.machine import Machine
from gossamer.node.migration.source import Export
from gossamer.node.replication.primary_link import PrimaryLink
from gossamer.node.resp.errors import Refusal
from gossamer.node.resp.requests import encoded
from tests.unit.gossip.mesh import CONFIG, Host, Mesh

TICK_MS = 100
SLOTS = "0 199"


class Road:
    """The connection of ``export``, from ``source`` to ``target``."""

    def __init__(self, town: "Town", export: Export, source: Host, target: Host) -> None:
        self.town, self.export, self.source, self.target = town, export, source, target
        town.begin(source)
        self.session: Session = town.machine(target).accept("10.0.0.9:1", "10.0.0.9:2")
        self.open = True
        export.connected()

    def step(self) -> bool:
        """Carry what the target has said, or else what the source has; False if there was nothing."""
        if not self.open:
            return False
        if not (self.source.alive and self.target.alive):
            self.cut()
            return True
        heard = self.session.take_output()
        if heard:
            self.town.begin(self.source)
            self.export.receive(heard)
            self.town.finish(self.source)
            return True
        self.town.begin(self.source)
        said = self.export.next_output()
        self.town.finish(self.source)
        if said and not self.session.closing:
            self.town.begin(self.target)
            more = self.session.feed(said)
            while more and not self.session.closing:
                more = self.session.resume()
            self.town.finish(self.target)
        elif self.session.closing or self.export.finished:
            self.cut()
        return bool(said)

    def cut(self) -> None:
        """The connection breaks; what was said is lost."""
        if not self.open:
            return
        self.open = False
        if self.target.alive:
            self.town.begin(self.target)
            self.town.machine(self.target).leave(self.session)
            self.town.finish(self.target)
        if self.source.alive:
            self.town.begin(self.source)
            self.export.disconnected("")
            self.town.finish(self.source)


class Link:
    """The connection of a replica to its primary."""

    def __init__(self, town: "Town", replica: Host, primary: Host, primary_link: PrimaryLink) -> None:
        self.town, self.replica, self.primary, self.primary_link = town, replica, primary, primary_link
        self.session: Session = town.machine(primary).accept("10.0.0.8:1", "10.0.0.8:2")
        town.begin(replica)
        primary_link.connecting()
        primary_link.connected_to()

    @property
    def open(self) -> bool:
        alive = self.replica.alive and self.primary.alive
        return alive and not self.session.closing and not self.primary_link.failure and not self.primary_link.abandoned

    def step(self) -> bool:
        town, primary = self.town, self.town.machine(self.primary)
        said = self.primary_link.take_output()
        town.begin(self.primary)
        if said:
            self.session.feed(said)
        if primary.has_work and self.primary.name not in town.busy:
            primary.work()
        town.finish(self.primary)
        heard = self.session.take_output()
        if heard:
            town.begin(self.replica)
            self.primary_link.receive(heard)
            town.finish(self.replica)
        return bool(said or heard)

    def cut(self) -> None:
        if self.primary.alive:
            self.town.machine(self.primary).leave(self.session)
        if self.replica.alive:
            self.primary_link.disconnected()


class Town(Mesh):
    def __init__(self, *names: str) -> None:
        self.machines: dict[str, Machine] = {}
        self.clients: dict[str, Session] = {}
        self.roads: list[Road] = []
        self.links: dict[str, Link] = {}
        self.busy: set[str] = set()
        """Nodes whose clients leave no time for what is done between the batches."""
        self.ticked = 0
        super().__init__(*names)

    def machine(self, host: Host) -> Machine:
        found = self.machines.get(host.name)
        if found is None:
            server = Server(1, True)
            server.rng = Random(len(self.machines))
            server.config.set([("cluster-node-timeout", str(CONFIG.node_timeout_ms))])
            server.begin_batch(self.now)
            found = self.machines[host.name] = Machine(server, host.gossip)
            found.migrations.on_export = lambda export: self._depart(host, export)
        return found

    def _depart(self, host: Host, export: Export) -> None:
        def ask() -> None:
            self.roads.append(Road(self, export, host, self.host_of(export.target)))

        export.on_asking = ask
        ask()

    def host_of(self, node: NodeId) -> Host:
        return next(host for host in self.hosts.values() if host.id == node)

    # --- what happens

    def begin(self, host: Host) -> None:
        self.machine(host).server.begin_batch(self.now)

    def finish(self, host: Host) -> None:
        """As ``io/clients.py`` after each batch."""
        machine = self.machine(host)
        machine.drain()
        host.outbox += machine.take_effects()
        host.pump.run()

    def _happen(self, host: Host, event: Event) -> list[Effect]:
        if host.alive:
            self.begin(host)
            self.machine(host).handle(event, self.now)
            self.finish(host)
        return []

    def execute(self, name: str, command: Event) -> str:
        host = self.hosts[name]
        self.begin(host)
        try:
            answer = self.machine(host).execute(command)  # type: ignore[arg-type]
        except Refusal as refusal:
            answer = refusal.text.decode()
        self.finish(host)
        return Answer(answer).text

    def tell(self, name: str, request: str) -> bytes:  # type: ignore[override]
        """The reply to one client of a node; empty if it has to wait."""
        host = self.hosts[name]
        if name not in self.clients:
            self.clients[name] = self.machine(host).accept("10.0.0.7:1", "10.0.0.7:2")
        self.begin(host)
        self.clients[name].feed(encoded([word.encode() for word in request.split()]))
        self.finish(host)
        return self.clients[name].take_output()

    def settle(self) -> None:
        """Let all roads and links carry what they have, in no time."""
        while self.step():
            pass

    def step(self) -> bool:
        """One piece on each road and link; False if nothing moved."""
        moved = [road.step() for road in list(self.roads)]
        for name, link in list(self.links.items()):
            if link.open:
                moved.append(link.step())
            else:
                link.cut()
                del self.links[name]
        moved += [self._work(host) for host in self.hosts.values() if host.alive]
        for host in self.hosts.values():
            if host.alive and host.name not in self.links:
                self._reconnect(host)
        return any(moved)

    def _work(self, host: Host) -> bool:
        machine = self.machine(host)
        if not machine.has_work or host.name in self.busy:
            return False
        self.begin(host)
        machine.work()
        self.finish(host)
        return True

    def _reconnect(self, host: Host) -> None:
        primary_link = self.machine(host).replication.primary_link
        if primary_link is None:
            return
        for primary in self.hosts.values():
            if primary.alive and primary.ip == primary_link.ip:
                self.links[host.name] = Link(self, host, primary, primary_link)

    def pass_time(self, ms: int) -> None:
        """Bus, clients, roads and links, all of it."""
        end = self.now + ms
        while self.now < end:
            self.run(min(20, end - self.now))
            self.settle()
            if self.now - self.ticked >= TICK_MS:
                self.ticked = self.now
                for host in self.hosts.values():
                    if host.alive:
                        self.begin(host)
                        self.machine(host).tick(self.now)
                        self.finish(host)
            self.settle()

    # --- what is there

    def keys(self, name: str) -> int:
        return sum(db.size for db in self.machine(self.hosts[name]).server.keyspace.used())

    def digest(self, *names: str) -> bytes:
        """Of the keys of all these nodes together: the parts are joined by exclusive or."""
        parts = [digest_of_all(self.machine(self.hosts[name]).server.keyspace) for name in names]
        total = 0
        for part in parts:
            total ^= int(part, 16)
        return b"%040x" % total

    def owners(self, first: int, last: int) -> set[str]:
        """Names of those that the living believe to own the slots."""
        views: list[Topology] = [host.view for host in self.hosts.values() if host.alive]
        ids = {view.owners[slot] for view in views for slot in (first, last)}
        return {host.name for host in self.hosts.values() if host.id in ids}

    def state(self, name: str) -> str:
        """Of the newest job; empty without any."""
        found = self.jobs(name)
        return found[0][0] if found else ""

    def jobs(self, name: str) -> list[tuple[str, str]]:
        """State and message of each, the newest first."""
        return [(job.state.value, job.text) for job in self.machine(self.hosts[name]).migrations.jobs]
