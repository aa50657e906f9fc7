"""Going through a database in pieces (SCAN), and drawing keys from it (RANDOMKEY).

A cursor is the number of a part in its low bits, and above them where to go on inside the part (``Table.keys``; 0 is
the beginning). So a cursor is good for as long as the node lives, and a piece stays near the size that was asked for
however the keys are spread. What is promised: a key that is there from the beginning to the end of an iteration is
returned.
"""

from random import Random
from typing import Final

from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.part import NEVER

DRAWN: Final = 32
"""Parts of which one is drawn by its size."""

MANY: Final = 256
"""So many parts are not all looked at to draw one."""


def piece(db: Database, cursor: int, count: int) -> tuple[int, list[bytes]]:
    """About ``count`` keys from ``cursor`` on, also those whose time is over, and the next cursor, 0 after the last."""
    parts = db.part_count
    bits = parts.bit_length() - 1
    part = cursor & (parts - 1)
    floor = cursor >> bits
    found: list[bytes] = []
    while part < parts and len(found) < count:
        floor, taken = db.walk(part, floor, count - len(found))
        found += taken
        if floor:
            return floor << bits | part, found
        part += 1
    return (part if part < parts else 0), found


def any_key(db: Database, rng: Random) -> bytes | None:
    """A random key, also one whose time is over; None if there is none. All keys have about the same chance."""
    if db.size == 0:
        return None
    return db.random_of(any_part(db, rng), rng.getrandbits(64))


def any_persistent(db: Database, rng: Random) -> bytes | None:
    """Some key without a time to live, None if there is none: found in at most one walk through all keys."""
    if db.volatile == db.size:
        return None
    parts = db.part_count
    start = rng.randrange(parts)
    for offset in range(parts):
        part = (start + offset) % parts
        if db.size_of(part) == db.volatile_of(part):
            continue
        for key, _, at in db.items_of(part):
            if at == NEVER:
                return key
    raise AssertionError("a database with keys that do not expire has one of them in some part")


def any_part(db: Database, rng: Random) -> int:
    """A part that has keys, with a chance by their number (nearly so where there are many parts and many keys)."""
    parts = db.part_count
    if parts > MANY and db.size >= parts:
        drawn = [rng.randrange(parts) for _ in range(DRAWN)]
        weights = [db.size_of(part) for part in drawn]
        if any(weights):
            return rng.choices(drawn, weights)[0]
    left = rng.randrange(db.size)
    for part in db.open_parts():
        left -= db.size_of(part)
        if left < 0:
            return part
    raise AssertionError("the size of a database is the sum of its parts")
