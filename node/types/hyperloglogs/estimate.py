"""The number of distinct elements from the histogram of the registers.

Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284, algorithm 6. The order
of the operations is part of it: servers compare their results.
"""

from math import inf, sqrt
from typing import Final

from gossamer.node.types.hyperloglogs.hashing import REGISTERS, RUN_BITS

ALPHA: Final = 0.721347520444481703680
"""1 / (2 ln 2)"""

NO_NUMBER: Final = -(1 << 63)
"""What a processor makes of an infinite estimate: only registers that no hash can give lead to one."""


def cardinality(histogram: list[int]) -> int:
    """About how many elements lead to registers of this ``histogram``."""
    size = float(REGISTERS)
    total = size * tau((size - histogram[RUN_BITS + 1]) / size)
    for value in range(RUN_BITS, 0, -1):
        total = (total + histogram[value]) * 0.5
    total += size * sigma(histogram[0] / size)
    if total == 0.0:
        return NO_NUMBER
    estimate = ALPHA * size * size / total
    whole = int(estimate)
    return whole + 1 if estimate - whole >= 0.5 else whole


def sigma(x: float) -> float:
    """What registers that are still zero contribute; ``x`` is their share."""
    if x == 1.0:
        return inf
    y = 1.0
    total = x
    before = -1.0
    while before != total:
        x *= x
        before = total
        total += x * y
        y += y
    return total


def tau(x: float) -> float:
    """What registers at their highest value contribute; ``x`` is the share of the others."""
    if x == 0.0 or x == 1.0:
        return 0.0
    y = 1.0
    total = 1.0 - x
    before = -1.0
    while before != total:
        x = sqrt(x)
        before = total
        y *= 0.5
        total -= (1.0 - x) ** 2 * y
    return total / 3.0
