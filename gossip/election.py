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

from enum import Enum, auto
from typing import Final

from gossamer.cluster.topology import Flag, Millis, NodeId
from gossamer.gossip.effects import Level
from gossamer.gossip.health import Health
from gossamer.gossip.messages import Messages
from gossamer.gossip.packet import Packet
from gossamer.gossip.peers import Peer
from gossamer.gossip.roles import Roles
from gossamer.gossip.states import StateMachine
from gossamer.gossip.tables import Tables
from gossamer.gossip.turns import Turns

LONGEST_STEP_MS: Final = 500
LONGEST_SILENCE_MS: Final = 2000
"""So long a sibling that seems to be well is waited for."""
STEPS_IN_TIMEOUT: Final = 30
GATHER_MS: Final = 10
"""Failures of the same moment become known within so long of each other."""
ROUND_MS: Final = 50
"""How long requests and votes are under way, most of it to disks."""
MOST_DOUBLINGS: Final = 6


class Stage(Enum):
    """How far a replica has come that wants to replace its primary."""

    NOT_STANDING = auto()
    DELAYED = auto()
    """It stands at ``_due``."""
    WAITING_FOR_SIBLINGS = auto()
    """Its time has come, but a sibling that is well has not said how far it is."""
    ASKED = auto()
    """It has asked for votes in ``_epoch``."""
    CONTESTED = auto()
    """It has, but somebody else may have them: it asks again at ``_next_round_at``."""


SUCCESSORS: Final = {
    Stage.NOT_STANDING: frozenset({Stage.DELAYED}),
    Stage.DELAYED: frozenset({Stage.WAITING_FOR_SIBLINGS, Stage.ASKED, Stage.NOT_STANDING}),
    Stage.WAITING_FOR_SIBLINGS: frozenset({Stage.ASKED, Stage.NOT_STANDING}),
    Stage.ASKED: frozenset({Stage.CONTESTED, Stage.NOT_STANDING}),
    Stage.CONTESTED: frozenset({Stage.ASKED, Stage.NOT_STANDING}),
}
"""A winner, like one that gives up or begins anew, stands no longer."""


