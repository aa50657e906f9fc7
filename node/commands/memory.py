"""MEMORY: what the data costs (redis.io, "MEMORY ..."). Sizes are of this process' objects, not of Redis'."""

from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.commands.memory_report import MemoryReport
from gossamer.node.commands.numbers import integer
from gossamer.node.engine.data.sizes import usage
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import LOADING, READONLY, STALE, command
from gossamer.node.engine.table.keyspec import RO, KeySpec
from gossamer.node.resp.errors import SYNTAX, Refusal
from gossamer.node.resp.reply import OK, Reply, Status, Verbatim

KEY: Final = (KeySpec((RO,), index=2),)


@command("MEMORY", arity=-2)
def memory(c: Call, argv: list[bytes]) -> Reply:
    raise AssertionError("dispatch answers a container itself")


@command("MEMORY|USAGE", arity=-3, flags=READONLY, keys=KEY)
def memory_usage(c: Call, argv: list[bytes]) -> Reply:
    for at in range(3, len(argv), 2):
        if argv[at].upper() != b"SAMPLES" or at + 1 == len(argv):
            raise Refusal(SYNTAX)
        if integer(argv[at + 1]) < 0:
            raise Refusal(SYNTAX)
    key = argv[2]
    value = c.get_raw(key)
    if value is None:
        return None
    return usage(key, value, c.expire_time(key) >= 0)


@command("MEMORY|DOCTOR", arity=2)
def memory_doctor(c: Call, _: bytes) -> Reply:
    return Verbatim(bytes_of(MemoryReport(c.server).diagnosis()))


@command("MEMORY|STATS", arity=2)
def memory_stats(c: Call, _: bytes) -> Reply:
    return MemoryReport(c.server).stats()


@command("MEMORY|MALLOC-STATS", arity=2)
def memory_malloc_stats(c: Call, _: bytes) -> Reply:
    return Verbatim(b"Stats not supported for the current allocator")


@command("MEMORY|PURGE", arity=2)
def memory_purge(c: Call, _: bytes) -> Reply:
    c.server.edge.give_back_memory()
    return OK


HELP = """\
MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
DOCTOR
    Say what is wrong with the use of memory.
MALLOC-STATS
    Statistics of the memory allocator.
PURGE
    Ask the allocator to give memory back.
STATS
    Tell what the memory is used for.
USAGE <key> [SAMPLES <count>]
    Estimate the bytes that <key> and its value take.
HELP
    Print this help."""


@command("MEMORY|HELP", arity=2, flags=LOADING | STALE)
def memory_help(c: Call, _: bytes) -> Reply:
    return [Status(bytes_of(line)) for line in HELP.splitlines()]
