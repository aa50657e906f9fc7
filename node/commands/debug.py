"""DEBUG: for tests of servers and clients. Runs only where ``enable-debug-command`` allows it.

DEBUG is no container in the command table: it reads its subcommand itself, and a wrong number of arguments is the same
mistake as an unknown subcommand (debug.c of Redis 7.0).
"""

from typing import Final

from gossamer.cluster.text import bytes_of, text_of
from gossamer.gossip.events import DropKind, KillLink, PauseCron
from gossamer.node.commands.digest import DataDigest, ValueDigests
from gossamer.node.commands.numbers import integer, integer_or_none
from gossamer.node.engine.data.changes import SET
from gossamer.node.engine.data.kinds import is_integer, kind_of
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.stream.journal import encoded
from gossamer.node.engine.table.command import ADMIN, LOADING, NOSCRIPT, PROTECTED, STALE, command
from gossamer.node.resp.errors import (
    NO_SUCH_KEY,
    NOT_POSITIVE,
    RESP3_ONLY,
    Refusal,
    one_line,
    subcommand_syntax,
)
from gossamer.node.resp.reply import OK, Raw, Reply, SetReply, Status, Verbatim
from gossamer.node.types.kind import Value

HELP: Final = """\
DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CLUSTERLINK KILL <to|from|all> <node-id>
    End the bus connection to a node, the one from it, or both.
DIGEST
    Tell a digest of all data; servers that hold the same tell the same.
DIGEST-VALUE <key> [<key> ...]
    Tell digests of the values of keys.
DROP-CLUSTER-PACKET-FILTER <packet-type>
    Do not read bus messages of this type; -1 means: read all.
ERROR <string>
    Reply with this error.
LOG <message>
    Write <message> to the log.
OBJECT <key>
    How the value of <key> is held.
PAUSE-CRON <0|1>
    Whether nothing is done that only the time asks for.
POPULATE <count> [<prefix>] [<size>]
    Create <count> strings <prefix>:<num> (default: key:<num>), of <size> bytes
    if given. Keys that exist stay, and slots do not matter.
PROTOCOL <type>
    Reply with a value of this type: string, integer, double, bignum, null,
    array, set, map, attrib, push, verbatim, true or false.
REPLICATE <command> [<arg> ...]
    Send this to the replicas, whatever it is, and do nothing here.
SET-ACTIVE-EXPIRE <0|1>
    Whether keys whose time is over are deleted before anybody asks for them.
SLEEP <seconds>
    Stop the server for so long.
HELP
    Print this help."""


@command("DEBUG", arity=-2, flags=ADMIN | NOSCRIPT | LOADING | STALE | PROTECTED)
def debug(c: Call, argv: list[bytes]) -> Reply:
    word = argv[1].upper()
    count = len(argv)
    if (count == 2 and word == b"DIGEST") or (count >= 2 and word == b"DIGEST-VALUE"):
        return digest(c, argv[2:], word == b"DIGEST")
    if count == 2 and word == b"HELP":
        return [Status(bytes_of(line)) for line in HELP.splitlines()]
    if count == 3:
        if word == b"SLEEP":
            c.server.edge.sleep(max(0.0, leading_number(argv[2])))
            return OK
        if word == b"OBJECT":
            return describe(c, argv[2])
        if word == b"SET-ACTIVE-EXPIRE":
            c.server.expiry.enabled = leading_number(argv[2]) != 0
            return OK
        if word == b"DROP-CLUSTER-PACKET-FILTER":
            return execute(c, DropKind(integer(argv[2])))
        if word == b"PAUSE-CRON":
            c.server.cron_paused = leading_number(argv[2]) != 0
            return execute(c, PauseCron(c.server.cron_paused))
        if word == b"LOG":
            c.server.edge.log("warning", "DEBUG LOG: " + text_of(argv[2]))
            return OK
        if word == b"ERROR":
            raise Refusal(one_line(argv[2]))
        if word == b"PROTOCOL":
            return sample(c, argv[2].lower())
    if word == b"REPLICATE" and count >= 3:
        c.server.journal.remark(encoded(argv[2:]))
        return OK
    if word == b"CLUSTERLINK" and count == 5 and argv[2].upper() == b"KILL":
        return kill_link(c, argv[3].lower(), argv[4])
    if word == b"POPULATE" and 3 <= count <= 5:
        return populate(c, argv)
    raise Refusal(subcommand_syntax(argv))


def execute(c: Call, wanted: DropKind | PauseCron) -> Reply:
    """What concerns the bus; outside of a cluster there is none."""
    if c.server.cluster is not None:
        c.server.cluster.execute(wanted)
    return OK


