"""The agreement of the nodes, as a state machine: events in, effects out; clock and randomness are arguments.

Here is only who is asked, and in which order. The questions and their tables are elsewhere:

    clock.py                what time is it?
    peers.py                who do we know, and how do we reach them?
    identity.py             which cluster is this, and who is of another?
    hostname_lookup.py      where is a node that is no longer where it was?
    cron.py                 when do we check everything?
    detector.py             whom do we ping, and when is silence a failure?
    refusals.py             when is a refused connection one?
    claims.py               whose slots are they, and who is whose replica?
    roles.py                do I lead, or whom do I follow?
    replica_migration.py    should I move to a primary that has no replica?
    election.py             do I stand for my failed primary?
    voting.py               for whom do I vote?
    manual_failover.py      does the operator want a replica to take over?
    handover.py             do enough others know which slots I was given?
    health.py               is the cluster up?
    packet_handler.py       what does this message mean?
    messages.py             what do we say?
    announcer.py            when do we say it unasked?
    cluster_commands.py     what does the operator want?

    tables.py is what they share, and components.py makes one of each. states.py asserts which state follows which.

Rules kept here:
- ``handle`` is the only way in. One call is one step: what it changed is saved, published and told in that order.
- The cron checks everything, ten times a second while something is going on. ``deadline`` says when it wants to be
  woken.
- What this node promises is saved at once, and synced. What others say of themselves is saved at once too, but not more
  often than once a tick. What was only written is synced a second later.
- Whoever changes a role or a suspicion announces that himself; nothing here compares before with after.
- Wall time only comes in and goes out here. All components reckon with the inner clock (clock.py), from which jumps and
  stops are left out: nobody is suspected for a silence that nobody heard.
"""

from operator import itemgetter
from random import Random
from typing import Final

from gossamer.cluster.topology import Flag, Millis, NodeId, Topology
from gossamer.gossip.clock import Clock
from gossamer.gossip.cluster_commands import ClusterCommands, Refusal
from gossamer.gossip.components import Components
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.cron import Cron
from gossamer.gossip.effects import Answer, Effect, Hangup, Outbox, Refused
from gossamer.gossip.events import (
    Accepted,
    Broadcast,
    ConfigChanged,
    DropMessageType,
    Event,
    GarbageIn,
    LinkDown,
    LinkUp,
    PacketIn,
    PauseCron,
    Paused,
    Replicated,
    Resolved,
    Woke,
)
from gossamer.gossip.packet_handler import PacketHandler
from gossamer.gossip.peers import TICK_MS, Peer
from gossamer.gossip.restore import restore_tables
from gossamer.gossip.tables import Tables

SYNC_MS: Final = 1000
"""What is only written is synced within this time."""

ROUTINE: Final = PacketIn, Accepted, Replicated, Broadcast, Woke
"""Events that may change nothing that the cron looks at. Where they do, that shows in the tables."""

OWN_FLAGS: Final = Flag.MYSELF | Flag.EXTENSIONS_SUPPORTED | Flag.LIGHT_PUBLISH_SUPPORTED | Flag.LIGHT_MODULE_SUPPORTED


