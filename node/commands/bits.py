"""Strings as arrays of bits (redis.io, "Bitmaps"); bit 0 is the highest bit of the first byte.

Whole strings are handled as long integers or by C-level searches, a piece of ``PIECE`` bytes at a time where a string
may be long, so that neither time nor memory is spent on single bits. BITFIELD is in ``bitfield.py``.
"""

from typing import Final

from gossamer.node.commands.numbers import integer, wrap64
from gossamer.node.engine.data.changes import SET, SETBIT
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import BITMAP, DENYOOM, FAST, READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, OW, RO, RW, UPDATE, KeySpec, first
from gossamer.node.resp.errors import BIT_ARGUMENT, BIT_OFFSET, BIT_VALUE, BITOP_NOT, SYNTAX, Refusal
from gossamer.node.resp.reply import Reply

READ: Final = first(RO, ACCESS)
PIECE: Final = 1 << 16
ZEROS: Final = bytes(PIECE)
ONES: Final = b"\xff" * PIECE
FLIPPED: Final = bytes(range(255, -1, -1))
"""Translation of each byte to its complement."""


def bit_offset(c: Call, text: bytes, width: int = 0) -> int:
    """An offset in bits; ``#n`` is the n-th field of ``width`` bits, if there is a width. The byte must be within the
    limit of a string's length; the product wraps at 64 bits, as it does in Redis."""
    counted = width > 0 and text[:1] == b"#"
    offset = integer(text[1:] if counted else text, BIT_OFFSET)
    if counted:
        offset = wrap64(offset * width)
    if offset < 0 or offset >> 3 >= c.server.limits.max_bulk:
        raise Refusal(BIT_OFFSET)
    return offset


def lengthened(value: bytearray | None, last_bit: int) -> bytearray:
    """``value``, or a new string, made long enough to hold ``last_bit``; in place, so ``amend`` must follow if it was
    not."""
    if value is None:
        return bytearray((last_bit >> 3) + 1)
    missing = (last_bit >> 3) + 1 - len(value)
    if missing > 0:
        value += bytes(missing)
    return value


# --- one bit


@command("GETBIT", arity=3, flags=READONLY | FAST, keys=READ, acl=BITMAP)
def getbit(c: Call, key: bytes, offset: bytes) -> Reply:
    at = bit_offset(c, offset)
    value = c.view(key)
    if value is None or at >> 3 >= len(value):
        return 0
    return value[at >> 3] >> (7 - (at & 7)) & 1


@command(
    "SETBIT",
    arity=4,
    flags=WRITE | DENYOOM,
    keys=first(RW, ACCESS, UPDATE),
    acl=BITMAP,
)
def setbit(c: Call, key: bytes, offset: bytes, bit: bytes) -> Reply:
    at = bit_offset(c, offset)
    if bit != b"0" and bit != b"1":
        raise Refusal(BIT_VALUE)
    byte, mask = at >> 3, 0x80 >> (at & 7)
    present = c.mutable(key)
    size = 0 if present is None else len(present)
    value = lengthened(present, at)
    old = 1 if value[byte] & mask else 0
    if byte < size and old == (bit == b"1"):
        return old
    if bit == b"1":
        value[byte] |= mask
    else:
        value[byte] &= ~mask & 0xFF
    c.replace(key, value, SETBIT)
    return old


# --- ranges


class BitRange:
    """Bits ``begin`` to ``end`` (not included) of a string; ``open``: the request named no end."""

    def __init__(self, begin: int, end: int, open_end: bool = False) -> None:
        self.begin: int = begin
        self.end: int = end
        self.open_end: bool = open_end


def bit_range(size: int, start: int, end: int | None, in_bits: bool) -> BitRange:
    """The range from ``start`` to ``end`` (included; None is the last) of ``size`` bytes; negative ones count back."""
    total = size * 8 if in_bits else size
    begin = max(start + total, 0) if start < 0 else start
    last = total - 1
    if end is not None:
        last = min(max(end + total, 0) if end < 0 else end, last)
    unit = 1 if in_bits else 8
    return BitRange(begin * unit, (last + 1) * unit, end is None)


def in_bits(word: bytes) -> bool:
    """BIT or BYTE."""
    unit = word.upper()
    if unit != b"BIT" and unit != b"BYTE":
        raise Refusal(SYNTAX)
    return unit == b"BIT"


@command("BITCOUNT", arity=-2, flags=READONLY, keys=READ, acl=BITMAP)
def bitcount(c: Call, argv: list[bytes]) -> Reply:
    value = c.view(argv[1])
    if value is None:
        return 0
    if len(argv) == 2:
        return count_ones(value, 0, len(value) * 8)
    if len(argv) != 4 and len(argv) != 5:
        raise Refusal(SYNTAX)
    start, end = integer(argv[2]), integer(argv[3])
    if start < 0 and end < 0 and start > end:
        return 0
    bits = in_bits(argv[4]) if len(argv) == 5 else False
    part = bit_range(len(value), start, end, bits)
    return count_ones(value, part.begin, part.end)


