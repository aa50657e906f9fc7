"""How many bytes of memory a key and its value take, as MEMORY USAGE tells: an estimate from the sizes of the objects.

Counted are the key, the value, and their entry in the database's dictionary; not what the memory allocator adds.
"""

from sys import getsizeof

from gossamer.node.engine.keyspace import Value
from gossamer.node.engine.tally import ENTRY, EXPIRE


def usage(key: bytes, value: Value, expires: bool) -> int:
    """Bytes that would be free without the key."""
    return getsizeof(key) + getsizeof(value) + ENTRY + (EXPIRE if expires else 0)
