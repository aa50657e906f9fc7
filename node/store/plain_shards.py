"""The map of a sorted set, in Python: what ``shards.h`` does in C, and what both promise."""

from binascii import crc32


def shard_of(member: bytes, count: int) -> int:
    """The number of the shard of ``member`` while there are ``count``: the last ones have not all been divided yet."""
    if count < 1:
        raise ValueError("there is a shard at least")
    mask = (1 << (count - 1).bit_length()) - 1
    index = crc32(member) & mask
    return index if index < count else index & (mask >> 1)


def give_score(shard: dict[bytes, object], member: bytes, score: object) -> object:
    """Give ``member`` another score, unless it is equal; the old one, None if it is new."""
    old = shard.get(member)
    if old is None or old != score:
        shard[member] = score
    return old
