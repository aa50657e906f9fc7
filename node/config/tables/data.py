"""Memory, encodings, expiry, events, scripts, and what goes to disk."""

from typing import Final

from gossamer.node.config import checks
from gossamer.node.config.directive import Directive as D  # noqa: N817  (a table reads better narrow)
from gossamer.node.config.kinds import Choice, Flag, Integer, Memory, Text
from gossamer.node.config.numbers import INT_MAX, INT_MIN, LONG_MAX, ULONG_MAX
from gossamer.node.config.special import KeyspaceEvents, Save, SavePoint

_POLICIES: Final = (
    "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
    "allkeys-lru", "allkeys-lfu", "allkeys-random", "noeviction",
)  # fmt: skip

MEMORY: Final = (
    D("maxmemory", Memory(0, ULONG_MAX, unsigned=True), 0, effective=True),
    D("maxmemory-policy", Choice(*_POLICIES), "noeviction", effective=True),
    D("maxmemory-samples", Integer(1, INT_MAX), 5, effective=True),
    D("maxmemory-eviction-tenacity", Integer(0, 100), 10, effective=True),
    D("vm-enabled", Flag(), False, immutable=True, extension=True, effective=True),
    D("vm-dir", Text(check=checks.spill_directory), "vm", immutable=True, extension=True, effective=True),
    D("vm-max-memory", Memory(0, ULONG_MAX, unsigned=True), 0, extension=True, effective=True),
    D("lfu-log-factor", Integer(0, INT_MAX), 10, effective=True),
    D("lfu-decay-time", Integer(0, INT_MAX), 1, effective=True),
    D("activerehashing", Flag(), True),
    D("activedefrag", Flag(), False, unkept=checks.NO_DEFRAG),
    D("active-defrag-ignore-bytes", Memory(1, LONG_MAX, unsigned=True), 100 << 20),
    D("active-defrag-threshold-lower", Integer(0, 1000), 10),
    D("active-defrag-threshold-upper", Integer(0, 1000), 100),
    D("active-defrag-cycle-min", Integer(1, 99), 1),
    D("active-defrag-cycle-max", Integer(1, 99), 25),
    D("active-defrag-max-scan-fields", Integer(1, LONG_MAX), 1000),
    D("lazyfree-lazy-eviction", Flag(), False, effective=True),
    D("lazyfree-lazy-expire", Flag(), False, effective=True),
    D("lazyfree-lazy-server-del", Flag(), False, effective=True),
    D("lazyfree-lazy-user-del", Flag(), False),
    D("lazyfree-lazy-user-flush", Flag(), False),
)

KEYSPACE: Final = (
    D("active-expire-effort", Integer(1, 10), 1, effective=True),
    D("notify-keyspace-events", KeyspaceEvents(), ""),
    D(
        "hash-max-listpack-entries",
        Integer(0, LONG_MAX, unsigned=True),
        512,
        "hash-max-ziplist-entries",
        effective=True,
    ),
    D("hash-max-listpack-value", Memory(0, LONG_MAX, unsigned=True), 64, "hash-max-ziplist-value", effective=True),
    D("list-max-listpack-size", Integer(INT_MIN, INT_MAX), -2, "list-max-ziplist-size", effective=True),
    D("list-compress-depth", Integer(0, INT_MAX), 0),
    D("set-max-intset-entries", Integer(0, LONG_MAX, unsigned=True), 512, effective=True),
    D("set-max-listpack-entries", Integer(0, LONG_MAX, unsigned=True), 128, since="7.2", effective=True),
    D("set-max-listpack-value", Integer(0, LONG_MAX, unsigned=True), 64, since="7.2", effective=True),
    D(
        "zset-max-listpack-entries",
        Integer(0, LONG_MAX, unsigned=True),
        128,
        "zset-max-ziplist-entries",
        effective=True,
    ),
    D("zset-max-listpack-value", Memory(0, LONG_MAX, unsigned=True), 64, "zset-max-ziplist-value", effective=True),
    D("hll-sparse-max-bytes", Memory(0, LONG_MAX, unsigned=True), 3000, effective=True),
    D("stream-node-max-bytes", Memory(0, LONG_MAX, unsigned=True), 4096, effective=True),
    D("stream-node-max-entries", Integer(0, LONG_MAX), 100, effective=True),
    D("busy-reply-threshold", Integer(0, LONG_MAX), 5000, "lua-time-limit"),
    D("sanitize-dump-payload", Choice("no", "yes", "clients"), "no"),
    D("propagation-error-behavior", Choice("ignore", "panic", "panic-on-replicas"), "ignore", effective=True),
)

DISK: Final = (
    D("save", Save(), (SavePoint(3600, 1), SavePoint(300, 100), SavePoint(60, 10000)), effective=True),
    D("dbfilename", Text(check=checks.database_file), "dump.rdb", protected=True, effective=True),
    D("rdbcompression", Flag(), True, effective=True),
    D("rdbchecksum", Flag(), True, immutable=True, effective=True),
    D("rdb-save-incremental-fsync", Flag(), True, effective=True),
    D("rdb-del-sync-files", Flag(), False, effective=True),  # no full sync leaves a file here
    D("stop-writes-on-bgsave-error", Flag(), True, effective=True),
    D("appendonly", Flag(), False, deny_loading=True, effective=True),
    D("appendfilename", Text(check=checks.append_file), "appendonly.aof", immutable=True, effective=True),
    D("appenddirname", Text(check=checks.append_directory), "appendonlydir", immutable=True, effective=True),
    D("appendfsync", Choice("everysec", "always", "no"), "everysec", effective=True),
    D("no-appendfsync-on-rewrite", Flag(), False, effective=True),
    D("auto-aof-rewrite-percentage", Integer(0, INT_MAX), 100, effective=True),
    D("auto-aof-rewrite-min-size", Memory(0, LONG_MAX), 64 << 20, effective=True),
    D("aof-load-truncated", Flag(), True, effective=True),
    D("aof-use-rdb-preamble", Flag(), True, effective=True),
    D("aof-timestamp-enabled", Flag(), False, effective=True),
    D("aof-rewrite-incremental-fsync", Flag(), True, effective=True),
    D("aof-disable-auto-gc", Flag(), False, hidden=True, effective=True),
    D("encrypt-at-rest-key-file", Text(nullable=True), "", immutable=True, extension=True, effective=True),
    D("encrypt-at-rest-old-key-file", Text(nullable=True), "", immutable=True, extension=True, effective=True),
)
