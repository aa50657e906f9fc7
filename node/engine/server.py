"""What all clients of a node share: the data, the clock of the current batch, counters, and the node's place in its cluster.

A plain record with few rules of its own. The edge sets ``now`` before each batch and writes out ``to_flush`` after it.
"""

from typing import Final

from cluster.route import RoutePolicy, served_slots
from cluster.slots import SLOTS
from cluster.topology import Topology
from node.engine.agreement import Agreement
from node.engine.client import Client
from node.engine.edge import Edge
from node.engine.keyspace import CLUSTER_SHIFT, Database, Keyspace
from node.engine.slowlog import SlowLog
from node.engine.stats import Stats

# Conditions of the whole node that dispatch has to look at; 0 is the common case.
MONITORED: Final = 1
PAUSED: Final = 2
"""CLIENT PAUSE is in force."""
LOADING: Final = 4
BUSY: Final = 8


class Server:
    """``databases``: how many numbered databases there are. ``clustered``: cluster-enabled."""

    def __init__(self, databases: int = 16, clustered: bool = False, edge: Edge | None = None) -> None:
        self.edge: Edge = edge if edge is not None else Edge()
        self.keyspace: Keyspace = Keyspace(1, CLUSTER_SHIFT) if clustered else Keyspace(databases)
        self.stats: Stats = Stats()
        self.slowlog: SlowLog = SlowLog()
        self.now: int = 0
        """Unix milliseconds, one value for the whole batch."""
        self.now_s: int = 0
        self.lap: int = 0
        """When the last command ended, by ``edge.microseconds``: the next one's duration counts from here."""
        self.conditions: int = 0
        self.dirty: int = 0
        """Changes to the data since the start (rdb_changes_since_last_save counts from the last save)."""
        self.clients: dict[int, Client] = {}
        self.next_client_id: int = 1
        self.to_flush: list[Client] = []
        self.monitors: list[Client] = []
        self.pause_until: int = 0
        self.pause_writes_only: bool = False
        self.active_expire: bool = True
        # what the configuration says, in the form the hot path wants; node.config is the source
        self.open_to_all: bool = True
        """The default user needs no password."""
        self.password: bytes = b""
        self.protected_debug: str = "no"
        self.max_bulk: int = 512 * 1024 * 1024
        self.max_query_buffer: int = 1024 * 1024 * 1024
        self.lazy_expire_deletes: bool = True
        """False on a replica: there keys whose time is over are hidden, and deleted when the primary says so."""
        # cluster
        self.clustered: bool = clustered
        self.topology: Topology | None = None
        self.agreement: Agreement | None = None
        self.served: bytearray = bytearray(SLOTS)
        self.policy: RoutePolicy = RoutePolicy()

    def begin_batch(self, now: int) -> None:
        """Everything until the next call happens at ``now`` (unix milliseconds)."""
        self.now = now
        self.now_s = now // 1000
        self.lap = self.edge.microseconds()

    def adopt(self, topology: Topology) -> None:
        """Serve by ``topology`` from now on."""
        self.topology = topology
        self.served = served_slots(topology)

    def drop_slots(self, slots: tuple[int, ...]) -> None:
        """Delete the keys of slots that belong to another node now."""
        db = self.keyspace.database(0)
        for slot in slots:
            for key in db.keys_in_slot(slot):
                db.remove(db.part_of(key), key)
                if db.watchers:
                    self.touch_key(db, key)

    def touch_key(self, db: Database, key: bytes) -> None:
        """Tell those who watch ``key`` that it has changed."""
        for watcher in db.watchers.get(key, ()):
            watcher.broken = True

    def touch_all(self, db: Database) -> None:
        """All keys of ``db`` are about to be dropped or swapped: break the watches on those that exist."""
        for key, watchers in db.watchers.items():
            if db.peek(key) is not None:
                for watcher in watchers:
                    watcher.broken = True
