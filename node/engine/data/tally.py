"""How many bytes the data takes, counted as it changes: what ``used_memory`` tells and ``maxmemory`` limits.

Counted are keys, values and their entries, as MEMORY USAGE tells, and the buffers of clients and replicas; not what the
allocator adds. The interpreter's own memory, tens of megabytes, is in ``used_memory_rss`` alone: a limit is meant
for the data. In its place stands what an empty redis-server counts, so that a limit chosen for Redis leaves as much.
"""

from typing import Final

from gossamer.node.store.table import EXPIRY, OVERHEAD

__all__ = ["EXPIRY", "OVERHEAD", "STARTUP", "Share", "Tally"]

STARTUP: Final = 1 << 20
"""What is counted without any data."""


class Tally:
    """Of one keyspace. ``held``: bytes of its keys and values."""

    def __init__(self) -> None:
        self.held: int = 0
        self.buffers: int = 0
        """Bytes beside the data, whenever somebody last looked."""
        self.peak: int = 0
        """The most that was there whenever somebody looked."""

    def used(self) -> int:
        """``used_memory``"""
        used = self.held + self.buffers + STARTUP
        self.peak = max(self.peak, used)
        return used


class Share:
    """What one database has in the ``tally``, so that a database that is emptied is taken out of it at once."""

    def __init__(self, tally: Tally) -> None:
        self.tally: Tally = tally
        self.held: int = 0
        self.changing: int = 0
        """Bytes of the value that was given out last to be changed in place, as they are in the tally."""

    def add(self, count: int) -> None:
        self.held += count
        self.tally.held += count

    def withdraw(self) -> None:
        """Take all of it out of the tally. What is counted here afterwards, as it is freed, counts for nobody."""
        self.add(-self.held)
        self.tally = Tally()
