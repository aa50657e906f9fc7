"""Commands on whole databases (redis.io, "Server management" and "Generic"): their size, emptying, exchanging."""

from typing import Final

from gossamer.node.commands.numbers import integer, integer_or_none
from gossamer.node.engine.data.changes import MOVE_FROM, MOVE_TO
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DANGEROUS, FAST, KEYSPACE, READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, RW, UPDATE, first
from gossamer.node.resp.errors import (
    DB_INDEX,
    FIRST_DB_INDEX,
    MOVE_IN_CLUSTER,
    NOT_AN_INT,
    SAME_OBJECT,
    SECOND_DB_INDEX,
    SWAPDB_IN_CLUSTER,
    SYNTAX,
    Refusal,
)
from gossamer.node.resp.reply import OK, Reply

INT_MAX: Final = 2**31 - 1
INT_MIN: Final = -(2**31)
CLUSTER_DATABASES: Final = 16
"""Redis in cluster mode has as many databases as the default says, and lets nobody into any but the first."""


@command("DBSIZE", arity=1, flags=READONLY | FAST, acl=KEYSPACE)
def dbsize(c: Call) -> Reply:
    return c.db.size


@command("FLUSHDB", arity=-1, flags=WRITE, acl=(KEYSPACE, DANGEROUS))
def flushdb(c: Call, argv: list[bytes]) -> Reply:
    check_flush_options(argv)
    c.server.keyspace.clear([c.db])
    c.server.migrations.flushed()
    return OK


@command("FLUSHALL", arity=-1, flags=WRITE, acl=(KEYSPACE, DANGEROUS))
def flushall(c: Call, argv: list[bytes]) -> Reply:
    check_flush_options(argv)
    c.server.keyspace.clear(c.server.keyspace.used())
    c.server.migrations.flushed()
    c.server.saves.flushed()
    return OK


def check_flush_options(argv: list[bytes]) -> None:
    """ASYNC and SYNC are the same here: the keys are gone at once, and freed in pieces either way."""
    if len(argv) > 2 or (len(argv) == 2 and argv[1].upper() not in (b"ASYNC", b"SYNC")):
        raise Refusal(SYNTAX)


@command("MOVE", arity=3, flags=WRITE | FAST, keys=first(RW, ACCESS, UPDATE), acl=KEYSPACE)
def move(c: Call, key: bytes, to: bytes) -> Reply:
    if c.server.clustered:
        raise Refusal(MOVE_IN_CLUSTER)
    index = index_argument(c, to)
    if index == c.db.index:
        raise Refusal(SAME_OBJECT)
    there = c.on(index)
    if c.held(key) is None or there.exists(key):
        return 0
    c.move(key, there, key, (MOVE_FROM, MOVE_TO))
    return 1


@command("SWAPDB", arity=3, flags=WRITE | FAST, acl=(KEYSPACE, DANGEROUS))
def swapdb(c: Call, one: bytes, other: bytes) -> Reply:
    if c.server.clustered:
        raise Refusal(SWAPDB_IN_CLUSTER)
    indexes = (int_or_refuse(one, FIRST_DB_INDEX), int_or_refuse(other, SECOND_DB_INDEX))
    for index in indexes:
        if not 0 <= index < len(c.server.keyspace):
            raise Refusal(DB_INDEX)
    c.server.keyspace.swap(indexes[0], indexes[1], c.now)
    return OK


def int_or_refuse(text: bytes, refusal: bytes) -> int:
    """A C int; ``refusal`` if it is none."""
    value = integer_or_none(text)
    if value is None or not INT_MIN <= value <= INT_MAX:
        raise Refusal(refusal)
    return value


def index_argument(c: Call, text: bytes) -> int:
    """The number of a database, as COPY and MOVE read it."""
    index = integer(text)
    if not INT_MIN <= index <= INT_MAX:
        raise Refusal(NOT_AN_INT)
    count = CLUSTER_DATABASES if c.server.clustered else len(c.server.keyspace)
    if not 0 <= index < count:
        raise Refusal(DB_INDEX)
    return index
