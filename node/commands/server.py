"""Commands on the node as a process: its clock, its end, and watching what it does (redis.io, "Server")."""

from typing import Final

from gossamer.cluster.text import text_of
from gossamer.node.commands.connection import REDIS_VERSION
from gossamer.node.commands.numbers import integer
from gossamer.node.engine.clients.client import IN_MULTI, MONITORING
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import (
    ADMIN,
    ALLOW_BUSY,
    FAST,
    LOADING,
    NO_MULTI,
    NOSCRIPT,
    READONLY,
    STALE,
    command,
)
from gossamer.node.replication.replication import replication_of
from gossamer.node.resp.errors import MONITOR_INSIDE, NO_SHUTDOWN, SYNTAX, Refusal
from gossamer.node.resp.reply import NO_REPLY, OK, Reply, Verbatim


@command("TIME", arity=1, flags=LOADING | STALE | FAST)
def time(c: Call) -> Reply:
    now = c.server.edge.unix_microseconds()
    return [b"%d" % (now // 1_000_000), b"%d" % (now % 1_000_000)]


@command("LOLWUT", arity=-1, flags=READONLY | FAST)
def lolwut(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) >= 3 and argv[1].upper() == b"VERSION":
        integer(argv[2])
    return Verbatim(b"Redis ver. %s\n" % REDIS_VERSION)


@command("MONITOR", arity=1, flags=ADMIN | NOSCRIPT | LOADING | STALE)
def monitor(c: Call) -> Reply:
    if c.client.modes & IN_MULTI:
        raise Refusal(MONITOR_INSIDE)
    if c.client.modes & MONITORING:
        return NO_REPLY
    c.server.monitors.add(c.client)
    return OK


SHUTDOWN_OPTIONS: Final = frozenset(["save", "nosave", "now", "force", "failover"])


@command(
    "SHUTDOWN",
    arity=-1,
    flags=ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY,
)
def shutdown(c: Call, argv: list[bytes]) -> Reply:
    options = frozenset([text_of(word).lower() for word in argv[1:]])
    ending = replication_of(c.server).shutdown
    if options == {"abort"}:
        if not ending.abort():
            raise Refusal(NO_SHUTDOWN)
        return OK
    if not options <= SHUTDOWN_OPTIONS or options >= {"save", "nosave"}:
        raise Refusal(SYNTAX)
    if "failover" in options and not c.server.clustered:
        raise Refusal(b"ERR SHUTDOWN FAILOVER is only supported in cluster mode.")
    ending.begin(options, c.client)
    return NO_REPLY
