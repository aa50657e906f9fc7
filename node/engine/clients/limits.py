"""Who may connect, and when a client that does not read or does not speak is put off.

Pure rules for whoever owns the sockets: what to answer a connection that is refused, whether a client's waiting output
is over its limit, whether it has been idle too long (networking.c and timeout.c of Redis 7.0).
"""

from typing import Final

from gossamer.node.config import Config
from gossamer.node.engine.clients.client import MONITORING, NOT_TO_PAUSE, SUBSCRIBED, Client, Clients

NORMAL: Final = 0
REPLICA: Final = 1
PUBSUB: Final = 2

TOO_MANY_CLIENTS: Final = b"-ERR max number of clients reached\r\n"

PROTECTED_MODE: Final = (
    b"-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the "
    b"default user. In this mode connections are only accepted from the loopback interface. If you want to connect "
    b"from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode "
    b"sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the "
    b"same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. "
    b"Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by "
    b"editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the "
    b"server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no' "
    b"option. 4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above "
    b"things in order for the server to start accepting connections from the outside.\r\n"
)


class OutputLimit:
    """What one class of clients may leave unread: ``hard`` bytes, or ``soft`` bytes for longer than ``seconds``.

    0 is no limit.
    """

    def __init__(self, hard: int, soft: int, seconds: int) -> None:
        self.hard: int = hard
        self.soft: int = soft
        self.seconds: int = seconds


class Limits:
    """What the configuration allows a client: bytes of requests and of unread output, seconds of silence."""

    def __init__(self, config: Config, clients: Clients) -> None:
        self.config: Config = config
        self.clients: Clients = clients
        self.max_clients: int = 0
        self.idle_s: int = 0
        self.max_bulk: int = 0
        self.max_query_buffer: int = 0
        self.output: list[OutputLimit] = []
        """Of NORMAL, REPLICA and PUBSUB clients: see ``over_output_limit``."""
        config.obey(("maxclients", "timeout"), self.read_connections)
        config.obey(("proto-max-bulk-len", "client-query-buffer-limit"), self.read_requests)
        config.obey(("client-output-buffer-limit", "repl-backlog-size"), self.read_output)

    def read_connections(self) -> str | None:
        self.max_clients = self.config.integer("maxclients")
        self.idle_s = self.config.integer("timeout")
        return None

    def read_requests(self) -> str | None:
        self.max_bulk = self.config.integer("proto-max-bulk-len")
        self.max_query_buffer = self.config.integer("client-query-buffer-limit")
        for client in self.clients.all():
            client.limit_bulk(self.max_bulk)
        return None

    def read_output(self) -> str | None:
        """A replica may leave unread what the backlog holds: it could be had again anyway."""
        self.output = [
            OutputLimit(limit.hard_bytes, limit.soft_bytes, limit.soft_seconds) for limit in self.config.output_limits()
        ]
        limit = self.output[REPLICA]
        limit.hard = max(limit.hard, self.config.integer("repl-backlog-size")) if limit.hard else 0
        return None


def client_class(client: Client) -> int:
    """NORMAL, REPLICA or PUBSUB. One that watches with MONITOR is normal here, but has a replica's output limit."""
    if client.modes & SUBSCRIBED:
        return PUBSUB
    if client.modes & NOT_TO_PAUSE and not client.modes & MONITORING:
        return REPLICA
    return NORMAL


def over_output_limit(client: Client, limits: list[OutputLimit], now_ms: int) -> bool:
    """Must the connection be closed because too much output waits for ``client``?

    Ask after every write attempt that leaves something, and about once a second: the soft limit counts from the first
    asking that finds the client above it, which is noted in the client.
    """
    limit = limits[REPLICA if client.modes & MONITORING else client_class(client)]
    waiting = client.out_bytes + client.unsent
    if client.pending is not None:
        waiting += client.pending.size
    if limit.hard and waiting >= limit.hard:
        return True
    if not limit.soft or waiting < limit.soft:
        client.over_soft_limit_since = 0
        return False
    if client.over_soft_limit_since == 0:
        client.over_soft_limit_since = now_ms
        return False
    return now_ms - client.over_soft_limit_since > limit.seconds * 1000


def idle_too_long(client: Client, timeout_s: int, now_ms: int) -> bool:
    """``timeout``: has ``client`` been silent for longer? Replicas, subscribers, monitors and who waits may be."""
    if timeout_s == 0 or client.blocked or client.pending is not None:
        return False
    if client.modes & (SUBSCRIBED | MONITORING | NOT_TO_PAUSE):
        return False
    return now_ms // 1000 - client.active_ms // 1000 > timeout_s


def refuse_connection(
    connected: int, max_clients: int, protected_mode: bool, open_to_all: bool, loopback: bool
) -> bytes | None:
    """What a new connection is told before it is closed, None if it may stay.

    ``connected``: clients there are already, bus links included. ``loopback``: it comes from this machine or over a
    unix socket. Redis checks the number first.
    """
    if connected >= max_clients:
        return TOO_MANY_CLIENTS
    if protected_mode and open_to_all and not loopback:
        return PROTECTED_MODE
    return None
