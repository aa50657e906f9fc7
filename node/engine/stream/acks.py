"""``write-ack-replicas``: replies that leave only when so many replicas have acknowledged what they speak of.

Requests are executed as ever; only their replies wait. For each slot is remembered where in the stream its last write
ended, so a reply waits for the youngest write of the slots that its request named, be it a write or a read: a read
that shows what is lost afterwards breaks a promise too. Reads of other slots are not held up. A reply that waits holds
back those behind it on the same connection. The stream asks for acknowledgements once a batch (``Stream.want_acks``),
and all that a client was answered in a batch waits for the end of the batch: there are no finer steps.

``SETSLOT NODE``, by which a primary takes a slot without asking anybody, is carried out only when replicas have shown
that they follow it still.

What is not acknowledged in time, or can no longer be because the node follows now, is answered with UNACKED: done here,
and nobody knows whether it survives.
"""

from typing import Final

from gossamer.cluster.slots import SLOTS, key_slot
from gossamer.node.engine.clients.client import REPLIES_OFF, SKIP_THIS_REPLY, Client, Clients
from gossamer.node.engine.clients.limits import Limits, over_output_limit
from gossamer.node.engine.clients.pending import PendingReplies
from gossamer.node.engine.deadlines import Deadlines, Timer
from gossamer.node.engine.insight.stats import Stats
from gossamer.node.engine.state import NodeState
from gossamer.node.engine.stream.journal import Journal
from gossamer.node.engine.table.command import READONLY, WRITE, Command
from gossamer.node.resp.errors import UNACKED_FOLLOWING, UNACKED_IN_TIME, Refusal
from gossamer.node.resp.reply import NO_REPLY, Failure, Reply
from gossamer.node.resp.writer import encode

EVER: Final = 1 << 62


class Overdue(Timer):
    """The first replies of ``client`` that wait may be over their time."""

    def __init__(self, acks: "WriteAcks", client: Client) -> None:
        super().__init__()
        self.acks: WriteAcks = acks
        self.client: Client = client

    def ring(self) -> None:
        self.acks.release(self.client, self.acks.node.now, UNACKED_IN_TIME)


