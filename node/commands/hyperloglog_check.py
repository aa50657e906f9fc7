"""What PFSELFTEST does: registers hold what is put into them, and counts are about right, in both forms alike.

Redis adds ten million elements, which stops it for seconds; here it is a thousandth of that.
"""

from math import ceil, sqrt
from random import Random
from typing import Final

from gossamer.node.types.hyperloglogs.hashing import REGISTERS
from gossamer.node.types.hyperloglogs.hyperloglog import FORM, NEW, SPARSE, add, count, make_dense, registers
from gossamer.node.types.hyperloglogs.registers import packed, unpacked

CHECKPOINTS: Final = (1, 10, 100, 1000, 10_000)
ERROR: Final = 1.04 / sqrt(REGISTERS)
"""The standard error of a count, as a share of it."""


def failure(rng: Random, limit: int) -> bytes:
    """The error reply for the first thing that is wrong, empty if there is none. ``limit``: of the sparse form."""
    held = bytes([rng.getrandbits(6) for _ in range(REGISTERS)])
    if unpacked(packed(held)) != held:
        return b"ERR TESTFAILED Registers are not what they should be"
    sparse, dense = bytearray(NEW), bytearray(NEW)
    make_dense(dense)
    seed = rng.getrandbits(64)
    added = 0
    for size in CHECKPOINTS:
        elements = [(number ^ seed).to_bytes(8, "little") for number in range(added, size)]
        added = size
        add(sparse, elements, limit)
        add(dense, elements, limit)
        if size < limit // 2 and sparse[FORM] != SPARSE:
            return b"ERR TESTFAILED sparse encoding not used"
        found = count(registers(dense))
        if count(registers(sparse)) != found:
            return b"ERR TESTFAILED dense/sparse disagree"
        error = abs(found - size)
        if error > (1 if size == 10 else ceil(ERROR * 6 * size)):
            return b"ERR TESTFAILED Too big error. card:%d abserr:%d" % (size, error)
    return b""
