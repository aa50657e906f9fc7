"""The target of a migration, and a replica of it: keys collect beside the data until the slots are this node's.

The protocol is Valkey's (cluster_migrateslots.c of Valkey 9.1). Ours is what makes the hand-over safe:

- The replicas are sent all of it, in the ordinary stream, with marks around it (ESTABLISH, COMPLETE, FINISH); those of
  Valkey know the first and the last. The pause is asked for when all replicas are there and in step, and the slots when
  each has acknowledged all that came before the pause: whoever is elected in place of this node has all the keys.
  With ``write-ack-replicas`` there must be so many: what the source has promised is promised here too.
- The new owner has its config epoch on disk before anybody hears of it, and takes no write to these slots before a
  majority of the primaries have heard of it. So if the source's shard elects somebody meanwhile, either that one knows,
  or no write is lost when it wins the slots back.
- A replica that is elected keeps the slots if its shard has them, or if its primary had said that it took them; it
  drops what was still on its way.
"""

from typing import Final

from gossamer.cluster.topology import Flag, NodeId, Topology
from gossamer.gossip.events import TakeSlots
from gossamer.node.engine.clients.client import NOT_TO_PAUSE, REPLIES_OFF, SLOT_EXPORTER, Client
from gossamer.node.engine.slots.slot_import import MANY, SlotImport
from gossamer.node.engine.stream.journal import deletion
from gossamer.node.migration.context import JobContext
from gossamer.node.migration.job import ACK, EPOCH_DIGITS, IMPORT, Job, message
from gossamer.node.migration.states import (
    FAILED,
    GRANTED,
    IMPORT_SUCCESSORS,
    RECEIVING,
    REPLICA_SUCCESSORS,
    REQUESTED,
    SUCCESS,
    WAITING_FOR_ACK,
    WAITING_FOR_PAUSED,
    JobState,
    Successors,
)

ABSENT_MS: Final = 30_000
"""So long the pause is put off for a replica that is not there, or is still being synchronized."""
GONE_MS: Final = 3000
"""So long writers may wait for a replica that was there when the pause was asked for."""


class ImportBase(Job):
    """Slots that come to this node, or to its primary."""

    def __init__(
        self, context: JobContext, slot_import: SlotImport, source: NodeId, target: NodeId, successors: Successors
    ) -> None:
        super().__init__(context.server, slot_import.name, slot_import.ranges, source, target, successors)
        self.context: JobContext = context
        self.slot_import: SlotImport = slot_import
        slot_import.begin(context.server.changes)
        context.server.slot_imports.all.append(slot_import)

    @property
    def operation(self) -> str:
        return IMPORT

    def settle(self) -> None:
        """The keys become visible."""
        server = self.server
        self.slot_import.settle(server.keyspace.database(0))

    def undo(self) -> None:
        """Replicas of other kinds than ours have the keys among the others: these must go there too."""
        journal, db = self.server.journal, self.slot_import.db
        word = deletion(self.server.config, "lazyfree-lazy-server-del")
        for slot in self.slots:
            keys = db.keys_in_slot(slot)
            for at in range(0, len(keys), MANY):
                journal.deleted(db.index, keys[at : at + MANY], word)
                journal.release()

    def end(self, state: JobState, text: str = "") -> None:
        importing = self.server.slot_imports.all
        if self.slot_import in importing:
            importing.remove(self.slot_import)
        super().end(state, text)