class WriteAcks:
    """``wanted``: by how many replicas; ``confirmed``: up to where so many have acknowledged the stream."""

    def __init__(
        self,
        node: NodeState,
        journal: Journal,
        clients: Clients,
        limits: Limits,
        deadlines: Deadlines,
        stats: Stats,
    ) -> None:
        self.node: NodeState = node
        self.journal: Journal = journal
        self.clients: Clients = clients
        self.limits: Limits = limits
        self.deadlines: Deadlines = deadlines
        self.stats: Stats = stats
        self.wanted: int = 0
        self.timeout_ms: int = 0
        self.confirmed: int = 0
        self.stamps: list[int] = []
        """By slot: the offset behind its last write."""
        self.floor: int = 0
        """The offset behind the last write that could concern every slot, as FLUSHALL."""
        self.newest: int = 0
        self.held: dict[int, Overdue] = {}
        """By client id: those with output that waits."""
        self.written: list[int] = []
        """Slots of the writes of the request or transaction that is running; ``seen`` those that it reads."""
        self.seen: list[int] = []
        self.writes_all: bool = False
        self.reads_all: bool = False
        self._released_to: int = 0

    def begin(self) -> None:
        """The node makes a stream of its own from here on; all before it is taken as it is."""
        self.stamps = [0] * SLOTS if self.wanted else []
        self.floor = self.newest = self.confirmed = self._released_to = 0

    # --- while requests run

    def ran(self, client: Client, cmd: Command, argv: list[bytes], reply: Reply, nested: bool) -> None:
        """``cmd`` has run, and ``reply`` is what it says: it may have to wait. ``nested``: the outer one will."""
        stream = self.journal.stream
        if stream is None:
            return
        self._note(cmd, argv)
        if nested:
            return
        if client.wrote_to == stream.offset and (self.written or self.writes_all):
            self.stamp(self.written, stream.offset)
        self._wait_for(client, self._needed(), reply)
        self.written.clear()
        self.seen.clear()
        self.writes_all = self.reads_all = False

    def redirected(self, client: Client, keys: list[bytes]) -> None:
        """``client`` is told that ``keys`` are elsewhere: true only if their deletion here is not lost."""
        needed = max([self.stamps[key_slot(key)] for key in keys], default=0)
        self._wait_for(client, needed, None)

    def departed(self, keys: list[bytes]) -> None:
        """``keys`` have been deleted here, outside of any request."""
        stream = self.journal.stream
        if stream is not None and self.stamps:
            self.stamp([key_slot(key) for key in keys], stream.offset)

    def opened(self, slot: int) -> None:
        """Replicas have been told that ``slot`` is on its way: what clients are told of it rests on that."""
        stream = self.journal.stream
        if stream is not None and self.stamps:
            self.stamp([slot], stream.offset)

    def stamp(self, slots: list[int], offset: int) -> None:
        for slot in slots:
            self.stamps[slot] = offset
        if self.writes_all:
            self.floor = offset
        self.newest = offset
        stream = self.journal.stream
        if stream is not None and offset > self.confirmed:
            stream.want_acks = True

    def _note(self, cmd: Command, argv: list[bytes]) -> None:
        """Which slots the request concerns."""
        flags = cmd.flags
        if not flags & (WRITE | READONLY):
            return
        if not cmd.keys:
            self.writes_all = self.writes_all or bool(flags & WRITE)
            self.reads_all = True
            return
        slots = self.written if flags & WRITE else self.seen
        first = cmd.first_key
        if cmd.simple_keys and cmd.last_key == first and first > 0:
            slots.append(key_slot(argv[first]))
            return
        try:
            slots += [key_slot(key) for key in cmd.keys_of(argv)]
        except Refusal:
            return

    def _needed(self) -> int:
        """How far the stream must be acknowledged for the reply to be true for good."""
        if self.reads_all:
            return self.newest
        needed = self.floor
        stamps = self.stamps
        for slot in self.written:
            needed = max(needed, stamps[slot])
        for slot in self.seen:
            needed = max(needed, stamps[slot])
        return needed

    def _wait_for(self, client: Client, offset: int, reply: Reply) -> None:
        if (
            offset <= self.confirmed
            or reply is NO_REPLY
            or client.blocked
            or client.modes & (REPLIES_OFF | SKIP_THIS_REPLY)
        ):
            return
        if client.pending is None:
            client.pending = PendingReplies()
            self.held[client.id] = Overdue(self, client)
        client.pending.mark(len(client.out), offset)

    # --- after the batch

    def settle(self) -> None:
        """Keep what has to wait of what the batch has said, and send what need not wait any more."""
        if not self.held:
            return
        self._keep()
        if self.confirmed != self._released_to:
            self._released_to = self.confirmed
            self._release_all(0, UNACKED_IN_TIME)

    def _keep(self) -> None:
        now = self.node.now
        deadline = now + self.timeout_ms if self.timeout_ms else 0
        speaking: list[Client] = list(self.clients.to_flush)
        for client in speaking:
            pending = client.pending
            if client.out and pending is not None and not client.killed:
                client.out = pending.take_in(client.out, deadline)
                client.out_bytes = sum([len(piece) for piece in client.out])
                self._watch(client)
                if over_output_limit(client, self.limits.output, now):
                    self.stats.client_output_buffer_limit_disconnections += 1
                    client.kill()

    def confirm(self, offset: int) -> None:
        """``wanted`` replicas have all up to ``offset``. What they had once they need not have again."""
        self.confirmed = max(self.confirmed, offset)

    def content(self) -> None:
        """The promise was taken back: when the batch is settled nothing waits for anybody any more."""
        self.confirmed = EVER

    def give_up(self) -> None:
        """The node is no primary any more: what waits will not be acknowledged."""
        self.confirmed = 0
        self.settle()
        self._release_all(EVER, UNACKED_FOLLOWING)

    def forget(self, client: Client) -> None:
        """``client`` has nothing that waits any more, or has gone."""
        client.pending = None
        overdue = self.held.pop(client.id, None)
        if overdue is not None:
            self.deadlines.cancel(overdue)

    def _watch(self, client: Client) -> None:
        """See to it that somebody looks when the first replies of ``client`` are over their time."""
        assert client.pending is not None
        deadline = client.pending.next_deadline()
        overdue = self.held[client.id]
        if deadline and not overdue.at:  # one that is set is early enough: later replies have later deadlines
            self.deadlines.set(overdue, deadline)

    def _release_all(self, now: int, text: bytes) -> None:
        waiting: list[Overdue] = list(self.held.values())
        for overdue in waiting:
            self.release(overdue.client, now, text)

    def release(self, client: Client, now: int, text: bytes) -> None:
        """Send ``client`` what is acknowledged, and ``text`` instead of replies whose time is over (EVER: all)."""
        pending = client.pending
        assert pending is not None
        if now == EVER:
            for batch in pending.batches:
                batch.deadline = 1
        leaving, doubtful = pending.let_go(self.confirmed, now, encode(Failure(text), False))
        for _ in range(doubtful):
            self.stats.count_error(text)
        if pending.batches or pending.marks:
            self._watch(client)
        else:
            self.forget(client)
        if leaving:
            client.send(b"".join(leaving))
