"""What all clients of a node share: the data, the clock of the current batch, counters, its place in the cluster.

A plain record with few rules of its own. The edge sets ``now`` before each batch and writes out ``to_flush`` after it.
"""

from collections.abc import Callable
from random import Random
from typing import Final

from gossamer.cluster.route import RoutePolicy, served_slots, serves_alike
from gossamer.cluster.slots import SLOTS
from gossamer.cluster.text import bytes_of
from gossamer.cluster.topology import Topology
from gossamer.node.config import Config, ConfigError
from gossamer.node.engine.data.changes import EXPIRED, Changes
from gossamer.node.engine.data.keyspace import CLUSTER_SHIFT, Database, Keyspace
from gossamer.node.engine.data.lazyfree import LazyFree
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.insight.latency import LatencyMonitor
from gossamer.node.engine.insight.rates import PERIOD_MS
from gossamer.node.engine.insight.slowlog import SlowLog
from gossamer.node.engine.insight.stats import Stats
from gossamer.node.engine.insight.usage import Usages
from gossamer.node.engine.ports.cluster import ClusterPort
from gossamer.node.engine.ports.migrations import MigrationPort
from gossamer.node.engine.ports.replication import ReplicationPort
from gossamer.node.engine.serving.client import MONITORING, Client
from gossamer.node.engine.serving.deadlines import Deadlines, Timer
from gossamer.node.engine.serving.limits import OutputLimit
from gossamer.node.engine.serving.waiting import Waiting
from gossamer.node.engine.settings import bind_settings
from gossamer.node.engine.slots.migrate import MigrateTransfer, MigrateTransport
from gossamer.node.engine.slots.slot_import import SlotImport
from gossamer.node.engine.stream.acks import Acks
from gossamer.node.engine.stream.journal import Journal
from gossamer.node.engine.table.command import MAY_REPLICATE, NUMBERED, READONLY, WRITE, Command
from gossamer.node.engine.table.table import CommandTable

# Conditions of the whole node that dispatch has to look at; 0 is the common case.
MONITORED: Final = 1
PAUSED: Final = 2
"""CLIENT PAUSE is in force, or a pause of our own."""
EVERYTHING: Final = -1
WRITES: Final = WRITE | MAY_REPLICATE
WRITES_AND_READS: Final = WRITES | READONLY
LOADING: Final = 4
BUSY: Final = 8
FOLLOWING: Final = 16
"""The node is a replica and takes no writes of its own."""
LINK_DOWN: Final = 32
"""A replica that has lost its primary, and may not serve what it has."""
FEW_REPLICAS: Final = 64
"""``min-replicas-to-write`` is not met."""
LEAVING: Final = 128
"""Keys or slots are under way to another node, and their writers wait."""
ACKING: Final = 256
"""``write-ack-replicas``: replies wait for replicas."""
RETURNED: Final = 512
"""With ``write-ack-replicas``: a primary that was started with slots, and so without their keys."""

FULL: Final = 1024
"""The data takes more than ``maxmemory``, or did when it last grew."""


