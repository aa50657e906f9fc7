"""When a replica stands for its failed primary, whom it asks, and when it has won.

Rules kept here (Redis cluster specification, "Replica election and promotion"; delays as Valkey 9.1 has them):
- It stands if its primary, which owns slots, is FAIL, its own data is not too old, and the operator lets it
  (``cluster-replica-no-failover``). A manual failover needs none of these.
- It also stands, whoever says that the primary is well, if that one has come back without its data.
- A sibling that is well is first asked how far it is, and waited for: nobody takes over before one that has more.
- The better its data among its siblings, the sooner it stands: rank is how many of them have a larger offset, or the
  same and a smaller id.
- Shards that fail together take turns, since there is one winner an epoch (turns.py).
- With ``write-ack-replicas`` one that has less than a sibling gives that one a node timeout more: its disk may be slow.
- If all living replicas of the shard say that they see the primary as FAIL, their offsets are final, so the first of
  them does not wait. Then, and in a manual failover, voters that have not heard of the failure must not refuse
  (FORCEACK).
- A request is for a new epoch, which is on disk before it is sent. A vote counts if it is of that epoch or later, from
  a primary with slots. A majority of all of them, failed or not, makes the winner: so never two in one epoch.
- Votes that have not come in time will not be counted; the next try is as long after that again.
- A candidate that hears of another one with its epoch or a newer one may have lost voters to it. It asks again for a
  newer epoch as soon as its turn comes and the votes of the last round have had time to come, which is twice as long
  after each round. Votes for its earlier epochs still count: each of them has one winner, too.
"""

from random import Random
from typing import Final

from gossamer.cluster.topology import Flag, Millis, NodeId
from gossamer.gossip.claims import Claims
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.effects import Level, Outbox
from gossamer.gossip.health import Health
from gossamer.gossip.packet import Packet
from gossamer.gossip.peers import Peer, Peers
from gossamer.gossip.roles import Roles
from gossamer.gossip.turns import Turns
from gossamer.gossip.voice import Voice

LONGEST_STEP_MS: Final = 500
LONGEST_SILENCE_MS: Final = 2000
"""So long a sibling that seems to be well is waited for."""
STEPS_IN_TIMEOUT: Final = 30
GATHER_MS: Final = 10
"""Failures of the same moment become known within so long of each other."""
ROUND_MS: Final = 50
"""How long requests and votes are under way, most of it to disks."""
MOST_DOUBLINGS: Final = 6