class Election:
    """``unconditional`` is set by a manual failover that may start."""

    def __init__(self, tables: Tables, health: Health, roles: Roles, messages: Messages) -> None:
        self.unconditional = False
        self._stage = StateMachine(SUCCESSORS, Stage.NOT_STANDING)
        self._due: Millis = 0
        """When it stands; when it has stood last, once it has asked."""
        self._base: Millis = 0
        """When it would stand if no other shard had failed."""
        self._planned: Millis = 0
        self._failed_primary: NodeId = ""
        """Whom it wants to replace: votes for that are none for anybody else's slots."""
        self._rank = 0
        self._epoch = 0
        self._no_delay = False
        """All replicas of the shard see the failure, and this one is the first of them."""
        self._next_round_at: Millis = 0
        self._rounds = 0
        self._votes: dict[int, set[NodeId]] = {}
        """Who has voted for us, by epoch."""
        self._excuse = ""
        self._tables = tables
        self._peers = tables.peers
        self._claims = tables.claims
        self._health = health
        self._roles = roles
        self._messages = messages
        self._rng = tables.rng
        self._out = tables.out
        self._turns = Turns(tables.peers)

    @property
    def due(self) -> Millis | None:
        """When it wants to ask for votes; None if it has, does not, or waits for a sibling's word."""
        if self._stage.state is Stage.DELAYED:
            return self._due
        if self._stage.state is Stage.CONTESTED:
            return max(self._next_round_at, self._turns.our_turn)
        return None

    @property
    def is_standing(self) -> bool:
        return self._stage.state is not Stage.NOT_STANDING

    @property
    def _has_asked(self) -> bool:
        return self._stage.state in (Stage.ASKED, Stage.CONTESTED)

    def step(self, now: Millis) -> None:
        """Begin, go on or give up, as things are now."""
        me, election_ms = self._peers.me, self._tables.config.election_ms
        primary = None if me.is_primary else self._peers.shard_primary()
        if primary is None or not primary.slots or not (self.unconditional or self._may_stand(primary, now)):
            self._withdraw()
            return
        if primary.id != self._failed_primary:
            self._withdraw()
            self._failed_primary = primary.id
        if self._stage.state is Stage.NOT_STANDING or now - self._due > 2 * election_ms:
            self._plan(primary, now)
        if not self._has_asked:
            self._reconsider(primary, now)
            if self._due <= now <= self._due + election_ms:
                self._stand(primary, now)
        elif self._stage.state is Stage.CONTESTED:
            turn = now if self.unconditional else self._turns.turn_at(primary, self._step_ms, now)
            if now >= max(self._next_round_at, turn):
                self._request_votes(now)

    def _stand(self, primary: Peer, now: Millis) -> None:
        """The delay is over."""
        if self._has_heard_all(primary, now):
            self._request_votes(now)
        elif self._stage.state is Stage.DELAYED:
            self._stage.enter(Stage.WAITING_FOR_SIBLINGS)

    def vote_received(self, voter: Peer, ack: Packet) -> None:
        """An ACK came in. It tells its epoch, which may be that of an earlier round."""
        if not self._has_asked or self._peers.me.is_primary or not voter.is_voter:
            return
        epoch = ack.current_epoch if ack.current_epoch in self._votes else self._epoch
        if ack.current_epoch >= epoch:
            self._votes[epoch].add(voter.id)

    def note_epochs(self, sender: Peer, packet: Packet, now: Millis) -> None:
        """Any message tells whether the epoch that we have asked for is still to be had."""
        if packet.current_epoch > self._epoch or packet.config_epoch >= self._epoch:
            self._contest(now)

    def note_rival(self, candidate: Peer, request: Packet, now: Millis) -> None:
        """Another replica asks for votes. That of another shard is not disturbed for the length of a round."""
        if request.current_epoch < self._epoch:
            return
        if candidate.primary and candidate.primary != self._failed_primary:
            self._turns.yield_to(candidate.primary, now + ROUND_MS)
        self._contest(now)

    def _contest(self, now: Millis) -> None:
        """The votes that we have asked for may be another's. Once a round is enough to know it."""
        if self._stage.state is Stage.ASKED:
            round_ms = ROUND_MS << min(self._rounds - 1, MOST_DOUBLINGS)
            self._next_round_at = now + round_ms + int(self._rng.random() * round_ms)
            self._stage.enter(Stage.CONTESTED)

    def take_over_if_won(self, now: Millis) -> bool:
        """Take the place of the primary if a majority has voted for us in time. True if so."""
        if not self._has_asked or now - self._due > self._tables.config.election_ms:
            return False
        won = [epoch for epoch, voters in self._votes.items() if len(voters) >= self._health.quorum]
        if won:
            self._win(max(won), now)
        return bool(won)

    def _win(self, epoch: int, now: Millis) -> None:
        me, primary = self._peers.me, self._peers.shard_primary()
        assert primary is not None
        assert not me.is_primary
        assert primary.id == self._failed_primary, "step comes first"
        self._out.log(Level.WARNING, "Failover election won: I'm the new master.")
        me.config_epoch = max(me.config_epoch, epoch)
        self._claims.elected_epoch = me.config_epoch
        self._out.log(Level.WARNING, f"configEpoch set to {me.config_epoch} after successful failover")
        self._roles.take_over(primary, now)
        self._withdraw()
        # The old primary is told first: in a manual failover its clients wait for that.
        audience = sorted(self._peers.reachable(), key=lambda peer: peer is not primary)
        self._messages.unsolicited_pong(audience, [], now)
        assert me.is_primary

    # Whether

    def _may_stand(self, primary: Peer, now: Millis) -> bool:
        if not primary.has(Flag.FAIL) and not self._tables.replication.primary_lost_data:
            self._excuse = ""
            return False
        if self._tables.config.replica_no_failover:
            return False
        stale_ms, timeout_ms = self._tables.config.stale_ms, self._tables.config.node_timeout_ms
        age_ms = now - self._tables.replication.heard
        if age_ms > timeout_ms:
            age_ms -= timeout_ms  # so long the primary may have been gone before anybody could know it
        if stale_ms is None or age_ms <= stale_ms:
            self._excuse = ""
            return True
        self._log_excuse(
            "Disconnected from master for longer than allowed. "
            "Please check the 'cluster-replica-validity-factor' configuration option."
        )
        return False

    def _log_excuse(self, excuse: str) -> None:
        """Say why not, once."""
        if excuse != self._excuse:
            self._excuse = excuse
            self._out.log(Level.WARNING, f"Currently unable to failover: {excuse}")

    def _withdraw(self) -> None:
        if self._stage.state is not Stage.NOT_STANDING:
            self._stage.enter(Stage.NOT_STANDING)
        self._no_delay, self._rounds = False, 0
        self._votes.clear()

    # When

    @property
    def _step_ms(self) -> int:
        """The unit of all delays: 500 ms at the default node timeout, less at smaller ones."""
        return max(1, min(LONGEST_STEP_MS, self._tables.config.node_timeout_ms // STEPS_IN_TIMEOUT))

    def _plan(self, primary: Peer, now: Millis) -> None:
        self._withdraw()
        self._stage.enter(Stage.DELAYED)
        self._due, self._planned, self._rank = now, now, 0
        self._turns.begin(now)
        if self.unconditional:
            return
        step = self._step_ms
        self._rank = self._rank_among(primary)
        self._base = now + step + int(self._rng.random() * step) + self._rank_delay_ms(self._rank)
        self._due = max(self._base, self._turns.turn_at(primary, step, now))
        self._out.log(
            Level.WARNING,
            f"Start of election delayed for {self._due - now} milliseconds "
            f"(rank #{self._rank}, offset {self._messages.offset}).",
        )
        self._peers.me.flags |= Flag.MY_PRIMARY_FAIL
        for sibling in self._siblings(primary):
            if sibling.linked:
                self._messages.ping(sibling, now)

    def _reconsider(self, primary: Peer, now: Millis) -> None:
        """Siblings have told of their offsets meanwhile, and whether they see the failure."""
        if self.unconditional:
            self._due = min(self._due, now)
            return
        rank = self._rank_among(primary)
        if rank != self._rank:
            self._base += self._rank_delay_ms(rank) - self._rank_delay_ms(self._rank)
            self._rank = rank
        if not rank and not self._no_delay and self._all_see_the_failure(primary):
            self._no_delay = True
            self._base = min(self._base, max(now, primary.fail_time + GATHER_MS))
        self._due = max(self._base, self._turns.turn_at(primary, self._step_ms, now))

    def _siblings(self, primary: Peer) -> list[Peer]:
        """The other replicas of my primary that have not failed, and are not evidently gone (refusals.py)."""
        me = self._peers.me
        return [p for p in self._peers.replicas_of(primary) if p is not me and not p.refuses and not p.has(Flag.FAIL)]

    def _rank_among(self, primary: Peer) -> int:
        me = self._peers.me
        mine = -self._messages.offset, me.id
        rivals = (p for p in self._siblings(primary) if not p.has(Flag.NOFAILOVER))
        return sum(1 for p in rivals if (-p.repl_offset, p.id) < mine)

    def _rank_delay_ms(self, rank: int) -> int:
        """How much later one stands that has so many before it."""
        promised = self._tables.config.node_timeout_ms if rank and self._tables.config.write_ack_replicas else 0
        return 2 * self._step_ms * rank + promised

    def _all_see_the_failure(self, primary: Peer) -> bool:
        """Whether every sibling says so. One in PFAIL is not waited for: it may be dead and not yet convicted.

        A primary that has spoken since it failed is back; voters that know it should decide.
        """
        silent = primary.data_received <= primary.fail_time or self._tables.replication.primary_lost_data
        return silent and all(p.has(Flag.MY_PRIMARY_FAIL | Flag.PFAIL) for p in self._siblings(primary))

    def _has_heard_all(self, primary: Peer, now: Millis) -> bool:
        """Has each sibling that is well said how far it is, since we asked? Soon it has, or it is suspect."""
        if self.unconditional or now - self._planned > min(self._tables.config.node_timeout_ms, LONGEST_SILENCE_MS):
            return True
        waiting = (p for p in self._siblings(primary) if p.linked and not p.has(Flag.PFAIL))
        return all(p.pong_received >= self._planned and not p.ping_sent for p in waiting)

    # Asking

    def _request_votes(self, now: Millis) -> None:
        """Ask everybody, for the first time or anew."""
        assert not self._peers.me.is_primary
        self._epoch = self._claims.next_epoch()
        assert all(epoch < self._epoch for epoch in self._votes)
        self._votes[self._epoch] = set()
        self._stage.enter(Stage.ASKED)
        self._due = now
        self._rounds += 1
        self._out.log(Level.WARNING, f"Starting a failover election for epoch {self._epoch}.")
        self._messages.request_votes(self.unconditional or self._no_delay or self._tables.replication.primary_lost_data)
