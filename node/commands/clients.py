"""CLIENT: what the server knows of its connections, and how an operator deals with them (redis.io, "CLIENT ...").

Filters and their order of checks are those of Redis 7.0 (networking.c, clientCommand); SETINFO is of 7.2. TRACKING
and its relatives are in ``tracking.py``.
"""

from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.commands.client_line import describe
from gossamer.node.commands.numbers import integer, integer_or_none
from gossamer.node.engine.clients.client import REPLIES_OFF, SKIP_NEXT_REPLY, SKIP_THIS_REPLY, Client
from gossamer.node.engine.clients.limits import NORMAL, PUBSUB, REPLICA, client_class
from gossamer.node.engine.clients.pause import EVERYTHING, WRITES
from gossamer.node.engine.server import Server
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import ADMIN, CONNECTION, LOADING, NOSCRIPT, STALE, command
from gossamer.node.resp.errors import (
    CLIENT_ID,
    CLIENT_ID_POSITIVE,
    CLIENT_NAME,
    NO_SUCH_CLIENT,
    PAUSE_MODE,
    SYNTAX,
    TIMEOUT_NEGATIVE,
    TIMEOUT_NUMBER,
    UNBLOCK_REASON,
    Refusal,
    one_line,
    subcommand_syntax,
)
from gossamer.node.resp.reply import NO_REPLY, OK, Reply, Status, Verbatim

PRIMARY: Final = 3
CLASSES: Final[dict[bytes, int]] = {
    b"NORMAL": NORMAL,
    b"SLAVE": REPLICA,
    b"REPLICA": REPLICA,
    b"PUBSUB": PUBSUB,
    b"MASTER": PRIMARY,
}
SELF: Final = NOSCRIPT | LOADING | STALE
OPERATOR: Final = ADMIN | NOSCRIPT | LOADING | STALE
LATEST: Final = 2**63 - 1
"""The last moment a clock of signed 64-bit milliseconds can show."""


@command("CLIENT", arity=-2)
def client(c: Call, argv: list[bytes]) -> Reply:
    raise AssertionError("dispatch answers a container itself")


@command("CLIENT|ID", arity=2, flags=SELF, acl=CONNECTION)
def client_id(c: Call, _: bytes) -> Reply:
    return c.client.id


@command("CLIENT|INFO", arity=2, flags=SELF, acl=CONNECTION)
def client_info(c: Call, _: bytes) -> Reply:
    return Verbatim(describe(c.client, c.now, True))


@command("CLIENT|LIST", arity=-2, flags=OPERATOR, acl=CONNECTION)
def client_list(c: Call, argv: list[bytes]) -> Reply:
    clients = c.server.clients
    option = argv[2].upper() if len(argv) > 3 else b""
    chosen: list[Client] = []
    if option == b"TYPE" and len(argv) == 4:
        wanted = class_named(argv[3])
        chosen = [other for other in everybody(c.server) if class_of(other) == wanted]
    elif option == b"ID":
        for word in argv[3:]:
            found = clients.by_id.get(integer(word, CLIENT_ID))
            if found is not None:
                chosen.append(found)
    elif len(argv) == 2:
        chosen = everybody(c.server)
    else:
        raise Refusal(SYNTAX)
    return Verbatim(b"".join([describe(other, c.now, other is c.client) for other in chosen if not other.killed]))


def everybody(server: Server) -> list[Client]:
    """All connections, that to the primary last."""
    out: list[Client] = server.clients.all()
    primary_link = server.replication.upstream_client()
    return out if primary_link is None else [*out, primary_link]


def class_of(client: Client) -> int:
    return PRIMARY if client.is_primary else client_class(client)


def class_named(name: bytes) -> int:
    found = CLASSES.get(name.upper())
    if found is None:
        raise Refusal(one_line(b"ERR Unknown client type '%s'" % name))
    return found


# --- names


@command("CLIENT|GETNAME", arity=2, flags=SELF, acl=CONNECTION)
def client_getname(c: Call, _: bytes) -> Reply:
    return c.client.name or None


@command("CLIENT|SETNAME", arity=3, flags=SELF, acl=CONNECTION)
def client_setname(c: Call, _: bytes, name: bytes) -> Reply:
    set_name(c.client, name)
    return OK


