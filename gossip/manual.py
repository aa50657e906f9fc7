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

from gossamer.cluster.topology import Millis, NodeId
from gossamer.gossip.config import GossipConfig
from gossamer.gossip.effects import Level, Outbox, Pause, Resume
from gossamer.gossip.packet import MessageFlag, Packet
from gossamer.gossip.peers import Peer, Peers
from gossamer.gossip.voice import Voice


class Manual:
    """``may_start``: the replica has everything. ``awaited`` is the offset it must reach, None while not known."""

    def __init__(self, peers: Peers, voice: Voice, config: GossipConfig, out: Outbox) -> None:
        self.config = config
        self.may_start = False
        self.awaited: int | None = None
        self._ends: Millis | None = None
        self._leading = False
        self._partner: NodeId = ""
        """The primary that a replica wants to replace; the replica that a primary is paused for."""
        self._reply_to: int | None = None
        self._handing_over = False
        self._put_off: tuple[NodeId, int, Millis] | None = None
        """Who asked meanwhile, on which link, and when."""
        self._peers = peers
        self._voice = voice
        self._me = peers.me
        self._out = out

    @property
    def due(self) -> Millis | None:
        return self._ends

    # The replica

    def begin(self, primary: Peer, forced: bool, now: Millis) -> None:
        """The operator asks for it. An attempt under way is given up for this one."""
        self._end()
        self._ends, self._leading, self._partner = now + self.config.manual_failover_ms, False, primary.id
        if forced:
            self._out.log(Level.WARNING, "Forced failover user request accepted.")
            self.may_start = True
        else:
            self._out.log(Level.WARNING, "Manual failover user request accepted.")
            self._voice.ask_to_pause(primary)

    def heard(self, sender: Peer, packet: Packet) -> None:
        """Any message of ``sender``; it may be that the primary is paused.

        The offset is not yet the last if its stream goes on without writes, with a PING say: the newest told counts.
        """
        if sender.id != self._partner or self._ends is None or self._me.is_primary or self.may_start:
            return
        if packet.mflags & MessageFlag.PAUSED and packet.offset != self.awaited:
            self.awaited = packet.offset
            self._out.log(
                Level.WARNING, f"Received replication offset for paused master manual failover: {self.awaited}"
            )

    # The primary

    def asked_to_pause(self, replica: Peer, link: int, now: Millis) -> None:
        """MFSTART: only a replica of mine may ask."""
        if not self._me.is_primary or replica.primary != self._me.id:
            return
        if self._handing_over:
            self._put_off = replica.id, link, now
            return
        self._end()
        self._ends, self._leading, self._partner = now + self.config.manual_failover_ms, True, replica.id
        self._reply_to = link
        self._out.log(Level.WARNING, f"Manual failover requested by replica {replica.name}.")
        self._out.do(Pause(now + 2 * self.config.manual_failover_ms))

    def handing_over(self, on: bool, now: Millis) -> None:
        """Slots are on their way to another shard, or no longer."""
        self._handing_over = on
        if on or self._put_off is None:
            return
        (node, link, asked), self._put_off = self._put_off, None
        replica = self._peers.known(node)
        if replica is not None and now - asked < self.config.manual_failover_ms:
            self.asked_to_pause(replica, link, now)

    def paused(self, now: Millis) -> None:
        """Writes are held back now, and ``me.repl_offset`` is where the stream ends."""
        replica = self._peers.known(self._partner)
        if replica is None or self._ends is None or self._reply_to is None:
            return
        self._voice.paused = True
        self._voice.ping_on(self._reply_to, replica, now)
        self._reply_to = None

    def tick(self, now: Millis) -> None:
        replica = self._peers.known(self._partner)
        if self._voice.paused and replica is not None and replica.linked:
            self._voice.ping(replica, now)

    # Both

    def step(self, now: Millis) -> None:
        """Has it come to its end, or may it start?"""
        if self._ends is None:
            return
        if now >= self._ends:
            self._out.log(Level.WARNING, "Manual failover timed out.")
            self._end()
        elif self._has_ended():
            self._end()
        elif self.awaited is not None and not self.may_start and self.awaited == self._me.repl_offset:
            self._out.log(Level.WARNING, "All master replication stream processed, manual failover can start.")
            self.may_start = True

    def _has_ended(self) -> bool:
        """One of the two has another role now."""
        partner = self._peers.known(self._partner)
        if partner is None or self._leading != self._me.is_primary:
            return True
        return partner.primary != self._me.id if self._leading else self._me.primary != partner.id

    def _end(self) -> None:
        if self._voice.paused or self._reply_to is not None:
            self._out.do(Resume())
        self._ends = self.awaited = self._reply_to = None
        self._partner = ""
        self.may_start = self._voice.paused = False

    def shift(self, ms: int) -> None:
        """The clock was set."""
        if self._ends is not None:
            self._ends += ms
        if self._put_off is not None:
            node, link, asked = self._put_off
            self._put_off = node, link, asked + ms
