"""Commands of replication (redis.io, "Server management"): what an operator says, and what replicas say.

After SYNC or PSYNC a connection is a replica's: requests on it get no replies, the stream of writes goes out on it.
"""

from typing import Final

from gossamer.cluster.text import bytes_of, text_of
from gossamer.gossip.events import Failover
from gossamer.node.commands.numbers import LONG_MAX, integer, integer_or_none
from gossamer.node.engine.clients.client import IN_MULTI, NOT_TO_PAUSE
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import (
    ADMIN,
    ALLOW_BUSY,
    BLOCKING,
    CONNECTION,
    DANGEROUS,
    FAST,
    LOADING,
    NO_ASYNC_LOADING,
    NO_MULTI,
    NOSCRIPT,
    STALE,
    command,
)
from gossamer.node.replication.replication import replication_of
from gossamer.node.resp.errors import (
    NO_PRIMARY_LINK,
    NOT_0_OR_1,
    NOT_AN_INTEGER,
    NOT_POSITIVE,
    PENDING_OUTPUT,
    PRIMARY_PORT,
    PSYNC_FAILOVER_ID,
    REPLICAOF_IN_CLUSTER,
    SYNTAX,
    TIMEOUT_NEGATIVE,
    TIMEOUT_NUMBER,
    TIMEOUT_RANGE,
    WAIT_ON_REPLICA,
    WAITAOF_ON_REPLICA,
    WAITAOF_WITHOUT_AOF,
    Refusal,
    one_line,
)
from gossamer.node.resp.reply import NO_REPLY, OK, Reply, Status
from gossamer.node.saving.disk_wait import DiskWait
from gossamer.node.saving.saves import saves_of

MAX_PORT: Final = 65535
LONGEST_IP: Final = 46
VERSION_PARTS: Final = 3
UNKNOWN: Final = "?"

SYNCING: Final = ADMIN | NO_ASYNC_LOADING | NO_MULTI | NOSCRIPT
ROLES: Final = ADMIN | NO_ASYNC_LOADING | NOSCRIPT | STALE


@command("REPLICAOF", arity=3, flags=ROLES)
def replicaof(c: Call, host: bytes, port: bytes) -> Reply:
    return change_role(c, host, port)


@command("SLAVEOF", arity=3, flags=ROLES)
def slaveof(c: Call, host: bytes, port: bytes) -> Reply:
    return change_role(c, host, port)


def change_role(c: Call, host: bytes, port: bytes) -> Reply:
    if c.server.clustered:
        raise Refusal(REPLICAOF_IN_CLUSTER)
    replication = replication_of(c.server)
    if replication.failover.under_way:
        raise Refusal(b"ERR REPLICAOF not allowed while failing over.")
    if host.upper() == b"NO" and port.upper() == b"ONE":
        replication.lead()
        return OK
    if c.client.modes & NOT_TO_PAUSE:
        raise Refusal(b"ERR Command is not valid when client is a replica.")
    number = integer_or_none(port)
    if number is None or not 0 <= number <= MAX_PORT:
        raise Refusal(PRIMARY_PORT)
    name = text_of(host)
    primary_link = replication.primary_link
    if primary_link is not None and (primary_link.ip, primary_link.port) == (name, number):
        return Status(b"OK Already connected to specified master")
    replication.follow(name, number)
    return OK


@command("ROLE", arity=1, flags=FAST | LOADING | NOSCRIPT | STALE, acl=("admin", DANGEROUS))  # fmt: skip
def role(c: Call) -> Reply:
    replication = replication_of(c.server)
    primary_link = replication.primary_link
    if primary_link is None:
        replicas: list[Reply] = [
            [bytes_of(replica.host), b"%d" % replica.port, b"%d" % replica.acked]
            for replica in replication.replicas.by_client.values()
            if replica.online
        ]
        return [b"master", replication.offset, replicas]
    offset = replication.offset if primary_link.connected else -1
    return [b"slave", bytes_of(primary_link.ip), primary_link.port, bytes_of(primary_link.state.role_name), offset]


@command("SYNC", arity=1, flags=SYNCING)
def sync(c: Call) -> Reply:
    return synchronize(c, UNKNOWN, -1, False)


