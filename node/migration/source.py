"""The source of a migration: a snapshot of the slots as plain commands, then their writes, a short pause, the grant.

The protocol is Valkey's (cluster_migrateslots.c of Valkey 9.1; recorded between real servers). What is ours:

- The snapshot is made a piece at a time, whenever the connection has taken the last one; nothing forks. Writes of the
  slots that happen meanwhile collect, and follow it.
- Only writes to these slots are held back, and not before what is still to be sent is little, or has had its time.
  Where writers are faster than the target they are slowed down: whenever too much waits, they wait too (``BRAKE``).
- A node that has granted takes no config epoch, for with that it would claim the slots once more: so one grant at a
  time, and none while this node is about to take slots itself. Where nodes hand over to each other in a circle somebody
  has to begin: who has a smaller id than its target. The target takes an epoch beyond that of the source.
- After the grant the slots may be the target's, though nobody here knows it yet. So they stay closed until it is sure:
  the bus tells that the target has them; or the target, asked again, says that it never took them; or it has died and
  nobody came in its place with them. With ``write-ack-replicas`` nobody reads them here either. In the last two cases
  this node takes a config epoch larger than any that the target may have written down, so that one that comes back with
  the slots has nothing in its hands.
"""

from collections.abc import Callable
from typing import Final

from gossamer.cluster.text import bytes_of, text_of
from gossamer.cluster.topology import Flag, NodeId, Topology
from gossamer.gossip.events import TakeSlots
from gossamer.node.engine.clients.limits import REPLICA
from gossamer.node.engine.data.snapshot import Snapshot
from gossamer.node.engine.data.spilled import Unreadable
from gossamer.node.engine.stream.as_commands import AsCommands
from gossamer.node.engine.stream.tap import Tap
from gossamer.node.migration.context import JobContext
from gossamer.node.migration.job import ACK, EPOCH_DIGITS, EXPORT, Job, message
from gossamer.node.migration.states import (
    CANCELLED,
    CONNECTING,
    ENDS,
    EXPORT_SUCCESSORS,
    FAILED,
    GRANTED,
    PAUSED,
    READING_AUTH,
    READING_ESTABLISH,
    REPLICATING,
    SNAPSHOTTING,
    SUCCESS,
    WAITING_TO_PAUSE,
    JobState,
)
from gossamer.node.resp.errors import ProtocolError
from gossamer.node.resp.parser import Parser
from gossamer.node.resp.requests import encoded

PIECE: Final = 1 << 17
"""A fraction of a millisecond's work."""
BRAKE: Final = 8 << 20
"""Bytes that may wait behind the snapshot; then writers wait until half of them are gone."""
PAUSE_DELAY_MS: Final = 200
"""So long the pause may be put off for the sake of a shorter one."""
PAUSE_FACTOR: Final = 2
"""Times cluster-manual-failover-timeout: how long writers wait at most before the grant."""
LONGEST_LINE: Final = 4096
MARGIN: Final = 16
"""Epochs that may have passed between what the target said it would take and what it took."""
ASK_MS: Final = 250
ANSWER_MS: Final = 3000
"""So long the target has for its answer, or for letting the bus tell that it has the slots; then it is asked anew, on
another connection: this one may be dead without either end knowing."""

PING: Final = encoded([b"PING"])
GET_MIGRATIONS: Final = encoded([b"CLUSTER", b"GETSLOTMIGRATIONS"])


