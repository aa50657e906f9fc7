"""Where the memory goes: what MEMORY STATS and MEMORY DOCTOR tell (object.c of Redis 7.2).

docs/memory.md says what is counted. The allocator is the interpreter's and keeps no counts, so what it has allocated is
what is counted, and what is active and resident is the resident set of the process.
"""

from typing import Final

from gossamer.node.engine.data.tally import EXPIRY, OVERHEAD, STARTUP
from gossamer.node.engine.server import Server
from gossamer.node.resp.reply import Reply

LITTLE: Final = 5 << 20
"""Below that there is nothing to diagnose."""
WORTH: Final = 10 << 20
CLIENT_MUCH: Final = 200 << 10


class MemoryReport:
    """Of this moment, in bytes."""

    def __init__(self, server: Server) -> None:
        server.count_buffers()
        tally = server.keyspace.tally
        self.used: int = tally.used()
        self.peak: int = tally.peak
        self.resident: int = server.edge.resident_memory()
        self.replication, self.uncounted = server.replication.buffers()
        self.clients: int = server.client_memory.measure()
        self.unwritten: int = server.saves.buffered()
        self.databases: list[tuple[int, int, int]] = [
            (db.index, db.size * OVERHEAD, db.volatile * EXPIRY) for db in server.keyspace.used() if db.size
        ]
        """Number, and what its tables take for keys, and for their expire times."""
        self.keys: int = sum([db.size for db in server.keyspace.used()])
        tables = sum([main + expires for _, main, expires in self.databases])
        self.overhead: int = STARTUP + tally.buffers + tables
        self.dataset: int = max(self.used - self.overhead, 0)
        self.connected: int = len(server.clients.by_id)

    @property
    def net(self) -> int:
        """Without what an empty node takes."""
        return max(self.used - STARTUP, 1)

    def stats(self) -> dict[str, Reply]:
        """The fields of MEMORY STATS, in Redis' order."""
        ratio, beyond = self.resident / self.used, self.resident - self.used
        fields: dict[str, Reply] = {
            "peak.allocated": self.peak,
            "total.allocated": self.used,
            "startup.allocated": STARTUP,
            "replication.backlog": self.replication - min(self.uncounted, self.replication),
            "clients.slaves": self.uncounted,
            "clients.normal": self.clients,
            "cluster.links": 0,
            "aof.buffer": self.unwritten,
            "lua.caches": 0,
            "functions.caches": 0,
        }
        for index, main, expires in self.databases:
            fields[f"db.{index}"] = {
                "overhead.hashtable.main": main,
                "overhead.hashtable.expires": expires,
                "overhead.hashtable.slot-to-keys": 0,
            }
        fields |= {
            "overhead.total": self.overhead,
            "keys.count": self.keys,
            "keys.bytes-per-key": self.net // self.keys if self.keys else 0,
            "dataset.bytes": self.dataset,
            "dataset.percentage": self.dataset * 100 / self.net,
            "peak.percentage": self.used * 100 / self.peak,
            "allocator.allocated": self.used,
            "allocator.active": self.resident,
            "allocator.resident": self.resident,
            "allocator-fragmentation.ratio": ratio,
            "allocator-fragmentation.bytes": beyond,
            "allocator-rss.ratio": 1.0,
            "allocator-rss.bytes": 0,
            "rss-overhead.ratio": 1.0,
            "rss-overhead.bytes": 0,
            "fragmentation": ratio,
            "fragmentation.bytes": beyond,
        }
        return fields

    def diagnosis(self) -> str:
        """What is wrong, by the rules of Redis, in our words."""
        if self.used < LITTLE:
            return "So little memory is in use that there is nothing to diagnose.\n"
        found = [text for wrong, text in self._findings() if wrong]
        if not found:
            return "No memory problem is to be seen.\n"
        return "There may be problems with memory:\n\n" + "".join([f" * {text}\n\n" for text in found])

    def _findings(self) -> list[tuple[bool, str]]:
        beyond = self.resident - self.used
        return [
            (
                self.peak * 2 > self.used * 3,
                "Peak: the data once took more than one and a half times what it takes now. That is no problem by "
                "itself; MEMORY PURGE gives back what the allocator keeps.",
            ),
            (
                self.resident * 5 > self.used * 7 and beyond > WORTH,
                "Resident set: the process holds more than 1.4 times what is counted. Some 30 MB are the interpreter "
                "itself; the rest is room that the allocator keeps.",
            ),
            (
                self.clients > CLIENT_MUCH * max(self.connected, 1),
                "Clients: they take more than 200 KB each on an average. Some send or read too slowly; "
                "see CLIENT LIST, and maxmemory-clients.",
            ),
            (
                self.uncounted > WORTH,
                "Replicas: more than 10 MB wait for them. They read too slowly for what is written here.",
            ),
        ]
