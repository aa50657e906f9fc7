"""A HyperLogLog as Redis lays it out in a string: a header of 16 bytes, then the registers, sparse or dense.

The header has the magic, the form, three bytes that mean nothing, and the cardinality that was counted last, as a
little-endian number; its highest bit says that it is out of date. Functions here change a ``bytearray`` in place.
``valid`` must have been asked before.
"""

from typing import Final

from gossamer.node.types.hyperloglogs.estimate import cardinality
from gossamer.node.types.hyperloglogs.hashing import REGISTERS, place_of
from gossamer.node.types.hyperloglogs.registers import histogram, packed, unpacked
from gossamer.node.types.hyperloglogs.sparse import EMPTY, RAISED, TOO_LARGE, Runs, registers_of

MAGIC: Final = b"HYLL"
FORM: Final = 4
"""Which byte tells the form."""
DENSE: Final = 0
SPARSE: Final = 1
COUNTED: Final = slice(8, 16)
STALE: Final = 15
"""Which byte has the bit that says: the cardinality is out of date."""
HEADER: Final = 16
DENSE_SIZE: Final = HEADER + REGISTERS * 6 // 8

NEW: Final = MAGIC + bytes((SPARSE,)) + bytes(HEADER - 5) + EMPTY


def valid(value: bytes | bytearray) -> bool:
    """Is it the string of a HyperLogLog, as far as its header tells?"""
    if len(value) < HEADER or value[: len(MAGIC)] != MAGIC:
        return False
    return value[FORM] == SPARSE or (value[FORM] == DENSE and len(value) == DENSE_SIZE)


def registers(value: bytes | bytearray) -> bytes:
    """All registers, a byte each. Corrupted if sparse ones do not add up."""
    body = bytes(value[HEADER:])
    return unpacked(body) if value[FORM] == DENSE else registers_of(body)


def count(held: bytes) -> int:
    """About how many distinct elements have led to these registers."""
    return cardinality(histogram(held))


def cached(value: bytes | bytearray) -> int:
    """The cardinality that was counted last; -1 if it is out of date."""
    return -1 if value[STALE] & 0x80 else int.from_bytes(value[COUNTED], "little")


def cache(value: bytearray, size: int) -> None:
    value[COUNTED] = size.to_bytes(8, "little", signed=True)


def outdate(value: bytearray) -> None:
    value[STALE] |= 0x80


# --- changing


def add(value: bytearray, elements: list[bytes], limit: int) -> int:
    """Add ``elements``; how many of them raised a register. ``limit``: bytes up to which it stays sparse. Corrupted:
    nothing is added."""
    raised = at = 0
    if value[FORM] == SPARSE:
        runs = Runs(bytes(value[HEADER:]), limit - HEADER)
        result = RAISED
        while at < len(elements):
            index, rank = place_of(elements[at])
            runs.rewind()
            result = runs.raise_to(index, rank)
            if result == TOO_LARGE:
                break
            raised += result
            at += 1
        if raised or result == TOO_LARGE:
            value[HEADER:] = runs.data
        if result == TOO_LARGE:
            make_dense(value)
    for element in elements[at:]:
        index, rank = place_of(element)
        raised += raise_dense(value, index, rank)
    return raised


def raise_dense(value: bytearray, index: int, rank: int) -> bool:
    """Register ``index`` becomes ``rank`` if it is lower; has it changed?"""
    at = HEADER + (index * 6 >> 3)
    shift = index * 6 & 7
    crosses = shift > 2
    bits = value[at] | value[at + 1] << 8 if crosses else value[at]
    held = bits >> shift & 63
    if held >= rank:
        return False
    bits += rank - held << shift
    value[at] = bits & 0xFF
    if crosses:
        value[at + 1] = bits >> 8
    return True


def make_dense(value: bytearray) -> None:
    """Change the form from sparse. Corrupted: nothing is changed."""
    value[HEADER:] = packed(registers_of(bytes(value[HEADER:])))
    value[FORM] = DENSE


def merge(value: bytearray, union: bytes, dense: bool, limit: int) -> None:
    """Raise each register to that of ``union``, which has taken those of ``value`` into account already.

    ``dense``: it becomes dense in any case. ``limit``: bytes up to which it stays sparse otherwise.
    """
    if not dense:
        runs = Runs(bytes(value[HEADER:]), limit - HEADER)
        for index in range(REGISTERS):
            rank = union[index]
            if rank and runs.raise_to(index, rank) == TOO_LARGE:
                dense = True
                break
        if not dense:
            value[HEADER:] = runs.data
    if dense:
        value[HEADER:] = packed(union)
        value[FORM] = DENSE
    outdate(value)
