"""The agreement of the nodes, as a state machine: events in, effects out; clock and randomness are arguments.

Here is only who is asked, and in which order; the questions and their tables are elsewhere:

    peers.py     who do we know, and how do we reach them?
    detector.py  whom do we ping, and when is silence a failure?
    refusals.py  when is a refused connection one?
    identity.py  which cluster is this, and who is of another?
    names.py     where is a node that is no longer where it was?
    claims.py    whose slots are they, and who is whose replica?
    roles.py     do I lead, or whom do I follow?
    election.py  do I stand for my failed primary?     ballot.py   for whom do I vote?
    manual.py    does the operator want a replica to take over?
    handover.py  do enough others know which slots I was given?
    orphans.py   should I move to a primary that has no replica?
    health.py    is the cluster up?
    hearing.py   what does this message mean?
    voice.py     what do we say?               herald.py   and when do we say it unasked?
    wishes.py    what does the operator want?

Rules kept here:
- ``handle`` is the only way in. One call is one step: what it changed is saved, published and told in that order.
- Ten times a second the node looks around; ``deadline`` says when it wants to be woken.
- What we promise is saved at once, and synced; what others said of themselves at once too, but not more often than once
  a tick. What was only written is synced a second later.
- Times are those of the wall clock, which can be set, and a process can be stopped. A jump is taken out of every time
  we keep: nobody is suspected for a silence that nobody heard.
"""

from random import Random
from typing import Final

