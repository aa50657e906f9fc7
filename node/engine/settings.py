"""Which directive sets what in the engine: the one table between the configuration and what the hot path reads.

Each group is put into force when the server is made, and again when CONFIG SET has changed one of its directives.
Directives that are not here are read from the configuration by whoever needs them.
"""

from typing import TYPE_CHECKING, Final

from gossamer.cluster.text import bytes_of
from gossamer.node.config import Config, Hook
from gossamer.node.engine.data.changes import NEVER_FULL
from gossamer.node.engine.data.tally import STARTUP
from gossamer.node.engine.serving.client import Client
from gossamer.node.engine.serving.limits import REPLICA, OutputLimit

if TYPE_CHECKING:
    from gossamer.node.engine.server import Server

NEVER: Final = 1 << 60


class Settings:
    """Reads ``server.config`` into ``server``. The methods return None: nothing here refuses a value."""

    def __init__(self, server: "Server") -> None:
        self.server: Server = server
        self.config: Config = server.config

    def groups(self) -> list[tuple[tuple[str, ...], Hook]]:
        return [
            (("requirepass",), self.access),
            (("enable-debug-command",), self.debugging),
            (("proto-max-bulk-len", "client-query-buffer-limit"), self.requests),
            (("maxclients", "timeout", "protected-mode"), self.connections),
            (("client-output-buffer-limit", "repl-backlog-size"), self.output),
            (
                ("slowlog-log-slower-than", "slowlog-max-len", "latency-monitor-threshold", "latency-tracking"),
                self.watching,
            ),
            (("active-expire-effort",), self.expiry),
            (("maxmemory",), self.memory),
            (("cluster-allow-reads-when-down", "cluster-preferred-endpoint-type"), self.routing),
        ]

    def access(self) -> str | None:
        """Clients that are in already stay in, as with Redis."""
        self.server.password = bytes_of(self.config.text("requirepass"))
        self.server.open_to_all = not self.server.password
        return None

    def debugging(self) -> str | None:
        self.server.protected_debug = self.config.text("enable-debug-command")
        return None

    def requests(self) -> str | None:
        server = self.server
        server.max_bulk = self.config.integer("proto-max-bulk-len")
        server.max_query_buffer = self.config.integer("client-query-buffer-limit")
        clients: list[Client] = list(server.clients.values())
        for client in clients:
            client.limit_bulk(server.max_bulk)
        return None

    def connections(self) -> str | None:
        self.server.max_clients = self.config.integer("maxclients")
        self.server.idle_limit_s = self.config.integer("timeout")
        self.server.protected_mode = self.config.flag("protected-mode")
        return None

    def output(self) -> str | None:
        """A replica may leave unread what the backlog holds: it could be had again anyway."""
        self.server.output_limits = [
            OutputLimit(limit.hard_bytes, limit.soft_bytes, limit.soft_seconds) for limit in self.config.output_limits()
        ]
        limit = self.server.output_limits[REPLICA]
        limit.hard = max(limit.hard, self.config.integer("repl-backlog-size")) if limit.hard else 0
        return None

    def watching(self) -> str | None:
        """SLOWLOG and LATENCY share one threshold on the hot path, the lower of the two."""
        server = self.server
        slower_than = self.config.integer("slowlog-log-slower-than")
        server.slowlog.slower_than = slower_than
        server.slowlog.max_len = self.config.integer("slowlog-max-len")
        server.latency.threshold_ms = self.config.integer("latency-monitor-threshold")
        server.latency_tracking = self.config.flag("latency-tracking")
        slow = slower_than if slower_than >= 0 else NEVER
        spike = server.latency.threshold_ms * 1000 or NEVER
        server.slow_us = min(slow, spike)
        return None

    def memory(self) -> str | None:
        server = self.server
        limit = self.config.integer("maxmemory")
        server.changes.memory_limit = limit - STARTUP if limit else NEVER_FULL
        used = server.keyspace.tally.used()
        if server.is_full():
            server.edge.log(
                "warning",
                f"WARNING: the new maxmemory value set via CONFIG SET ({limit}) is smaller than the current memory "
                f"usage ({used}). This will result in key eviction and/or the inability to accept new write commands "
                "depending on the maxmemory-policy.",
            )
        return None

    def expiry(self) -> str | None:
        self.server.active_expire_effort = self.config.integer("active-expire-effort")
        return None

    def routing(self) -> str | None:
        policy = self.server.policy
        policy.allow_reads_when_down = self.config.flag("cluster-allow-reads-when-down")
        policy.preferred_endpoint = self.config.text("cluster-preferred-endpoint-type")
        return None


def bind_settings(server: "Server") -> None:
    """Put the whole configuration into force, and let CONFIG SET do so from now on."""
    settings = Settings(server)
    for names, apply in settings.groups():
        apply()
        server.config.on_change(names, apply)