class Gossip:
    """One node's part in the agreement.

    ``topology`` is what it remembers (nodes.conf), or a fresh one with only itself; ``now`` is wall time, in unix
    milliseconds, and so is every time that is asked for or told.
    """

    def __init__(self, topology: Topology, config: GossipConfig, rng: Random, now: Millis) -> None:
        self._clock = Clock(now)
        self._may_save = now
        self._sync_due: Millis | None = None
        self._cron_paused = False
        self._out = Outbox()
        self._peers, self._claims = restore_tables(topology, rng, self._out, now)
        self._tables = Tables(self._peers, self._claims, config, self._clock, rng, self._out)
        self._components = Components(self._tables)
        self._cron = Cron(self._tables, self._components, now)
        self._packet_handler = PacketHandler(self._tables, self._components)
        self._commands = ClusterCommands(self._tables, self._components)
        self._apply_config(config)

    def handle(self, event: Event, now: Millis) -> list[Effect]:
        """Everything that follows from ``event``, to be done in the order given."""
        if self._clock.advance(now):
            self._resume()
        now = self._clock.now
        self._dispatch(event, now)
        if not isinstance(event, ROUTINE):
            self._cron.hasten()
        # The cron comes after the event, so that a PONG that has just come in saves its sender from a suspicion.
        self._run_cron(now)
        if self._claims.settle_collision(now, self._components.health.may_be_outdated(now)):
            self._components.announcer.announce(now)
        self._lead_or_follow(now)
        self._components.announcer.send_due(now)
        # Both look at what has become of all the rest, so they are last.
        self._review(now)
        self._components.roles.tell_machine(now)
        effects = self._take_effects()
        self._clock.due = self._next_due()
        return effects

    def deadline(self) -> Millis:
        """Call ``handle`` by then, with Woke if there is nothing else."""
        return self._clock.to_wall(self._clock.due)

    def _next_due(self) -> Millis:
        if self._cron_paused:
            return self._clock.now + TICK_MS
        dues = (
            self._cron.due,
            self._may_save if self._out.save_soon else None,
            self._sync_due,
            self._components.announcer.due,
            self._claims.collision_due,
            self._components.election.due,
            self._components.manual_failover.due,
            self._components.detector.due,
            self._components.health.due,
        )
        return min(due for due in dues if due is not None)

    def _dispatch(self, event: Event, now: Millis) -> None:
        match event:
            case PacketIn(link, packet):
                self._packet_handler.process(link, packet, now)
            case Woke():
                pass
            case Accepted(link, peer_ip, local_ip):
                self._peers.accept(link, peer_ip, local_ip, now)
            case LinkUp(link):
                self._link_up(link, now)
            case LinkDown(link, refused):
                self._components.refusals.link_down(link, refused, now)
            case Resolved(node, ips):
                self._components.hostname_lookup.resolved(node, ips, now)
            case GarbageIn(link):
                self._packet_handler.garbage += 1
                self._out.do(Hangup(link))
                self._peers.link_lost(link, now)
            case Replicated():
                self._replicated(event)
            case Paused(offset):
                self._peers.me.repl_offset = offset
                self._components.manual_failover.paused(now)
            case ConfigChanged(config):
                self._peers.reset_dial_pauses()
                self._apply_config(config)
                self._components.announcer.announce(now)
            case Broadcast(channel, message, sharded):
                self._components.messages.publish(channel, message, sharded)
            case DropMessageType(kind):
                self._packet_handler.dropped = kind
                self._out.do(Answer("OK"))
            case PauseCron(on):
                self._cron_paused = on
                self._out.do(Answer("OK"))
            case command:
                try:
                    self._commands.execute(command, now)
                except Refusal as refusal:
                    self._out.do(Refused(str(refusal)))

    def _link_up(self, link: int, now: Millis) -> None:
        """A dialled link is up: the first message on it is a PING, or a MEET."""
        peer = self._peers.outbound.get(link)
        if peer is not None:
            self._peers.connected(peer, now)
            if not peer.trial_ip:
                peer.take_back_refusals()
                self._components.detector.connected(peer, now)
            self._components.messages.ping(peer, now)

    def _lead_or_follow(self, now: Millis) -> None:
        """What follows from the roles of this node and of others."""
        self._components.roles.leave_chain(now)
        self._components.manual_failover.step(now)
        self._components.election.unconditional = self._components.manual_failover.may_start
        self._components.election.step(now)
        if self._components.election.take_over_if_won(now):
            self._components.manual_failover.step(now)  # its end: this node has another role now

    def _run_cron(self, now: Millis) -> None:
        """What only the time asks for."""
        if self._cron_paused:
            return
        if now >= self._cron.due:
            self._tick(now)
            self._cron.ran(now)
        elif self._components.detector.due is not None and now >= self._components.detector.due:
            self._components.detector.check_all(now)

    def _review(self, now: Millis) -> None:
        """Is the cluster up, and may the primary be answered? If anything has changed that this depends on."""
        due = self._components.health.due
        if self._out.recheck or (due is not None and now >= due):
            self._out.recheck = False
            self._cron.hasten()
            self._components.health.review(now)
            self._components.roles.review()

    def _replicated(self, event: Replicated) -> None:
        replication = self._tables.replication
        self._peers.me.repl_offset = event.offset
        replication.heard = self._clock.from_wall(event.heard)
        replication.primary_lost_data, replication.syncing = event.primary_lost_data, event.syncing
        if event.heard:
            replication.data_from_other_shard = False

    def _tick(self, now: Millis) -> None:
        self._peers.expire(now, self._tables.config.handshake_ms)
        self._components.hostname_lookup.tick(now)
        self._components.identity.tick(now)
        self._peers.dial_missing(now)
        self._components.detector.check_all(now)
        self._components.manual_failover.tick(now)
        self._components.replica_migration.tick(now)
        self._out.publish |= self._out.publish_soon
        self._out.recheck |= not self._components.health.ok

    def _take_effects(self) -> list[Effect]:
        """Check what must always hold, and give out the effects."""
        me = self._peers.me
        assert self._claims.current_epoch >= me.config_epoch, "an epoch of mine that the cluster has not reached"
        assert me.flags & Flag.MYSELF
        assert not me.flags & (Flag.PFAIL | Flag.FAIL | Flag.HANDSHAKE)
        if self._out.save_soon and self._clock.now >= self._may_save:
            self._out.save_now = True
        if self._sync_due is not None and self._clock.now >= self._sync_due:
            self._out.promised = True
        if self._out.save_now or self._out.promised:
            self._may_save = self._clock.now + TICK_MS
            self._sync_due = None if self._out.promised else self._sync_due or self._clock.now + SYNC_MS
        wanted = self._out.save_now or self._out.promised or self._out.publish
        return self._out.take(self._view() if wanted else None)

    def _resume(self) -> None:
        """The clock was set, or the process was stopped: check everything at once.

        What was to be saved cannot wait either, for nobody knows how long it has waited.
        """
        self._cron.start_over(self._clock.now)
        self._may_save = self._clock.now
        self._sync_due = None if self._sync_due is None else self._clock.now
        self._components.health.resumed(self._clock.now)
        self._out.recheck |= self._components.health.due is not None  # the answers may be too old now

    def _apply_config(self, config: GossipConfig) -> None:
        """What the configuration says about this node."""
        self._tables.config = config
        me = self._peers.me
        me.ip = config.announce_ip or me.ip
        me.port, me.pport, me.cport = config.port, config.pport, config.cport
        me.hostname, me.human_name = config.hostname, config.human_name
        me.flags = me.flags & ~Flag.NOFAILOVER | OWN_FLAGS
        if config.replica_no_failover:
            me.flags |= Flag.NOFAILOVER
        self._peers.touch(me)

    # Questions

    @property
    def acks_suspended(self) -> bool:
        """Nothing may be acknowledged to the primary now: what it knows to be here could be lost by an election."""
        return self._components.roles.acks_suspended

    @property
    def awaited_offset(self) -> int | None:
        """Replicated is wanted at once when this much has been applied, so that a manual failover can go on."""
        return self._components.manual_failover.awaited_offset

    def snapshot(self) -> Topology:
        """The cluster as of now, with the times of pings and the states of links."""
        for peer in self._peers.roster():
            peer.view = None
        return self._view()

    def _view(self) -> Topology:
        """The newest view; the times in it may be older than the rest."""
        for peer in self._peers.roster():
            if peer.view is None:
                peer.view = peer.as_node(self._clock)
        return Topology(
            self._peers.me.id,
            {p.id: p.view for p in self._peers.roster() if p.view is not None},
            self._claims.owners_view(),
            dict(self._claims.migrating),
            dict(self._claims.importing),
            self._claims.current_epoch,
            self._claims.last_vote_epoch,
            self._components.health.ok,
            self._components.health.size,
            self._peers.me.cluster or "",
            self._claims.leaving(),
        )

    def failure_reports(self, node: NodeId) -> int | None:
        """How many valid reports say that ``node`` is failing; None if it is not known."""
        peer = self._peers.by_id.get(node)
        return None if peer is None else self._components.detector.failure_reports(peer, self._clock.now)

    def links(self) -> list[tuple[int, str, NodeId, Millis]]:
        """(link, ``to`` or ``from``, node, created) of every link whose other end is known, by node."""
        wall = self._clock.to_wall
        to = [(link, "to", p.id, wall(p.linked_at)) for link, p in self._peers.outbound.items()]
        from_ = [(link, "from", i.node, wall(i.accepted)) for link, i in self._peers.inbound.items() if i.node]
        return sorted(to + from_, key=itemgetter(2))

    def knows(self, link: int) -> bool:
        """Has a known node spoken on ``link``, or was it dialled to one?"""
        return self._packet_handler.speaker(link) is not None

    @property
    def sent(self) -> list[int]:
        """Messages sent, by message type."""
        return self._out.sent

    @property
    def received(self) -> list[int]:
        """Messages received, by message type."""
        return self._packet_handler.received

    @property
    def refused_peers(self) -> int:
        """How often a node of another cluster was refused."""
        return self._components.identity.refused

    @property
    def garbage(self) -> int:
        """Messages that could not be used."""
        return self._packet_handler.garbage

    @property
    def me(self) -> Peer:
        return self._peers.me