class Election:
    """``heard`` is when replication last heard from the primary, 0 for never; ``due`` when to look again.

    ``unconditional`` is set by a manual failover that may start.
    """

    def __init__(
        self,
        peers: Peers,
        claims: Claims,
        health: Health,
        roles: Roles,
        voice: Voice,
        config: GossipConfig,
        rng: Random,
        out: Outbox,
    ) -> None:
        self.config = config
        self.heard: Millis = 0
        self.unconditional = False
        self._due: Millis | None = None
        self._base: Millis = 0
        """When it would stand if no other shard had failed."""
        self._planned: Millis = 0
        self._failed: NodeId = ""
        """Whom it wants to replace: votes for that are none for anybody else's slots."""
        self._rank = 0
        self._epoch = 0
        self._asked = False
        self._at_once = False
        self._listening = False
        self._again: Millis | None = None
        """Not before this it asks anew, for its epoch has been contested."""
        self._rounds = 0
        self._votes: dict[int, set[NodeId]] = {}
        """Who has voted for us, by epoch."""
        self._excuse = ""
        self._peers = peers
        self._claims = claims
        self._health = health
        self._roles = roles
        self._voice = voice
        self._rng = rng
        self._out = out
        self._turns = Turns(peers)

    @property
    def due(self) -> Millis | None:
        """When it wants to ask for votes; None if it has, does not, or waits for a sibling's word."""
        if self._asked:
            return None if self._again is None else max(self._again, self._turns.comes)
        return None if self._listening else self._due

    def step(self, now: Millis) -> None:
        """Look at where things are, and do what is due."""
        me = self._peers.me
        primary = None if me.is_primary else self._peers.head()
        if primary is None or not primary.slots or not (self.unconditional or self._may_stand(primary, now)):
            self._withdraw()
            return
        if primary.id != self._failed:
            self._withdraw()
            self._failed = primary.id
        if self._due is None or now - self._due > 2 * self.config.election_ms:
            self._plan(primary, now)
        assert self._due is not None
        if not self._asked:
            self._reconsider(primary, now)
            if self._due <= now <= self._due + self.config.election_ms:
                self._listening = not self._has_heard_all(primary, now)
                if not self._listening:
                    self._stand(now)
        elif self._again is not None:
            turn = now if self.unconditional else self._turns.look(primary, self._step_ms, now)
            if now >= max(self._again, turn):
                self._stand(now)

    def voted(self, voter: Peer, ack: Packet) -> None:
        """An ACK came in. It tells its epoch, which may be that of an earlier round."""
        if not self._asked or self._peers.me.is_primary or not voter.is_voter:
            return
        epoch = ack.current_epoch if ack.current_epoch in self._votes else self._epoch
        if ack.current_epoch >= epoch:
            self._votes[epoch].add(voter.id)

    def heard_epochs(self, sender: Peer, packet: Packet, now: Millis) -> None:
        """Any message tells whether the epoch that we have asked for is still to be had."""
        if self._asked and (packet.current_epoch > self._epoch or packet.config_epoch >= self._epoch):
            self._contest(now)

    def heard_rival(self, candidate: Peer, request: Packet, now: Millis) -> None:
        """Another replica asks for votes. That of another shard is not disturbed for the length of a round."""
        if candidate.primary and candidate.primary != self._failed and request.current_epoch >= self._epoch:
            self._turns.yield_to(candidate.primary, now + ROUND_MS)
        if self._asked and request.current_epoch >= self._epoch:
            self._contest(now)

    def _contest(self, now: Millis) -> None:
        if self._again is None:
            round_ms = ROUND_MS << min(self._rounds - 1, MOST_DOUBLINGS)
            self._again = now + round_ms + int(self._rng.random() * round_ms)

    def won(self, now: Millis) -> Peer | None:
        """Take over if a majority has voted for us; from whom."""
        primary = self._peers.head()
        late = self._due is None or now - self._due > self.config.election_ms
        won = [epoch for epoch, voters in self._votes.items() if len(voters) >= self._health.quorum]
        if not self._asked or late or not won or primary in (None, self._peers.me):
            return None
        assert primary is not None
        assert primary.id == self._failed, "step comes first"
        me = self._peers.me
        self._out.log(Level.WARNING, "Failover election won: I'm the new master.")
        me.config_epoch = max(me.config_epoch, *won)
        self._claims.elected_epoch = me.config_epoch
        self._out.log(Level.WARNING, f"configEpoch set to {me.config_epoch} after successful failover")
        self._roles.succeed(primary)
        self._withdraw()
        return primary

    # Whether

    def _may_stand(self, primary: Peer, now: Millis) -> bool:
        if not primary.has(Flag.FAIL) and not self._roles.bereft:
            self._excuse = ""
            return False
        if self.config.replica_no_failover:
            return False
        stale = self.config.stale_ms
        age = now - self.heard
        if stale is None or (age - self.config.node_timeout_ms if age > self.config.node_timeout_ms else age) <= stale:
            self._excuse = ""
            return True
        self._complain(
            "Disconnected from master for longer than allowed. "
            "Please check the 'cluster-replica-validity-factor' configuration option."
        )
        return False

    def _complain(self, excuse: str) -> None:
        """Say why not, once."""
        if excuse != self._excuse:
            self._excuse = excuse
            self._out.log(Level.WARNING, f"Currently unable to failover: {excuse}")

    def _withdraw(self) -> None:
        self._due, self._asked, self._at_once, self._listening = None, False, False, False
        self._again, self._rounds = None, 0
        self._votes.clear()

    # When

    @property
    def _step_ms(self) -> int:
        """The unit of all delays: 500 ms at the default node timeout, less at smaller ones."""
        return max(1, min(LONGEST_STEP_MS, self.config.node_timeout_ms // STEPS_IN_TIMEOUT))

    def _plan(self, primary: Peer, now: Millis) -> None:
        self._withdraw()
        self._due, self._planned, self._rank = now, now, 0
        self._turns.begin(now)
        if self.unconditional:
            return
        step = self._step_ms
        self._rank = self._rank_among(primary)
        self._base = now + step + int(self._rng.random() * step) + self._courtesy_ms(self._rank)
        self._due = max(self._base, self._turns.look(primary, step, now))
        self._out.log(
            Level.WARNING,
            f"Start of election delayed for {self._due - now} milliseconds "
            f"(rank #{self._rank}, offset {self._voice.offset}).",
        )
        self._peers.me.flags |= Flag.MY_PRIMARY_FAIL
        for sibling in self._siblings(primary):
            if sibling.linked:
                self._voice.ping(sibling, now)

    def _reconsider(self, primary: Peer, now: Millis) -> None:
        """Siblings have told of their offsets meanwhile, and whether they see the failure."""
        assert self._due is not None
        if self.unconditional:
            self._due = min(self._due, now)
            return
        rank = self._rank_among(primary)
        if rank != self._rank:
            self._base += self._courtesy_ms(rank) - self._courtesy_ms(self._rank)
            self._rank = rank
        if not rank and not self._at_once and self._all_see_the_failure(primary):
            self._at_once = True
            self._base = min(self._base, max(now, primary.fail_time + GATHER_MS))
        self._due = max(self._base, self._turns.look(primary, self._step_ms, now))

    def _siblings(self, primary: Peer) -> list[Peer]:
        """The other replicas of my primary that have not failed, and are not evidently gone (refusals.py)."""
        me = self._peers.me
        return [p for p in self._peers.replicas_of(primary) if p is not me and not p.gone and not p.has(Flag.FAIL)]

    def _rank_among(self, primary: Peer) -> int:
        me = self._peers.me
        mine = -self._voice.offset, me.id
        rivals = (p for p in self._siblings(primary) if not p.has(Flag.NOFAILOVER))
        return sum(1 for p in rivals if (-p.repl_offset, p.id) < mine)

    def _courtesy_ms(self, rank: int) -> int:
        """How much later one stands that has so many before it."""
        promised = self.config.node_timeout_ms if rank and self.config.write_ack_replicas else 0
        return 2 * self._step_ms * rank + promised

    def _all_see_the_failure(self, primary: Peer) -> bool:
        """True if there is no doubt. A suspect sibling may be dead but not yet convicted: it is not waited for.

        A primary that has spoken since it failed is back; voters that know it should decide.
        """
        silent = primary.data_received <= primary.fail_time or self._roles.bereft
        return silent and all(p.has(Flag.MY_PRIMARY_FAIL | Flag.PFAIL) for p in self._siblings(primary))

    def _has_heard_all(self, primary: Peer, now: Millis) -> bool:
        """Has each sibling that is well said how far it is, since we asked? Soon it has, or it is suspect."""
        if self.unconditional or now - self._planned > min(self.config.node_timeout_ms, LONGEST_SILENCE_MS):
            return True
        waiting = (p for p in self._siblings(primary) if p.linked and not p.has(Flag.PFAIL))
        return all(p.pong_received >= self._planned and not p.ping_sent for p in waiting)

    # Asking

    def _stand(self, now: Millis) -> None:
        """Ask everybody, for the first time or anew."""
        self._epoch = self._claims.next_epoch()
        assert all(epoch < self._epoch for epoch in self._votes)
        self._votes[self._epoch] = set()
        self._asked, self._due, self._again = True, now, None
        self._rounds += 1
        self._out.log(Level.WARNING, f"Starting a failover election for epoch {self._epoch}.")
        self._voice.ask_for_votes(self.unconditional or self._at_once or self._roles.bereft)

    def shift(self, ms: int) -> None:
        """The clock was set."""
        if self._due is not None:
            self._due += ms
            self._base += ms
            self._planned += ms
            self._turns.shift(ms)
        if self._again is not None:
            self._again += ms
        if self.heard:
            self.heard += ms
