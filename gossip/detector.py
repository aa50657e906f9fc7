"""Whom to ping, when silence is PFAIL, and when PFAIL is FAIL.

Rules kept here (Redis cluster specification, "Failure detection"; cron of Redis 7.0):
- Once a second the node we heard from longest ago, out of five picked at random, is pinged; and so is every node not
  heard from for half the node timeout. Primaries with slots are asked more often where the node timeout is short, since
  the time until the ping that stays unanswered comes on top of it.
- A node that owes us an answer, and has sent nothing at all, for the node timeout is PFAIL: our opinion, told as
  gossip. A node whose host refuses our connections is PFAIL sooner (refusals.py).
- Silence counts also where nobody can be asked: a node without an address (another answers there, since it was reset or
  came back without its disk) owes an answer like any other, and has to come by itself. In Redis it is never PFAIL, and
  its slots point to port 0 for ever.
- A majority of the primaries with slots, ourselves included if we are one, makes it FAIL: a fact, told to everybody.
  An opinion counts for two node timeouts. So a minority never convicts.
- A link on which an answer is overdue is made anew, even if the node speaks to us on its own link: only answers take a
  failure back, and what was lost on the way is not asked again on the same link.
- An answer takes PFAIL back. FAIL is taken back at once from a replica or a primary without slots; from a primary with
  slots only after two node timeouts, when evidently nobody has taken over from it. They begin anew with our vote for a
  replica of it, which counts as long: its disk may be slow.
"""

from random import Random
from typing import Final

from gossamer.cluster.topology import Flag, Millis
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.effects import Level, Outbox
from gossamer.gossip.health import Health
from gossamer.gossip.peers import TICK_MS, Peer, Peers
from gossamer.gossip.voice import Voice

SAMPLE: Final = 5
SAMPLE_EVERY_MS: Final = 1000
FUTURE_MS: Final = 500
"""How far ahead of our clock another node's time of an answer may be and still be believed."""


