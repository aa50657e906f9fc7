"""DEBUG DIGEST: one number for all data, the same on every server that holds the same (debug.c of Redis 7.0).

SHA-1 sums are mixed and exclusive-ored so that the order of the keys does not matter. A time to live counts only as
being there.
"""

from hashlib import sha1
from typing import Final

from gossamer.node.engine.keyspace import Database, Keyspace, Value

SIZE: Final = 20
MASK: Final = (1 << 8 * SIZE) - 1
STRING: Final = (0).to_bytes(4, "big")
EXPIRES: Final = int.from_bytes(sha1(b"!!expire!!").digest(), "big")


def hashed(data: bytes | bytearray) -> int:
    return int.from_bytes(sha1(data).digest(), "big")


def mixed(digest: int, data: bytes | bytearray) -> int:
    """Unlike exclusive or alone, the order of mixing counts."""
    return hashed((digest ^ hashed(data)).to_bytes(SIZE, "big"))


def value_digest(digest: int, value: Value, ends: bool) -> int:
    assert isinstance(value, (bytes, bytearray))
    digest = mixed(mixed(digest, STRING), value)
    return digest ^ EXPIRES if ends else digest


def digest_of_value(value: Value, ends: bool) -> bytes:
    """What DEBUG DIGEST-VALUE tells of a key: 40 hexadecimal digits. ``ends``: it has a time to live."""
    return b"%040x" % value_digest(0, value, ends)


def digest_of_all(keyspace: Keyspace) -> bytes:
    """What DEBUG DIGEST tells: 40 hexadecimal digits, zeros for no data."""
    total = 0
    for db in keyspace.used():
        if db.size:
            total = digest_of_database(mixed(total, db.index.to_bytes(4, "big")), db)
    return b"%040x" % (total & MASK)


def digest_of_database(total: int, db: Database) -> int:
    for part, values in enumerate(db.values):
        ends = db.expires.get(part, {})
        for key, value in values.items():
            digest = value_digest(mixed(0, key), value, key in ends)
            total ^= hashed(digest.to_bytes(SIZE, "big"))
    return total
