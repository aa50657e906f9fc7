"""How many bytes the data takes, counted as it changes: what ``used_memory`` tells and ``maxmemory`` limits.

Counted are keys, values and their entries, as MEMORY USAGE tells; not what the allocator adds, nor the buffers of
clients and replicas. The interpreter's own memory, tens of megabytes, is in ``used_memory_rss`` alone: a limit is meant
for the data. In its place stands what an empty redis-server counts, so that a limit chosen for Redis leaves as much.
"""

from sys import getsizeof
from typing import Final

STARTUP: Final = 1 << 20
"""What is counted without any data."""

OBJECT: Final = getsizeof(b"")
ENTRY: Final = 40
"""A dictionary's entry: hash, key and value of 8 bytes each, an index, and the room it keeps free."""
OVERHEAD: Final = 2 * OBJECT + ENTRY
"""Of a key and its value, beside their lengths."""
EXPIRE_ENTRY: Final = ENTRY + 32
"""The same for the time at which the key expires, which is an integer object."""


class Tally:
    """Of one keyspace. ``held``: bytes of its keys and values."""

    def __init__(self) -> None:
        self.held: int = 0
        self.peak: int = 0
        """The most that was there whenever somebody looked."""
        self.changing: int = 0
        """Bytes of the value that a command is changing in place, as they were before."""

    def used(self) -> int:
        """``used_memory``"""
        used = self.held + STARTUP
        self.peak = max(self.peak, used)
        return used
