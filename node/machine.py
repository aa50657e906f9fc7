"""The whole node as one pure machine: the place where the engine and the gossip meet.

``node/io`` drives it in a process, the simulator under a virtual clock; both see the same few methods (``handle``,
``deadline``, ``drain``, ``tick``) and the one shortcut past them, ``accept(...)`` giving a Session whose ``feed``
turns bytes into replies. What is not under this class is not simulated.

What the gossip asks for is split here: a new topology is adopted at once, so the next request sees it; everything
that needs the world outside (saving, sending, dialling, logging) goes to ``outbox`` in the order given, to be
performed in that order.
"""

from collections.abc import Callable, Sequence

from gossamer.cluster.reports import FOREIGN, GARBAGE, MESSAGE_NAMES, Link
from gossamer.cluster.text import bytes_of
from gossamer.cluster.topology import Millis, NodeId, Topology
from gossamer.gossip.core import Gossip
from gossamer.gossip.effects import (
    Answer,
    DropKeys,
    Effect,
    Follow,
    Lead,
    Pause,
    Publish,
    Refused,
    Resume,
    Settled,
    Unfollow,
)
from gossamer.gossip.events import Event, Paused, Replicated, Wish, Woke
from gossamer.node import commands as commands
from gossamer.node.engine.agreement import Agreement
from gossamer.node.engine.client import HANDING_OVER, Client
from gossamer.node.engine.expiry import ActiveExpiry
from gossamer.node.engine.limits import idle_too_long, over_output_limit
from gossamer.node.engine.server import PAUSED, RETURNED, WRITES, WRITES_AND_READS, Server
from gossamer.node.engine.session import Session
from gossamer.node.engine.transfer import settle
from gossamer.node.migration.migrations import Migrations
from gossamer.node.replication.hold import Hold
from gossamer.node.replication.replication import replication_of
from gossamer.node.resp.errors import Refusal


