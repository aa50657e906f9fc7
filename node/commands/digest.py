"""DEBUG DIGEST: one number for all data, the same on every server that holds the same (debug.c of Redis 7.0).

SHA-1 sums are mixed and exclusive-ored so that the order of the keys does not matter. A time to live counts only as
being there.
"""

from collections.abc import Callable
from hashlib import sha1
from typing import Final, TypeAlias

from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.keyspace import Keyspace
from gossamer.node.engine.data.kinds import DONE, STRING, Kind, Value, kind_of

SIZE: Final = 20
MASK: Final = (1 << 8 * SIZE) - 1
STRING_MARK: Final = (0).to_bytes(4, "big")
EXPIRES: Final = int.from_bytes(sha1(b"!!expire!!").digest(), "big")


def hashed(data: bytes | bytearray) -> int:
    return int.from_bytes(sha1(data).digest(), "big")


def mixed(digest: int, data: bytes | bytearray) -> int:
    """Unlike exclusive or alone, the order of mixing counts."""
    return hashed((digest ^ hashed(data)).to_bytes(SIZE, "big"))


Digest: TypeAlias = Callable[[int, Value, int], tuple[int, int]]
"""A digest to go on with, a value and a position, to the digest and the next position."""


def string(digest: int, value: Value, at: int) -> tuple[int, int]:
    assert isinstance(value, (bytes, bytearray))
    return mixed(mixed(digest, STRING_MARK), value), DONE


DIGESTS: Final[dict[Kind, Digest]] = {
    STRING: string,
}


def value_digest(digest: int, value: Value, expires: bool) -> int:
    step = DIGESTS[kind_of(value)]
    digest, at = step(digest, value, 0)
    while at != DONE:
        digest, at = step(digest, value, at)
    return digest ^ EXPIRES if expires else digest


def digest_of_value(value: Value, expires: bool) -> bytes:
    """What DEBUG DIGEST-VALUE tells of a key: 40 hexadecimal digits. ``expires``: it has a time to live."""
    return b"%040x" % value_digest(0, value, expires)


def digest_of_all(keyspace: Keyspace) -> bytes:
    """What DEBUG DIGEST tells: 40 hexadecimal digits, zeros for no data."""
    total = 0
    for db in keyspace.used():
        if db.size:
            total = digest_of_database(mixed(total, db.index.to_bytes(4, "big")), db)
    return b"%040x" % (total & MASK)


def digest_of_database(total: int, db: Database) -> int:
    for part in range(db.part_count):
        for key, value, expire in db.items_of(part):
            digest = value_digest(mixed(0, key), value, expire >= 0)
            total ^= hashed(digest.to_bytes(SIZE, "big"))
    return total
