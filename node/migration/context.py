"""What a migration job needs of its node: the stream to the replicas, the cluster, and the slots that writers wait for.

Here is also what jobs have to know of each other: one grant at a time, and none while slots are being taken.
"""

from collections.abc import Callable
from typing import Final

from gossamer.cluster.text import text_of
from gossamer.cluster.topology import Flag, NodeId, Topology
from gossamer.gossip.events import ClusterCommand, KeepEpoch
from gossamer.node.engine.server import Server
from gossamer.node.engine.state import PAUSED
from gossamer.node.engine.stream.tap import Tap
from gossamer.node.migration.job import EXPORT, Job, message
from gossamer.node.migration.states import GRANTED, REQUESTED
from gossamer.node.replication.replication import Replication
from gossamer.node.resp.errors import Refusal

KNOWS_MIGRATIONS: Final = (9, 0)
"""The version of Valkey, by ``REPLCONF version``. Its own replicas skip this mark."""


class JobContext:
    """``jobs`` are all of the node, the newest first. ``on_freed``: writers may go on."""

    def __init__(self, server: Server, replication: Replication) -> None:
        self.server: Server = server
        self.replication: Replication = replication
        self.jobs: list[Job] = []
        self.on_freed: Callable[[], None] | None = None
        self._unconfirmed: list[int] = []
        """Slots that are ours, but not yet for a majority: writers wait."""

    # --- the cluster

    @property
    def topology(self) -> Topology:
        topology = self.server.topology
        assert topology is not None
        return topology

    def epoch_of(self, node: NodeId) -> int:
        """Its config epoch, as far as known here."""
        topology = self.server.topology
        found = topology.nodes.get(node) if topology is not None else None
        return found.config_epoch if found is not None else 0

    def execute(self, command: ClusterCommand) -> str:
        """Empty if it is granted, else why not."""
        cluster = self.server.cluster
        assert cluster is not None
        try:
            cluster.execute(command)
        except Refusal as refusal:
            return text_of(refusal.text)
        return ""

    # --- the replicas, and the stream that they are sent

    def open_tap(self, slots: list[int]) -> Tap:
        """A copy of the writes of ``slots`` from now on."""
        self.replication.need_stream()
        marks = bytearray(len(self.server.served))
        for slot in slots:
            marks[slot] = 1
        tap = Tap(marks)
        self.server.journal.attach(tap)
        return tap

    def close_tap(self, tap: Tap) -> None:
        self.server.journal.detach(tap)

    def tell_replicas(self, *words: str) -> None:
        self.server.journal.remark(message(*words))

    def tell_left(self, target: NodeId, slot_ranges: list[tuple[int, int]]) -> None:
        """The replicas hear whose the slots are before their keys are deleted, unless one knows no migrations."""
        if all(replica.version >= KNOWS_MIGRATIONS for replica in self.replication.replicas.attached()):
            numbers = [str(number) for pair in slot_ranges for number in pair]
            self.tell_replicas("LEFT", "TARGET", target, "SLOTSRANGE", *numbers)

    def request_acks(self) -> None:
        """Have the replicas tell how far they have come."""
        stream = self.server.journal.stream
        if stream is not None:
            stream.want_acks = True

    def synced_replicas(self, offset: int) -> int:
        """How many replicas are online, if all of these have acknowledged the stream up to ``offset``; else -1."""
        online = [replica for replica in self.replication.replicas.by_client.values() if replica.online]
        return len(online) if all(replica.acked >= offset for replica in online) else -1

    def known_replicas(self) -> int:
        """How many replicas could take this node's place, as far as the cluster knows."""
        topology = self.topology
        return sum(not node.has(Flag.PFAIL | Flag.FAIL) for node in topology.replicas_of(topology.me))

    # --- the other jobs

    def may_grant(self, target: NodeId) -> bool:
        """Can slots be those of ``target`` from now on? See ``source.py``."""
        if self.server.conditions & PAUSED:
            return False  # a replica may be about to take over, and these slots with the others
        if not self.may_take():
            return False
        taking = any(job.state in (REQUESTED, GRANTED) for job in self.jobs if job.operation != EXPORT)
        return not taking or self.topology.me < target

    def may_take(self) -> bool:
        """Can slots of others be ours from now on? Not while slots of this node are granted to somebody."""
        return not any(job.state is GRANTED for job in self.jobs if job.operation == EXPORT)

    def keep_epoch(self) -> None:
        """A grant has been given, or is over: in between this node takes no config epoch."""
        self.execute(KeepEpoch(not self.may_take()))

    # --- slots whose writers wait

    def hold_writes(self, slots: list[int]) -> None:
        """Until a majority knows that ``slots`` are ours."""
        self._unconfirmed += slots
        self.server.leaving.hold_slots(slots, readers=bool(self.server.acks.wanted))

    @property
    def awaits_majority(self) -> bool:
        """Slots are ours, and a majority may not know it yet."""
        return bool(self._unconfirmed)

    def release_writes(self, slots: list[int]) -> None:
        """``slots`` have not become ours."""
        if any(slot in self._unconfirmed for slot in slots):
            self._unconfirmed = [slot for slot in self._unconfirmed if slot not in slots]
            self.free(slots)

    def confirmed(self) -> None:
        """A majority knows that the slots are ours: writes can come."""
        slots, self._unconfirmed = self._unconfirmed, []
        if slots:
            self.free(slots)

    def check_unconfirmed(self, topology: Topology) -> None:
        """If one of them is another node's by now, nobody needs to wait: writers are sent there."""
        if any(topology.owners[slot] != topology.me for slot in self._unconfirmed):
            self.confirmed()

    def free(self, slots: list[int]) -> None:
        self.server.leaving.free_slots(slots)
        if self.on_freed is not None:
            self.on_freed()