def set_name(named: Client, name: bytes) -> None:
    """An empty name takes the name away."""
    if not is_one_word(name):
        raise Refusal(CLIENT_NAME)
    named.name = name


def is_one_word(text: bytes) -> bool:
    """Can it stand in a line of CLIENT LIST?"""
    return not text or (min(text) >= 0x21 and max(text) <= 0x7E)


@command("CLIENT|SETINFO", arity=4, flags=SELF, acl=CONNECTION)
def client_setinfo(c: Call, _: bytes, option: bytes, value: bytes) -> Reply:
    word = option.lower()
    if word not in (b"lib-name", b"lib-ver"):
        raise Refusal(one_line(b"ERR Unrecognized option '%s'" % option))
    if not is_one_word(value):
        raise Refusal(b"ERR %s cannot contain spaces, newlines or special characters." % option)
    if word == b"lib-name":
        c.client.lib_name = value
    else:
        c.client.lib_ver = value
    return OK


# --- KILL


class Victims:
    """Whom CLIENT KILL means: those who match everything that was named."""

    def __init__(self) -> None:
        self.id: int = 0
        self.kind: int = -1
        self.user: str = ""
        self.addr: bytes | None = None
        self.laddr: bytes | None = None
        self.spare: Client | None = None

    def include(self, client: Client) -> bool:
        if client.killed or client is self.spare:
            return False
        return (
            (not self.id or client.id == self.id)
            and (self.kind < 0 or class_of(client) == self.kind)
            and (not self.user or client.user == self.user)
            and (self.addr is None or bytes_of(client.addr) == self.addr)
            and (self.laddr is None or bytes_of(client.laddr) == self.laddr)
        )


@command("CLIENT|KILL", arity=-3, flags=OPERATOR, acl=CONNECTION)
def client_kill(c: Call, argv: list[bytes]) -> Reply:
    victims = Victims()
    if len(argv) == 3:
        victims.addr = argv[2]
        if not kill_all(c, victims):
            raise Refusal(NO_SUCH_CLIENT)
        return OK
    victims.spare = c.client
    for at in range(2, len(argv), 2):
        if at + 1 == len(argv):
            raise Refusal(SYNTAX)
        narrow(victims, c.client, argv[at].upper(), argv[at + 1])
    return kill_all(c, victims)


def narrow(victims: Victims, caller: Client, option: bytes, value: bytes) -> None:
    """One filter of the new form of CLIENT KILL."""
    if option == b"ID":
        number = integer_or_none(value)
        if number is None or number <= 0:
            raise Refusal(CLIENT_ID_POSITIVE)
        victims.id = number
    elif option == b"TYPE":
        victims.kind = class_named(value)
    elif option == b"ADDR":
        victims.addr = value
    elif option == b"LADDR":
        victims.laddr = value
    elif option == b"USER":
        if value != b"default":
            raise Refusal(one_line(b"ERR No such user '%s'" % value))
        victims.user = "default"
    elif option == b"SKIPME":
        answer = value.upper()
        if answer not in (b"YES", b"NO"):
            raise Refusal(SYNTAX)
        victims.spare = caller if answer == b"YES" else None
    else:
        raise Refusal(SYNTAX)


def kill_all(c: Call, victims: Victims) -> int:
    """End every connection that ``victims`` includes, one's own after its reply; how many."""
    doomed = [other for other in everybody(c.server) if victims.include(other)]
    for other in doomed:
        if other is c.client:
            other.close_after_reply()
        elif class_of(other) == PRIMARY:
            c.server.replication.cut()
        else:
            other.kill()
    return len(doomed)


# --- PAUSE


@command("CLIENT|PAUSE", arity=-3, flags=OPERATOR, acl=CONNECTION)
def client_pause(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) > 4:
        raise Refusal(subcommand_syntax(argv))
    mode = argv[3].upper() if len(argv) == 4 else b"ALL"
    if mode not in (b"WRITE", b"ALL"):
        raise Refusal(PAUSE_MODE)
    length = integer(argv[2], TIMEOUT_NUMBER)
    if length < 0:
        raise Refusal(TIMEOUT_NEGATIVE)
    end = c.now + length
    if end <= LATEST:  # beyond that, 7.0 overflows and the pause is over at once
        c.server.pause.begin(end, WRITES if mode == b"WRITE" else EVERYTHING)
    return OK


