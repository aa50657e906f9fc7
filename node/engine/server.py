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
from gossamer.node.engine.acks import Acks
from gossamer.node.engine.agreement import Agreement
from gossamer.node.engine.clearing import Clearing
from gossamer.node.engine.client import MONITORING, Client
from gossamer.node.engine.command import MAY_REPLICATE, READONLY, WRITE, Command
from gossamer.node.engine.commands import Commands
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.feed import Feed
from gossamer.node.engine.intake import Intake
from gossamer.node.engine.keyspace import CLUSTER_SHIFT, Database, Keyspace
from gossamer.node.engine.latency import LatencyMonitor
from gossamer.node.engine.limits import OutputLimit
from gossamer.node.engine.moves import Moves
from gossamer.node.engine.settings import NEVER, wire
from gossamer.node.engine.slowlog import SlowLog
from gossamer.node.engine.standing import Standing
from gossamer.node.engine.stats import Stats
from gossamer.node.engine.transfer import Courier, Transfer
from gossamer.node.engine.watch import touch

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
        "agreement",
        "arriving",
        "awaiting",
        "browser_logged_s",
        "build_name",
        "changing",
        "clearing",
        "clients",
        "clock",
        "closed_slots",
        "clustered",
        "commands",
        "conditions",
        "config",
        "courier",
        "cron_paused",
        "dirty",
        "edge",
        "feed",
        "freed",
        "held",
        "idle_limit_s",
        "intakes",
        "keyspace",
        "landed",
        "lap",
        "latency",
        "latency_tracking",
        "lazy_expire_deletes",
        "leaving",
        "leaving_slots",
        "max_bulk",
        "max_clients",
        "max_query_buffer",
        "memory_limit",
        "monitors",
        "moves",
        "next_client_id",
        "noticed_us",
        "now",
        "now_s",
        "open_to_all",
        "output_limits",
        "own_ends",
        "password",
        "pause_flags",
        "pause_until",
        "policy",
        "protected_debug",
        "protected_mode",
        "rng",
        "served",
        "slowlog",
        "standing",
        "started_ms",
        "stats",
        "table",
        "to_flush",
        "topology",
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
        self.keyspace: Keyspace = Keyspace(1, CLUSTER_SHIFT) if clustered else Keyspace(databases)
        self.config: Config = config if config is not None else default_config(databases, clustered)
        self.commands: Commands = named_commands(self.config)
        self.table: dict[bytes, Command] = self.commands.table
        """``commands.table``, one step nearer for the hot path."""
        self.stats: Stats = Stats()
        self.slowlog: SlowLog = SlowLog()
        self.latency: LatencyMonitor = LatencyMonitor()
        self.started_ms: int = 0
        """When the first batch began."""
        self.now: int = 0
        """Unix milliseconds, one value for the whole batch."""
        self.now_s: int = 0
        self.lap: int = 0
        """When the last command ended, by ``edge.microseconds``: the next one's duration counts from here."""
        self.conditions: int = 0
        self.dirty: int = 0
        """Changes to the data since the start (rdb_changes_since_last_save counts from the last save)."""
        self.changing: int = 0
        """How many changes of what this node is to others have begun and not ended: its view of the cluster, its role
        in replication. An exception that finds it above 0 ends the node."""
        self.clients: dict[int, Client] = {}
        self.next_client_id: int = 1
        self.to_flush: list[Client] = []
        self.monitors: list[Client] = []
        self.held: list[Client] = []
        """Clients whose next request waits for the end of a pause."""
        self.awaiting: list[Client] = []
        """Clients whose next request changes a key or a slot that is under way."""
        self.courier: Courier = Courier()
        self.leaving: set[bytes] = set()
        """Keys, of any database, that are under way to another node."""
        self.leaving_slots: set[int] = set()
        """Slots whose last writes are under way to their new owner."""
        self.closed_slots: set[int] = set()
        """Those of them that nobody may read here, for writers may be let in elsewhere at any moment."""
        self.freed: bool = False
        """Slots are no longer under way: the machine lets those in ``awaiting`` try again when the batch is done."""
        self.clearing: Clearing = Clearing(self)
        """What is left of slots that have gone."""
        self.moves: Moves = Moves()
        self.arriving: list[Intake] = []
        """Slots that come to this node, or to its primary."""
        self.intakes: dict[int, Intake] = {}
        """By the id of the client that brings them."""
        self.landed: list[Transfer] = []
        """Transfers whose outcome is there; the machine settles them when the batch is done."""
        self.browser_logged_s: int = 0
        """When ``browser.hang_up`` last wrote to the log."""
        self.pause_until: int = 0
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
        self.memory_limit: int = NEVER
        """``maxmemory`` as so many bytes in the keyspace's tally."""
        self.idle_limit_s: int = 0
        self.protected_mode: bool = True
        self.output_limits: list[OutputLimit] = []
        """Of normal clients, replicas and subscribers: see ``limits.over_output_limit``."""
        self.noticed_us: int = 0
        """Requests that take this many microseconds are slow enough for SLOWLOG or LATENCY to look at."""
        self.latency_tracking: bool = True
        self.active_expire_effort: int = 1
        self.lazy_expire_deletes: bool = True
        """False on a replica: there keys whose time is over are hidden, and deleted when the primary says so."""
        self.own_ends: set[tuple[int, bytes]] = set()
        """On a replica that takes writes: database and name of keys that its own clients gave an end, which is known to
        no primary."""
        # replication
        self.feed: Feed | None = None
        """The stream of writes, while this node makes one."""
        self.standing: Standing = Standing()
        self.acks: Acks = Acks(self)
        # cluster
        self.clustered: bool = clustered
        self.topology: Topology | None = None
        self.agreement: Agreement | None = None
        self.served: bytearray = bytearray(SLOTS)
        self.policy: RoutePolicy = RoutePolicy()
        wire(self)

    def begin_batch(self, now: int) -> None:
        """Everything until the next call happens at ``now`` (unix milliseconds)."""
        self.now = now
        self.now_s = now // 1000
        self.lap = self.clock() // 1000
        if self.conditions & PAUSED and now >= self.pause_until:
            self.end_pause()
        if self.started_ms == 0:
            self.started_ms = now

    def is_full(self) -> bool:
        """Does the data take more than ``maxmemory``? A replica has what its primary has, and is never full."""
        if self.keyspace.tally.held <= self.memory_limit:
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

    def end_pause(self) -> None:
        """Requests are served again; the machine resumes those in ``held`` when the batch is done."""
        self.pause_until = 0
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
        coming = [slot for slot in self.clearing.slots() if takes_keys(topology, slot)]
        if coming:
            self.clearing.finish(coming)
        if before is None or not serves_alike(before, topology):
            self.served = served_slots(topology)

    def drop_slots(self, slots: tuple[int, ...]) -> None:
        """Delete the keys of slots that belong to another node now: they are gone at once, and freed by and by."""
        db = self.keyspace.database(0)
        for slot in slots:
            if not db.count_in_slot(slot):
                continue
            gone = self.clearing.take(db, slot)
            if db.watchers:
                for key in list(db.watchers):
                    if key in gone:
                        self.touch_key(db, key)

    def touch_key(self, db: Database, key: bytes) -> None:
        """Tell those who watch ``key`` that it has changed."""
        touch(db, key)

    def drop_expired(self, db: Database, part: int, key: bytes) -> None:
        """The time of ``key``, which exists, is over and this node may delete it: do so."""
        self.changing += 1
        db.remove(part, key)
        if self.feed is not None:
            self.feed.deleted(db, key)
        self.changing -= 1
        self.stats.expired_keys += 1
        if db.watchers:
            self.touch_key(db, key)


def takes_keys(topology: Topology, slot: int) -> bool:
    """Could a client write keys of ``slot`` here?"""
    return topology.owners[slot] == topology.me or slot in topology.importing


def named_commands(config: Config) -> Commands:
    """The commands by the names that every ``rename-command`` makes of them, in order. Raises ConfigError."""
    commands = Commands()
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
