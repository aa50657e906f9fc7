"""Going through a database in pieces (SCAN), and drawing keys from it (RANDOMKEY).

A cursor is the number of a part in its low bits, and above them where to go on inside the part (see ``order.py``; 0 is
the beginning). So a cursor is good for as long as the node lives, and a piece stays near the size that was asked for
however the keys are spread. What is promised: a key that is there from the beginning to the end of an iteration is
returned.
"""

from itertools import islice
from random import Random
from typing import Final

from gossamer.node.engine.keyspace import Database, Value
from gossamer.node.engine.order import END, Order

ORDERS_KEPT: Final = 16
"""Orders kept a database: so many iterations go on side by side without one pass over a part for every piece."""

SMALL: Final = 256
"""Walking through so many things is quick enough to do it each time."""

LOTS: Final = 32
"""Keys drawn from a large part at a time."""


def piece(db: Database, cursor: int, count: int) -> tuple[int, list[bytes]]:
    """About ``count`` keys from ``cursor`` on, also those whose time is over, and the next cursor, 0 after the last."""
    parts = len(db.values)
    bits = parts.bit_length() - 1
    part = cursor & (parts - 1)
    floor = cursor >> bits
    found: list[bytes] = []
    while part < parts and len(found) < count:
        keys = db.values[part]
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


def from_part(db: Database, part: int, keys: dict[bytes, Value], floor: int, room: int) -> tuple[list[bytes], int]:
    """As ``Order.take``, with the order that is kept for the part, or a new one."""
    order = db.orders.pop(part, None)
    if order is None or floor == 0:
        order = Order(keys)
    taken, floor = order.take(floor, room, keys)
    if floor < END and len(keys) > SMALL:
        if len(db.orders) >= ORDERS_KEPT:
            del db.orders[next(iter(db.orders))]
        db.orders[part] = order
    return taken, floor


def any_key(db: Database, rng: Random) -> bytes | None:
    """A random key, also one whose time is over; None if there is none. All keys have about the same chance."""
    if db.size == 0:
        return None
    while db.lots:
        key = db.lots.pop()
        if db.peek(key) is not None:
            return key
    keys = db.values[any_part(db, rng)]
    if len(keys) <= SMALL:
        return next(islice(keys, rng.randrange(len(keys)), None))
    # A dictionary can only be walked, so one walk draws several: in the order of the walk, then mixed.
    before = 0
    walk = iter(keys)
    for at in sorted(rng.sample(range(len(keys)), LOTS)):
        db.lots.append(next(islice(walk, at - before, None)))
        before = at + 1
    rng.shuffle(db.lots)
    return db.lots.pop()


def any_endless(db: Database, rng: Random) -> bytes | None:
    """Some key without a time to live, None if there is none: found in at most one walk through all keys."""
    if db.volatile == db.size:
        return None
    parts = len(db.values)
    start = rng.randrange(parts)
    for offset in range(parts):
        part = (start + offset) % parts
        keys = db.values[part]
        ends = db.expires.get(part)
        if len(keys) == (0 if ends is None else len(ends)):
            continue
        for key in keys:
            if ends is None or key not in ends:
                return key
    raise AssertionError("a database with keys that do not end has one of them in some part")


def any_part(db: Database, rng: Random) -> int:
    """A part that has keys, with a chance by their number (nearly so where there are many parts and many keys)."""
    values = db.values
    if len(values) > SMALL and db.size >= len(values):
        drawn = [rng.randrange(len(values)) for _ in range(LOTS)]
        weights = [len(values[part]) for part in drawn]
        if any(weights):
            return rng.choices(drawn, weights)[0]
    left = rng.randrange(db.size)
    for part, keys in enumerate(values):
        left -= len(keys)
        if left < 0:
            return part
    raise AssertionError("the size of a database is the sum of its parts")
