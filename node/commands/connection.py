"""Commands about the connection itself: who speaks, in which protocol, to which database (redis.io, "Connection").

There is one user, ``default``, whose password is ``requirepass``. Passwords are taken out of the request as soon as
they are seen, so that neither SLOWLOG nor MONITOR shows them; Redis leaves them in a request that it refuses.
"""

import hmac
from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.commands.clients import set_name
from gossamer.node.commands.numbers import integer
from gossamer.node.engine.clients.client import ASKED, SUBSCRIBED, UNAUTHENTICATED
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import (
    ALLOW_BUSY,
    CONNECTION,
    FAST,
    LOADING,
    NO_AUTH,
    NOSCRIPT,
    STALE,
    UNQUEUED,
    command,
)
from gossamer.node.replication.replication import replication_of
from gossamer.node.resp.errors import (
    CLUSTER_DISABLED,
    DB_INDEX,
    NO_PASSWORD,
    NOAUTH_HELLO,
    NOPROTO,
    PROTOCOL_NUMBER,
    SELECT_IN_CLUSTER,
    SYNTAX,
    WRONGPASS,
    Refusal,
    int_between,
    one_line,
    wrong_arity,
)
from gossamer.node.resp.reply import OK, PONG, Reply, Status
from gossamer.node.version import COMPATIBLE

REDIS_VERSION: Final = bytes_of(COMPATIBLE)
"""The version whose behaviour we promise."""

REDACTED: Final = b"(redacted)"
INT_MAX: Final = 2**31 - 1
INT_MIN: Final = -(2**31)


@command("PING", arity=-1, flags=FAST, acl=CONNECTION)
def ping(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) > 2:
        raise Refusal(wrong_arity("ping"))
    message = argv[1] if len(argv) == 2 else b""
    if c.client.modes & SUBSCRIBED and not c.client.resp3:
        return [b"pong", message]
    return message if len(argv) == 2 else PONG


@command("ECHO", arity=2, flags=FAST | LOADING | STALE, acl=CONNECTION)
def echo(c: Call, message: bytes) -> Reply:
    return message


BEFORE_LOGIN: Final = NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY


@command("HELLO", arity=-1, flags=BEFORE_LOGIN, acl=CONNECTION)
def hello(c: Call, argv: list[bytes]) -> Reply:
    client = c.client
    words = list(argv)
    hide_login(argv)
    protocol = 3 if client.resp3 else 2
    if len(argv) > 1:
        protocol = integer(argv[1], PROTOCOL_NUMBER)
        if protocol not in (2, 3):
            raise Refusal(NOPROTO)
    at = 2
    while at < len(argv):
        at += hello_option(c, words, at)
    if client.modes & UNAUTHENTICATED:
        raise Refusal(NOAUTH_HELLO)
    client.resp3 = protocol == 3
    return {
        b"server": b"redis",
        b"version": REDIS_VERSION,
        b"proto": protocol,
        b"id": client.id,
        b"mode": b"cluster" if c.server.clustered else b"standalone",
        b"role": b"master" if replication_of(c.server).primary_link is None else b"replica",
        b"modules": [],
    }


def hide_login(argv: list[bytes]) -> None:
    """Take name and password out of a HELLO, also of one that will be refused."""
    at = 2
    while at < len(argv):
        option = argv[at].upper()
        if option == b"AUTH":
            for secret in range(at + 1, min(at + 3, len(argv))):
                argv[secret] = REDACTED
        at += 3 if option == b"AUTH" else 2 if option == b"SETNAME" else 1


def hello_option(c: Call, argv: list[bytes], at: int) -> int:
    """Obey the option at ``at`` at once, as Redis does: what stands before a mistake has happened. Its length."""
    option = argv[at].upper()
    left = len(argv) - at - 1
    if option == b"AUTH" and left >= 2:
        log_in(c, argv[at + 1], argv[at + 2])
        return 3
    if option == b"SETNAME" and left >= 1:
        set_name(c.client, argv[at + 1])
        return 2
    raise Refusal(one_line(b"ERR Syntax error in HELLO option '%s'" % argv[at]))


@command("AUTH", arity=-2, flags=BEFORE_LOGIN, acl=CONNECTION)
def auth(c: Call, argv: list[bytes]) -> Reply:
    password = argv[-1]
    user = argv[1] if len(argv) == 3 else b"default"
    for at in range(1, len(argv)):
        argv[at] = REDACTED
    if len(argv) > 3:
        raise Refusal(SYNTAX)
    if len(argv) == 2 and c.server.access.open_to_all:
        raise Refusal(NO_PASSWORD)
    log_in(c, user, password)
    return OK


def log_in(c: Call, user: bytes, password: bytes) -> None:
    server = c.server
    if user != b"default" or not (server.access.open_to_all or hmac.compare_digest(password, server.access.password)):
        raise Refusal(WRONGPASS)
    c.client.authenticated()


@command("SELECT", arity=2, flags=LOADING | STALE | FAST, acl=CONNECTION)
def select(c: Call, index: bytes) -> Reply:
    number = integer(index)
    if not INT_MIN <= number <= INT_MAX:
        raise Refusal(int_between(INT_MIN, INT_MAX))
    if c.server.clustered and number != 0:
        raise Refusal(SELECT_IN_CLUSTER)
    if not 0 <= number < len(c.server.keyspace):
        raise Refusal(DB_INDEX)
    c.select(number)
    return OK


@command("QUIT", arity=-1, flags=BEFORE_LOGIN | UNQUEUED, acl=CONNECTION)
def quit_(c: Call, argv: list[bytes]) -> Reply:
    c.client.close_after_reply()
    return OK


@command("RESET", arity=1, flags=BEFORE_LOGIN | UNQUEUED, acl=CONNECTION)
def reset(c: Call) -> Reply:
    c.server.monitors.remove(c.client)
    c.server.tracking.disable(c.client)
    c.client.reset()
    return Status(b"RESET")


# --- cluster modes of the connection


def require_cluster(c: Call) -> None:
    if not c.server.clustered:
        raise Refusal(CLUSTER_DISABLED)


@command("ASKING", arity=1, flags=FAST, acl=CONNECTION)
def asking(c: Call) -> Reply:
    require_cluster(c)
    c.client.modes |= ASKED
    return OK


@command("READONLY", arity=1, flags=LOADING | STALE | FAST, acl=CONNECTION)
def readonly(c: Call) -> Reply:
    require_cluster(c)
    c.client.readonly = True
    return OK


@command("READWRITE", arity=1, flags=LOADING | STALE | FAST, acl=CONNECTION)
def readwrite(c: Call) -> Reply:
    require_cluster(c)
    c.client.readonly = False
    return OK
