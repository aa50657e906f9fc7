"""Memory that the C library keeps, after large requests or deletions, goes back to the system in a quiet second.

glibc by itself gives back only what lies at the end of its heap; what has become free between values that stay, it
keeps (malloc_trim(3)). To give that back can take tenths of a second, so it is done when hardly anybody asks for
anything, and only if much has become free since the last time.
"""

from typing import Final

from gossamer.node.engine.server import Server

LOOK_MS: Final = 1000
QUIET: Final = 100
"""Requests between two looks that pass for silence."""
WORTH: Final = 32 << 20
"""Bytes that have to be spare before anything is done,"""
PART: Final = 8
"""or this part of the data, if that is more: the larger the heap, the longer it takes."""


class SpareMemory:
    """What of the resident set the data does not account for; its least size so far is taken for unavoidable."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._looked_ms = server.now
        self._requests = 0
        self._least = self._spare()

    def look(self) -> bool:
        """Give back what is spare, if worth while and quiet. It looks once a second; False in between."""
        server = self._server
        if abs(server.now - self._looked_ms) < LOOK_MS:  # the clock may be set back
            return False
        self._looked_ms = server.now
        requests = server.stats.total_commands_processed - self._requests
        self._requests += requests
        spare = self._spare()
        if server.lazyfree.pending:  # what is being deleted is counted no more, but still there
            return True
        self._least = min(self._least, spare)
        if requests < QUIET and spare - self._least >= max(WORTH, server.keyspace.tally.used() // PART):
            give_back()
            self._least = self._spare()
        return True

    def _spare(self) -> int:
        return self._server.edge.resident_memory() - self._server.keyspace.tally.used()


def give_back() -> None:
    """Where the C library is not glibc this does nothing."""
    import ctypes  # a megabyte, which most nodes never need

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