from gossamer.cluster.topology import Flag, Millis, NodeId, Topology
from gossamer.gossip.ballot import Ballot
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.detector import Detector
from gossamer.gossip.effects import Answer, Effect, Hangup, Outbox, Refused
from gossamer.gossip.election import Election
from gossamer.gossip.events import (
    Accepted,
    Broadcast,
    ConfigChanged,
    DropKind,
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
from gossamer.gossip.handover import Handover
from gossamer.gossip.health import Health
from gossamer.gossip.hearing import Hearing
from gossamer.gossip.herald import Herald
from gossamer.gossip.identity import Identity
from gossamer.gossip.manual import Manual
from gossamer.gossip.names import Names
from gossamer.gossip.orphans import Orphans
from gossamer.gossip.peers import TICK_MS, Peer
from gossamer.gossip.refusals import Refusals
from gossamer.gossip.restore import remember
from gossamer.gossip.roles import Roles
from gossamer.gossip.voice import Voice
from gossamer.gossip.wishes import Refusal, Wishes

SYNC_MS: Final = 1000
"""What is only written is synced within this time."""
JUMP_MS: Final = 500
"""A gap between two calls that is no longer explained by a busy machine."""

OWN_FLAGS: Final = Flag.MYSELF | Flag.EXTENSIONS_SUPPORTED | Flag.LIGHT_PUBLISH_SUPPORTED | Flag.LIGHT_MODULE_SUPPORTED


class Gossip:
    """One node's part in the agreement.

    ``topology`` is what it remembers (nodes.conf), or a fresh one with only itself; ``now`` is unix milliseconds.
    """

    def __init__(self, topology: Topology, config: GossipConfig, rng: Random, now: Millis) -> None:
        self._now = now
        self._next_tick = self._may_save = now
        self._sync_due: Millis | None = None
        self._stands_still = False
        self._config = config
        self._out = Outbox()
        self._peers, self._claims = remember(topology, rng, self._out, now)
        self._health = Health(self._peers, self._claims, self._out, now)
        self._voice = Voice(self._peers, self._claims, self._health, config, rng, self._out)
        self._herald = Herald(self._peers, self._voice, rng)
        self._detector = Detector(self._peers, self._health, self._voice, config, rng, self._out)
        self._refusals = Refusals(self._peers, self._detector, config, self._out)
        self._roles = Roles(self._peers, self._claims, config, self._out)
        self._ballot = Ballot(self._peers, self._claims, self._voice, config, self._out)
        self._election = Election(
            self._peers, self._claims, self._health, self._roles, self._voice, config, rng, self._out
        )
        self._manual = Manual(self._peers, self._voice, config, self._out)
        self._handover = Handover(self._peers, self._claims, self._voice, self._out)
        self._orphans = Orphans(self._peers, self._health, self._roles, config, self._out)
        self._names = Names(self._peers, self._out)
        self._identity = Identity(self._peers, self._claims, self._health, self._herald, rng, self._out)
        self._hearing = Hearing(
            self._peers,
            self._names,
            self._identity,
            self._claims,
            self._detector,
            self._voice,
            self._herald,
            self._roles,
            self._ballot,
            self._election,
            self._manual,
            self._handover,
            config,
            self._out,
        )
        self._wishes = Wishes(
            self._peers, self._claims, self._roles, self._manual, self._herald, self._handover, config, self._out
        )
        self._introduce_myself(config)

    def handle(self, event: Event, now: Millis) -> list[Effect]:
        """Everything that follows from ``event``, to be done in the order given."""
        self._set_clock(now)
        suspects, followed = len(self._peers.suspects), self._peers.me.primary
        doubted, shard = self._peers.me.has(Flag.MY_PRIMARY_FAIL), self._peers.me.shard_id
        self._dispatch(event, now)
        if self._stands_still:
            pass
        elif now >= self._next_tick:
            self._tick(now)
        elif self._detector.due is not None and now >= self._detector.due:
            self._detector.look_around(now)
        if len(self._peers.suspects) > suspects:
            self._herald.confide(now)
        if self._claims.settle_collision(now):
            self._herald.proclaim(now)
        self._lead_or_follow(now)
        if self._peers.me.primary != followed:
            self._herald.proclaim(now)
        self._herald.speak(now)
        if self._out.recheck or (self._health.due is not None and now >= self._health.due):
            self._out.recheck = False
            self._health.review(self._config, now)
            self._roles.review()
        self._roles.tell()
        moved = self._peers.me.shard_id != shard
        self._voice.foreign = not self._peers.me.is_primary and (moved or self._voice.foreign)
        if doubted and self._peers.me.primary == followed and not self._peers.me.has(Flag.MY_PRIMARY_FAIL):
            self._herald.proclaim(now)  # the siblings wait for that
        return self._settle()

    def deadline(self) -> Millis:
        """Call ``handle`` by then, with Woke if there is nothing else."""
        if self._stands_still:
            return self._now + TICK_MS
        dues = (
            self._next_tick,
            self._herald.due,
            self._claims.settle_due,
            self._election.due,
            self._manual.due,
            self._detector.due,
            self._health.due,
        )
        return min(due for due in dues if due is not None)

    def _dispatch(self, event: Event, now: Millis) -> None:
        match event:
            case PacketIn(link, packet):
                self._hearing.hear(link, packet, now)
            case Woke():
                pass
            case Accepted(link, peer_ip, local_ip):
                self._peers.accept(link, peer_ip, local_ip, now)
            case LinkUp(link):
                self._greet(link, now)
            case LinkDown(link, refused):
                self._refusals.link_down(link, refused, now)
            case Resolved(node, ips):
                self._names.resolved(node, ips, now)
            case GarbageIn(link):
                self._hearing.garbage += 1
                self._out.do(Hangup(link))
                self._peers.lost(link, now)
            case Replicated(offset, heard, bereft, syncing):
                self._peers.me.repl_offset, self._election.heard, self._roles.bereft = offset, heard, bereft
                self._voice.syncing = syncing
                self._voice.foreign &= not heard
            case Paused(offset):
                self._peers.me.repl_offset = offset
                self._manual.paused(now)
            case ConfigChanged(config):
                self._peers.dial_anew()
                self._introduce_myself(config)
                self._herald.proclaim(now)
            case Broadcast(channel, message, sharded):
                self._voice.publish(channel, message, sharded)
            case DropKind(kind):
                self._hearing.dropped = kind
                self._out.do(Answer("OK"))
            case PauseCron(on):
                self._stands_still = on
                self._out.do(Answer("OK"))
            case wish:
                try:
                    self._wishes.grant(wish, now)
                except Refusal as refusal:
                    self._out.do(Refused(str(refusal)))

    def _greet(self, link: int, now: Millis) -> None:
        """A dialled link is up: the first message on it is a PING, or a MEET."""
        peer = self._peers.outbound.get(link)
        if peer is not None:
            self._peers.connected(peer, now)
            if not peer.trial:
                peer.take_back_refusals()
                if self._detector.connected(peer):
                    self._herald.recant(peer, now)
            self._voice.ping(peer, now)

    def _lead_or_follow(self, now: Millis) -> None:
        """What the roles of this node and of others lead to."""
        self._roles.unchain()
        self._manual.step(now)
        self._election.unconditional = self._manual.may_start
        self._election.step(now)
        replaced = self._election.won(now)
        if replaced is not None:
            self._manual.step(now)
            # First of all to the one whose clients may be waiting for it.
            audience = sorted(self._peers.reachable(), key=lambda peer: peer is not replaced)
            self._voice.announce(audience, [], now)

    def _tick(self, now: Millis) -> None:
        self._next_tick = now + TICK_MS
        self._peers.expire(now, self._config.handshake_ms)
        self._names.tick(now)
        self._identity.tick(now)
        self._peers.dial_missing(now)
        self._detector.look_around(now)
        self._manual.tick(now)
        if self._orphans.tick(now):
            self._herald.proclaim(now)
        self._out.publish |= self._out.publish_soon
        self._out.recheck |= not self._health.ok
        self._out.promised |= self._sync_due is not None and now >= self._sync_due

    def _settle(self) -> list[Effect]:
        """Check what must always hold, and give out the effects."""
        me = self._peers.me
        assert self._claims.current_epoch >= me.config_epoch, "an epoch of mine that the cluster has not reached"
        assert me.flags & Flag.MYSELF
        assert not me.flags & (Flag.PFAIL | Flag.FAIL | Flag.HANDSHAKE)
        if self._out.save_soon and self._now >= self._may_save:
            self._out.save_now = True
        if self._out.save_now or self._out.promised:
            self._may_save = self._now + TICK_MS
            self._sync_due = None if self._out.promised else self._sync_due or self._now + SYNC_MS
        wanted = self._out.save_now or self._out.promised or self._out.publish
        return self._out.take(self._view() if wanted else None)

    def _set_clock(self, now: Millis) -> None:
        """Take a jump of the clock, or a stop of the process, out of all times."""
        gap = now - self._now
        self._now = now
        if 0 <= gap <= JUMP_MS:
            return
        for part in (
            self._peers,
            self._claims,
            self._health,
            self._herald,
            self._detector,
            self._election,
            self._manual,
            self._names,
            self._identity,
            self._orphans,
        ):
            part.shift(gap)
        self._next_tick = self._may_save = now
        self._sync_due = None if self._sync_due is None else now

    def _introduce_myself(self, config: GossipConfig) -> None:
        """What the configuration says about this node."""
        self._config = self._voice.config = self._detector.config = self._hearing.config = config
        self._roles.config = self._ballot.config = self._election.config = self._manual.config = config
        self._orphans.config = self._wishes.config = self._refusals.config = config
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
    def doubts_primary(self) -> bool:
        """Nothing may be acknowledged to the primary now: what it knows to be here could be lost by an election."""
        return self._roles.doubts_primary

    @property
    def awaited_offset(self) -> int | None:
        """Replicated is wanted at once when this much has been applied, so that a manual failover can go on."""
        return self._manual.awaited

    def snapshot(self) -> Topology:
        """The cluster as of now, with the times of pings and the states of links."""
        for peer in self._peers.roster():
            peer.view = None
        return self._view()

    def _view(self) -> Topology:
        """The newest view; the times in it may be older than the rest."""
        for peer in self._peers.roster():
            if peer.view is None:
                peer.view = peer.as_node()
        return Topology(
            self._peers.me.id,
            {p.id: p.view for p in self._peers.roster() if p.view is not None},
            self._claims.owners_view(),
            dict(self._claims.migrating),
            dict(self._claims.importing),
            self._claims.current_epoch,
            self._claims.last_vote_epoch,
            self._health.ok,
            self._health.size,
            self._peers.me.cluster or "",
            self._claims.leaving(),
        )

    def failure_reports(self, node: NodeId) -> int | None:
        """How many valid reports say that ``node`` is failing; None if it is not known."""
        peer = self._peers.by_id.get(node)
        return None if peer is None else self._detector.failure_reports(peer, self._now)

    def links(self) -> list[tuple[int, str, NodeId, Millis]]:
        """(link, ``to`` or ``from``, node, created) of every link whose other end is known."""
        to = [(link, "to", p.id, p.linked_at) for link, p in self._peers.outbound.items()]
        return to + [(link, "from", i.node, i.accepted) for link, i in self._peers.inbound.items() if i.node]

    def knows(self, link: int) -> bool:
        """Has a known node spoken on ``link``, or was it dialled to one?"""
        return self._hearing.speaker(link) is not None

    @property
    def sent(self) -> list[int]:
        """Messages sent, by Kind."""
        return self._out.sent

    @property
    def received(self) -> list[int]:
        """Messages received, by Kind."""
        return self._hearing.received

    @property
    def foreign(self) -> int:
        """How often a node of another cluster was refused."""
        return self._identity.refused

    @property
    def garbage(self) -> int:
        """Messages that could not be used."""
        return self._hearing.garbage

    @property
    def me(self) -> Peer:
        return self._peers.me