def count_ones(value: bytes | bytearray, begin: int, end: int) -> int:
    if begin >= end:
        return 0
    first_byte, last_byte = begin >> 3, (end - 1) >> 3
    count = 0
    for at in range(first_byte, last_byte + 1, PIECE):
        count += int.from_bytes(value[at : min(at + PIECE, last_byte + 1)], "little").bit_count()
    if begin & 7:
        count -= (value[first_byte] >> (8 - (begin & 7))).bit_count()
    if end & 7:
        count -= (value[last_byte] & (0xFF >> (end & 7))).bit_count()
    return count


@command("BITPOS", arity=-3, flags=READONLY, keys=READ, acl=BITMAP)
def bitpos(c: Call, argv: list[bytes]) -> Reply:
    bit = integer(argv[2])
    if bit != 0 and bit != 1:
        raise Refusal(BIT_ARGUMENT)
    value = c.view(argv[1])
    if value is None:
        return -1 if bit else 0
    part = bitpos_range(argv, len(value))
    if part.begin >= part.end:
        return -1
    found = find_bit(value, bit, part.begin, part.end)
    if found < 0 and bit == 0 and part.open_end:
        return part.end  # a string is thought to go on with zeros, unless the request says where it ends
    return found


def bitpos_range(argv: list[bytes], size: int) -> BitRange:
    if len(argv) == 3:
        return bit_range(size, 0, None, False)
    if len(argv) > 6:
        raise Refusal(SYNTAX)
    start = integer(argv[3])
    bits = in_bits(argv[5]) if len(argv) == 6 else False
    end = integer(argv[4]) if len(argv) > 4 else None
    return bit_range(size, start, end, bits)


def find_bit(value: bytes | bytearray, bit: int, begin: int, end: int) -> int:
    """Position of the first ``bit`` from ``begin`` up to ``end``, -1 if there is none."""
    at = begin
    while at < end and at & 7:
        if value[at >> 3] >> (7 - (at & 7)) & 1 == bit:
            return at
        at += 1
    if at >= end:
        return -1
    at = skip_bytes(value, b"\0" if bit else b"\xff", at >> 3, (end + 7) >> 3) * 8
    while at < end:
        if value[at >> 3] >> (7 - (at & 7)) & 1 == bit:
            return at
        at += 1
    return -1


def skip_bytes(value: bytes | bytearray, same: bytes, at: int, end: int) -> int:
    """Position of the first byte from ``at`` on that is not ``same``, or ``end``."""
    full = ONES if same == b"\xff" else ZEROS
    while at < end:
        piece = value[at : min(at + PIECE, end)]
        if piece != full:
            rest = len(piece.lstrip(same))
            if rest:
                return at + len(piece) - rest
        at += len(piece)
    return end


# --- operations on whole strings

BITOP_KEYS: Final = (KeySpec((OW, UPDATE), index=2), KeySpec((RO, ACCESS), index=3, last=-1))


@command("BITOP", arity=-4, flags=WRITE | DENYOOM, keys=BITOP_KEYS, acl=BITMAP)
def bitop(c: Call, argv: list[bytes]) -> Reply:
    operation = argv[1].upper()
    if operation not in (b"AND", b"OR", b"XOR", b"NOT"):
        raise Refusal(SYNTAX)
    if operation == b"NOT" and len(argv) != 4:
        raise Refusal(BITOP_NOT)
    c.counting = True
    sources: list[bytes | bytearray] = []
    for at in range(3, len(argv)):
        source = c.view(argv[at])
        sources.append(b"" if source is None else source)
    size = max([len(source) for source in sources])
    if size == 0:
        c.delete(argv[2])
    elif operation == b"NOT":
        c.store(argv[2], bytearray(sources[0].translate(FLIPPED)), SET)
    else:
        c.store(argv[2], combine(operation, sources, size), SET)
    return size


def combine(operation: bytes, sources: list[bytes | bytearray], size: int) -> bytearray:
    """The sources combined, a piece at a time: as little-endian numbers the shorter ones go on with zeros by
    themselves."""
    out = bytearray()
    for at in range(0, size, PIECE):
        result = int.from_bytes(sources[0][at : at + PIECE], "little")
        for source in sources[1:]:
            other = int.from_bytes(source[at : at + PIECE], "little")
            if operation == b"AND":
                result &= other
            elif operation == b"OR":
                result |= other
            else:
                result ^= other
        out += result.to_bytes(min(PIECE, size - at), "little")
    return out
