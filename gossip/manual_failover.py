"""A failover that the operator asks for: the primary holds its writes, the replica catches up, then takes over.

Rules kept here (cluster bus of Redis 7.0, "Manual failover"):
- On the replica: MFSTART goes to the primary; once it is paused it tells its offset; when the replica's own is the
  same, nothing can be lost, and the replica stands for election at once. ``force`` does so without the primary.
- On the primary: writes are held back before the offset is told, and for twice the time that the replica has, so that
  none slips in while the election ends. Every message says PAUSED; the replica is pinged with every tick.
- A primary that is handing over slots to another shard (KeepEpoch) pauses when that is done: else two could have them.
- The epoch of the election is on disk before the primary is asked: while writes are held back nobody waits for that.
- Either side gives up after ``cluster-manual-failover-timeout``. A new role ends it too.
"""

from enum import Enum, auto
from typing import Final

from gossamer.cluster.topology import Millis, NodeId
from gossamer.gossip.effects import Level, Pause, Resume
from gossamer.gossip.messages import Messages
from gossamer.gossip.packet import MessageFlag, Packet
from gossamer.gossip.peers import Peer
from gossamer.gossip.states import StateMachine
from gossamer.gossip.tables import Tables


class Stage(Enum):
    """How far it has come, at this end."""

    IDLE = auto()
    ASKED_PRIMARY = auto()
    """Replica: the primary has been asked to pause, and has not told its offset."""
    CATCHING_UP = auto()
    """Replica: it is paused at ``awaited_offset``."""
    MAY_START = auto()
    """Replica: everything is here, or the operator does without it."""
    PAUSING = auto()
    """Primary: its writes are to be held back, which Paused will say."""
    PAUSED = auto()
    """Primary: they are, and the replica knows up to where it has to come."""


SUCCESSORS: Final = {
    Stage.IDLE: frozenset({Stage.ASKED_PRIMARY, Stage.MAY_START, Stage.PAUSING}),
    Stage.ASKED_PRIMARY: frozenset({Stage.CATCHING_UP, Stage.IDLE}),
    Stage.CATCHING_UP: frozenset({Stage.MAY_START, Stage.IDLE}),
    Stage.MAY_START: frozenset({Stage.IDLE}),
    Stage.PAUSING: frozenset({Stage.PAUSED, Stage.IDLE}),
    Stage.PAUSED: frozenset({Stage.IDLE}),
}
PRIMARYS: Final = (Stage.PAUSING, Stage.PAUSED)