@command("PSYNC", arity=-3, flags=SYNCING)
def psync(c: Call, argv: list[bytes]) -> Reply:
    replid = text_of(argv[1])
    if len(argv) > 3 and argv[3].lower() == b"failover":
        take_over(c, replid)
    offset = integer_or_none(argv[2])
    if offset is None:
        c.server.edge.log("warning", f"Replica {c.client.addr} asks for synchronization but with a wrong offset")
        raise Refusal(NOT_AN_INTEGER)
    return synchronize(c, replid, offset, True)


def take_over(c: Call, replid: str) -> None:
    """The primary asks this replica to change places with it."""
    replication = replication_of(c.server)
    c.server.edge.log("notice", f"Failover request received for replid {replid}.")
    if replication.primary_link is None:
        raise Refusal(b"ERR PSYNC FAILOVER can't be sent to a master.")
    if replid.lower() != replication.history.replid:
        raise Refusal(PSYNC_FAILOVER_ID)
    if c.server.cluster is not None:
        c.server.cluster.execute(Failover("takeover"))
    else:
        replication.lead()
    c.server.edge.log("notice", f"MASTER MODE enabled (failover request from '{c.client.addr}')")


@command("FAILOVER", arity=-1, flags=ADMIN | NOSCRIPT | STALE)
def failover(c: Call, argv: list[bytes]) -> Reply:
    if c.server.clustered:
        raise Refusal(b"ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.")
    replication = replication_of(c.server)
    change = replication.failover
    if len(argv) == 2 and argv[1].lower() == b"abort":
        if not change.under_way:
            raise Refusal(b"ERR No failover in progress.")
        change.abort("Failover manually aborted")
        return OK
    host, port, timeout_ms, forced = failover_options(argv)
    if change.under_way:
        raise Refusal(b"ERR FAILOVER already in progress.")
    if replication.primary_link is not None:
        raise Refusal(b"ERR FAILOVER is not valid when server is a replica.")
    if not replication.replicas.attached():
        raise Refusal(b"ERR FAILOVER requires connected replicas.")
    if forced and not (timeout_ms and host):
        raise Refusal(b"ERR FAILOVER with force option requires both a timeout and target HOST and IP.")
    if host:
        target = change.find(host, port)
        if target is None:
            raise Refusal(b"ERR FAILOVER target HOST and PORT is not a replica.")
        if not target.online:
            raise Refusal(b"ERR FAILOVER target replica is not online.")
    change.begin(host, port, timeout_ms, forced)
    return OK


def failover_options(argv: list[bytes]) -> tuple[str, int, int, bool]:
    """Host, port, timeout in ms and FORCE; empty, 0, 0 and False where not given."""
    host, port, timeout_ms, forced = "", 0, 0, False
    at = 1
    while at < len(argv):
        word = argv[at].lower()
        if word == b"timeout" and at + 1 < len(argv) and not timeout_ms:
            timeout_ms = integer(argv[at + 1])
            if timeout_ms <= 0:
                raise Refusal(b"ERR FAILOVER timeout must be greater than 0")
            at += 2
        elif word == b"to" and at + 2 < len(argv) and not host:
            port = integer(argv[at + 2])
            host = text_of(argv[at + 1])
            at += 3
        elif word == b"force" and not forced:
            forced = True
            at += 1
        else:
            raise Refusal(SYNTAX)
    return host, port, timeout_ms, forced


def synchronize(c: Call, replid: str, offset: int, modern: bool) -> Reply:
    client = c.client
    if client.modes & NOT_TO_PAUSE:
        return NO_REPLY
    replication = replication_of(c.server)
    if replication.failover.under_way:
        raise Refusal(b"NOMASTERLINK Can't SYNC while failing over")
    if replication.primary_link is not None and not replication.primary_link.connected:
        raise Refusal(NO_PRIMARY_LINK)
    if client.out or client.unsent:
        raise Refusal(PENDING_OUTPUT)
    replication.sync(client, replid, offset, modern)
    return NO_REPLY


