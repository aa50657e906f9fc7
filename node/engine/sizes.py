"""How many bytes of memory a key and its value take, as MEMORY USAGE tells: an estimate from the sizes of the objects.

Counted are the key, the value, and their entry in the database's dictionary; not what the memory allocator adds.
"""

from sys import getsizeof
from typing import Final

from node.engine.keyspace import Value

ENTRY: Final = 40
"""A dictionary's entry: hash, key and value of 8 bytes each, an index, and the room it keeps free."""

EXPIRE: Final = ENTRY + 32
"""The same for the time at which the key ends, which is an integer object."""


def usage(key: bytes, value: Value, expires: bool) -> int:
    """Bytes that would be free without the key."""
    return getsizeof(key) + getsizeof(value) + ENTRY + (EXPIRE if expires else 0)