class Export(Job):
    """``connected``, ``receive`` and ``next_output`` carry it; ``finished`` says that the connection must be ended.

    With ``asking`` a new connection is wanted: not for data, but to hear what has become of the job.
    """

    def __init__(
        self, context: JobContext, name: str, slot_ranges: list[tuple[int, int]], source: NodeId, target: NodeId
    ) -> None:
        super().__init__(context.server, name, slot_ranges, source, target, EXPORT_SUCCESSORS)
        self.context: JobContext = context
        self.on_output: Callable[[], None] | None = None
        self.on_asking: Callable[[], None] | None = None
        self.on_seen: Callable[[], None] | None = None
        """Called when the target may be at another address."""
        self.asking: bool = False
        self.piece: int = PIECE
        """Bytes of the snapshot that are made at once."""
        self.sending: int = 0
        """Bytes that whoever carries the job has been given, and the kernel not yet."""
        self._line: bytes = b""
        self._parser: Parser = Parser()
        self._out: list[bytes] = []
        self._commands: AsCommands | None = None
        self._tap: Tap | None = None
        self._braking: bool = False
        self._holding: bool = False
        self._wanted_ms: int = 0
        """When the target asked for the pause."""
        self._paused_ms: int = 0
        self._told_ms: int = 0
        self._epoch: int = 0
        """The epoch that the target said it would take; 0 if it is none of ours, which says it."""
        self._wanted: bool = False
        """The target has asked for the grant."""
        self._ack_offset: int = -1
        """Offset that the replicas must acknowledge before the slots are taken back; -1: nobody has asked them yet."""
        self._missed_ms: int = 0
        """Since when the target is known to have failed or to lead no longer; 0: it is well."""
        self._ask_at_ms: int = 0
        self._answered: bool = False
        """The target has said what it did, or does not seem to hear."""
        self._carried: bool = True
        """There is a connection, or somebody is about to make one."""
        self._since_ms: int = 0
        """When what is waited for was asked for: the slots, or the answer."""

    @property
    def operation(self) -> str:
        return EXPORT

    @property
    def unsent(self) -> int:
        return self.sending + (self._tap.size if self._tap is not None else 0)

    @property
    def finished(self) -> bool:
        """Nothing more is to be said on this connection."""
        return self.state in ENDS or self._answered

    # --- the connection

    def connected(self) -> None:
        """The connection is there: begin, or ask; unless the job has been ended meanwhile."""
        if self.ended:
            return
        if self.asking:
            self._line = b""
            self._answered = False
            self._since_ms = self.server.now
            self._say(self._login() + GET_MIGRATIONS + PING)
            return
        login = self._login()
        if login:
            self.enter(READING_AUTH)
            self._say(login)
        else:
            self._establish()

    def disconnected(self, why: str) -> None:
        """The connection has ended, or could not be made; ``why`` in the second case."""
        self.sending = 0
        self._carried = False
        if self.ended:
            return
        if self.state is GRANTED:
            self.asking = True
            self._ask_at_ms = self.server.now + ASK_MS
        elif self.state is CONNECTING:
            self.fail(f"Unable to connect to target node: {why}")
        else:
            self.fail(
                "Connection lost to target. Check CLUSTER GETSLOTMIGRATIONS on the target node for more information."
            )

    def receive(self, data: bytes) -> None:
        """What the target says."""
        self.acked_s = self.server.now_s
        if self.asking:
            self._learn(data)
        elif self.state in (READING_AUTH, READING_ESTABLISH):
            self._read_line(data)
        elif not self.ended:
            self._read_messages(data)

    def next_output(self) -> bytes:
        """What to send next, empty if there is nothing now; ask again when ``on_output`` has been called."""
        self._prepare()
        out, self._out = self._out, []
        data = b"".join(out)
        self.sending = len(data)
        self._brake()
        return data

    # --- what is said

    def _say(self, data: bytes) -> None:
        self._out.append(data)
        self._poke()

    def _poke(self) -> None:
        if self.on_output is not None:
            self.on_output()

    def _login(self) -> bytes:
        config = self.server.config
        password = bytes_of(config.text("masterauth"))
        user = bytes_of(config.text("masteruser"))
        if not password:
            return b""
        return encoded([b"AUTH", user, password] if user else [b"AUTH", password])

    def _establish(self) -> None:
        self.enter(READING_ESTABLISH)
        numbers = [str(number) for pair in self.slot_ranges for number in pair]
        self._say(message("ESTABLISH", "SOURCE", self.source, "NAME", self.name, "SLOTSRANGE", *numbers))

    def _read_line(self, data: bytes) -> None:
        self._line += data
        line, end, rest = self._line.partition(b"\r\n")
        if not end:
            if len(self._line) > LONGEST_LINE:
                self.fail("Response to establish job is larger than buffer limit")
            return
        self._line = b""
        text = text_of(line[1:])
        if self.state is READING_AUTH:
            if line.startswith(b"-"):
                self.fail(f"Failed to AUTH to target node: -{text}")
            else:
                self._establish()
        elif line.startswith(b"-"):
            self.fail(f"Received error during handshake to target: -{text}")
        else:
            self._begin()
        if rest and not self.ended:
            self.receive(rest)

    def _begin(self) -> None:
        """The target agrees: the snapshot is what the slots hold at this moment."""
        self.enter(SNAPSHOTTING)
        self._say(ACK)
        self._tap = self.context.open_tap(self.slots)
        self._commands = AsCommands(Snapshot(self.server.keyspace, self.slots))

    def _prepare(self) -> None:
        """Fill ``_out``: the snapshot, then the writes that came meanwhile, then, when it is time, the word PAUSED."""
        tap = self._tap
        if tap is None:
            return
        if self._commands is not None:
            try:
                self._out.append(self._commands.next(self.piece))
            except Unreadable as error:
                self.fail(error.text)
                return
            if self._commands.done:
                self._commands = None
                self._out.append(message("SNAPSHOT-EOF"))
                self.enter(REPLICATING)
            return
        if self.state is WAITING_TO_PAUSE and self._may_pause(tap):
            self._pause(tap)
        elif tap.size:
            self._out.append(tap.take())

    # --- the pause

    def _brake(self) -> None:
        """Writers that are faster than the target wait for it. Not before the snapshot is out: that would be long."""
        tap, waiting = self._tap, self.unsent
        if tap is None:
            return
        if self._commands is not None:
            most = self.server.limits.output[REPLICA].hard
            if most and tap.size > most:
                self.fail("More was written during the snapshot than client-output-buffer-limit lets wait")
        elif not self._braking and waiting > BRAKE:
            self._braking = True
            self._hold()
        elif self._braking and waiting < BRAKE // 2:
            self._braking = False
            self._free()

    def _may_pause(self, tap: Tap) -> bool:
        server = self.server
        if server.leaving.keys:
            return False  # what MIGRATE takes away is deleted when it has arrived, and that is a write too
        most = server.config.integer("slot-migration-max-failover-repl-bytes")
        return most < 0 or tap.size <= most or server.now - self._wanted_ms >= PAUSE_DELAY_MS

    def _pause(self, tap: Tap) -> None:
        self._hold()
        self.log("notice", f"Pausing writes to the slots of migration {self}: {tap.size} bytes are to be sent")
        self._out.append(tap.take())
        self._out.append(message("PAUSED"))
        self.context.close_tap(tap)
        self._tap = None
        self._paused_ms = self.server.now
        self.enter(PAUSED)

    def _hold(self) -> None:
        self._holding = True
        self.server.leaving.hold_slots(self.slots)

    def _free(self) -> None:
        if self._holding:
            self._holding = False
            self.context.free(self.slots)

    # --- what the target says

    def _read_messages(self, data: bytes) -> None:
        try:
            self._parser.feed(data)
            argv = self._parser.next()
            while argv is not None and not self.ended:
                self._hear([word.upper() for word in argv[:3]], argv[3:])
                argv = self._parser.next()
        except ProtocolError as error:
            self.fail(f"Protocol error of the target: {text_of(error.text)}")

    def _hear(self, words: list[bytes], more: list[bytes]) -> None:
        if words == [b"CLUSTER", b"SYNCSLOTS", b"ACK"]:
            pass
        elif words == [b"CLUSTER", b"SYNCSLOTS", b"REQUEST-PAUSE"] and self.state is REPLICATING:
            self._wanted_ms = self.server.now
            self.enter(WAITING_TO_PAUSE)
            self._poke()
        elif words == [b"CLUSTER", b"SYNCSLOTS", b"REQUEST-FAILOVER"] and self.state is PAUSED:
            if len(more) == 2 and more[0].upper() == b"EPOCH" and more[1].isdigit() and len(more[1]) <= EPOCH_DIGITS:
                self._epoch = int(more[1])
            self._wanted = True
            self._grant()
        else:
            self.fail("Unexpected state machine transition")

    def _grant(self) -> None:
        """Once it may be."""
        if self.state is not PAUSED or not self._wanted or not self.context.may_grant(self.target):
            return
        beyond = ["EPOCH", str(self.context.topology.current_epoch)] if self._epoch else []
        self._say(message("FAILOVER-GRANTED", *beyond))
        self.enter(GRANTED)
        self._since_ms = self.server.now
        self.server.leaving.hold_slots(self.slots, readers=bool(self.server.acks.wanted))
        self.context.keep_epoch()

    # --- after the grant

    def seen(self, topology: Topology) -> None:
        """The slots may have another owner, the target another state."""
        if self.ended:
            return
        owners = {topology.owners[slot] for slot in self.slots}
        if owners == {self.target}:
            self.end(SUCCESS)
        elif owners != {topology.me}:
            self.fail("Slots are no longer owned by myself")
        elif self.state is GRANTED:
            self._watch(topology)
        if self.on_seen is not None:
            self.on_seen()

    def _watch(self, topology: Topology) -> None:
        """Is the target still somebody who could have the slots?"""
        now, node = self.server.now, topology.nodes.get(self.target)
        if node is not None and node.is_primary and not node.has(Flag.FAIL):
            self._missed_ms = 0
            return
        self._missed_ms = self._missed_ms or now
        replicas = [n for n in topology.replicas_of(self.target) if not n.has(Flag.FAIL)]
        timeout_ms = 4 * self.server.config.integer("cluster-node-timeout")
        if not replicas or now - self._missed_ms > timeout_ms:
            self._take_back("The target failed after the hand-over was granted, and nobody has the slots in its place")

    def _learn(self, data: bytes) -> None:
        """The target's list of migrations, then its PONG."""
        self._line += data
        if not self._line.endswith(b"+PONG\r\n"):
            return
        state = state_of(self.name, self._line)
        self._line = b""
        self._answered = True
        self._poke()
        if state in ("", FAILED.value, CANCELLED.value):
            self._take_back("The target did not take over the slots that it was granted")

    def _take_back(self, why: str) -> None:
        """They have stayed here, whatever the target has written down."""
        if not self._is_followed():
            return  # this is tried again
        self.fail(why)
        refused = self.context.execute(
            TakeSlots(tuple(self.slots), max(self._epoch, self.context.topology.current_epoch) + MARGIN)
        )
        if refused:
            self.log("warning", f"Slot migration {self}: {refused}")

    def _is_followed(self) -> bool:
        """With ``write-ack-replicas``: do they follow this node still, and nobody who was elected in its place?

        The epoch to come would beat that one's, and with it the writes that it has taken. Where the cluster knows of no
        replica of this node nobody can be elected, and nobody would ever answer.
        """
        stream, wanted, topology = self.server.journal.stream, self.server.acks.wanted, self.context.topology
        if not wanted or stream is None or not topology.replicas_of(topology.me):
            return True
        if self._ack_offset < 0:
            stream.put(PING)
            stream.want_acks = True
            self._ack_offset = stream.offset
        return self.context.replication.replicas.count_acked(self._ack_offset) >= wanted

    # --- time, and the end

    def tick(self, now: int) -> None:
        """About ten times a second."""
        config = self.server.config
        if self.state is GRANTED:
            self.seen(self.context.topology)
            self._ask_in_time(now)
            return
        if now // 1000 - self.acked_s > config.integer("repl-timeout"):
            self.fail("Timed out after too long with no interaction")
        elif self.state is PAUSED and now - self._paused_ms > PAUSE_FACTOR * config.integer(
            "cluster-manual-failover-timeout"
        ):
            self.fail("Timed out before streaming completed")
        elif self.state in (REPLICATING, WAITING_TO_PAUSE, PAUSED):
            if now - self._told_ms >= 1000:
                self._told_ms = now
                self._out.append(ACK)
            self._poke()

    def _ask_in_time(self, now: int) -> None:
        """One connection at a time."""
        if self.ended:
            return
        if self._carried:
            if now - self._since_ms > ANSWER_MS:
                self._answered = True
                self._poke()
        elif now >= self._ask_at_ms and self.on_asking is not None:
            self._carried = True
            self._since_ms = now
            self.on_asking()

    def after_batch(self) -> None:
        """There may be writes to send."""
        self._brake()
        self._grant()
        if self._tap is not None and self._tap.pieces:
            self._poke()

    def end(self, state: JobState, text: str = "") -> None:
        if self._commands is not None:
            self._commands.close()
            self._commands = None
        if self._tap is not None:
            self.context.close_tap(self._tap)
            self._tap = None
        self._out = []
        granted = self.state is GRANTED
        super().end(state, text)
        if granted:
            self.context.keep_epoch()
        if state is SUCCESS:
            self.context.tell_left(self.target, self.slot_ranges)
        self._free()
        self._poke()


def state_of(name: str, reply: bytes) -> str:
    """The state of the job ``name`` in a reply to GETSLOTMIGRATIONS; empty if it is not there."""
    lines = reply.split(b"\r\n")
    try:
        at = lines.index(bytes_of(name))
        return text_of(lines[lines.index(b"state", at) + 2])
    except (ValueError, IndexError):
        return ""