@command("REPLCONF", arity=-1, flags=ADMIN | ALLOW_BUSY | LOADING | NOSCRIPT | STALE)
def replconf(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) % 2 == 0:
        raise Refusal(SYNTAX)
    replicas = replication_of(c.server).replicas
    for at in range(1, len(argv), 2):
        option, value = argv[at].lower(), argv[at + 1]
        if option == b"ack":
            offset = integer_or_none(value)
            fsynced = integer_or_none(argv[at + 3]) if at + 3 < len(argv) and argv[at + 2].lower() == b"fack" else None
            if offset is not None:
                replicas.acknowledged(c.client, offset, 0 if fsynced is None else fsynced)
            return NO_REPLY
        if option == b"getack":
            return NO_REPLY  # only a primary may ask, on its own connection
        replica = replicas.link_of(c.client)
        if option == b"listening-port":
            replica.port = integer(value)
        elif option == b"ip-address":
            if len(value) >= LONGEST_IP:
                raise Refusal(
                    b"ERR REPLCONF ip-address provided by replica instance is too long: %d bytes" % len(value)
                )
            replica.ip = text_of(value)
        elif option == b"capa":
            replica.takes_eof = replica.takes_eof or value.lower() == b"eof"
            replica.takes_psync2 = replica.takes_psync2 or value.lower() == b"psync2"
        elif option == b"version":
            replica.version = version_in(value)
        elif option == b"set-cluster-node-id":
            replica.node_id = text_of(value)
        elif option == b"rdb-only":
            replica.rdb_only = integer(value) == 1
        elif option == b"rdb-filter-only":
            for part in value.split():
                if part.lower() != b"functions":
                    raise Refusal(one_line(b"ERR Unsupported rdb-filter-only option: %s" % part))
            replica.without_keys = True
        else:
            raise Refusal(one_line(b"ERR Unrecognized REPLCONF option: %s" % argv[at]))
    return OK


def version_in(text: bytes) -> tuple[int, ...]:
    """``9.1.2`` as numbers."""
    parts = text.split(b".")
    if len(parts) != VERSION_PARTS or not all(part.isdigit() and len(part) <= VERSION_PARTS for part in parts):
        raise Refusal(one_line(b"ERR Unrecognized version format: %s" % text))
    return tuple([int(part) for part in parts])


@command("WAIT", arity=3, acl=CONNECTION)
def wait(c: Call, replicas: bytes, timeout: bytes) -> Reply:
    replication = replication_of(c.server)
    if replication.primary_link is not None:
        raise Refusal(WAIT_ON_REPLICA)
    wanted = integer(replicas)
    timeout_ms = milliseconds(c, timeout)
    acked = replication.replicas.count_acked(c.client.wrote_to)
    if acked >= wanted or c.client.modes & IN_MULTI:
        return acked
    replication.replicas.wait(c.client, wanted, timeout_ms)
    return NO_REPLY


def milliseconds(c: Call, timeout: bytes) -> int:
    """How long to wait; 0: for ever. Refusal."""
    timeout_ms = integer_or_none(timeout)
    if timeout_ms is None:
        raise Refusal(TIMEOUT_NUMBER)
    if timeout_ms < 0:
        raise Refusal(TIMEOUT_NEGATIVE)
    if timeout_ms + c.now > LONG_MAX:
        raise Refusal(TIMEOUT_RANGE)
    return timeout_ms


@command("WAITAOF", arity=4, flags=BLOCKING, acl=CONNECTION)
def waitaof(c: Call, local: bytes, replicas: bytes, timeout: bytes) -> Reply:
    replication = replication_of(c.server)
    wanted_here = integer(local)
    if not 0 <= wanted_here <= 1:
        raise Refusal(NOT_0_OR_1)
    wanted = integer(replicas, NOT_POSITIVE)
    if wanted < 0:
        raise Refusal(NOT_POSITIVE)
    timeout_ms = milliseconds(c, timeout)
    if replication.primary_link is not None:
        raise Refusal(WAITAOF_ON_REPLICA)
    aof = saves_of(c.server).aof
    if wanted_here and not c.server.config.flag("appendonly"):
        raise Refusal(WAITAOF_WITHOUT_AOF)
    wait = DiskWait(aof, replication.replicas, c.client, wanted_here, wanted)
    if wait.fulfilled() or c.client.modes & IN_MULTI:
        return wait.timeout_reply()
    replication.replicas.begin_wait(wait, timeout_ms)
    return NO_REPLY
