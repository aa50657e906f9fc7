"""All migrations of a node, those of the past too: what commands ask for, and what the rest of the node has to tell.

Jobs are listed with the newest first; ``cluster-slot-migration-log-max-len`` bounds those that are over.
"""

from collections.abc import Callable
from typing import Final

from gossamer.cluster.text import text_of
from gossamer.cluster.topology import NodeId, Topology
from gossamer.node.engine.clients.client import Client
from gossamer.node.engine.ports.migrations import MigrationPort
from gossamer.node.engine.server import Server
from gossamer.node.engine.slots.slot_import import SlotImport
from gossamer.node.migration.context import JobContext
from gossamer.node.migration.job import Job
from gossamer.node.migration.source import Export
from gossamer.node.migration.states import CANCELLED, GRANTED, JobState
from gossamer.node.migration.target import Import, ImportBase, ReplicaImport
from gossamer.node.replication.replication import Replication
from gossamer.node.resp.reply import Reply

Ranges = list[tuple[int, int]]
FLUSHED: Final = "Data was flushed"


class Migrations(MigrationPort):
    """``on_export`` is called with every new export: somebody must carry it."""

    def __init__(self, server: Server, replication: Replication) -> None:
        self.server: Server = server
        self.context: JobContext = JobContext(server, replication)
        self.jobs: list[Job] = self.context.jobs
        self.on_export: Callable[[Export], None] | None = None
        self._flushed: bool = False
        self._active: bool = False

    # --- what there is

    @property
    def topology(self) -> Topology:
        return self.context.topology

    def exports(self) -> list[Export]:
        return [job for job in self.jobs if isinstance(job, Export) and not job.ended]

    def imports(self) -> list[Import]:
        return [job for job in self.jobs if isinstance(job, Import) and not job.ended]

    def all_imports(self) -> list[ImportBase]:
        return [job for job in self.jobs if isinstance(job, ImportBase) and not job.ended]

    def importing(self, slot: int) -> bool:
        return any(slot in job.slot_import.numbers for job in self.all_imports())

    def exporting(self, slot: int) -> bool:
        return any(slot in job.slots for job in self.exports())

    def import_of(self, client: Client) -> Import | None:
        return next((job for job in self.imports() if job.client is client), None)

    def report(self) -> list[Reply]:
        return [job.report() for job in self.jobs]

    # --- commands

    def migrate(self, wanted: list[tuple[Ranges, NodeId]], by: str) -> None:
        """Begin to move slots of this node to others."""
        me = self.topology.me
        for slot_ranges, target in wanted:
            name = f"{self.server.rng.getrandbits(160):040x}"
            job = Export(self.context, name, slot_ranges, me, target)
            self._add(job)
            self.server.edge.log(
                "notice", f"Slot migration initiated through CLUSTER MIGRATESLOTS command: {job} ({by})"
            )
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
        self._add(Import(self.context, SlotImport(name, source, slot_ranges), self.topology.me, client))

    def told_established(self, name: str, source: NodeId, slot_ranges: Ranges) -> None:
        """This node's primary imports slots."""
        self._add(ReplicaImport(self.context, SlotImport(name, source, slot_ranges)))

    def told_left(self, target: NodeId, slot_ranges: Ranges) -> None:
        """This node's primary has given the slots to ``target``."""
        server, topology = self.server, self.topology
        primary = topology.myself.primary
        slots = [slot for first, last in slot_ranges for slot in range(first, last + 1)]
        until = server.now + 2 * server.config.integer("cluster-node-timeout")
        server.departed.note((slot for slot in slots if topology.owners[slot] == primary), target, until)

    def told_complete(self, name: str) -> None:
        job = self.replica_import(name)
        if job is not None:
            job.slot_import.complete = True

    def told_finished(self, name: str, state: JobState, text: str) -> bool:
        job = self.replica_import(name)
        if job is None:
            return False
        job.finish(state, text)
        return True

    def replica_import(self, name: str) -> ReplicaImport | None:
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
            self.server.edge.log("warning", f"Slot migration {job}: {text_of(error)}")
            job.fail("Failed to process command during slot migration. Check logs for more information")

    def flushed(self) -> None:
        self._flushed = True

    def loaded(self, slot_imports: list[SlotImport]) -> None:
        for job in self.all_imports():
            job.fail("Full resynchronization occurred")
        for slot_import in slot_imports:
            self._add(ReplicaImport(self.context, slot_import))

    # --- what the machine tells

    def adopted(self, topology: Topology) -> None:
        """The cluster is seen in another way."""
        self.context.check_unconfirmed(topology)
        self.server.departed.seen(topology)
        if not self._active:
            return
        for job in list(self.jobs):
            if isinstance(job, Export | Import):
                job.seen(topology)
            elif isinstance(job, ReplicaImport) and job.taken:
                job.taken = {topology.owners[slot] for slot in job.slots} == {job.origin}

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
            export.after_batch()

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


def migrations_of(server: Server) -> Migrations:
    """Those of ``server``, which a machine has made."""
    moves = server.migrations
    assert isinstance(moves, Migrations)
    return moves