class Server:
    """``databases``: how many numbered databases there are. ``clustered``: cluster-enabled.

    ``config`` is where every other setting comes from; without one the defaults hold. ``serve`` makes a server of a
    configuration alone.
    """

    # CPython finds attributes fast only in objects with at most 30 of them, or with slots; a request looks here often.
    __slots__ = (
        "acks",
        "active_expire",
        "active_expire_effort",
        "browser_logged_s",
        "build_name",
        "changes",
        "changing",
        "clients",
        "clock",
        "closed_slots",
        "cluster",
        "clustered",
        "commands",
        "conditions",
        "config",
        "cron_paused",
        "deadlines",
        "edge",
        "finished_migrates",
        "freed",
        "idle_limit_s",
        "imports_by_client",
        "journal",
        "keyspace",
        "last_end_us",
        "latency",
        "latency_tracking",
        "lazy_expire_deletes",
        "lazyfree",
        "leaving",
        "leaving_slots",
        "looked_ms",
        "max_bulk",
        "max_clients",
        "max_query_buffer",
        "migrate_transport",
        "migrations",
        "monitors",
        "next_client_id",
        "now",
        "now_s",
        "open_to_all",
        "output_limits",
        "own_expires",
        "password",
        "pause_flags",
        "pause_timer",
        "pause_until",
        "policy",
        "protected_debug",
        "protected_mode",
        "replication",
        "rng",
        "served",
        "slot_imports",
        "slow_us",
        "slowlog",
        "started_ms",
        "stats",
        "table",
        "to_flush",
        "topology",
        "usages",
        "waiting",
    )

    def __init__(
        self,
        databases: int = 16,
        clustered: bool = False,
        edge: Edge | None = None,
        config: Config | None = None,
    ) -> None:
        self.edge: Edge = edge if edge is not None else Edge()
        self.clock: Callable[[], int] = self.edge.clock()
        self.changes: Changes = Changes()
        self.changes.on_full = self._filled
        self.changes.on_expired = self._tell_expired
        self.keyspace: Keyspace = (
            Keyspace(1, CLUSTER_SHIFT, self.changes) if clustered else Keyspace(databases, changes=self.changes)
        )
        self.config: Config = config if config is not None else default_config(databases, clustered)
        self.commands: CommandTable = named_commands(self.config)
        self.table: dict[bytes, Command] = self.commands.table
        """``commands.table``, one step nearer for the hot path."""
        self.usages: Usages = Usages(len(NUMBERED))
        self.stats: Stats = Stats()
        self.slowlog: SlowLog = SlowLog()
        self.latency: LatencyMonitor = LatencyMonitor()
        self.started_ms: int = 0
        """When the first batch began."""
        self.now: int = 0
        """Unix milliseconds, one value for the whole batch."""
        self.now_s: int = 0
        self.last_end_us: int = 0
        """When the last command ended, by ``edge.microseconds``: the next one's duration counts from here."""
        self.looked_ms: int = 0
        """When ``look_around`` was last called."""
        self.conditions: int = 0
        self.changing: int = 0
        """How many changes of what this node is to others have begun and not ended: its view of the cluster, its role
        in replication. An exception that finds it above 0 ends the node."""
        self.clients: dict[int, Client] = {}
        self.next_client_id: int = 1
        self.to_flush: list[Client] = []
        self.monitors: list[Client] = []
        self.deadlines: Deadlines = Deadlines()
        self.waiting: Waiting = Waiting(self.deadlines, self.stats, self.changes)
        self.migrate_transport: MigrateTransport = MigrateTransport()
        self.leaving: set[bytes] = set()
        """Keys, of any database, that are under way to another node."""
        self.leaving_slots: set[int] = set()
        """Slots whose last writes are under way to their new owner."""
        self.closed_slots: set[int] = set()
        """Those of them that nobody may read here, for writers may be let in elsewhere at any moment."""
        self.freed: bool = False
        """Slots are no longer under way: the machine lets those who wait for them try again when the batch is done."""
        self.lazyfree: LazyFree = LazyFree(self)
        """What is left of slots that have gone."""
        self.migrations: MigrationPort = MigrationPort()
        self.slot_imports: list[SlotImport] = []
        """Slots that come to this node, or to its primary."""
        self.imports_by_client: dict[int, SlotImport] = {}
        """By the id of the client that brings them."""
        self.finished_migrates: list[MigrateTransfer] = []
        """Transfers whose outcome is there; the machine settles them when the batch is done."""
        self.browser_logged_s: int = 0
        """When ``browser.hang_up`` last wrote to the log."""
        self.pause_until: int = 0
        self.pause_timer: Timer = Timer()
        self.pause_flags: int = 0
        """Commands that have one of these flags wait; all do with EVERYTHING."""
        self.build_name: str = "interpreted"
        """Which build runs, ``compiled`` or ``interpreted``; the edge knows."""
        self.rng: Random = Random(0)
        """For answers that are random by promise (RANDOMKEY). Whoever makes the node seeds it."""
        self.active_expire: bool = True
        self.cron_paused: bool = False
        """DEBUG PAUSE-CRON: the machine does no housekeeping."""
        # what the configuration says, in the form the hot path wants: see settings.py
        self.open_to_all: bool = True
        """The default user needs no password."""
        self.password: bytes = b""
        self.protected_debug: str = "no"
        self.max_bulk: int = 512 * 1024 * 1024
        self.max_query_buffer: int = 1024 * 1024 * 1024
        self.max_clients: int = 10_000
        self.idle_limit_s: int = 0
        self.protected_mode: bool = True
        self.output_limits: list[OutputLimit] = []
        """Of normal clients, replicas and subscribers: see ``limits.over_output_limit``."""
        self.slow_us: int = 0
        """Requests that take this many microseconds are slow enough for SLOWLOG or LATENCY to look at."""
        self.latency_tracking: bool = True
        self.active_expire_effort: int = 1
        self.lazy_expire_deletes: bool = True
        """False on a replica: there keys whose time is over are hidden, and deleted when the primary says so."""
        self.own_expires: set[tuple[int, bytes]] = set()
        """On a replica that takes writes: database and name of keys that its own clients gave an end, which is known to
        no primary."""
        # replication
        self.journal: Journal = Journal(self.changes, self.commands)
        self.replication: ReplicationPort = ReplicationPort()
        self.acks: Acks = Acks(self.journal, self.deadlines, self.stats)
        # cluster
        self.clustered: bool = clustered
        self.topology: Topology | None = None
        self.cluster: ClusterPort | None = None
        self.served: bytearray = bytearray(SLOTS)
        self.policy: RoutePolicy = RoutePolicy()
        bind_settings(self)

    def begin_batch(self, now: int) -> None:
        """Everything until the next call happens at ``now`` (unix milliseconds)."""
        self.now = now
        self.now_s = self.changes.now_s = now // 1000
        self.last_end_us = self.clock() // 1000
        if self.conditions & PAUSED and now >= self.pause_until:
            self.end_pause()
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
        self.keyspace.tally.used()
        self.is_full()

    def is_full(self) -> bool:
        """Does the data take more than ``maxmemory``? A replica has what its primary has, and is never full."""
        if self.keyspace.tally.held <= self.changes.memory_limit:
            self.conditions &= ~FULL
            return False
        self.conditions |= FULL
        return self.lazy_expire_deletes

    def pause(self, until: int, flags: int) -> None:
        """Hold requests back until then: EVERYTHING, WRITES, or WRITES_AND_READS. Of two pauses the later end and the
        wider kind win.
        """
        if self.conditions & PAUSED:
            until = max(until, self.pause_until)
            flags |= self.pause_flags
        if until <= self.now:
            return
        self.pause_until = until
        self.pause_flags = flags
        self.conditions |= PAUSED
        self.deadlines.set(self.pause_timer, until)

    def end_pause(self) -> None:
        """Requests are served again; the machine lets those try again that waited for it when the batch is done."""
        self.pause_until = 0
        self.deadlines.cancel(self.pause_timer)
        self.conditions &= ~PAUSED

    def follows(self) -> bool:
        """Is this node a replica, which deletes nothing by itself?"""
        return bool(self.conditions & FOLLOWING)

    def hold_keys(self, keys: list[bytes]) -> None:
        """Requests that would change one of ``keys`` wait from now on."""
        self.leaving.update(keys)
        self.conditions |= LEAVING

    def free_keys(self, keys: list[bytes]) -> None:
        self.leaving.difference_update(keys)
        if not self.leaving and not self.leaving_slots:
            self.conditions &= ~LEAVING

    def hold_slots(self, slots: list[int]) -> None:
        """Requests that would change a key of ``slots`` wait from now on."""
        self.leaving_slots.update(slots)
        self.conditions |= LEAVING

    def close_slots(self, slots: list[int]) -> None:
        """With ``write-ack-replicas`` readers of ``slots``, too, wait until they are free."""
        self.hold_slots(slots)
        if self.acks.wanted:
            self.closed_slots.update(slots)

    def free_slots(self, slots: list[int]) -> None:
        self.leaving_slots.difference_update(slots)
        self.closed_slots.difference_update(slots)
        self.freed = True
        if not self.leaving and not self.leaving_slots:
            self.conditions &= ~LEAVING

    def monitor(self, client: Client) -> None:
        """Tell ``client`` every request from now on."""
        client.modes |= MONITORING
        self.monitors.append(client)
        self.conditions |= MONITORED

    def unmonitor(self, client: Client) -> None:
        client.modes &= ~MONITORING
        self.monitors.remove(client)
        if not self.monitors:
            self.conditions &= ~MONITORED

    def adopt(self, topology: Topology) -> None:
        """Serve by ``topology`` from now on."""
        before = self.topology
        self.topology = topology
        coming = [slot for slot in self.lazyfree.slots() if takes_keys(topology, slot)]
        if coming:
            self.lazyfree.finish(coming)
        if before is None or not serves_alike(before, topology):
            self.served = served_slots(topology)
            self.waiting.slots_lost()

    def drop_slots(self, slots: tuple[int, ...]) -> None:
        """Delete the keys of slots that belong to another node now: they are gone at once, and freed by and by."""
        db = self.keyspace.database(0)
        for slot in slots:
            if db.count_in_slot(slot):
                self.lazyfree.take(db, slot)

    def drop_expired(self, db: Database, part: int, key: bytes) -> None:
        """The time of ``key``, which exists, is over and this node may delete it: do so."""
        self.changing += 1  # no dirty count tells of this change
        db.delete(part, key, EXPIRED)
        self.changing -= 1

    def _tell_expired(self, db: int, key: bytes) -> None:
        self.stats.expired_keys += 1
        self.journal.deleted(db, [key])

    def _filled(self) -> None:
        """The data takes more than ``maxmemory``."""
        self.conditions |= FULL


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