class Detector:
    """Owns the times of pings and answers and the reports of failure, which stand in the peers' table."""

    def __init__(
        self, peers: Peers, health: Health, voice: Voice, config: GossipConfig, rng: Random, out: Outbox
    ) -> None:
        self.config = config
        self._peers = peers
        self._health = health
        self._voice = voice
        self._rng = rng
        self._out = out
        self.due: Millis | None = None
        """When silence becomes PFAIL, if that is before the next tick."""
        self._next_sample: Millis = 0

    # Asking

    def look_around(self, now: Millis) -> None:
        """Every tick: ask those we have not heard from, and suspect those that do not answer."""
        if now >= self._next_sample or self._next_sample > now + SAMPLE_EVERY_MS:
            self._next_sample = now + SAMPLE_EVERY_MS
            self._ping_stalest(now)
        half = self.config.node_timeout_ms // 2
        recent = now - self._voters_patience
        self.due = None
        for peer in self._peers.roster():
            if peer.pong_received >= recent and not peer.ping_sent:
                continue
            if not peer.flags & (Flag.MYSELF | Flag.HANDSHAKE):
                self._look_at(peer, half, now)

    def _look_at(self, peer: Peer, half: int, now: Millis) -> None:
        if peer.ping_sent == 0 and peer.flags & Flag.NOADDR:
            peer.ping_sent = now
        if peer.ping_sent == 0:
            patience = self._voters_patience if peer.is_voter else half
            if now - peer.pong_received > patience and peer.linked:
                self._voice.ping(peer, now)
            return
        silent = now - max(peer.ping_sent, peer.data_received)
        stuck = silent > half or now - peer.ping_sent > self.config.node_timeout_ms
        if stuck and peer.link is not None and now - peer.linked_at > self.config.node_timeout_ms:
            self._peers.hang_up(peer)
        left = self.config.node_timeout_ms - silent
        if left < 0:
            self._suspect_silent(peer, now)
        elif left < TICK_MS and (self.due is None or now + left < self.due):
            self.due = now + left + 1

    @property
    def _voters_patience(self) -> Millis:
        return self.config.ask_voters_ms // (10 if self._health.unsure else 1)

    def _suspect_silent(self, peer: Peer, now: Millis) -> None:
        if not peer.flags & (Flag.PFAIL | Flag.FAIL):
            self._suspect(peer, now)
        elif peer.hasty:
            peer.hasty = False
            self._peers.touch(peer)

    def _ping_stalest(self, now: Millis) -> None:
        roster = self._peers.roster()
        picked = self._rng.sample(roster, min(SAMPLE, len(roster)))
        idle = [p for p in picked if p.linked and not p.ping_sent and not p.flags & (Flag.MYSELF | Flag.HANDSHAKE)]
        if idle:
            self._voice.ping(min(idle, key=lambda p: p.pong_received), now)

    # Judging

    def answered(self, peer: Peer, accused: bool, now: Millis) -> None:
        """A PONG came on the link to ``peer``. ``accused``: it says that we are failing."""
        if peer.asked and not accused:
            peer.assured = peer.asked
        peer.asked = 0
        self._out.recheck |= self._health.unsure
        peer.ping_sent, peer.pong_received, peer.answered, peer.dials = 0, now, True, 0
        if peer.flags & Flag.PFAIL:
            self._trust(peer)
        elif peer.flags & Flag.FAIL:
            self._acquit(peer, now)

    def suspect_gone(self, peer: Peer, now: Millis) -> None:
        """Its host says that it is gone: no need to wait for the node timeout."""
        if not peer.flags & (Flag.PFAIL | Flag.FAIL):
            peer.hasty = True
            self._suspect(peer, now)

    def connected(self, peer: Peer) -> bool:
        """Somebody listens at its address. True if that takes a suspicion back."""
        if not (peer.hasty and peer.flags & Flag.PFAIL):
            return False
        self._trust(peer)
        return True

    def reported(self, peer: Peer, reporter: Peer, failing: bool, now: Millis) -> None:
        """A voter's opinion about another node."""
        if not failing:
            if peer.reports.pop(reporter.id, None) is not None:
                self._out.log(Level.VERBOSE, f"Node {reporter.name} reported node {peer.name} is back online.")
            return
        if reporter.id not in peer.reports:
            self._out.log(Level.VERBOSE, f"Node {reporter.name} reported node {peer.name} as not reachable.")
        peer.reports[reporter.id] = now
        self._convict_by_quorum(peer, now)

    def told_failed(self, peer: Peer, by: Peer, now: Millis) -> None:
        """A FAIL message: a majority has decided."""
        if not peer.flags & (Flag.FAIL | Flag.MYSELF | Flag.HANDSHAKE):
            self._out.log(Level.NOTICE, f"FAIL message received from {by.name} about {peer.name}")
            self._condemn(peer, now)

    def vouched(self, peer: Peer, pong_received: Millis, now: Millis) -> None:
        """Another node has had an answer lately; that saves us a ping."""
        if not peer.ping_sent and not peer.reports and peer.pong_received < pong_received <= now + FUTURE_MS:
            peer.pong_received = pong_received

    def failure_reports(self, peer: Peer, now: Millis) -> int:
        """How many opinions that ``peer`` is failing are valid."""
        self._expire_reports(peer, now)
        return len(peer.reports)

    def _expire_reports(self, peer: Peer, now: Millis) -> None:
        oldest = now - 2 * self.config.node_timeout_ms
        for reporter in [r for r, at in peer.reports.items() if at < oldest]:
            del peer.reports[reporter]

    def _suspect(self, peer: Peer, now: Millis) -> None:
        assert not peer.flags & (Flag.PFAIL | Flag.FAIL | Flag.MYSELF)
        self._out.log(Level.DEBUG, f"*** NODE {peer.name} possibly failing")
        peer.flags |= Flag.PFAIL
        self._peers.suspects[peer.id] = peer
        self._peers.touch(peer)
        self._convict_by_quorum(peer, now)

    def _trust(self, peer: Peer) -> None:
        peer.flags &= ~Flag.PFAIL
        peer.hasty = False
        self._peers.suspects.pop(peer.id, None)
        self._peers.touch(peer)

    def _convict_by_quorum(self, peer: Peer, now: Millis) -> None:
        """PFAIL for me and for a majority is FAIL."""
        if not peer.flags & Flag.PFAIL:
            return
        if self._accusers(peer, now) < self._health.quorum:
            return
        self._out.log(Level.NOTICE, f"Marking node {peer.name} as failing (quorum reached).")
        self._condemn(peer, now)
        self._voice.fail(peer)

    def _accusers(self, peer: Peer, now: Millis) -> int:
        """How many of those whose opinion is valid, and of us, have a say: who was replaced meanwhile has none."""
        self._expire_reports(peer, now)
        accusers = (self._peers.by_id.get(node) for node in (*peer.reports, self._peers.me.id))
        return sum(1 for accuser in accusers if accuser is not None and accuser.is_voter)

    def _condemn(self, peer: Peer, now: Millis) -> None:
        peer.flags = peer.flags & ~Flag.PFAIL | Flag.FAIL
        peer.fail_time, peer.hasty = now, False
        self._peers.suspects.pop(peer.id, None)
        self._peers.touch(peer)

    def _acquit(self, peer: Peer, now: Millis) -> None:
        """A failed node answers again."""
        if not peer.is_voter:
            what = "master without slots" if peer.is_primary else "replica"
            self._out.log(Level.NOTICE, f"Clear FAIL state for node {peer.name}: {what} is reachable again.")
        elif now - max(peer.fail_time, peer.voted_at) > 2 * self.config.node_timeout_ms:
            self._out.log(
                Level.NOTICE,
                f"Clear FAIL state for node {peer.name}: "
                "is reachable again and nobody is serving its slots after some time.",
            )
        else:
            return
        peer.flags &= ~Flag.FAIL
        self._peers.touch(peer)

    def shift(self, ms: int) -> None:
        """The clock was set."""
        self._next_sample += ms
        self.due = None
