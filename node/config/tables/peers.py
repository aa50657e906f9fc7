"""Replication and cluster."""

from typing import Final

from gossamer.node.config import checks
from gossamer.node.config.directive import Directive as D  # noqa: N817  (a table reads better narrow)
from gossamer.node.config.kinds import Choice, Flag, Integer, Memory, SignedMemory, Text
from gossamer.node.config.numbers import INT_MAX, LONG_MAX, ULONG_MAX
from gossamer.node.config.special import ReplicaOf

REPLICATION: Final = (
    D("replicaof", ReplicaOf(), None, "slaveof", immutable=True, effective=True),
    D("masterauth", Text(nullable=True, binary=True), "", sensitive=True, effective=True, valkey="primaryauth"),
    D("masteruser", Text(nullable=True, binary=True), "", sensitive=True, effective=True, valkey="primaryuser"),
    D("replica-serve-stale-data", Flag(), True, "slave-serve-stale-data", effective=True),
    D("replica-read-only", Flag(), True, "slave-read-only", effective=True),
    D("replica-lazy-flush", Flag(), False, "slave-lazy-flush"),
    D("replica-ignore-maxmemory", Flag(), True, "slave-ignore-maxmemory", effective=True),
    D("replica-ignore-disk-write-errors", Flag(), False, effective=True),
    D("replica-priority", Integer(0, INT_MAX), 100, "slave-priority", effective=True),
    D("replica-announced", Flag(), True, effective=True),
    D("replica-announce-ip", Text(nullable=True, check=checks.address), "", "slave-announce-ip", effective=True),
    D("replica-announce-port", Integer(0, 65535), 0, "slave-announce-port", effective=True),
    D("min-replicas-to-write", Integer(0, INT_MAX), 0, "min-slaves-to-write", effective=True),
    D("min-replicas-max-lag", Integer(0, INT_MAX), 10, "min-slaves-max-lag", effective=True),
    D("write-ack-replicas", Integer(0, INT_MAX), 0, extension=True, effective=True),
    D("write-ack-timeout", Integer(0, INT_MAX), 5000, extension=True, effective=True),
    D("repl-ping-replica-period", Integer(1, INT_MAX), 10, "repl-ping-slave-period", effective=True),
    D("repl-timeout", Integer(1, INT_MAX), 60, effective=True),
    D("repl-backlog-size", Memory(1, LONG_MAX), 1 << 20, effective=True),
    D("repl-backlog-ttl", Integer(0, LONG_MAX), 3600, effective=True),
    D("repl-disable-tcp-nodelay", Flag(), False),
    D("repl-diskless-sync", Flag(), True, effective=True),
    D("repl-diskless-sync-delay", Integer(0, INT_MAX), 5, effective=True),
    D("repl-diskless-sync-max-replicas", Integer(0, INT_MAX), 0, effective=True),
    D("repl-diskless-load", Choice("disabled", "on-empty-db", "swapdb"), "disabled", deny_loading=True),
    D("close-on-replica-write", Flag(), True, extension=True),
)

CLUSTER: Final = (
    D("cluster-enabled", Flag(), False, immutable=True, effective=True),
    D("cluster-config-file", Text(), "nodes.conf", immutable=True, effective=True),
    D("cluster-port", Integer(0, 65535), 0, immutable=True, effective=True),
    D("cluster-node-timeout", Integer(0, LONG_MAX), 15000, effective=True),
    D("cluster-ping-interval", Integer(0, LONG_MAX), 0, since="7.2", hidden=True),
    D("cluster-require-full-coverage", Flag(), True, effective=True),
    D("cluster-allow-reads-when-down", Flag(), False, effective=True),
    D("cluster-allow-pubsubshard-when-down", Flag(), True),
    D("cluster-preferred-endpoint-type", Choice("ip", "hostname", "unknown-endpoint"), "ip", effective=True),
    D("cluster-announce-ip", Text(nullable=True, check=checks.announced_address), "", effective=True),
    D("cluster-announce-port", Integer(0, 65535), 0, effective=True),
    D("cluster-announce-tls-port", Integer(0, 65535), 0),
    D("cluster-announce-bus-port", Integer(0, 65535), 0, effective=True),
    D("cluster-announce-hostname", Text(nullable=True, check=checks.hostname), "", effective=True),
    D("cluster-announce-human-nodename", Text(nullable=True, check=checks.nodename), "", since="7.2", effective=True),
    D("cluster-link-sendbuf-limit", Memory(0, ULONG_MAX, unsigned=True), 0, effective=True),
    D("cluster-migration-barrier", Integer(0, INT_MAX), 1, effective=True),
    D("cluster-allow-replica-migration", Flag(), True, effective=True),
    D("cluster-replica-validity-factor", Integer(0, INT_MAX), 10, "cluster-slave-validity-factor", effective=True),
    D("cluster-replica-no-failover", Flag(), False, "cluster-slave-no-failover", effective=True),
    D("cluster-manual-failover-timeout", Integer(1, INT_MAX), 5000, extension=True, effective=True),
    D("cluster-fast-failover", Flag(), True, extension=True, effective=True),
    D("cluster-slot-migration-log-max-len", Integer(0, LONG_MAX), 1000, extension=True, effective=True),
    D("slot-migration-max-failover-repl-bytes", SignedMemory(-1, LONG_MAX), 0, extension=True, effective=True),
    D("cluster-blacklist-ttl", Integer(0, LONG_MAX), 60, extension=True),
    D("cluster-announce-client-ipv4", Text(nullable=True, check=checks.address), "", extension=True),
    D("cluster-announce-client-ipv6", Text(nullable=True, check=checks.address), "", extension=True),
    D("cluster-announce-client-port", Integer(0, 65535), 0, extension=True),
    D("cluster-announce-client-tls-port", Integer(0, 65535), 0, extension=True),
)