def kill_link(c: Call, way: bytes, node: bytes) -> Reply:
    if c.server.cluster is None:
        raise Refusal(b"ERR Debug option only available for cluster mode enabled setup!")
    known = text_of(node)
    if known not in c.server.cluster.snapshot().nodes:
        raise Refusal(one_line(b"ERR Unknown node %s" % node))
    if way == b"to":
        c.server.cluster.execute(KillLink("to", known))
    elif way == b"from":
        c.server.cluster.execute(KillLink("from", known))
    elif way == b"all":
        c.server.cluster.execute(KillLink("all", known))
    else:
        raise Refusal(one_line(b"ERR Unknown direction %s" % way))
    return OK


def held(c: Call, key: bytes) -> Value | None:
    """The value of ``key``, even if its time is over: DEBUG tells what is there, not what clients may see."""
    return c.db.get(c.part_of(key), key)


def digest(c: Call, keys: list[bytes], of_all: bool) -> Reply:
    """Of all data, or of the values at ``keys``."""
    replies = c.server.long_replies
    made = replies.made_for(c.client)
    if made is not None:
        return made.reply
    if of_all:
        return replies.make(c.client, DataDigest(c.server.keyspace))
    return replies.make(c.client, ValueDigests([(held(c, key), c.expire_time(key) >= 0) for key in keys]))


LONGEST_NUMBER: Final = 40


def leading_number(text: bytes) -> float:
    """The number that ``text`` begins with, 0 if it begins with none: what C's ``strtod`` reads."""
    for end in range(min(len(text), LONGEST_NUMBER), 0, -1):
        try:
            value = float(text[:end])
        except ValueError:
            continue
        return value if -1e9 < value < 1e9 else 0.0
    return 0.0


# --- OBJECT


def describe(c: Call, key: bytes) -> Status:
    """Where and how the value of ``key`` is held; the address is an object's identity, good for comparing only."""
    value = held(c, key)
    if value is None:
        raise Refusal(NO_SUCH_KEY)
    kind = kind_of(value)
    used = c.db.last_use(c.part_of(key), key, c.server.now_s)
    return Status(
        b"Value at:0x%x refcount:%d encoding:%s serializedlength:%d lru:%d lru_seconds_idle:%d"
        % (
            id(value),
            kind.references(value),
            kind.encoding(value),
            serialized_length(value),
            used & 0xFFFFFF,
            max(0, c.server.now_s - used),
        )
    )


def serialized_length(value: object) -> int:
    """Bytes of a string in an RDB file, without compression: 2, 3 or 5 for small integers, else text after length."""
    assert isinstance(value, (bytes, bytearray))
    if len(value) <= 11 and is_integer(bytes(value)):
        number = int(value)
        for size, bits in ((2, 7), (3, 15), (5, 31)):
            if -(1 << bits) <= number < 1 << bits:
                return size
    length = len(value)
    return length + (1 if length < 64 else 2 if length < 16384 else 5)


# --- POPULATE


def populate(c: Call, argv: list[bytes]) -> Reply:
    count = positive(argv[2])
    prefix = argv[3] if len(argv) > 3 else b"key"
    size = positive(argv[4]) if len(argv) > 4 else 0
    for number in range(count):
        key = b"%s:%d" % (prefix, number)
        if c.exists(key):
            continue
        value = b"value:%d" % number
        if size > 0:
            value = value[:size].ljust(size, b"\0")
        c.store(key, value, SET)
    return OK


def positive(text: bytes) -> int:
    number = integer_or_none(text)
    if number is None or number < 0:
        raise Refusal(NOT_POSITIVE)
    return number


# --- PROTOCOL

BIG_NUMBER: Final = b"1234567999999999999999999999999999999"
ATTRIBUTE: Final = b"|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n"
AFTER_ATTRIBUTE: Final = b"$39\r\nSome real reply following the attribute\r\n"
PUSHED: Final = b">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n$40\r\nSome real reply following the push reply\r\n"
UNKNOWN_TYPE: Final = (
    b"ERR Wrong protocol type name. Please use one of the following: "
    b"string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
)
SAMPLES: Final[dict[bytes, Reply]] = {
    b"string": b"Hello World",
    b"integer": 12345,
    b"double": 3.141,
    b"null": None,
    b"array": [0, 1, 2],
    b"set": SetReply([0, 1, 2]),
    b"map": {0: False, 1: True, 2: False},
    b"verbatim": Verbatim(b"This is a verbatim\nstring"),
    b"true": True,
    b"false": False,
}


def sample(c: Call, kind: bytes) -> Reply:
    """A value of that RESP type, the same as Redis sends; clients test their readers with it."""
    resp3 = c.client.resp3
    if kind == b"bignum":
        return Raw(b"(%s\r\n" % BIG_NUMBER) if resp3 else BIG_NUMBER
    if kind == b"attrib":
        return Raw(ATTRIBUTE + AFTER_ATTRIBUTE if resp3 else AFTER_ATTRIBUTE)
    if kind == b"push":
        if not resp3:
            raise Refusal(RESP3_ONLY)
        return Raw(PUSHED)
    if kind not in SAMPLES:
        raise Refusal(UNKNOWN_TYPE)
    return SAMPLES[kind]
