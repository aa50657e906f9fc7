"""How many bytes of memory a key and its value take, as MEMORY USAGE tells: an estimate.

Counted are the key, the value, and their entry in the table; not what the memory allocator adds.
"""

from gossamer.node.engine.data.kinds import size_of
from gossamer.node.engine.data.tally import EXPIRY, OVERHEAD
from gossamer.node.types.kind import Value


def usage(key: bytes, value: Value, expires: bool) -> int:
    """Bytes that would be free without the key."""
    return len(key) + OVERHEAD + size_of(value) + (EXPIRY if expires else 0)
