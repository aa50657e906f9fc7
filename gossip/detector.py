"""Whom to ping, when silence is PFAIL, and when PFAIL is FAIL.

Rules kept here (Redis cluster specification, "Failure detection"; cron of Redis 7.0):
- Once a second the node we heard from longest ago, out of five picked at random, is pinged; and so is every node not
  heard from for half the node timeout. Primaries with slots are asked more often where the node timeout is short, since
  the time until the ping that stays unanswered comes on top of it.
- Where it is long, voters need not all ask each other often: each asks the three that come after it by their ids every
  two seconds. A node that waits for an answer for half a second tells a few voters, and each of these asks for itself.
  So silence counts from about the same time everywhere, seconds after it began, and a calm cluster hardly pays for it.
- A node that owes us an answer, and has sent nothing at all, for the node timeout is PFAIL: our opinion, told as
  gossip. A node whose host refuses our connections is PFAIL sooner (refusals.py).
- Silence counts also where nobody can be asked: a node without an address (another answers there, since it was reset or
  came back without its disk) owes an answer like any other, and has to come by itself. In Redis it is never PFAIL, and
  its slots point to port 0 for ever.
- A majority of the primaries with slots, ourselves included if we are one, makes it FAIL: a fact, told to everybody.
  An opinion counts for two node timeouts. So a minority never convicts. A node that says otherwise takes its opinion
  back, as a replica too: Redis does not hear that, and counts the old opinion of one that is a primary again soon
  after.
- A link on which an answer is overdue is made anew, even if the node speaks to us on its own link: only answers take a
  failure back, and what was lost on the way is not asked again on the same link.
- An answer takes PFAIL back. FAIL is taken back at once from a replica or a primary without slots; from a primary with
  slots only after two node timeouts, when evidently nobody has taken over from it. They begin anew with our vote for a
  replica of it, which counts as long: its disk may be slow.
"""

from typing import Final

from gossamer.cluster.topology import Flag, Millis
from gossamer.gossip.announcer import Announcer
from gossamer.gossip.effects import Level
from gossamer.gossip.health import Health
from gossamer.gossip.messages import Messages
from gossamer.gossip.peers import TICK_MS, Peer
from gossamer.gossip.tables import Tables

SAMPLE: Final = 5
SAMPLE_EVERY_MS: Final = 1000
FUTURE_MS: Final = 500
"""How far ahead of our clock another node's time of an answer may be and still be believed."""
WATCHED: Final = 3
WATCH_MS: Final = 1500
"""How many voters each voter asks more often, and how old an answer may be before; looked at as often as the sample."""
OVERDUE_MS: Final = 500
"""How long a voter's answer is waited for before other voters are told."""

WELL: Final = 0
PFAIL: Final = int(Flag.PFAIL)
FAIL: Final = int(Flag.FAIL)
SUCCESSORS: Final = {WELL: (PFAIL, FAIL), PFAIL: (WELL, FAIL), FAIL: (WELL,)}
"""What a peer may be next. FAIL without PFAIL is the word of a majority to one that has noticed nothing."""