@command("CLIENT|UNPAUSE", arity=2, flags=OPERATOR, acl=CONNECTION)
def client_unpause(c: Call, _: bytes) -> Reply:
    c.server.pause.end()
    return OK


# --- modes of a connection


@command("CLIENT|REPLY", arity=3, flags=SELF, acl=CONNECTION)
def client_reply(c: Call, _: bytes, mode: bytes) -> Reply:
    word = mode.upper()
    if word == b"ON":
        c.client.modes &= ~(REPLIES_OFF | SKIP_THIS_REPLY)
        return OK
    if word == b"OFF":
        c.client.modes |= REPLIES_OFF
    elif word == b"SKIP":
        if not c.client.modes & REPLIES_OFF:
            c.client.modes |= SKIP_NEXT_REPLY
    else:
        raise Refusal(SYNTAX)
    return NO_REPLY


@command("CLIENT|NO-EVICT", arity=3, flags=OPERATOR, acl=CONNECTION)
def client_no_evict(c: Call, _: bytes, mode: bytes) -> Reply:
    c.client.no_evict = is_on(mode)
    return OK


@command("CLIENT|NO-TOUCH", arity=3, flags=NOSCRIPT | LOADING | STALE, acl=CONNECTION)
def client_no_touch(c: Call, _: bytes, mode: bytes) -> Reply:
    c.client.no_touch = is_on(mode)
    return OK


def is_on(mode: bytes) -> bool:
    """ON or OFF."""
    word = mode.upper()
    if word not in (b"ON", b"OFF"):
        raise Refusal(SYNTAX)
    return word == b"ON"


@command("CLIENT|UNBLOCK", arity=-3, flags=OPERATOR, acl=CONNECTION)
def client_unblock(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) > 4:
        raise Refusal(subcommand_syntax(argv))
    reason = argv[3].upper() if len(argv) == 4 else b"TIMEOUT"
    if reason not in (b"TIMEOUT", b"ERROR"):
        raise Refusal(UNBLOCK_REASON)
    waiting = c.server.clients.by_id.get(integer(argv[2]))
    return int(waiting is not None and c.server.waiting.unblock(waiting, reason == b"ERROR"))


HELP = """\
CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CACHING (YES|NO)
    With OPTIN or OPTOUT: whether what the next request reads is tracked.
GETREDIR
    The number of the connection that is told of changes instead of this one.
GETNAME
    The name of this connection.
ID
    The number of this connection.
INFO
    What LIST says of this connection.
KILL <ip:port>
    End the connection that comes from this address.
KILL <option> <value> [<option> <value> [...]]
    End all connections that match every option:
    * ADDR (<ip:port>|<unixsocket>:0)
      where they come from
    * LADDR (<ip:port>|<unixsocket>:0)
      the address they were made to
    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)
      their type
    * USER <username>
      who is logged in on them
    * SKIPME (YES|NO)
      whether to spare this connection (default: yes)
LIST [options ...]
    One line for each connection. Options:
    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)
      only connections of this type
UNPAUSE
    End a pause.
PAUSE <timeout> [WRITE|ALL]
    Hold back requests, all or those that write, for <timeout> milliseconds.
REPLY (ON|OFF|SKIP)
    Whether this connection wants replies.
SETNAME <name>
    Name this connection.
SETINFO <option> <value>
    Tell which library this connection is made by. Options:
    * LIB-NAME
      the name of the library
    * LIB-VER
      its version
UNBLOCK <clientid> [TIMEOUT|ERROR]
    End the wait of a blocked client.
TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]
         [OPTIN] [OPTOUT] [NOLOOP]
    Whether this connection is told when keys change that it may have cached.
TRACKINGINFO
    How this connection tracks keys.
NO-EVICT (ON|OFF)
    Spare this connection when memory must be freed.
NO-TOUCH (ON|OFF)
    What this connection reads does not count as used.
HELP
    Print this help."""


@command("CLIENT|HELP", arity=2, flags=LOADING | STALE, acl=CONNECTION)
def client_help(c: Call, _: bytes) -> Reply:
    return [Status(bytes_of(line)) for line in HELP.splitlines()]
