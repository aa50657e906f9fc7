"""All migrations of a node, those of the past too: what commands ask for, and what the rest of the node has to tell.

Jobs are listed with the newest first; ``cluster-slot-migration-log-max-len`` bounds those that are over.
"""

from collections.abc import Callable
from typing import Final

from gossamer.cluster.text import text_of
from gossamer.cluster.topology import Flag, NodeId, Topology
from gossamer.gossip.events import ClusterCommand, KeepEpoch
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.ports.migrations import MigrationPort
from gossamer.node.engine.server import Server
from gossamer.node.engine.slots.slot_import import SlotImport
from gossamer.node.engine.state import PAUSED
from gossamer.node.engine.stream.tap import Tap
from gossamer.node.migration.job import CANCELLED, GRANTED, REQUESTED, Job, message
from gossamer.node.migration.source import Export
from gossamer.node.migration.target import Import, ImportBase, ReplicaImport
from gossamer.node.replication.replication import Replication
from gossamer.node.resp.errors import Refusal
from gossamer.node.resp.reply import Reply

Ranges = list[tuple[int, int]]
FLUSHED: Final = "Data was flushed"


class Migrations(MigrationPort):
    """``on_export`` is called with every new export: somebody must carry it. ``on_freed``: writers may go on."""

    def __init__(self, server: Server, replication: Replication) -> None:
        self.server: Server = server
        self.replication: Replication = replication
        self.jobs: list[Job] = []
        self.on_export: Callable[[Export], None] | None = None
        self.on_freed: Callable[[], None] | None = None
        self._flushed: bool = False
        self._unsettled: list[int] = []
        """Slots that are ours, but not yet for a majority: writers wait."""
        self._active: bool = False

    # --- what there is

    @property
    def topology(self) -> Topology:
        topology = self.server.topology
        assert topology is not None
        return topology

    def exports(self) -> list[Export]:
        return [job for job in self.jobs if isinstance(job, Export) and not job.ended]

    def imports(self) -> list[Import]:
        return [job for job in self.jobs if isinstance(job, Import) and not job.ended]

    def arrivals(self) -> list[ImportBase]:
        return [job for job in self.jobs if isinstance(job, ImportBase) and not job.ended]

    def importing(self, slot: int) -> bool:
        return any(slot in job.slot_import.numbers for job in self.arrivals())

    def exporting(self, slot: int) -> bool:
        return any(slot in job.slots for job in self.exports())

    def import_of(self, client: Client) -> Import | None:
        return next((job for job in self.imports() if job.client is client), None)

    def epoch_of(self, node: NodeId) -> int:
        """Its config epoch, as far as known here."""
        topology = self.server.topology
        found = topology.nodes.get(node) if topology is not None else None
        return found.config_epoch if found is not None else 0

    def report(self) -> list[Reply]:
        return [job.report() for job in self.jobs]

    # --- commands

    def migrate(self, wanted: list[tuple[Ranges, NodeId]], by: str) -> None:
        """Begin to move slots of this node to others."""
        me = self.topology.me
        for slot_ranges, target in wanted:
            name = f"{self.server.rng.getrandbits(160):040x}"
            job = Export(self, name, slot_ranges, me, target)
            self._add(job)
            self.log("notice", f"Slot migration initiated through CLUSTER MIGRATESLOTS command: {job} ({by})")
            if self.on_export is not None:
                self.on_export(job)

    def cancel(self) -> int:
        """End all exports whose slots have not been handed over; how many."""
        waiting = [job for job in self.exports() if job.state != GRANTED]
        for job in waiting:
            job.end(CANCELLED)
        return len(waiting)

    def establish(self, client: Client, name: str, source: NodeId, slot_ranges: Ranges) -> None:
        """A source wants to hand over slots on the connection of ``client``."""
        self._add(Import(self, SlotImport(name, source, slot_ranges), self.topology.me, client))

    def told_established(self, name: str, source: NodeId, slot_ranges: Ranges) -> None:
        """This node's primary imports slots."""
        self._add(ReplicaImport(self, SlotImport(name, source, slot_ranges)))

    def told_complete(self, name: str) -> None:
        job = self.hearsay(name)
        if job is not None:
            job.slot_import.complete = True

    def told_finished(self, name: str, state: str, text: str) -> bool:
        job = self.hearsay(name)
        if job is None:
            return False
        job.finish(state, text)
        return True

    def hearsay(self, name: str) -> ReplicaImport | None:
        for job in self.jobs:
            if isinstance(job, ReplicaImport) and job.name == name and not job.ended:
                return job
        return None

    def _add(self, job: Job) -> None:
        self.jobs.insert(0, job)
        self._active = True

    # --- what the engine tells

    def left(self, client: Client) -> None:
        job = self.import_of(client)
        if job is not None:
            job.fail(
                "Connection lost to source. Check CLUSTER GETSLOTMIGRATIONS on the source node for more information."
            )

    def failed(self, client: Client, error: bytes) -> None:
        job = self.import_of(client)
        if job is not None:
            self.log("warning", f"Slot migration {job}: {text_of(error)}")
            job.fail("Failed to process command during slot migration. Check logs for more information")

    def flushed(self) -> None:
        self._flushed = True

    def loaded(self, slot_imports: list[SlotImport]) -> None:
        for job in self.arrivals():
            job.fail("Full resynchronization occurred")
        for slot_import in slot_imports:
            self._add(ReplicaImport(self, slot_import))

    # --- what the machine tells

    def adopted(self, topology: Topology) -> None:
        """The cluster is seen in another way."""
        if self._unsettled and any(topology.owners[slot] != topology.me for slot in self._unsettled):
            self.settled()
        if not self._active:
            return
        for job in list(self.jobs):
            if isinstance(job, Export | Import):
                job.seen(topology)
            elif isinstance(job, ReplicaImport) and job.taken:
                job.taken = {topology.owners[slot] for slot in job.slots} == {job.origin}

    def settled(self) -> None:
        """A majority knows that the slots are ours: writes can come."""
        slots, self._unsettled = self._unsettled, []
        if slots:
            self.free(slots)

    def led(self) -> None:
        """This node has become a primary."""
        for job in list(self.jobs):
            if isinstance(job, ReplicaImport):
                job.promoted(self.topology)

    def followed(self) -> None:
        """This node has become a replica. Exports are over by now: ``adopted`` has told them whose their slots are."""
        for job in self.imports():
            job.fail("Node was demoted to a replica")

    def drain(self) -> None:
        """After each batch."""
        if not self._active:
            self._flushed = False
            return
        if self._flushed:
            self._flushed = False
            for job in [*self.exports(), *self.imports()]:
                job.fail(FLUSHED)
        for job in self.imports():
            job.go_on()
        for export in self.exports():
            export.stirred()

    @property
    def active(self) -> bool:
        """Does anything depend on ``tick``?"""
        return self._active

    def tick(self, now: int) -> None:
        """About ten times a second while it is ``active``."""
        if not self._active:
            return
        for export in self.exports():
            export.tick(now)
        for job in self.imports():
            job.tick(now)
        self._active = any(not job.ended or (isinstance(job, ReplicaImport) and job.taken) for job in self.jobs)
        most = self.server.config.integer("cluster-slot-migration-log-max-len")
        while len(self.jobs) > most and any(job.ended for job in self.jobs):
            self.jobs.remove(next(job for job in reversed(self.jobs) if job.ended))

    # --- what jobs need

    def open_tap(self, slots: list[int]) -> Tap:
        self.replication.need_stream()
        marks = bytearray(len(self.server.served))
        for slot in slots:
            marks[slot] = 1
        tap = Tap(marks)
        self.server.journal.attach(tap)
        return tap

    def close_tap(self, tap: Tap) -> None:
        self.server.journal.detach(tap)

    def remark(self, *words: str) -> None:
        """Tell the replicas."""
        self.server.journal.remark(message(*words))

    def ask_replicas(self) -> None:
        """Have them tell how far they have come."""
        stream = self.server.journal.stream
        if stream is not None:
            stream.want_acks = True

    def replicas_having(self, offset: int) -> int:
        """How many replicas are online, if all of these have acknowledged the stream up to ``offset``; else -1."""
        online = [replica for replica in self.replication.replicas.by_client.values() if replica.online]
        return len(online) if all(replica.acked >= offset for replica in online) else -1

    def replicas_known(self) -> int:
        """How many replicas could take this node's place, as far as the cluster knows."""
        topology = self.topology
        return sum(not node.has(Flag.PFAIL | Flag.FAIL) for node in topology.replicas_of(topology.me))

    def execute(self, command: ClusterCommand) -> str:
        """Empty if it is granted, else why not."""
        agreement = self.server.cluster
        assert agreement is not None
        try:
            agreement.execute(command)
        except Refusal as refusal:
            return text_of(refusal.text)
        return ""

    def may_grant(self, job: Export) -> bool:
        """Can the slots of ``job`` be the target's from now on? See ``source.py``."""
        if self.server.conditions & PAUSED:
            return False  # a replica may be about to take over, and these slots with the others
        if any(other.state == GRANTED for other in self.exports()):
            return False
        taking = any(other.state in (REQUESTED, GRANTED) for other in self.imports())
        return not taking or self.topology.me < job.target

    def may_take(self) -> bool:
        return not any(job.state == GRANTED for job in self.exports())

    def keep_epoch(self) -> None:
        """A grant has been given, or is over."""
        self.execute(KeepEpoch(not self.may_take()))

    def hold(self, job: Import) -> None:
        """Writers of the new slots wait until a majority knows whose they are."""
        self._unsettled += job.slots
        self.server.leaving.hold_slots(job.slots, readers=bool(self.server.acks.wanted))

    def let_go(self, job: Import) -> None:
        """The slots did not come."""
        if any(slot in self._unsettled for slot in job.slots):
            self._unsettled = [slot for slot in self._unsettled if slot not in job.slots]
            self.free(job.slots)

    def free(self, slots: list[int]) -> None:
        self.server.leaving.free_slots(slots)
        if self.on_freed is not None:
            self.on_freed()

    def log(self, level: str, text: str) -> None:
        self.server.edge.log(level, text)


def migrations_of(server: Server) -> Migrations:
    """Those of ``server``, which a machine has made."""
    moves = server.migrations
    assert isinstance(moves, Migrations)
    return moves