class ManualFailover:
    """``awaited_offset`` is that which the replica must reach, None while not known."""

    def __init__(self, tables: Tables, messages: Messages) -> None:
        self.awaited_offset: int | None = None
        self._stage = StateMachine(SUCCESSORS, Stage.IDLE)
        self._ends_at: Millis = 0
        self._partner: NodeId = ""
        """The primary that a replica wants to replace; the replica that a primary is paused for."""
        self._reply_to: int = 0
        """The link on which that replica has asked."""
        self._handing_over = False
        self._postponed: tuple[NodeId, int, Millis] | None = None
        """Who asked meanwhile, on which link, and when."""
        self._tables = tables
        self._peers = tables.peers
        self._messages = messages
        self._me = tables.me
        self._out = tables.out

    @property
    def due(self) -> Millis | None:
        """When it is given up."""
        return None if self._stage.state is Stage.IDLE else self._ends_at

    @property
    def may_start(self) -> bool:
        """The replica has everything, and need not ask whether its primary has failed."""
        return self._stage.state is Stage.MAY_START

    # The replica

    def start(self, primary: Peer, forced: bool, now: Millis) -> None:
        """The operator asks for it. An attempt under way is given up for this one."""
        assert not self._me.is_primary
        assert self._me.primary == primary.id
        self._end()
        self._ends_at, self._partner = now + self._tables.config.manual_failover_ms, primary.id
        if forced:
            self._out.log(Level.WARNING, "Forced failover user request accepted.")
            self._stage.enter(Stage.MAY_START)
        else:
            self._out.log(Level.WARNING, "Manual failover user request accepted.")
            self._stage.enter(Stage.ASKED_PRIMARY)
            self._messages.send_mfstart(primary)

    def note_offset(self, sender: Peer, packet: Packet) -> None:
        """Any message of ``sender``; it may be that the primary is paused.

        The offset is not yet the last if its stream goes on without writes, with a PING say: the newest told counts.
        """
        waits = self._stage.state in (Stage.ASKED_PRIMARY, Stage.CATCHING_UP)
        if not waits or sender.id != self._partner or self._me.is_primary:
            return
        if packet.mflags & MessageFlag.PAUSED and packet.offset != self.awaited_offset:
            if self._stage.state is Stage.ASKED_PRIMARY:
                self._stage.enter(Stage.CATCHING_UP)
            self.awaited_offset = packet.offset
            self._out.log(
                Level.WARNING, f"Received replication offset for paused master manual failover: {self.awaited_offset}"
            )

    # The primary

    def pause_requested(self, replica: Peer, link: int, now: Millis) -> None:
        """MFSTART: only a replica of mine may ask."""
        if not self._me.is_primary or replica.primary != self._me.id:
            return
        if self._handing_over:
            self._postponed = replica.id, link, now
            return
        self._end()
        self._ends_at, self._partner = now + self._tables.config.manual_failover_ms, replica.id
        self._reply_to = link
        self._stage.enter(Stage.PAUSING)
        self._out.log(Level.WARNING, f"Manual failover requested by replica {replica.name}.")
        self._out.do(Pause(self._tables.clock.to_wall(now + 2 * self._tables.config.manual_failover_ms)))

    def handing_over(self, on: bool, now: Millis) -> None:
        """Slots are on their way to another shard, or no longer."""
        self._handing_over = on
        if on or self._postponed is None:
            return
        (node, link, asked_at), self._postponed = self._postponed, None
        replica = self._peers.known(node)
        if replica is not None and now - asked_at < self._tables.config.manual_failover_ms:
            self.pause_requested(replica, link, now)

    def paused(self, now: Millis) -> None:
        """Writes are held back now, and ``me.repl_offset`` is where the stream ends."""
        replica = self._peers.known(self._partner)
        if replica is None or self._stage.state is not Stage.PAUSING:
            return
        self._stage.enter(Stage.PAUSED)
        self._messages.paused = True
        self._messages.ping_on(self._reply_to, replica, now)

    def tick(self, now: Millis) -> None:
        replica = self._peers.known(self._partner)
        if self._stage.state is Stage.PAUSED and replica is not None and replica.linked:
            self._messages.ping(replica, now)

    # Both

    def step(self, now: Millis) -> None:
        """Has it come to its end, or may it start?"""
        if self._stage.state is Stage.IDLE:
            return
        if now >= self._ends_at:
            self._out.log(Level.WARNING, "Manual failover timed out.")
            self._end()
        elif self._has_ended():
            self._end()
        elif self._stage.state is Stage.CATCHING_UP and self.awaited_offset == self._me.repl_offset:
            self._out.log(Level.WARNING, "All master replication stream processed, manual failover can start.")
            self._stage.enter(Stage.MAY_START)

    def _has_ended(self) -> bool:
        """One of the two has another role now."""
        partner = self._peers.known(self._partner)
        was_primary = self._stage.state in PRIMARYS
        if partner is None or was_primary != self._me.is_primary:
            return True
        return partner.primary != self._me.id if was_primary else self._me.primary != partner.id

    def _end(self) -> None:
        """Whatever it has come to: writes are held back for it no longer."""
        if self._stage.state is Stage.IDLE:
            return
        if self._stage.state in PRIMARYS:
            self._out.do(Resume())
        self._stage.enter(Stage.IDLE)
        self.awaited_offset, self._partner = None, ""
        self._messages.paused = False
