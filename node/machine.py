"""The whole node as one pure machine: the place where the engine and the gossip meet.

``node/io`` drives it in a process, the simulator under a virtual clock; both see the same few methods (``handle``,
``deadline``, ``attend``, ``drain``) and the one shortcut past them, ``accept(...)`` giving a Session whose ``feed``
turns bytes into replies. What is not under this class is not simulated.

What the gossip asks for is split here: a new topology is adopted at once, so the next request sees it; everything
that needs the world outside (saving, sending, dialling, logging) goes to ``outbox`` in the order given, to be
performed in that order.
"""

from collections.abc import Callable, Sequence
from typing import Final

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
    SlotsConfirmed,
    Unfollow,
)
from gossamer.gossip.events import ClusterCommand, Event, Paused, Replicated, Woke
from gossamer.node import commands as commands
from gossamer.node.engine.clients.client import SLOT_EXPORTER, Client
from gossamer.node.engine.clients.limits import idle_too_long, over_output_limit
from gossamer.node.engine.clients.pause import WRITES, WRITES_AND_READS
from gossamer.node.engine.clients.waiting import LEAVING_KEYS, PAUSE
from gossamer.node.engine.ports.cluster import ClusterPort
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.migrating import finish_migrate
from gossamer.node.engine.serving.ready_keys import serve_changed_keys
from gossamer.node.engine.serving.session import Session
from gossamer.node.engine.serving.unexpected import survive
from gossamer.node.engine.state import PAUSED, RETURNED, SPILLING
from gossamer.node.migration.migrations import Migrations
from gossamer.node.replication.replication import replication_of
from gossamer.node.replication.write_pause import WritePause
from gossamer.node.resp.errors import Refusal
from gossamer.node.saving.saves import saves_of
from gossamer.node.vm.vm import Vm

BUSY_MS: Final = 100
"""How soon something is looked at that has only just begun."""

