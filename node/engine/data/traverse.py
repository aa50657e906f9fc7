"""Going through a database in pieces (SCAN), and drawing keys from it (RANDOMKEY).

A cursor is the number of a part in its low bits, and above them where to go on inside the part
(``scan_order.py``; 0 is the beginning). So a cursor is good for as long as the node lives, and a piece stays near the
size that was asked for however the keys are spread. What is promised: a key that is there from the beginning to the end
of an iteration is returned.
"""

from collections.abc import Collection
from itertools import islice
from random import Random
from typing import Final

from gossamer.node.engine.data.database import Database
from gossamer.node.engine.data.part import NEVER
from gossamer.node.store.order import END, Order as ScanOrder

SCAN_ORDERS_KEPT: Final = 16
"""Orders kept a database: so many iterations go on side by side without one pass over a part for every piece."""

SMALL: Final = 256
"""Walking through so many things is quick enough to do it each time."""

SAMPLES: Final = 32
"""Keys drawn from a large part at a time."""


def piece(db: Database, cursor: int, count: int) -> tuple[int, list[bytes]]:
    """About ``count`` keys from ``cursor`` on, also those whose time is over, and the next cursor, 0 after the last."""
    parts = db.part_count
    bits = parts.bit_length() - 1
    part = cursor & (parts - 1)
    floor = cursor >> bits
    found: list[bytes] = []
    while part < parts and len(found) < count:
        keys = db.keys_of(part)
        room = count - len(found)
        if floor == 0 and len(keys) <= room:
            found += keys
        else:
            taken, floor = from_part(db, part, keys, floor, room)
            found += taken
            if floor < END:
                return floor << bits | part, found
            floor = 0
        part += 1
    return (part if part < parts else 0), found


def from_part(db: Database, part: int, keys: Collection[bytes], floor: int, room: int) -> tuple[list[bytes], int]:
    """As ``ScanOrder.take``, with the order that is kept for the part, or a new one."""
    order = db.scan_orders.pop(part, None)
    if order is None or floor == 0:
        order = ScanOrder(keys)
    taken, floor = order.take(floor, room, keys)
    if floor < END and len(keys) > SMALL:
        if len(db.scan_orders) >= SCAN_ORDERS_KEPT:
            del db.scan_orders[next(iter(db.scan_orders))]
        db.scan_orders[part] = order
    return taken, floor


def any_key(db: Database, rng: Random) -> bytes | None:
    """A random key, also one whose time is over; None if there is none. All keys have about the same chance."""
    if db.size == 0:
        return None
    while db.samples:
        key = db.samples.pop()
        if db.get_raw(key) is not None:
            return key
    keys = db.keys_of(any_part(db, rng))
    if len(keys) <= SMALL:
        return next(islice(keys, rng.randrange(len(keys)), None))
    # A dictionary can only be walked, so one walk draws several: in the order of the walk, then mixed.
    before = 0
    walk = iter(keys)
    for at in sorted(rng.sample(range(len(keys)), SAMPLES)):
        db.samples.append(next(islice(walk, at - before, None)))
        before = at + 1
    rng.shuffle(db.samples)
    return db.samples.pop()


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
        for key in db.keys_of(part):
            if db.expire_time(part, key) == NEVER:
                return key
    raise AssertionError("a database with keys that do not expire has one of them in some part")


def any_part(db: Database, rng: Random) -> int:
    """A part that has keys, with a chance by their number (nearly so where there are many parts and many keys)."""
    parts = db.part_count
    if parts > SMALL and db.size >= parts:
        drawn = [rng.randrange(parts) for _ in range(SAMPLES)]
        weights = [db.size_of(part) for part in drawn]
        if any(weights):
            return rng.choices(drawn, weights)[0]
    left = rng.randrange(db.size)
    for part in range(parts):
        left -= db.size_of(part)
        if left < 0:
            return part
    raise AssertionError("the size of a database is the sum of its parts")
