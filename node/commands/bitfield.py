"""BITFIELD: a string as an array of integers of any width (redis.io, "BITFIELD").

All operations are read before the first one runs. Each that changes something counts as a change; if none does, and the
string was long enough, nothing has happened. What counts as overflow, and what WRAP, SAT and FAIL make of it,
follows bitops.c of Redis 7.0.15 with its 64-bit arithmetic, also where that surprises: SET of a far too small signed
number can saturate at the largest.
"""

from typing import Final

from gossamer.node.commands.bits import bit_offset, lengthened
from gossamer.node.commands.numbers import integer, integer_or_none, wrap64
from gossamer.node.engine.data.changes import SETBIT
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import BITMAP, DENYOOM, FAST, READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, RW, UPDATE, Access, KeySpec, first
from gossamer.node.resp.errors import BITFIELD_OVERFLOW, BITFIELD_READONLY, BITFIELD_TYPE, SYNTAX, Refusal
from gossamer.node.resp.reply import Reply

GET: Final = 0
SET: Final = 1
INCRBY: Final = 2
VERBS: Final[dict[bytes, int]] = {b"GET": GET, b"SET": SET, b"INCRBY": INCRBY}

WRAP: Final = 0
SAT: Final = 1
FAIL: Final = 2
OVERFLOWS: Final[dict[bytes, int]] = {b"WRAP": WRAP, b"SAT": SAT, b"FAIL": FAIL}


def bitfield_access(argv: list[bytes]) -> Access:
    """BITFIELD reads if it says nothing but GET and OVERFLOW; what it does not understand counts as a change."""
    at = 2
    while at < len(argv):
        word = argv[at].upper()
        size = 3 if word == b"GET" else 2 if word == b"OVERFLOW" else 0
        if size == 0 or at + size > len(argv):
            return (RW, ACCESS, UPDATE)
        at += size
    return (RO, ACCESS)


KEYS: Final = (
    KeySpec((RW, ACCESS, UPDATE), variable=True, actual=bitfield_access, note="It writes if there is more than `GET`."),
)


class Operation:
    """``offset`` and ``width`` in bits; ``amount``: what SET stores or INCRBY adds."""

    def __init__(self, verb: int, signed: bool, width: int, offset: int, amount: int, overflow: int) -> None:
        self.verb: int = verb
        self.signed: bool = signed
        self.width: int = width
        self.offset: int = offset
        self.amount: int = amount
        self.overflow: int = overflow


@command("BITFIELD", arity=-2, flags=WRITE | DENYOOM, keys=KEYS, acl=BITMAP)
def bitfield(c: Call, argv: list[bytes]) -> Reply:
    operations = read_operations(c, argv)
    if all_read(operations):
        return run_reads(c, argv[1], operations)
    last_bit = 0
    for op in operations:
        if op.verb != GET:
            last_bit = max(last_bit, op.offset + op.width - 1)
    present = c.mutable(argv[1])
    size = 0 if present is None else len(present)
    value = lengthened(present, last_bit)
    longer = len(value) != size
    changes = 0
    out: list[Reply] = []
    for op in operations:
        if op.verb == GET:
            out.append(field(value, op))
            continue
        old = field(value, op)
        result = change(value, op, old)
        out.append(result)
        if result is not None and (longer or field(value, op) != old):
            changes += 1
    if longer or changes:
        c.replace(argv[1], value, SETBIT, max(changes, 1))
    return out


@command(
    "BITFIELD_RO",
    arity=-2,
    flags=READONLY | FAST,
    keys=first(RO, ACCESS),
    acl=BITMAP,
)
def bitfield_ro(c: Call, argv: list[bytes]) -> Reply:
    operations = read_operations(c, argv)
    if not all_read(operations):
        raise Refusal(BITFIELD_READONLY)
    return run_reads(c, argv[1], operations)


def run_reads(c: Call, key: bytes, operations: list[Operation]) -> Reply:
    c.counting = True
    value = c.view(key) or b""
    return [field(value, op) for op in operations]


