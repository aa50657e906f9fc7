"""Stamps of keys whose uses are told by somebody else: an RDB, or RESTORE (objectSetLRUOrLFU of Redis 7.2).

What stamps are, ``node/store/plain_clock.py`` says.
"""

from gossamer.node.store.plain_clock import STAMP_MASK
from gossamer.node.store.table import Clock


def stamp_of(clock: Clock, idle_s: int, freq: int) -> int:
    """The stamp of a key that was not used for ``idle_s`` seconds, or as often as ``freq`` says; -1 is what was not
    told. -1 if the clock notes the other of the two."""
    if clock.lfu:
        return clock.fresh() & ~0xFF | freq if freq >= 0 else -1
    if idle_s < 0:
        return -1
    at = clock.fresh() - idle_s
    return at if at >= 0 else (at + STAMP_MASK) & STAMP_MASK  # the clock goes round in half a year
