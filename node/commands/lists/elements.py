"""Single elements, by index or by what they are: LINDEX, LSET, LINSERT, LREM, LPOS."""

from typing import Final

from gossamer.node.commands.numbers import LONG_MAX, LONG_MIN, integer, integer_or_none
from gossamer.node.engine.data.changes import LINSERT, LREM, LSET
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, LIST, READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, INSERT, RO, RW, UPDATE, first
from gossamer.node.resp.errors import (
    COUNT_NEGATIVE,
    MAXLEN_NEGATIVE,
    NO_SUCH_KEY,
    OUT_OF_RANGE,
    RANK_RANGE,
    RANK_ZERO,
    SYNTAX,
    Refusal,
)
from gossamer.node.resp.reply import OK, Reply
from gossamer.node.types.lists.list import List

READ: Final = first(RO, ACCESS)


# --- by index


@command("LINDEX", arity=3, flags=READONLY, keys=READ, acl=LIST)
def lindex(c: Call, key: bytes, index: bytes) -> Reply:
    value = c.read(key, List)
    if value is None:
        return None
    at = place(value, integer(index))
    return None if at < 0 else value.element(at)


@command("LSET", arity=4, flags=WRITE | DENYOOM, keys=first(RW, UPDATE), acl=LIST)
def lset(c: Call, key: bytes, index: bytes, element: bytes) -> Reply:
    value = c.change(key, List)
    if value is None:
        raise Refusal(NO_SUCH_KEY)
    number = integer(index)
    value.will_grow(1, len(element), c.server.encodings)
    at = place(value, number)
    if at < 0:
        raise Refusal(OUT_OF_RANGE)
    value.replace(at, element)
    value.has_shrunk(c.server.encodings)
    c.changed(key, value, LSET)
    return OK


def place(value: List, index: int) -> int:
    """``index`` counted from the first element, -1 if there is no such element; negative ones count from the end."""
    if index < 0:
        index += value.length
    return index if 0 <= index < value.length else -1


# --- by content


@command("LINSERT", arity=5, flags=WRITE | DENYOOM, keys=first(RW, INSERT), acl=LIST)
def linsert(c: Call, key: bytes, where: bytes, pivot: bytes, element: bytes) -> Reply:
    word = where.upper()
    if word != b"BEFORE" and word != b"AFTER":
        raise Refusal(SYNTAX)
    value = c.change(key, List)
    if value is None:
        return 0
    value.will_grow(1, len(element), c.server.encodings)
    at = value.find(pivot)
    if at < 0:
        return -1
    value.insert(at if word == b"BEFORE" else at + 1, element)
    c.changed(key, value, LINSERT)
    return value.length


@command("LREM", arity=4, flags=WRITE, keys=first(RW, DELETE), acl=LIST)
def lrem(c: Call, key: bytes, count: bytes, element: bytes) -> Reply:
    most = integer(count)
    value = c.change(key, List)
    if value is None:
        return 0
    gone = value.remove(element, abs(most), most < 0)
    if gone:
        value.has_shrunk(c.server.encodings)
        c.changed(key, value, LREM, gone)
    return gone


@command("LPOS", arity=-3, flags=READONLY, keys=READ, acl=LIST)
def lpos(c: Call, argv: list[bytes]) -> Reply:
    options = PositionOptions(argv)
    value = c.read(argv[1], List)
    rank, count = options.rank, options.count
    if value is None:
        return None if count < 0 else []
    found = value.positions(argv[2], abs(rank), 1 if count < 0 else count, options.within, rank < 0)
    if count < 0:
        return found[0] if found else None
    return found


class PositionOptions:
    """RANK, COUNT (-1 if not given) and MAXLEN (0: all) of an LPOS. Refusal."""

    def __init__(self, argv: list[bytes]) -> None:
        self.rank: int = 1
        self.count: int = -1
        self.within: int = 0
        for at in range(3, len(argv), 2):
            word = argv[at].upper()
            if at + 1 == len(argv):
                raise Refusal(SYNTAX)
            if word == b"RANK":
                self.rank = rank_of(argv[at + 1])
            elif word == b"COUNT":
                self.count = not_negative(argv[at + 1], COUNT_NEGATIVE)
            elif word == b"MAXLEN":
                self.within = not_negative(argv[at + 1], MAXLEN_NEGATIVE)
            else:
                raise Refusal(SYNTAX)


def rank_of(text: bytes) -> int:
    rank = integer(text)
    if rank == LONG_MIN:
        raise Refusal(RANK_RANGE)
    if rank == 0:
        raise Refusal(RANK_ZERO)
    return rank


def not_negative(text: bytes, refusal: bytes) -> int:
    number = integer_or_none(text)
    if number is None or not 0 <= number <= LONG_MAX:
        raise Refusal(refusal)
    return number
