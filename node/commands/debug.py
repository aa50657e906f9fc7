"""DEBUG: for tests of servers and clients. Runs only where ``enable-debug-command`` allows it.

DEBUG is no container in the command table: it reads its subcommand itself, and a wrong number of arguments is the same
mistake as an unknown subcommand (debug.c of Redis 7.0).
"""

from typing import Final

from gossamer.cluster.text import bytes_of, text_of
from gossamer.gossip.events import DropMessageType, KillLink, PauseCron
from gossamer.node.commands.debug_protocol import sample
from gossamer.node.commands.debug_reload import load_aof, reload
from gossamer.node.commands.debug_values import describe, held, show, string_sizes, table_sizes
from gossamer.node.commands.digest import DataDigest, ValueDigests
from gossamer.node.commands.numbers import integer, integer_or_none
from gossamer.node.config.numbers import memory as memory_size
from gossamer.node.engine.data.changes import SET
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import ADMIN, LOADING, NOSCRIPT, PROTECTED, STALE, command
from gossamer.node.resp.errors import (
    NOT_A_LISTPACK,
    NOT_A_QUICKLIST,
    NOT_POSITIVE,
    PACKED_THRESHOLD,
    Refusal,
    one_line,
    subcommand_syntax,
)
from gossamer.node.resp.reply import OK, Reply, Status
from gossamer.node.resp.requests import encoded
from gossamer.node.saving.saves import saves_of

HELP: Final = """\
DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
AOF-FLUSH-SLEEP <microseconds>
    Stop the server for so long before each write to the append-only file.
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
DICT-RESIZING <0|1>
    Nothing: tables here grow and shrink with what they hold.
HTSTATS-KEY <key> [full]
    The size of the hash table that Redis would hold <key> in.
LISTPACK <key>
    Write the elements of a value that Redis holds in a listpack to the log.
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
LOADAOF
    Write what is still to be written to the append-only file, and read all of it again.
QUICKLIST <key> [<0|1>]
    Write the elements of a value that Redis holds in a quicklist to the log.
QUICKLIST-PACKED-THRESHOLD <size>
    Nothing: elements of lists stand together here whatever their size.
RELOAD [MERGE] [NOFLUSH]
    Write all data as an RDB and read it again, in memory.
REPLICATE <command> [<arg> ...]
    Send this to the replicas, whatever it is, and do nothing here.
REPLYBUFFER PEAK-RESET-TIME <never|reset|ms>, REPLYBUFFER RESIZING <0|1>
    Nothing: no client has a buffer of a fixed size here.
SDSLEN <key>
    The lengths of <key> and of the string that it holds.
SET-ACTIVE-EXPIRE <0|1>
    Whether keys whose time is over are deleted before anybody asks for them.
SET-SKIP-CHECKSUM-VALIDATION <0|1>
    Whether RESTORE takes payloads with any checksum.
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
    if word == b"RELOAD":
        return reload(c, argv[2:])
    if word == b"LOADAOF" and count == 2:
        return load_aof(c)
    if count == 3:
        shown = of_value(c, word, argv[2])
        if shown is not None:
            return shown
        if word in SWITCHES:
            return switch(c, word, argv[2])
        if word == b"SLEEP":
            return sleep(c, max(0.0, leading_number(argv[2])))
        if word == b"AOF-FLUSH-SLEEP":
            saves_of(c.server).aof.sink.sleep_us = max(0, integer(argv[2]))
            return OK
        if word == b"DROP-CLUSTER-PACKET-FILTER":
            return execute(c, DropMessageType(integer(argv[2])))
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
    if count == 4 and word in (b"QUICKLIST", b"HTSTATS-KEY"):
        return of_value(c, word, argv[2])
    if count == 4 and word == b"REPLYBUFFER":
        return reply_buffer(argv)
    if word == b"REPLICATE" and count >= 3:
        c.server.journal.remark(encoded(argv[2:]))
        return OK
    if word == b"CLUSTERLINK" and count == 5 and argv[2].upper() == b"KILL":
        return kill_link(c, argv[3].lower(), argv[4])
    if word == b"POPULATE" and 3 <= count <= 5:
        return populate(c, argv)
    raise Refusal(subcommand_syntax(argv))


SWITCHES: Final = (
    b"SET-ACTIVE-EXPIRE",
    b"SET-SKIP-CHECKSUM-VALIDATION",
    b"DICT-RESIZING",
    b"QUICKLIST-PACKED-THRESHOLD",
)


def switch(c: Call, word: bytes, value: bytes) -> Reply:
    if word == b"SET-ACTIVE-EXPIRE":
        c.server.expiry.enabled = leading_number(value) != 0
    elif word == b"SET-SKIP-CHECKSUM-VALIDATION":
        c.server.skip_checksums = leading_number(value) != 0
    elif word == b"QUICKLIST-PACKED-THRESHOLD":
        size = memory_size(text_of(value))
        if size is None or not 0 <= size <= LARGEST_THRESHOLD:
            raise Refusal(PACKED_THRESHOLD)
    return OK


def of_value(c: Call, word: bytes, key: bytes) -> Reply:
    """What is told of the value of ``key``; None if ``word`` is something else."""
    if word == b"OBJECT":
        return describe(c, key)
    if word == b"LISTPACK":
        return show(c, key, b"listpack", NOT_A_LISTPACK)
    if word == b"QUICKLIST":
        return show(c, key, b"quicklist", NOT_A_QUICKLIST)
    if word == b"SDSLEN":
        return string_sizes(c, key)
    return table_sizes(c, key) if word == b"HTSTATS-KEY" else None


def reply_buffer(argv: list[bytes]) -> Reply:
    what, value = argv[2].upper(), argv[3].upper()
    if what == b"PEAK-RESET-TIME":
        if value not in (b"NEVER", b"RESET"):
            integer(value)
    elif what != b"RESIZING":
        raise Refusal(subcommand_syntax(argv))
    return OK


def execute(c: Call, wanted: DropMessageType | PauseCron) -> Reply:
    """What concerns the bus; outside of a cluster there is none."""
    if c.server.cluster is not None:
        c.server.cluster.execute(wanted)
    return OK


def sleep(c: Call, seconds: float) -> Reply:
    """What comes behind it in the batch comes that much later: keys end meanwhile."""
    c.server.edge.sleep(seconds)
    c.server.begin_batch(c.now + int(seconds * 1000))
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


def digest(c: Call, keys: list[bytes], of_all: bool) -> Reply:
    """Of all data, or of the values at ``keys``."""
    replies = c.server.long_replies
    made = replies.made_for(c.client)
    if made is not None:
        return made.reply
    if of_all:
        return replies.make(c.client, DataDigest(c.server.keyspace, c.server.now))
    values = [(held(c, key), c.expire_time(key) >= 0) for key in keys]
    return replies.make(c.client, ValueDigests(values, c.server.now))


LONGEST_NUMBER: Final = 40
LARGEST_THRESHOLD: Final = (1 << 32) - (1 << 20)
"""Bytes of the largest element of a list that Redis may hold in a listpack."""


def leading_number(text: bytes) -> float:
    """The number that ``text`` begins with, 0 if it begins with none: what C's ``strtod`` reads."""
    for end in range(min(len(text), LONGEST_NUMBER), 0, -1):
        try:
            value = float(text[:end])
        except ValueError:
            continue
        return value if -1e9 < value < 1e9 else 0.0
    return 0.0


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