def all_read(operations: list[Operation]) -> bool:
    return not [op for op in operations if op.verb != GET]


# --- reading the request


def read_operations(c: Call, argv: list[bytes]) -> list[Operation]:
    out: list[Operation] = []
    overflow = WRAP
    at = 2
    while at < len(argv):
        word = argv[at].upper()
        left = len(argv) - at - 1
        if word == b"OVERFLOW" and left >= 1:
            chosen = OVERFLOWS.get(argv[at + 1].upper())
            if chosen is None:
                raise Refusal(BITFIELD_OVERFLOW)
            overflow = chosen
            at += 2
            continue
        verb = VERBS.get(word)
        if verb is None or left < (2 if verb == GET else 3):
            raise Refusal(SYNTAX)
        width = field_width(argv[at + 1])
        offset = bit_offset(c, argv[at + 2], width)
        amount = 0 if verb == GET else integer(argv[at + 3])
        out.append(Operation(verb, argv[at + 1][:1] == b"i", width, offset, amount, overflow))
        at += 3 if verb == GET else 4
    return out


def field_width(text: bytes) -> int:
    """The width of a field's type: i1 to i64, u1 to u63."""
    width = integer_or_none(text[1:])
    sign = text[:1]
    if width is None or sign not in (b"i", b"u") or not 1 <= width <= (64 if sign == b"i" else 63):
        raise Refusal(BITFIELD_TYPE)
    return width


# --- fields


def field(value: bytes | bytearray, op: Operation) -> int:
    """The integer in the field; behind the end of the string there are zeros."""
    first_byte = op.offset >> 3
    count = ((op.offset + op.width - 1) >> 3) + 1 - first_byte
    window = bytes(value[first_byte : first_byte + count]).ljust(count, b"\0")
    number = int.from_bytes(window, "big") >> (count * 8 - (op.offset & 7) - op.width)
    number &= (1 << op.width) - 1
    if op.signed and number >> (op.width - 1):
        number -= 1 << op.width
    return number


def put(value: bytearray, op: Operation, number: int) -> None:
    """Write the low bits of ``number`` into the field, which is inside the string."""
    first_byte = op.offset >> 3
    end_byte = ((op.offset + op.width - 1) >> 3) + 1
    shift = (end_byte - first_byte) * 8 - (op.offset & 7) - op.width
    mask = ((1 << op.width) - 1) << shift
    window = int.from_bytes(value[first_byte:end_byte], "big") & ~mask
    window |= (number << shift) & mask
    value[first_byte:end_byte] = window.to_bytes(end_byte - first_byte, "big")


def change(value: bytearray, op: Operation, old: int) -> int | None:
    """Do SET or INCRBY to the field, which holds ``old``; what the client is told: that or the sum, None if OVERFLOW
    FAIL forbade it."""
    base, added = (op.amount, 0) if op.verb == SET else (old, op.amount)
    limit = signed_limit(base, added, op.width) if op.signed else unsigned_limit(base, added, op.width)
    new = base + added
    if limit is not None:
        if op.overflow == FAIL:
            return None
        new = limit if op.overflow == SAT else wrapped(new, op)
    put(value, op, new)
    return old if op.verb == SET else new


def wrapped(number: int, op: Operation) -> int:
    """``number`` cut to the field's width."""
    number &= (1 << op.width) - 1
    return number - (1 << op.width) if op.signed and number >> (op.width - 1) else number


def signed_limit(base: int, added: int, width: int) -> int | None:
    """None if base + added fits, else the limit it went beyond."""
    most = (1 << (width - 1)) - 1
    least = -most - 1
    if width == 64:
        total = base + added
        return most if total > most else least if total < least else None
    if base > most or added > wrap64(most - base):
        return most
    if base < least or added < wrap64(least - base):
        return least
    return None


def unsigned_limit(base: int, added: int, width: int) -> int | None:
    """As ``signed_limit``; SET of a negative number is SET of a very large one."""
    most = (1 << width) - 1
    if base < 0 or base + added > most:
        return most
    return 0 if base + added < 0 else None
