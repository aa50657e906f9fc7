"""How many bytes of memory a key and its value take, as MEMORY USAGE tells: an estimate.

Counted are the key, the value, and their entry in the table; not what the memory allocator adds.
"""

from gossamer.node.engine.data.kinds import kind_of, size_of
from gossamer.node.engine.data.tally import EXPIRY, OVERHEAD
from gossamer.node.types.kind import Value


def usage(key: bytes, value: Value, expires: bool) -> int:
    """Bytes that would be free without the key."""
    size = size_of(value) if isinstance(value, bytes) else kind_of(value).memory(value)
    return len(key) + OVERHEAD + size + (EXPIRY if expires else 0)