class Machine:
    """``gossip`` is None outside cluster mode."""

    def __init__(self, server: Server, gossip: Gossip | None = None) -> None:
        self.server: Server = server
        self.gossip = gossip
        self.outbox: list[Effect] = []
        self.link_queues: dict[int, int] = {}
        """Bytes that wait to be sent, by link; kept by whoever owns the links."""
        self.links_over_limit = 0
        self.on_resume: Callable[[], None] | None = None
        """Called when requests that were held back for a failover may be served: soon, by ``drain``."""
        self.swept_s = 0
        self._told: tuple[int, Millis, bool, bool] = (0, 0, False, False)
        self._followed: NodeId = ""
        self._hold = Hold(server)
        self.expiry = ActiveExpiry(server)
        self.replication = replication_of(server)
        self.migrations = Migrations(server, self.replication)
        server.moves = self.migrations
        self.migrations.on_freed = self._hurry
        primary = server.config.primary()
        if primary is not None:
            self.replication.follow(*primary)
        if gossip is not None:
            server.agreement = Desk(self, gossip)
            server.adopt(gossip.snapshot())
            if gossip.me.is_primary and gossip.me.slots:
                server.conditions |= RETURNED

    # --- clients

    def accept(self, addr: str, laddr: str, unix: bool = False) -> Session:
        """A new client, ``addr`` and ``laddr`` as ``ip:port`` (or ``path:0``)."""
        server = self.server
        session = Session(server, server.next_client_id, addr, laddr, unix)
        server.next_client_id += 1
        server.clients[session.id] = session
        server.stats.total_connections_received += 1
        return session

    def leave(self, client: Client) -> None:
        """The connection of ``client`` has ended."""
        server = self.server
        client.closing = client.killed = True
        client.unwatch()
        server.clients.pop(client.id, None)
        if client in server.monitors:
            server.unmonitor(client)
        if client in server.held:
            server.held.remove(client)
        if client in server.awaiting:
            server.awaiting.remove(client)
        if client.retained is not None:
            server.acks.forget(client)
        server.standing.left(client)
        if client.held:
            server.courier.left(client)
        if client.modes & HANDING_OVER:
            self.migrations.left(client)

    def drain(self) -> None:
        """Do what the batch asked for on the way."""
        self.migrations.drain()
        if (self.server.landed or self.server.freed) and not self.server.conditions & PAUSED:
            self._settle()
        if self.server.held and not self.server.conditions & PAUSED:
            self._resume_held()
        self.replication.drain()
        if self.replication.primary.released:
            self._resume(self.replication.primary.take_released())
            self.replication.drain()
        self.server.acks.settle()
        if self.gossip is not None and self.gossip.awaited_offset is not None:
            self.tell_progress(self.server.now)

    def tick(self, now: Millis) -> None:
        """The node's housekeeping, about ten times a second; ``begin_batch`` comes before it and ``drain`` after it."""
        server = self.server
        if server.cron_paused:
            return
        server.stats.sample(now)
        server.keyspace.tally.used()
        server.is_full()
        self._expire()
        if self.gossip is not None:
            self.tell_progress(now)
            self.migrations.tick(now)
        self.replication.tick(now)
        if now // 1000 != self.swept_s:
            self.swept_s = now // 1000
            self._sweep(now)

    def _expire(self) -> None:
        server = self.server
        began = server.edge.microseconds()
        self.expiry.cycle()
        took = server.edge.microseconds() - began
        server.stats.expire_cycle_us += took
        server.latency.add("expire-cycle", server.now_s, took // 1000)

    def _sweep(self, now: Millis) -> None:
        """Once a second: end the connections that have been silent or deaf for too long."""
        server = self.server
        clients: list[Client] = list(server.clients.values())
        for client in clients:
            if idle_too_long(client, server.idle_limit_s, now):
                client.kill()
            elif client.unsent and over_output_limit(client, server.output_limits, now):
                server.stats.client_output_buffer_limit_disconnections += 1
                client.kill()

    def pause_ends(self) -> Millis | None:
        """When what is held must be looked at again (``begin_batch``, ``drain``); None if nothing is."""
        return self.server.pause_until if self.server.held or self.server.landed else None

    def _settle(self) -> None:
        """Transfers have landed, or slots: what the targets took is gone here, and who waited for that goes on."""
        server = self.server
        server.freed = False
        landed, server.landed = server.landed, []
        for transfer in landed:
            settle(server, transfer)
        waiting, server.awaiting = server.awaiting, []
        for client in waiting:
            client.held = False
        self._resume([transfer.client for transfer in landed] + waiting)

    def _resume_held(self) -> None:
        """The pause is over: serve what waited, each client in turns like any other. One may begin a new pause."""
        waiting, self.server.held = self.server.held, []
        for client in waiting:
            client.held = False
        self._resume(waiting)

    def _resume(self, clients: list[Client]) -> None:
        for client in clients:
            assert isinstance(client, Session)
            while not client.closing and not client.held and client.resume():
                pass

    # --- what is done between the batches

    @property
    def has_work(self) -> bool:
        """``work`` has something to do: for replicas that are being synchronized, or for slots that have gone."""
        return self.replication.primary.sending or (
            bool(self.server.clearing.remnants) and not self.server.conditions & PAUSED
        )

    def work(self) -> None:
        """About a millisecond's work for each of them; ``begin_batch`` comes before it and ``drain`` after it."""
        if self.replication.primary.sending:
            self.replication.primary.work()
        if not self.server.conditions & PAUSED:
            self.server.clearing.work()

    # --- the agreement

    def handle(self, event: Event, now: Millis) -> None:
        """Let the gossip see ``event``; what follows from it is done, or waits in ``outbox``."""
        assert self.gossip is not None
        if self.server.standing.offset != self._told[0]:
            self.tell_progress(now)
        self._absorb(self._heard(event, now), now)

    def knows(self, link: int) -> bool:
        """Is a node of the cluster at the other end of ``link``?"""
        assert self.gossip is not None
        return self.gossip.knows(link)

    def tell_progress(self, now: Millis) -> None:
        """Let the gossip know how far replication has come. A manual failover waits for it."""
        standing = self.server.standing
        progress = standing.offset, standing.heard, standing.bereft, standing.syncing
        if progress != self._told:
            self._told = progress
            assert self.gossip is not None
            self._absorb(self._heard(Replicated(*progress), now), now)

    def deadline(self) -> Millis | None:
        """Call ``handle(Woke(), ...)`` by then; None if there is nothing to wait for."""
        return None if self.gossip is None else self.gossip.deadline()

    def wake(self, now: Millis) -> None:
        self.handle(Woke(), now)

    def take_effects(self) -> list[Effect]:
        """What is to be performed outside, in this order."""
        effects, self.outbox = self.outbox, []
        return effects

    def grant(self, wish: Wish) -> str:
        """Hand the operator's wish to the gossip; its answer, or Refusal."""
        assert self.gossip is not None
        effects = self._heard(wish, self.server.now)
        self._absorb(effects, self.server.now)
        for effect in effects:
            if isinstance(effect, Refused):
                raise Refusal(b"ERR " + bytes_of(effect.text))
            if isinstance(effect, Answer):
                return effect.text
        raise AssertionError(f"{wish} got no answer")

    def _heard(self, event: Event, now: Millis) -> Sequence[Effect]:
        """What the gossip makes of ``event``. An exception in between leaves it half changed."""
        assert self.gossip is not None
        self.server.changing += 1
        effects = self.gossip.handle(event, now)
        self.server.changing -= 1
        return effects

    def _absorb(self, effects: Sequence[Effect], now: Millis) -> None:
        assert self.gossip is not None
        self.server.changing += 1
        self.replication.doubted = self.gossip.doubts_primary
        paused = led = followed = False
        for effect in effects:
            match effect:
                case Publish(topology):
                    if self.server.topology is not None and self.server.topology.me != topology.me:
                        self.replication.primary.drop_all()  # they are replicas of a node that is no more
                    self.server.adopt(topology)
                    self.migrations.adopted(topology)
                case Follow(node, ip, port):
                    again, self._followed = node == self._followed, node
                    self.server.standing.follow(ip, port, again, node)
                    followed = True
                case Unfollow():
                    self.server.standing.unfollow()
                case Lead():
                    self._followed = ""
                    self.server.standing.lead()
                    led = True
                case DropKeys(slots):
                    self.server.drop_slots(slots)
                case Pause(until):
                    self._hold.take(until, WRITES_AND_READS if self.server.acks.wanted else WRITES)
                    paused = True
                case Resume():
                    self._hold.release()
                    self._hurry()
                case Settled():
                    self.migrations.settled()
                case Answer() | Refused():
                    pass
                case _:
                    self.outbox.append(effect)
        if paused:
            self._absorb(self._heard(Paused(self.server.standing.offset), now), now)
        if led:
            self.migrations.led()
        if followed:
            self.migrations.followed()
        self.server.changing -= 1

    def _hurry(self) -> None:
        """Requests that were held back may be served."""
        if self.on_resume is not None:
            self.on_resume()


class Desk(Agreement):
    """Where CLUSTER commands hand in their wishes and questions."""

    def __init__(self, machine: Machine, gossip: Gossip) -> None:
        self._machine = machine
        self._gossip = gossip

    def wish(self, wish: Wish) -> str:
        return self._machine.grant(wish)

    def snapshot(self) -> Topology:
        return self._gossip.snapshot()

    def failure_reports(self, node: NodeId) -> int | None:
        return self._gossip.failure_reports(node)

    def links(self) -> list[Link]:
        out: list[Link] = []
        for link, way, node, created in self._gossip.links():
            queued = self._machine.link_queues.get(link, 0)
            out.append(Link(way == "to", node, created, "rw" if queued else "r", queued, queued))
        return out

    def links_over_limit(self) -> int:
        return self._machine.links_over_limit

    def messages_sent(self) -> dict[str, int]:
        return dict(zip(MESSAGE_NAMES, self._gossip.sent, strict=False))

    def messages_received(self) -> dict[str, int]:
        counted = dict(zip(MESSAGE_NAMES, self._gossip.received, strict=False))
        return {**counted, GARBAGE: self._gossip.garbage, FOREIGN: self._gossip.foreign}
