"""What the engine must know of hashes."""

from sys import getsizeof
from typing import Final

from gossamer.node.types.hashes.hash import Hash
from gossamer.node.types.kind import NEVER, Kind, Value

OBJECT: Final = 48 + getsizeof(b"") + 8
"""Bytes of the hash itself, and the header of what it is packed in."""


class HashKind(Kind):
    def encoding(self, value: Value) -> bytes:
        assert isinstance(value, Hash)
        return b"listpack" if value.is_listpack else b"hashtable"

    def size(self, value: Value) -> int:
        assert isinstance(value, Hash)
        fields = value.fields
        return OBJECT + (len(value.packed) if fields is None else fields.bytes)

    def length(self, value: Value) -> int:
        assert isinstance(value, Hash)
        return value.length

    def soonest(self, value: Value) -> int:
        assert isinstance(value, Hash)
        fields = value.fields
        return NEVER if fields is None else fields.soonest()

    def expire(self, value: Value, now: int, most: int) -> list[bytes]:
        assert isinstance(value, Hash)
        fields = value.fields
        return [] if fields is None else fields.expire(now, most)

    def effort(self, value: Value) -> int:
        assert isinstance(value, Hash)
        return 1 if value.is_listpack else value.length

    def copy(self, value: Value) -> Value:
        assert isinstance(value, Hash)
        return value.copy()

    def free(self, value: Value, most: int) -> int:
        assert isinstance(value, Hash)
        fields = value.fields
        if fields is None:
            value.packed, value.count = b"", 0
            return 0
        return fields.free(most)


HASH: Final = HashKind(b"hash")