REST_MS: Final = 1000
"""How often the housekeeping looks around when there is nothing to be done."""


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
        """Called when ``deadline`` has become earlier than it last told; whoever sleeps until then must wake."""
        self.swept_s = 0
        self._house_due: Millis = 0
        self._asleep_until: Millis = 0
        """What ``deadline`` last told."""
        self._urgent = False
        self._told: tuple[int, Millis, bool, bool] = (0, 0, False, False)
        self._followed: NodeId = ""
        self._pause = WritePause(server)
        self.replication = replication_of(server)
        self.saves = saves_of(server)
        self.vm = Vm(server)
        server.vm = self.vm
        self.migrations = Migrations(server, self.replication)
        server.migrations = self.migrations
        self.migrations.context.on_freed = self._hurry
        primary = server.config.primary()
        if primary is not None:
            self.replication.follow(*primary)
        if gossip is not None:
            server.cluster = ClusterAdapter(self, gossip)
            server.adopt(gossip.snapshot())
            if gossip.me.is_primary and gossip.me.slots:
                server.conditions |= RETURNED

    # --- clients

    def accept(self, addr: str, laddr: str, unix: bool = False) -> Session:
        """A new client, ``addr`` and ``laddr`` as ``ip:port`` (or ``path:0``)."""
        server = self.server
        session = Session(server, server.clients.take_id(), addr, laddr, unix)
        server.clients.by_id[session.id] = session
        server.stats.total_connections_received += 1
        return session

    def leave(self, client: Client) -> None:
        """The connection of ``client`` has ended."""
        server = self.server
        client.closing = client.killed = True
        client.unwatch()
        server.clients.by_id.pop(client.id, None)
        server.monitors.remove(client)
        server.tracking.left(client)
        if client.pending is not None:
            server.acks.forget(client)
        server.replication.left(client)
        if client.blocked:
            server.migrate_transport.left(client)
        server.waiting.forget(client)
        if client.modes & SLOT_EXPORTER:
            self.migrations.left(client)
        client.left()

    def drain(self) -> None:
        """Do what the batch asked for on the way."""
        server = self.server
        waiting = server.waiting
        self.migrations.drain()
        if server.deadlines.first <= server.now:
            server.deadlines.run(server.now)
        if not server.conditions & PAUSED:
            if server.migrate_transport.finished or server.leaving.freed:
                self._settle()
            if waiting.by_client:
                waiting.retry_all(PAUSE)
        if waiting.changed_keys or (waiting.held_keys and not server.conditions & PAUSED):
            serve_changed_keys(server)
        if not server.pause.holds_readers():
            for wait in server.long_replies.take_ready():
                waiting.retry(wait)
        self._resume()
        self.replication.drain()
        if waiting.resumable:
            self._resume()
            self.replication.drain()
        if server.tracking.listening:
            server.tracking.end_turn()
        self.saves.aof.flush()
        server.acks.settle()
        server.client_memory.keep(server.now)
        if server.conditions & SPILLING:
            self.vm.keep()
        if self.gossip is not None and self.gossip.awaited_offset is not None:
            self.tell_progress(server.now)
        self._plan()

    # --- time

    def deadline(self, now: Millis) -> Millis:
        """When ``attend`` must be called at the latest: the first of all deadlines of those who wait and of timers, or
        the next housekeeping. (The gossip has a deadline of its own, for while it is saved it must not go on.)
        """
        if self._house_due > now + REST_MS:
            self._house_due = now  # the clock has been set back
        first = min(self._house_due, self.server.deadlines.first)
        self._asleep_until = 0 if self._urgent else first
        return self._asleep_until

    def attend(self, now: Millis) -> None:
        """Do what is due; ``begin_batch`` comes before it and ``drain``, which ends waits, after it."""
        self._urgent = False
        if now >= self._house_due:
            self.tick(now)

    def _plan(self) -> None:
        """Something has happened: does that give anything to do before whoever drives the node wakes by himself?"""
        server = self.server
        if self._house_due > server.now + BUSY_MS and self._is_busy():
            self._house_due = server.now + BUSY_MS
        if server.waiting.resumable:
            self._hurry()
        elif min(self._house_due, server.deadlines.first) < self._asleep_until and self.on_resume is not None:
            self._asleep_until = 0
            self.on_resume()

    def _is_busy(self) -> bool:
        """Is there housekeeping that cannot wait for a second?"""
        if self.server.expiry.has_work() or self.server.tracking.is_over():
            return True
        return self.migrations.active or self.replication.in_a_hurry

    def tick(self, now: Millis) -> None:
        """The node's housekeeping: ``hz`` times a second while there is something to be done, else once."""
        server = self.server
        self._house_due = self._rest_until(now)
        if server.cron_paused:
            return
        server.look_around(now)
        self._expire()
        if self.gossip is not None:
            self.tell_progress(now)
            self.migrations.tick(now)
        self.replication.tick(now)
        if now // 1000 != self.swept_s:
            self.swept_s = now // 1000
            self._sweep(now)
            self.saves.tick(self.swept_s)
            self.saves.rewrites.tick(self.swept_s)
        if self._is_busy():
            self._house_due = now + 1000 // server.config.integer("hz")

    def _rest_until(self, now: Millis) -> Millis:
        """When to look around again: as the gossip does, if that is soon enough. One awakening is cheaper than two."""
        gossip_due = 0 if self.gossip is None else self.gossip.deadline()
        return gossip_due if REST_MS // 2 <= gossip_due - now <= REST_MS else now + REST_MS

    def _expire(self) -> None:
        server = self.server
        began = server.edge.microseconds()
        server.expiry.cycle()
        took = server.edge.microseconds() - began
        server.stats.expire_cycle_us += took
        server.latency.add("expire-cycle", server.now_s, took // 1000)

    def _sweep(self, now: Millis) -> None:
        """Once a second: end the connections that have been silent or deaf for too long."""
        server = self.server
        clients: list[Client] = server.clients.all()
        for client in clients:
            if idle_too_long(client, server.limits.idle_s, now):
                client.kill()
            elif client.unsent and over_output_limit(client, server.limits.output, now):
                server.stats.client_output_buffer_limit_disconnections += 1
                client.kill()

    def _settle(self) -> None:
        """Transfers have landed, or slots: what the targets took is gone here, and who waited for that tries again."""
        server = self.server
        server.leaving.freed = False
        landed, server.migrate_transport.finished = server.migrate_transport.finished, []
        for transfer in landed:
            finish_migrate(server, transfer)
        server.waiting.retry_all(LEAVING_KEYS)

    def _resume(self) -> None:
        """Serve those whose wait is over, each in turns like any other. Some may wait again, for something else."""
        waiting = self.server.waiting
        for wait in waiting.take_resumable():
            client = wait.client
            assert isinstance(client, Session)
            waiting.retried = None if client.postponed is None else wait
            while not client.closing and not client.blocked and client.resume():
                pass
            waiting.retried = None

    # --- what is done between the batches

    @property
    def has_work(self) -> bool:
        """``work`` has something to do: for replicas that are being synchronized, for clients whose replies take long,
        for the file that is being saved, or for slots that have gone."""
        server = self.server
        if self.replication.replicas.sending or server.long_replies.pending() or self.saves.has_work:
            return True
        if self.saves.rewrites.has_work or server.memory.has_work() or self.vm.has_work:
            return True
        return server.lazyfree.pending and not server.conditions & PAUSED

    def work(self) -> None:
        """About a millisecond's work for each of them; ``begin_batch`` comes before it and ``drain`` after it."""
        if self.replication.replicas.sending:
            self.replication.replicas.work()
        if self.server.long_replies.pending():
            self._make_long_replies()
        if self.saves.has_work:
            self.saves.work()
        if self.saves.rewrites.has_work:
            self.saves.rewrites.work()
        if self.server.memory.has_work():
            self.server.make_room()
        if self.server.conditions & SPILLING:
            self.vm.work()
        if not self.server.conditions & PAUSED:
            self.server.lazyfree.work()

    def _make_long_replies(self) -> None:
        replies = self.server.long_replies
        try:
            replies.work()
        except Exception as error:
            client = replies.give_up()
            survive(self.server, f"a reply for client id={client.id} addr={client.addr}, which is closed", error)
            client.kill()

    # --- the agreement

    def handle(self, event: Event, now: Millis) -> None:
        """Let the gossip see ``event``; what follows from it is done, or waits in ``outbox``."""
        assert self.gossip is not None
        self.tell_progress(now)
        self._absorb(self._heard(event, now), now)
        if self.server.clients.to_flush:
            self._hurry()  # this is no batch: somebody has to write it out
        self._plan()

    def knows(self, link: int) -> bool:
        """Is a node of the cluster at the other end of ``link``?"""
        assert self.gossip is not None
        return self.gossip.knows(link)

    def tell_progress(self, now: Millis) -> None:
        """Let the gossip know how far replication has come. A manual failover waits for it."""
        replication = self.server.replication
        progress = replication.offset, replication.heard, replication.primary_lost_data, replication.syncing
        if progress != self._told:
            self._told = progress
            assert self.gossip is not None
            self._absorb(self._heard(Replicated(*progress), now), now)

    def gossip_deadline(self) -> Millis:
        """Call ``wake`` by then."""
        assert self.gossip is not None
        return self.gossip.deadline()

    def wake(self, now: Millis) -> None:
        self.handle(Woke(), now)

    def take_effects(self) -> list[Effect]:
        """What is to be performed outside, in this order."""
        effects, self.outbox = self.outbox, []
        return effects

    def execute(self, command: ClusterCommand) -> str:
        """Hand the operator's command to the gossip; its answer, or Refusal."""
        assert self.gossip is not None
        effects = self._heard(command, self.server.now)
        self._absorb(effects, self.server.now)
        for effect in effects:
            if isinstance(effect, Refused):
                raise Refusal(b"ERR " + bytes_of(effect.text))
            if isinstance(effect, Answer):
                return effect.text
        raise AssertionError(f"{command} got no answer")

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
        self.replication.acks_suspended = self.gossip.acks_suspended
        paused = led = followed = False
        for effect in effects:
            match effect:
                case Publish(topology):
                    if self.server.topology is not None and self.server.topology.me != topology.me:
                        self.replication.replicas.drop_all()  # they are replicas of a node that is no more
                    self.server.adopt(topology)
                    self.migrations.adopted(topology)
                case Follow(node, ip, port):
                    again, self._followed = node == self._followed, node
                    self.server.replication.follow(ip, port, again, node)
                    followed = True
                case Unfollow():
                    self.server.replication.unfollow()
                case Lead():
                    self._followed = ""
                    self.server.replication.lead()
                    led = True
                case DropKeys(slots):
                    self.server.drop_slots(slots)
                case Pause(until):
                    self._pause.take(until, WRITES_AND_READS if self.server.acks.wanted else WRITES)
                    paused = True
                case Resume():
                    self._pause.release()
                    self._hurry()
                case SlotsConfirmed():
                    self.migrations.context.confirmed()
                case Answer() | Refused():
                    pass
                case _:
                    self.outbox.append(effect)
        if paused:
            self._absorb(self._heard(Paused(self.server.replication.offset), now), now)
        if led:
            self.migrations.led()
        if followed:
            self.migrations.followed()
        self.server.changing -= 1

    def _hurry(self) -> None:
        """There is something to be done at once: requests that waited may be served."""
        self._urgent = True
        if self.on_resume is not None:
            self.on_resume()


class ClusterAdapter(ClusterPort):
    """Where CLUSTER commands hand in what the operator wants, and their questions."""

    def __init__(self, machine: Machine, gossip: Gossip) -> None:
        self._machine = machine
        self._gossip = gossip

    def execute(self, command: ClusterCommand) -> str:
        return self._machine.execute(command)

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
        return {**counted, GARBAGE: self._gossip.garbage, FOREIGN: self._gossip.refused_peers}
