"""All registers as ``bytes``, one byte a register: the form in which they are merged and counted.

The dense form packs four registers into three bytes, the first into the lowest bits. Read from its end, that is what
Base64 does, so the C code behind ``binascii`` packs and unpacks. Merging looks at all registers as one long integer.
"""

from binascii import a2b_base64, b2a_base64
from typing import Final

from gossamer.node.types.hyperloglogs.hashing import REGISTERS

NONE: Final = bytes(REGISTERS)

DIGITS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
TO_DIGIT: Final = bytes.maketrans(bytes(range(64)), DIGITS)
FROM_DIGIT: Final = bytes.maketrans(DIGITS, bytes(range(64)))

HIGH_BITS: Final = int.from_bytes(b"\x80" * REGISTERS, "little")


def unpacked(dense: bytes) -> bytes:
    """The registers of the body of a dense HyperLogLog."""
    return b2a_base64(dense[::-1], newline=False).translate(FROM_DIGIT)[::-1]


def packed(registers: bytes) -> bytes:
    """The body of a dense HyperLogLog."""
    return a2b_base64(registers[::-1].translate(TO_DIGIT))[::-1]


def larger(some: bytes, others: bytes) -> bytes:
    """The larger one of each two registers."""
    one, other = int.from_bytes(some, "little"), int.from_bytes(others, "little")
    # No register reaches the highest bit of its byte. Set there, it survives the subtraction where ``one`` is not less.
    kept = ((one | HIGH_BITS) - other & HIGH_BITS) >> 7
    mask = (kept << 7) - kept
    return (other ^ (one ^ other) & mask).to_bytes(REGISTERS, "little")


def histogram(registers: bytes) -> list[int]:
    """How many registers have each of the 64 values."""
    counts = [0] * 64
    left = REGISTERS
    value = 0
    while left:
        counts[value] = registers.count(value)
        left -= counts[value]
        value += 1
    return counts
