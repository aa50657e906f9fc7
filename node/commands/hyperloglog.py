"""HyperLogLogs (redis.io, "HyperLogLog"). The value is a string that every server reads: see ``types/hyperloglogs``.

PFCOUNT reads, and notes in the value what it has counted. The replicas hear of that as of a write, so that they have
the same bytes.
"""

from typing import Final

from gossamer.node.commands.hyperloglog_check import failure
from gossamer.node.engine.data.changes import COUNTED, ENCODED, PFADD
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.state import FOLLOWING, LEAVING
from gossamer.node.engine.table.command import (
    ADMIN,
    DENYOOM,
    FAST,
    HYPERLOGLOG,
    MAY_REPLICATE,
    READONLY,
    WRITE,
    command,
)
from gossamer.node.engine.table.keyspec import ACCESS, INSERT, RO, RW, KeySpec, first
from gossamer.node.resp.errors import (
    HLL_CORRUPTED,
    HLL_NO_KEY,
    HLL_NOT_SPARSE,
    NOT_A_HLL,
    Refusal,
    c_string,
    one_line,
)
from gossamer.node.resp.reply import OK, Reply, Status
from gossamer.node.types.hyperloglogs.hyperloglog import (
    DENSE,
    FORM,
    HEADER,
    NEW,
    SPARSE,
    add,
    cache,
    cached,
    count,
    make_dense,
    merge,
    outdate,
    registers,
    valid,
)
from gossamer.node.types.hyperloglogs.registers import NONE, larger
from gossamer.node.types.hyperloglogs.sparse import Corrupted, described


def view(c: Call, key: bytes) -> bytes | bytearray | None:
    """The HyperLogLog at ``key``, None if there is none; refused if it is none."""
    value = c.view(key)
    if value is not None and not valid(value):
        raise Refusal(NOT_A_HLL)
    return value


def mutable(c: Call, key: bytes) -> bytearray | None:
    """As ``view``, to be changed in place; ``replace`` must follow if it was."""
    return None if view(c, key) is None else c.mutable(key)


@command("PFADD", arity=-2, flags=WRITE | DENYOOM | FAST, keys=first(RW, INSERT), acl=HYPERLOGLOG)
def pfadd(c: Call, argv: list[bytes]) -> Reply:
    key = argv[1]
    value = mutable(c, key)
    changes = 0
    if value is None:
        value = bytearray(NEW)
        changes = 1
    try:
        changes += add(value, argv[2:], c.server.encodings.hll_sparse_max_bytes)
    except Corrupted:
        raise Refusal(HLL_CORRUPTED) from None
    if changes == 0:
        return 0
    outdate(value)
    c.replace(key, value, PFADD, changes)
    return 1


COUNT_KEYS: Final = (KeySpec((RW, ACCESS), last=-1, note="It may keep the count in the value."),)


@command("PFCOUNT", arity=-2, flags=READONLY | MAY_REPLICATE, keys=COUNT_KEYS, acl=HYPERLOGLOG)
def pfcount(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) == 2:
        return count_one(c, argv[1])
    union, _ = united(c, argv[1:])
    return count(union)


def count_one(c: Call, key: bytes) -> int:
    """The cardinality of the HyperLogLog at ``key``: known already, or counted and noted there."""
    value = view(c, key)
    if value is None:
        return 0
    size = cached(value)
    if size >= 0:
        return size
    size = count(registers_of(value))
    if c.privileged or not c.server.conditions & (FOLLOWING | LEAVING):
        c.counting = False
        noted = c.mutable(key)
        assert noted is not None
        cache(noted, size)
        c.replace(key, noted, COUNTED)
    return size


def united(c: Call, keys: list[bytes]) -> tuple[bytes, bool]:
    """The registers of all HyperLogLogs at ``keys`` together. Is one of these dense?"""
    union, dense = NONE, False
    c.counting = True
    for key in keys:
        value = view(c, key)
        if value is not None:
            union = larger(union, registers_of(value)) if union is not NONE else registers_of(value)
            dense = dense or value[FORM] == DENSE
    c.counting = False
    return union, dense


def registers_of(value: bytes | bytearray) -> bytes:
    """All registers, a byte each."""
    try:
        return registers(value)
    except Corrupted:
        raise Refusal(HLL_CORRUPTED) from None


MERGE_KEYS: Final = (KeySpec((RW, ACCESS, INSERT)), KeySpec((RO, ACCESS), index=2, last=-1))


@command("PFMERGE", arity=-2, flags=WRITE | DENYOOM, keys=MERGE_KEYS, acl=HYPERLOGLOG)
def pfmerge(c: Call, argv: list[bytes]) -> Reply:
    union, dense = united(c, argv[1:])
    value = c.mutable(argv[1])
    if value is None:
        value = bytearray(NEW)
    merge(value, union, dense, c.server.encodings.hll_sparse_max_bytes)
    c.replace(argv[1], value, PFADD)
    return OK


# --- for tests of servers


@command("PFDEBUG", arity=3, flags=WRITE | DENYOOM | ADMIN, keys=(KeySpec((RW, ACCESS), index=2),), acl=HYPERLOGLOG)
def pfdebug(c: Call, word: bytes, key: bytes) -> Reply:
    value = view(c, key)
    if value is None:
        raise Refusal(HLL_NO_KEY)
    asked = c_string(word).upper()
    if asked == b"ENCODING":
        return Status(b"dense" if value[FORM] == DENSE else b"sparse")
    if asked == b"DECODE":
        if value[FORM] != SPARSE:
            raise Refusal(HLL_NOT_SPARSE)
        return described(bytes(value[HEADER:]))
    if asked == b"TODENSE":
        return int(to_dense(c, key))
    if asked == b"GETREG":
        to_dense(c, key)
        value = view(c, key)
        assert value is not None
        return list(registers_of(value))
    raise Refusal(one_line(b"ERR Unknown PFDEBUG subcommand '%s'" % c_string(word)))


def to_dense(c: Call, key: bytes) -> bool:
    """Give the HyperLogLog at ``key`` the dense form; has it had the other?"""
    value = c.mutable(key)
    assert value is not None
    if value[FORM] == DENSE:
        return False
    try:
        make_dense(value)
    except Corrupted:
        raise Refusal(HLL_CORRUPTED) from None
    c.replace(key, value, ENCODED)
    return True


@command("PFSELFTEST", arity=1, flags=ADMIN, acl=HYPERLOGLOG)
def pfselftest(c: Call) -> Reply:
    found = failure(c.server.rng, c.server.encodings.hll_sparse_max_bytes)
    if found:
        raise Refusal(found)
    return OK