class Detector:
    """Owns the times of pings and answers and the reports of failure, which stand in the peers' table."""

    def __init__(self, tables: Tables, health: Health, messages: Messages, announcer: Announcer) -> None:
        self._tables = tables
        self._peers = tables.peers
        self._health = health
        self._messages = messages
        self._announcer = announcer
        self._rng = tables.rng
        self._out = tables.out
        self.due: Millis | None = None
        """When silence becomes PFAIL, if that is before the next tick."""
        self.next_ping: Millis = 0
        """When somebody is to be pinged next, as far as the last look could tell."""
        self._next_sample: Millis = 0
        self._awaited: list[Peer] = []
        """Those that owed an answer at the last look, some of them perhaps no longer."""

    # Asking

    def check_all(self, now: Millis) -> None:
        """Every tick: ask those we have not heard from, and suspect those that do not answer."""
        if now >= self._next_sample:
            self._next_sample = now + SAMPLE_EVERY_MS
            self._ping_stalest(now)
            self._ping_watched(now)
        half, patience = self._tables.config.node_timeout_ms // 2, self._voters_patience
        recent, oldest = now - patience, now
        self.due = None
        self._awaited.clear()
        for peer in self._peers.roster():
            if peer.pong_received >= recent and not peer.ping_sent:
                if peer.pong_received < oldest:
                    oldest = peer.pong_received
            elif not peer.flags & (Flag.MYSELF | Flag.HANDSHAKE):
                self._check(peer, half, now)
                if peer.ping_sent:
                    self._awaited.append(peer)
                else:
                    oldest = recent
        self.next_ping = min(self._next_sample, oldest + patience + 1)

    def _check(self, peer: Peer, half: int, now: Millis) -> None:
        if peer.ping_sent == 0 and peer.flags & Flag.NOADDR:
            peer.ping_sent = now
        if peer.ping_sent == 0:
            patience = self._voters_patience if peer.is_voter else half
            if now - peer.pong_received > patience and peer.linked:
                self._messages.ping(peer, now)
            return
        silent = now - max(peer.ping_sent, peer.data_received)
        if OVERDUE_MS <= silent < OVERDUE_MS + TICK_MS and peer.is_voter and self._peers.me.is_voter:
            self._announcer.report_overdue(peer, now)
        stuck = silent > half or now - peer.ping_sent > self._tables.config.node_timeout_ms
        if stuck and peer.link is not None and now - peer.linked_at > self._tables.config.node_timeout_ms:
            self._peers.hang_up(peer)
        left = self._tables.config.node_timeout_ms - silent
        if left < 0:
            self._silence_exceeded(peer, now)
        elif left < TICK_MS and (self.due is None or now + left < self.due):
            self.due = now + left + 1

    @property
    def awaits_answers(self) -> bool:
        awaited = self._awaited
        while awaited and not awaited[-1].ping_sent:
            awaited.pop()
        return bool(awaited)

    @property
    def _voters_patience(self) -> Millis:
        return self._tables.config.ask_voters_ms // (10 if self._health.unsure else 1)

    def _silence_exceeded(self, peer: Peer, now: Millis) -> None:
        if not peer.flags & (Flag.PFAIL | Flag.FAIL):
            self._mark_pfail(peer, now)
        elif peer.pfail_by_refusal:
            peer.pfail_by_refusal = False
            self._peers.touch(peer)

    def _ping_stalest(self, now: Millis) -> None:
        roster = self._peers.roster()
        picked = self._rng.sample(roster, min(SAMPLE, len(roster)))
        idle = [p for p in picked if p.linked and not p.ping_sent and not p.flags & (Flag.MYSELF | Flag.HANDSHAKE)]
        if idle:
            self._messages.ping(min(idle, key=lambda p: p.pong_received), now)

    def _ping_watched(self, now: Millis) -> None:
        me = self._peers.me
        if not me.is_voter:
            return
        ring = sorted((p for p in self._peers.roster() if p.is_voter), key=lambda p: (p.id <= me.id, p.id))
        for peer in ring[:WATCHED]:
            if peer is not me and peer.linked and not peer.ping_sent and now - peer.pong_received > WATCH_MS:
                self._messages.ping(peer, now)

    def overdue_reported(self, peer: Peer, now: Millis) -> None:
        """A node tells unasked that it waits for the answer of ``peer``: so does this one from now on."""
        silent = now - max(peer.pong_received, peer.data_received)
        if peer.is_voter and self._peers.me.is_voter and peer.linked and not peer.ping_sent and silent > OVERDUE_MS:
            self._messages.ping(peer, now)
            self._awaited.append(peer)

    # Judging

    def pong_arrived(self, peer: Peer, accused: bool, now: Millis) -> None:
        """A PONG came on the link to ``peer``. ``accused``: it says that we are failing."""
        if peer.open_ping_sent and not accused:
            peer.acked_ping_sent = peer.open_ping_sent
        peer.open_ping_sent = 0
        self._out.recheck |= self._health.unsure
        peer.ping_sent, peer.pong_received, peer.has_answered, peer.dials = 0, now, True, 0
        if peer.flags & Flag.PFAIL:
            self._clear_pfail(peer)
        elif peer.flags & Flag.FAIL:
            self._clear_fail_if_safe(peer, now)

    def suspect_refusing(self, peer: Peer, now: Millis) -> None:
        """Its host says that it is gone: no need to wait for the node timeout."""
        if not peer.flags & (Flag.PFAIL | Flag.FAIL):
            peer.pfail_by_refusal = True
            self._mark_pfail(peer, now)

    def connected(self, peer: Peer, now: Millis) -> None:
        """Somebody listens at its address. That takes back a suspicion that rests on refusals, and only that."""
        if peer.pfail_by_refusal and peer.flags & Flag.PFAIL:
            self._clear_pfail(peer)
            self._announcer.retract(peer, now)

    def report_received(self, peer: Peer, reporter: Peer, failing: bool, now: Millis) -> None:
        """A voter's opinion about another node; or that of anybody, if it is not ``failing``."""
        if not failing:
            if peer.reports.pop(reporter.id, None) is not None:
                self._out.log(Level.VERBOSE, f"Node {reporter.name} reported node {peer.name} is back online.")
            return
        if reporter.id not in peer.reports:
            self._out.log(Level.VERBOSE, f"Node {reporter.name} reported node {peer.name} as not reachable.")
        peer.reports[reporter.id] = now
        self._mark_fail_if_quorum(peer, now)

    def fail_received(self, peer: Peer, by: Peer, now: Millis) -> None:
        """A FAIL message: a majority has decided."""
        if not peer.flags & (Flag.FAIL | Flag.MYSELF | Flag.HANDSHAKE):
            self._out.log(Level.NOTICE, f"FAIL message received from {by.name} about {peer.name}")
            self._mark_fail(peer, now)

    def pong_reported(self, peer: Peer, pong_received: Millis, now: Millis) -> None:
        """Another node has had an answer lately; that saves us a ping."""
        if not peer.ping_sent and not peer.reports and peer.pong_received < pong_received <= now + FUTURE_MS:
            peer.pong_received = pong_received

    def failure_reports(self, peer: Peer, now: Millis) -> int:
        """How many opinions that ``peer`` is failing are valid."""
        self._expire_reports(peer, now)
        return len(peer.reports)

    def _expire_reports(self, peer: Peer, now: Millis) -> None:
        oldest = now - 2 * self._tables.config.node_timeout_ms
        for reporter in [r for r, at in peer.reports.items() if at < oldest]:
            del peer.reports[reporter]

    def _mark_pfail(self, peer: Peer, now: Millis) -> None:
        self._out.log(Level.DEBUG, f"*** NODE {peer.name} possibly failing")
        self._enter(peer, PFAIL)
        self._mark_fail_if_quorum(peer, now)
        if peer.has(Flag.PFAIL):
            self._announcer.report_suspicion(now)  # a conviction has been told already, and to all

    def _clear_pfail(self, peer: Peer) -> None:
        peer.pfail_by_refusal = False
        self._enter(peer, WELL)

    def _mark_fail_if_quorum(self, peer: Peer, now: Millis) -> None:
        """PFAIL for me and for a majority is FAIL."""
        if not peer.flags & Flag.PFAIL:
            return
        if self._count_accusers(peer, now) < self._health.quorum:
            return
        self._out.log(Level.NOTICE, f"Marking node {peer.name} as failing (quorum reached).")
        self._mark_fail(peer, now)
        self._messages.send_fail(peer)

    def _count_accusers(self, peer: Peer, now: Millis) -> int:
        """How many of those whose opinion is valid, and of us, have a say: who was replaced meanwhile has none."""
        self._expire_reports(peer, now)
        accusers = (self._peers.by_id.get(node) for node in (*peer.reports, self._peers.me.id))
        return sum(1 for accuser in accusers if accuser is not None and accuser.is_voter)

    def _mark_fail(self, peer: Peer, now: Millis) -> None:
        peer.fail_time, peer.pfail_by_refusal = now, False
        self._enter(peer, FAIL)

    def _clear_fail_if_safe(self, peer: Peer, now: Millis) -> None:
        """A failed node answers again."""
        if not peer.is_voter:
            what = "master without slots" if peer.is_primary else "replica"
            self._out.log(Level.NOTICE, f"Clear FAIL state for node {peer.name}: {what} is reachable again.")
        elif now - max(peer.fail_time, peer.voted_at) > 2 * self._tables.config.node_timeout_ms:
            self._out.log(
                Level.NOTICE,
                f"Clear FAIL state for node {peer.name}: "
                "is reachable again and nobody is serving its slots after some time.",
            )
        else:
            return
        self._enter(peer, WELL)

    def _enter(self, peer: Peer, state: int) -> None:
        before = FAIL if peer.flags & FAIL else peer.flags & PFAIL
        assert state in SUCCESSORS[before], f"{peer.name} goes from {before} to {state}"
        assert not peer.flags & (Flag.MYSELF | Flag.HANDSHAKE)
        peer.flags = peer.flags & ~(PFAIL | FAIL) | state
        if state == PFAIL:
            self._peers.suspects[peer.id] = peer
        else:
            self._peers.suspects.pop(peer.id, None)
        self._peers.touch(peer)