class Import(ImportBase):
    """On the node that takes over the slots; ``client`` is the connection of the source."""

    def __init__(self, context: JobContext, slot_import: SlotImport, target: NodeId, client: Client) -> None:
        super().__init__(context, slot_import, slot_import.source, target, IMPORT_SUCCESSORS)
        self.client: Client = client
        self.heard_ms: int = context.server.now
        self._told_ms: int = 0
        self._awaited: int = -1
        """Offset that the replicas must acknowledge before it goes on; -1: nothing is waited for."""
        self._since_ms: int = 0
        self._beyond: int = 0
        """An epoch that the source knew of when it granted."""
        self._synced_replicas: int = 0
        """How many replicas had all when the pause was asked for."""
        context.server.drop_slots(tuple(self.slots))  # whatever is left there is nobody's
        context.server.lazyfree.finish(set(self.slots))
        client.modes |= SLOT_EXPORTER | REPLIES_OFF | NOT_TO_PAUSE
        context.server.slot_imports.by_client[client.id] = self.slot_import
        numbers = [str(number) for pair in slot_import.ranges for number in pair]
        context.tell_replicas(
            "ESTABLISH", "SOURCE", slot_import.source, "NAME", slot_import.name, "SLOTSRANGE", *numbers
        )
        self.log("notice", f"New slot import job created: {self}.")

    # --- what the source says

    def hear(self, word: bytes, more: list[bytes]) -> None:
        """CLUSTER SYNCSLOTS ``word``, and what follows it."""
        self.acked_s = self.server.now_s
        if word == b"ACK":
            if self.state is WAITING_FOR_ACK:
                self.enter(RECEIVING)
        elif word == b"CAPA":
            pass
        elif word == b"SNAPSHOT-EOF" and self.state is RECEIVING:
            self.enter(WAITING_FOR_PAUSED)
            self._await_replicas()
        elif word == b"PAUSED" and self.state is WAITING_FOR_PAUSED and self._awaited < 0:
            self.slot_import.complete = True
            self.context.tell_replicas("COMPLETE", "NAME", self.name)
            self.enter(REQUESTED)
            self._await_replicas()
        elif word == b"FAILOVER-GRANTED" and self.state is REQUESTED and self._awaited < 0:
            if len(more) == 2 and more[0].upper() == b"EPOCH" and more[1].isdigit() and len(more[1]) <= EPOCH_DIGITS:
                self._beyond = int(more[1])
            self.enter(GRANTED)
            self._since_ms = self.server.now
            self.go_on()
        else:
            self.fail("Unexpected state machine transition")

    def _await_replicas(self) -> None:
        self._awaited = self.context.replication.offset
        self._since_ms = self.server.now
        self.context.request_acks()
        self.go_on()

    def go_on(self) -> None:
        """Once the replicas have what they must have, or once this node may take slots."""
        if self.state is GRANTED:
            self._take_over_when_free()
        if self._awaited < 0 or self.ended:
            return
        have, waited_ms = self.context.synced_replicas(self._awaited), self.server.now - self._since_ms
        if self.state is WAITING_FOR_PAUSED:
            wanted = self.server.acks.wanted
            if have < max(wanted, self.context.known_replicas()) and (have < 0 or waited_ms < ABSENT_MS):
                return
            if have < wanted:
                self.fail("The target has fewer replicas than write-ack-replicas asks for")
                return
            self._synced_replicas = have
        elif have < self._synced_replicas:
            if waited_ms >= GONE_MS:
                self.fail("A replica of the target was lost during the hand-over")
            return
        self._awaited = -1
        if self.state is WAITING_FOR_PAUSED:
            self._say(message("REQUEST-PAUSE"))
        else:
            self._say(message("REQUEST-FAILOVER", "EPOCH", str(self.context.topology.current_epoch + 1)))

    def _say(self, data: bytes) -> None:
        self._told_ms = self.server.now
        self.client.send(data)

    # --- the hand-over

    def _take_over_when_free(self) -> None:
        """Not while slots of this node are being handed over themselves (source.py), nor before a majority knows of
        those that it has taken last. The epoch of a replica that is elected meanwhile must not be less than that which
        this node has written down: it may be that one's equal, for then the vote counts.
        """
        if self.context.may_take() and not self.context.awaits_majority:
            self._take_over()
        elif self.server.now - self._since_ms >= GONE_MS:
            self.fail("Other slots were being handed over for too long")

    def _take_over(self) -> None:
        """The keys are there before the slots are: whoever is served next finds them."""
        topology = self.context.topology
        source = topology.nodes.get(self.source)
        if source is None or source.has(Flag.PFAIL | Flag.FAIL):
            self.fail("The source failed while it granted the hand-over")
            return
        if any(topology.owners[slot] != self.source for slot in self.slots):
            self.fail("Slots are no longer owned by source node")
            return
        self.context.hold_writes(self.slots)
        refused = self.context.execute(TakeSlots(tuple(self.slots), self._beyond))
        if refused:
            self.fail(refused)
            return
        self.settle()
        self.log("notice", f"Slot migration {self} completed. This node is now the owner of the slots")
        self.end(SUCCESS)

    # --- what could end it

    def seen(self, topology: Topology) -> None:
        if self.ended or self.state is GRANTED:
            return
        owners = {topology.owners[slot] for slot in self.slots}
        if owners == {topology.me}:
            self.fail("Slots were unexpectedly assigned to myself during import")
        elif owners != {self.source}:
            self.fail("Slots are no longer owned by source node")

    def tick(self, now: int) -> None:
        """About ten times a second."""
        if self.ended:
            return
        if now - max(self.heard_ms, self.client.active_ms) > 1000 * self.server.config.integer("repl-timeout"):
            self.fail("Timed out after too long with no interaction")
        elif self.state is not WAITING_FOR_ACK and now - self._told_ms >= 1000:
            self._say(ACK)
        if self._awaited >= 0:
            self.context.request_acks()
        self.go_on()

    def end(self, state: JobState, text: str = "") -> None:
        server = self.server
        super().end(state, text)
        server.slot_imports.by_client.pop(self.client.id, None)
        self.client.close_after_reply()
        if state != SUCCESS:
            self.undo()
            self.context.release_writes(self.slots)
        self.context.tell_replicas(
            "FINISH", "STATE", state.value, "NAME", self.name, *(["MESSAGE", text] if text else [])
        )


class ReplicaImport(ImportBase):
    """On a replica of the node that takes over the slots, which learns of it from the stream."""

    def __init__(self, context: JobContext, slot_import: SlotImport) -> None:
        super().__init__(context, slot_import, "", "", REPLICA_SUCCESSORS)
        context.server.departed.forget(self.slots)
        self.origin: NodeId = slot_import.source
        self.origin_epoch: int = context.epoch_of(slot_import.source)
        self.taken: bool = False
        """The primary said that it took the slots, and nobody else has told of it yet."""
        self.log("notice", f"The primary imports slots: {self}.")

    def finish(self, state: JobState, text: str) -> None:
        """The primary tells how it ended."""
        if state == SUCCESS:
            self.settle()
            self.taken = True
        self.end(state, text)

    def promoted(self, topology: Topology) -> None:
        """This node leads the shard now."""
        if self.ended:
            self._inherit(topology)
            return
        state, text = SUCCESS, ""
        if all(topology.owners[slot] == topology.me for slot in self.slots):
            if not self.slot_import.complete:
                self.log("warning", f"Slot migration {self}: the shard has the slots, but maybe not all keys")
            self.settle()
        else:
            state, text = FAILED, "A failover occurred during slot import"
            self.undo()
        self.end(state, text)
        self.context.tell_replicas("FINISH", "STATE", state.value, "NAME", self.name)

    def _inherit(self, topology: Topology) -> None:
        """The primary took the slots and died before anybody else knew."""
        given = {topology.owners[slot] for slot in self.slots} == {self.origin}
        if self.taken and given and self.context.epoch_of(self.origin) == self.origin_epoch:
            self.context.execute(TakeSlots(tuple(self.slots)))
        self.taken = False
