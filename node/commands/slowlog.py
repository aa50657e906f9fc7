"""SLOWLOG: the requests that took longest (redis.io, "SLOWLOG ..."). See ``node/engine/insight/slowlog.py``."""

from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.commands.numbers import integer
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import ADMIN, LOADING, STALE, command
from gossamer.node.resp.errors import SLOWLOG_COUNT, Refusal, subcommand_syntax
from gossamer.node.resp.reply import OK, Reply, Status

OPERATOR: Final = ADMIN | LOADING | STALE


@command("SLOWLOG", arity=-2)
def slowlog(c: Call, argv: list[bytes]) -> Reply:
    raise AssertionError("dispatch answers a container itself")


@command("SLOWLOG|GET", arity=-2, flags=OPERATOR)
def slowlog_get(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) > 3:
        raise Refusal(subcommand_syntax(argv))
    count = integer(argv[2], SLOWLOG_COUNT) if len(argv) == 3 else 10
    if count < -1:
        raise Refusal(SLOWLOG_COUNT)
    entries = c.server.slowlog.entries
    chosen = entries if count == -1 else entries[:count]
    return [[e.id, e.time_s, e.duration_us, e.argv, e.addr, e.name] for e in chosen]


@command("SLOWLOG|LEN", arity=2, flags=OPERATOR)
def slowlog_len(c: Call, _: bytes) -> Reply:
    return len(c.server.slowlog.entries)


@command("SLOWLOG|RESET", arity=2, flags=OPERATOR)
def slowlog_reset(c: Call, _: bytes) -> Reply:
    c.server.slowlog.entries.clear()
    return OK


HELP = """\
SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
GET [<count>]
    The <count> newest entries (default: 10, -1 means all). An entry has
    its number, the unix time, the microseconds it took, the arguments,
    the client's address and the client's name.
LEN
    The number of entries.
RESET
    Forget all entries.
HELP
    Print this help."""


@command("SLOWLOG|HELP", arity=2, flags=LOADING | STALE)
def slowlog_help(c: Call, _: bytes) -> Reply:
    return [Status(bytes_of(line)) for line in HELP.splitlines()]
