"""Listening, connections, clients and TLS."""

from typing import Final

from gossamer.node.config import promises
from gossamer.node.config.directive import Directive as D  # noqa: N817  (a table reads better narrow)
from gossamer.node.config.kinds import Choice, Flag, Integer, Memory, MemoryOrPercent, Octal, Text
from gossamer.node.config.numbers import INT_MAX, LONG_MAX, UINT_MAX
from gossamer.node.config.special import Bind, BufferLimit, BufferLimits

_MB: Final = 1 << 20

_OUTPUT_LIMITS: Final = (BufferLimit(0, 0, 0), BufferLimit(256 * _MB, 64 * _MB, 60), BufferLimit(32 * _MB, 8 * _MB, 60))

NETWORK: Final = (
    D("bind", Bind(), ("*", "-::*"), effective=True),
    D("bind-source-addr", Text(nullable=True), "", effective=True),
    D("port", Integer(0, 65535), 6379, effective=True),
    D("tcp-backlog", Integer(0, INT_MAX), 511, immutable=True, effective=True),
    D("unixsocket", Text(nullable=True), "", immutable=True, effective=True),
    D("unixsocketperm", Octal(0, 0o777, unsigned=True), 0, immutable=True, effective=True),
    D("timeout", Integer(0, INT_MAX), 0, effective=True),
    D("tcp-keepalive", Integer(0, INT_MAX), 300, effective=True),
    D("socket-mark-id", Integer(0, UINT_MAX, unsigned=True), 0, immutable=True, unkept=promises.NO_MARK),
    D("protected-mode", Flag(), True, effective=True),
    D("maxclients", Integer(1, UINT_MAX, unsigned=True), 10000, effective=True),
    D("maxmemory-clients", MemoryOrPercent(-100, LONG_MAX), 0, effective=True),
    D("proto-max-bulk-len", Memory(_MB, LONG_MAX), 512 * _MB, effective=True),
    D("client-query-buffer-limit", Memory(_MB, LONG_MAX, unsigned=True), 1024 * _MB, effective=True),
    D("client-output-buffer-limit", BufferLimits(), _OUTPUT_LIMITS, effective=True),
    D("tracking-table-max-keys", Integer(0, LONG_MAX, unsigned=True), 1_000_000, effective=True),
    D("io-threads", Integer(1, 128), 1, immutable=True),
    D("io-threads-do-reads", Flag(), False, immutable=True),
    D("max-new-connections-per-cycle", Integer(1, 1000), 10, extension=True),
    D("max-new-tls-connections-per-cycle", Integer(1, 1000), 1, extension=True),
)

TLS: Final = (
    D("tls-port", Integer(0, 65535), 0, unkept=promises.NO_TLS),
    D("tls-cert-file", Text(nullable=True), ""),
    D("tls-key-file", Text(nullable=True), ""),
    D("tls-key-file-pass", Text(nullable=True), ""),
    D("tls-client-cert-file", Text(nullable=True), ""),
    D("tls-client-key-file", Text(nullable=True), ""),
    D("tls-client-key-file-pass", Text(nullable=True), ""),
    D("tls-dh-params-file", Text(nullable=True), ""),
    D("tls-ca-cert-file", Text(nullable=True), ""),
    D("tls-ca-cert-dir", Text(nullable=True), ""),
    D("tls-auth-clients", Choice("no", "yes", "optional"), "yes"),
    D("tls-replication", Flag(), False, unkept=promises.NO_TLS),
    D("tls-cluster", Flag(), False, unkept=promises.NO_TLS),
    D("tls-protocols", Text(nullable=True), ""),
    D("tls-ciphers", Text(nullable=True), ""),
    D("tls-ciphersuites", Text(nullable=True), ""),
    D("tls-prefer-server-ciphers", Flag(), False),
    D("tls-session-caching", Flag(), True),
    D("tls-session-cache-size", Integer(0, INT_MAX), 20480),
    D("tls-session-cache-timeout", Integer(0, INT_MAX), 300),
)
