"""What a node is made of: each part of the engine once, given to the others that need it.

The parts keep their own rules and do not know the server. Rooms above (``serving``, the commands, replication,
migration) hold the server and reach the parts by it. The edge sets ``now`` before each batch.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from gossamer.cluster.route import RoutePolicy, served_slots, serves_alike
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.text import bytes_of
from gossamer.cluster.topology import Topology
from gossamer.node.config import Config, ConfigError
from gossamer.node.engine.clients.access import Access
from gossamer.node.engine.clients.client import Clients
from gossamer.node.engine.clients.client_memory import ClientMemory
from gossamer.node.engine.clients.limits import Limits
from gossamer.node.engine.clients.long_reply import LongReplies
from gossamer.node.engine.clients.monitors import Monitors
from gossamer.node.engine.clients.pause import Pause
from gossamer.node.engine.clients.tracking import Tracking
from gossamer.node.engine.clients.waiting import SPILLED, Waiting
from gossamer.node.engine.data.changes import Changes
from gossamer.node.engine.data.contents import CLUSTER_SHIFT
from gossamer.node.engine.data.encodings import Encodings
from gossamer.node.engine.data.expiry import ActiveExpiry
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.memory_limit import MemoryLimit
from gossamer.node.engine.deadlines import Deadlines
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.insight.latency import LatencyMonitor
from gossamer.node.engine.insight.rates import PERIOD_MS
from gossamer.node.engine.insight.slow import SlowRequests
from gossamer.node.engine.insight.slowlog import SlowLog
from gossamer.node.engine.insight.stats import Stats
from gossamer.node.engine.insight.usage import Usages
from gossamer.node.engine.ports.cluster import ClusterPort
from gossamer.node.engine.ports.migrations import MigrationPort
from gossamer.node.engine.ports.replication import ReplicationPort
from gossamer.node.engine.ports.saves import SavesPort
from gossamer.node.engine.ports.vm import VmPort
from gossamer.node.engine.slots.departed import Departed
from gossamer.node.engine.slots.lazyfree import LazyFree
from gossamer.node.engine.slots.leaving import Leaving
from gossamer.node.engine.slots.migrate import MigrateTransport
from gossamer.node.engine.slots.slot_import import SlotImports
from gossamer.node.engine.state import PAUSED, SPILLING, NodeState
from gossamer.node.engine.stream.acks import WriteAcks
from gossamer.node.engine.stream.journal import Journal, deletion
from gossamer.node.engine.table.command import NUMBERED, Command
from gossamer.node.engine.table.table import CommandTable

CLIENTS_PER_MS: Final = 200
"""What so many clients cost may be counted again each millisecond, while the memory is full."""


class Server(NodeState):
    """``databases``: how many numbered databases there are. ``clustered``: cluster-enabled.

    ``config`` is where every other setting comes from; without one the defaults hold. ``serve`` makes a server of a
    configuration alone.
    """

    # CPython finds attributes fast only in objects with at most 30 of them, or with slots; a request looks here often.
    __slots__ = (
        "access",
        "acks",
        "changes",
        "client_memory",
        "clients",
        "clock",
        "cluster",
        "clustered",
        "commands",
        "config",
        "counted_ms",
        "cron_paused",
        "deadlines",
        "departed",
        "edge",
        "encodings",
        "expiry",
        "journal",
        "keyspace",
        "last_end_us",
        "latency",
        "lazyfree",
        "leaving",
        "limits",
        "long_replies",
        "looked_ms",
        "memory",
        "migrate_transport",
        "migrations",
        "monitors",
        "pause",
        "policy",
        "replication",
        "rng",
        "saves",
        "served",
        "skip_checksums",
        "slot_imports",
        "slow",
        "slowlog",
        "started_ms",
        "stats",
        "table",
        "topology",
        "tracking",
        "usages",
        "vm",
        "waiting",
    )

    def __init__(
        self,
        databases: int = 16,
        clustered: bool = False,
        edge: Edge | None = None,
        config: Config | None = None,
    ) -> None:
        super().__init__()
        self.edge: Edge = edge if edge is not None else Edge()
        self.clock: Callable[[], int] = self.edge.clock()
        self.config: Config = config if config is not None else default_config(databases, clustered)
        self.rng: Random = Random(0)
        """For answers that are random by promise (RANDOMKEY). The maker of the node seeds it."""
        self.started_ms: int = 0
        """When the first batch began."""
        self.looked_ms: int = 0
        """When ``look_around`` was last called."""
        self.counted_ms: int = 0
        """When ``count_buffers`` was last called."""
        self.last_end_us: int = 0
        """When the last command ended, by ``edge.microseconds``: the next one's duration counts from here."""
        self.cron_paused: bool = False
        """DEBUG PAUSE-CRON: the machine does no housekeeping."""
        self.skip_checksums: bool = False
        """DEBUG SET-SKIP-CHECKSUM-VALIDATION: RESTORE takes payloads with any checksum."""
        self.deadlines: Deadlines = Deadlines()
        # commands
        self.commands: CommandTable = named_commands(self.config)
        self.table: dict[bytes, Command] = self.commands.table
        """``commands.table``, one step nearer for the hot path."""
        self.usages: Usages = Usages(len(NUMBERED))
        self.stats: Stats = Stats()
        self.slowlog: SlowLog = SlowLog()
        self.latency: LatencyMonitor = LatencyMonitor()
        self.slow: SlowRequests = SlowRequests(self, self.slowlog, self.latency, self.config)
        # data
        self.changes: Changes = Changes()
        self.changes.on_expired = self._tell_expired
        self.changes.on_evicted = self._tell_evicted
        self.changes.on_elements_expired = self._tell_elements_expired
        self.keyspace: Keyspace = (
            Keyspace(1, CLUSTER_SHIFT, self.changes) if clustered else Keyspace(databases, changes=self.changes)
        )
        self.encodings: Encodings = Encodings(self.config)
        self.memory: MemoryLimit = MemoryLimit(self, self.keyspace, self.stats, self.edge, self.config)
        self.expiry: ActiveExpiry = ActiveExpiry(self, self.keyspace, self.stats, self.edge, self.config)
        # clients
        self.access: Access = Access(self.config)
        self.clients: Clients = Clients(self, self.keyspace, self.access, self.edge)
        self.limits: Limits = Limits(self.config, self.clients)
        self.client_memory: ClientMemory = ClientMemory(self.config, self.clients, self.stats)
        self.monitors: Monitors = Monitors(self, self.edge)
        self.waiting: Waiting = Waiting(self.deadlines, self.stats, self.usages, self.changes)
        self.long_replies: LongReplies = LongReplies(self.clients, self.waiting)
        self.pause: Pause = Pause(self, self.deadlines)
        self.tracking: Tracking = Tracking(self.config, self.clients, self.keyspace, self.changes)
        # replication
        self.journal: Journal = Journal(self.changes, self.commands)
        self.replication: ReplicationPort = ReplicationPort()
        self.saves: SavesPort = SavesPort()
        self.vm: VmPort = VmPort()
        self.acks: WriteAcks = WriteAcks(self, self.journal, self.clients, self.limits, self.deadlines, self.stats)
        # slots that move
        self.leaving: Leaving = Leaving(self)
        self.migrate_transport: MigrateTransport = MigrateTransport()
        self.slot_imports: SlotImports = SlotImports()
        self.departed: Departed = Departed()
        self.lazyfree: LazyFree = LazyFree(self.changes, self.journal, self.stats, self.config)
        """What is left of slots that have gone."""
        self.lazyfree.on_deleted = self.tracking.freed
        self.migrations: MigrationPort = MigrationPort()
        # cluster
        self.clustered: bool = clustered
        self.topology: Topology | None = None
        self.cluster: ClusterPort | None = None
        self.served: bytearray = bytearray(SLOTS)
        self.policy: RoutePolicy = RoutePolicy()
        self.config.obey(("cluster-allow-reads-when-down", "cluster-preferred-endpoint-type"), self._read_policy)

    def begin_batch(self, now: int) -> None:
        """Everything until the next call happens at ``now`` (unix milliseconds)."""
        self.now = now
        now_s = now // 1000
        if now_s != self.now_s:
            self.now_s = now_s
            self.changes.clock.tick(now_s)
        self.last_end_us = self.clock() // 1000
        if self.conditions & PAUSED and now >= self.pause.until:
            self.pause.end()
        if not 0 <= now - self.looked_ms < PERIOD_MS:  # the clock may have been set back
            self.look_around(now)
        if self.started_ms == 0:
            self.started_ms = now

    def look_around(self, now: int) -> None:
        """What is known only by looking now and then: rates, the peak of memory, whether the data takes too much.

        Between two batches nothing of that changes. So a batch looks when it begins, and no clock need tick for it.
        """
        self.looked_ms = now
        self.stats.sample(now)
        if self.memory.limit:
            self.count_buffers()
            self.memory.look()
        elif self.conditions & SPILLING:
            self.count_buffers()
        self.keyspace.tally.used()

    def count_buffers(self) -> None:
        """What clients and replicas have not read or sent to the end, and the like, as it is now."""
        self.counted_ms = self.now
        total, uncounted = self.replication.buffers()
        unwritten = self.saves.buffered()
        total += self.client_memory.measure() + unwritten
        self.memory.count_buffers(total, uncounted + unwritten)

    def make_room(self) -> bool:
        """Evict keys if the data takes too much; True if it still does, and nothing can be done about it.

        Keys of slots that have left the node are freed first: they are counted as long as they are there. A request
        that has waited for values that were not in memory was let in before: these values cost no key.
        """
        again = self.waiting.retried
        if again is not None and again.reason is SPILLED:
            return False
        if not 0 <= self.now - self.counted_ms <= len(self.clients) // CLIENTS_PER_MS:
            self.count_buffers()  # who has left meanwhile shall cost no key
        if self.lazyfree.dropped and not self.conditions & PAUSED and self.memory.is_over():
            self.lazyfree.work()
            return False
        began = self.edge.microseconds()
        evicted = self.stats.evicted_keys
        full = self.memory.make_room()
        if self.stats.evicted_keys != evicted:
            self.journal.release()
            self.latency.add("eviction-cycle", self.now_s, (self.edge.microseconds() - began) // 1000)
        return full

    def adopt(self, topology: Topology) -> None:
        """Serve by ``topology`` from now on."""
        before = self.topology
        self.topology = topology
        coming = [slot for slot in self.lazyfree.slots() if takes_keys(topology, slot)]
        if coming:
            self.lazyfree.finish(coming)
        if before is None or not serves_alike(before, topology):
            self.served = served_slots(topology)
            if topology.ok:
                self.waiting.slots_changed(self.served, topology.migrating)
            else:
                self.waiting.cluster_down()

    def drop_slots(self, slots: tuple[int, ...]) -> None:
        """Delete the keys of slots that belong to another node now: they are gone at once, and freed by and by."""
        db = self.keyspace.database(0)
        for slot in slots:
            if db.count_in_slot(slot):
                self.lazyfree.take(db, slot)
            elif self.tracking.listening:
                self.tracking.slot_changed(slot)

    def _tell_expired(self, db: int, key: bytes) -> None:
        self.stats.expired_keys += 1
        self.journal.deleted(db, [key], deletion(self.config, "lazyfree-lazy-expire"))

    def _tell_evicted(self, db: int, key: bytes) -> None:
        self.stats.evicted_keys += 1
        self.journal.deleted(db, [key], deletion(self.config, "lazyfree-lazy-eviction"))

    def _tell_elements_expired(self, db: int, key: bytes, fields: list[bytes]) -> None:
        self.stats.expired_fields += len(fields)
        self.journal.caused(db, key, [b"HDEL", key, *fields])

    def _read_policy(self) -> str | None:
        self.policy.allow_reads_when_down = self.config.flag("cluster-allow-reads-when-down")
        self.policy.preferred_endpoint = self.config.text("cluster-preferred-endpoint-type")
        return None


def takes_keys(topology: Topology, slot: int) -> bool:
    """Could a client write keys of ``slot`` here?"""
    return topology.owners[slot] == topology.me or slot in topology.importing


def named_commands(config: Config) -> CommandTable:
    """The commands by the names that every ``rename-command`` makes of them, in order. Raises ConfigError."""
    commands = CommandTable()
    for line in config.lines("rename-command"):
        reason = commands.rename(bytes_of(line.words[1]), bytes_of(line.words[2]))
        if reason is not None:
            raise ConfigError(reason, line)
    return commands


def default_config(databases: int, clustered: bool) -> Config:
    config = Config()
    config.load("databases", [str(databases)])
    config.load("cluster-enabled", ["yes" if clustered else "no"])
    return config


def serve(config: Config, edge: Edge) -> Server:
    """A server as ``config`` wants it."""
    return Server(config.integer("databases"), config.flag("cluster-enabled"), edge, config)
