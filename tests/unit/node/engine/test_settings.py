"""CONFIG SET reaches the attributes that the hot path reads."""

import pytest

from gossamer.node.config import Config
from gossamer.node.engine.clients.client import UNAUTHENTICATED
from gossamer.node.engine.edge import Edge
from gossamer.node.engine.insight.slow import NEVER
from gossamer.node.engine.server import Server, serve
from gossamer.node.machine import Machine

CASES = [
    ("requirepass", "secret", lambda s: s.access.password, b"secret"),
    ("requirepass", "secret", lambda s: s.access.open_to_all, False),
    ("maxclients", "77", lambda s: s.limits.max_clients, 77),
    ("timeout", "9", lambda s: s.limits.idle_s, 9),
    ("protected-mode", "no", lambda s: s.access.protected_mode, False),
    ("proto-max-bulk-len", "2mb", lambda s: s.limits.max_bulk, 2 << 20),
    ("client-query-buffer-limit", "3mb", lambda s: s.limits.max_query_buffer, 3 << 20),
    ("client-output-buffer-limit", "pubsub 9 8 7", lambda s: s.limits.output[2].seconds, 7),
    ("slowlog-max-len", "5", lambda s: s.slowlog.max_len, 5),
    ("latency-tracking", "no", lambda s: s.latency.tracking, False),
    ("active-expire-effort", "4", lambda s: s.expiry.effort, 4),
    ("cluster-allow-reads-when-down", "yes", lambda s: s.policy.allow_reads_when_down, True),
    ("cluster-preferred-endpoint-type", "hostname", lambda s: s.policy.preferred_endpoint, "hostname"),
]


@pytest.mark.parametrize(("name", "value", "read", "expected"), CASES)
def test_a_directive_takes_effect(name: str, value: str, read: object, expected: object) -> None:
    server = Server()
    assert callable(read)
    assert read(server) != expected
    server.config.set([(name, value)])
    assert read(server) == expected


@pytest.mark.parametrize(
    ("slowlog", "monitor", "noticed"), [(-1, 0, NEVER), (10, 0, 10), (-1, 3, 3000), (10, 3, 10), (9000, 3, 3000)]
)
def test_one_threshold_serves_slow_log_and_latency_monitor(slowlog: int, monitor: int, noticed: int) -> None:
    server = Server()
    server.config.set([("slowlog-log-slower-than", str(slowlog)), ("latency-monitor-threshold", str(monitor))])
    assert server.slow_us == noticed


def test_the_bulk_limit_holds_for_clients_that_are_connected() -> None:
    server = Server()
    session = Machine(server).accept("127.0.0.1:1", "127.0.0.1:2")
    server.config.set([("proto-max-bulk-len", "1mb")])
    session.feed(b"*2\r\n$4\r\nECHO\r\n$1048577\r\n")
    assert session.take_output() == b"-ERR Protocol error: invalid bulk length\r\n"


def test_a_new_password_does_not_shut_out_who_is_in() -> None:
    server = Server()
    machine = Machine(server)
    early = machine.accept("127.0.0.1:1", "127.0.0.1:2")
    server.config.set([("requirepass", "secret")])
    late = machine.accept("127.0.0.1:1", "127.0.0.1:2")
    assert not early.modes & UNAUTHENTICATED
    assert late.modes & UNAUTHENTICATED


def test_a_server_is_made_as_its_configuration_says() -> None:
    config = Config()
    for name, value in (("databases", "3"), ("enable-debug-command", "local"), ("maxclients", "12")):
        config.load(name, [value])
    server = serve(config, Edge())
    assert (len(server.keyspace), server.access.debug, server.limits.max_clients) == (3, "local", 12)
    config.load("cluster-enabled", ["yes"])
    assert serve(config, Edge()).clustered
