"""Long proofs of the table in C. ``python -m tests.unit.node.store.prove 10000000 20000000 10000000``: how many each.

The first number is of random operations against a dictionary, the second of a search for leaks, the third of keys that
come and go while each call is timed. CI runs fewer.
"""

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import thread_time_ns
from types import ModuleType
from typing import Final

import psutil

from gossamer.node.engine.slots.lazyfree import PIECE
from gossamer.node.store.plain import KEEP, NEVER, Clock, Table, Value
from tests.unit.node.store.native import compile_native, load
from tests.unit.node.store.walks import contents, walk

SIZES: Final = (0, 1, 5, 16, 44, 64, 254, 255, 448, 449, 600)
SPACES: Final = (10, 300, 5000, 100_000)
"""How many different keys there are for a while, so that the table grows and shrinks."""
SPELL: Final = 100_000
"""Operations with one space of keys, after which the whole table is compared."""
RARE: Final = 0.0005
"""How often keys are dropped: what is left must be walked through."""

Model = dict[bytes, tuple[Value, int]]
"""Values and expire times."""


def agree(store: ModuleType, count: int, chances: int = 1) -> None:
    """AssertionError if ``count`` random operations find a table that is not what a dictionary is."""
    rng = Random(chances)
    table: Table = store.Table()
    clock: Clock = store.Clock()
    model: Model = {}
    for number in range(count):
        if number % SPELL == 0:
            assert contents(table) == model
            space = rng.choice(SPACES)
        operate(rng, table, clock, model, b"key:%d" % rng.randrange(space))
        assert len(table) == len(model)
    assert contents(table) == model


def operate(rng: Random, table: Table, clock: Clock, model: Model, key: bytes) -> None:
    """One operation on both."""
    value, at = model.get(key, (None, NEVER))
    chance = rng.random()
    if chance < RARE:
        drop(rng, table, model)
    elif chance < 0.4:
        new: Value = b"v" * rng.choice(SIZES) if rng.random() < 0.9 else [key]
        expire = rng.choice((NEVER, NEVER, KEEP, 5, 1 << 50))
        told = table.put(key, new, expire) if rng.random() < 0.5 else table.put(key, new, expire, clock)
        assert told == (len(value) if isinstance(value, bytes) else value)
        model[key] = new, at if expire == KEEP else expire
    elif chance < 0.5:
        assert (table.get(key), table.expire(key)) == (value, at)
    elif chance < 0.6:
        clock.tick(rng.randrange(1 << 34))
        assert table.use(key, clock) == value
        assert table.stamp(key) == (clock.fresh() if key in model else -1)
    elif chance < 0.85:
        assert table.remove(key) == value
        model.pop(key, None)
    elif chance < 0.95:
        expire = rng.choice((NEVER, 7))
        assert table.set_expire(key, expire) == (key in model)
        if key in model:
            model[key] = value, expire
    elif chance < 0.98:
        drawn = table.random(rng.getrandbits(64))
        assert drawn in model if model else drawn is None
    else:
        sample(rng, table, model)


def drop(rng: Random, table: Table, model: Model) -> None:
    """Some keys go, whichever: the model loses the same."""
    most = rng.randrange(300)
    objects = table.drop(most)
    gone = model.keys() - set(walk(table.keys, 1000))
    assert len(gone) == min(most, len(model))
    values = [model.pop(key)[0] for key in gone]
    assert sorted(map(repr, objects)) == sorted(repr(value) for value in values if not isinstance(value, bytes))


def sample(rng: Random, table: Table, model: Model) -> None:
    count, expiring = rng.randrange(12), rng.random() < 0.5
    found = table.sample(rng.getrandbits(64), count, expiring)
    assert len({key for key, _, _ in found}) == min(count, table.expiring if expiring else len(model))
    for key, stamp, at in found:
        assert (at, stamp) == (model[key][1], table.stamp(key))
        assert at >= 0 or not expiring


def leak(store: ModuleType, count: int, chances: int = 2) -> list[int]:
    """Tables are filled, read and emptied in all ways with ``count`` operations. The resident set after each tenth.

    AssertionError if a table leaves memory in use, or a method leaves objects. ``store`` must be used by nobody else.
    """
    rng = Random(chances)
    resident: list[int] = []
    blocks = [0] * 10  # the list is there before anything is counted
    for tenth in range(10):
        done = 0
        while done < count // 10:
            done += live(store, rng, min(200_000, count // 10))
            assert store.in_use() == 0
        gc.collect()
        blocks[tenth] = sys.getallocatedblocks()
        resident.append(psutil.Process().memory_info().rss)
    assert blocks[-1] - blocks[0] < FEW_BLOCKS, f"objects are left: {blocks}"
    return resident


FEW_BLOCKS: Final = 200
"""Objects that the interpreter itself may have more after a while. One a call would be thousands, in CI too."""


def live(store: ModuleType, rng: Random, count: int) -> int:
    """A table's life of about ``count`` operations; how many they were."""
    table: Table = store.Table()
    clock: Clock = store.Clock()
    keys = count // 4
    for number in range(keys):
        value: Value = b"v" * rng.choice(SIZES) if number % 50 else [b"a"]
        table.put(b"%d" % number, value, rng.choice((NEVER, 5)), clock)
    for _ in range(keys):
        table.set_expire(b"%d" % rng.randrange(keys), rng.choice((NEVER, 5)))
    for _ in range(keys // len(READS)):
        key = b"%d" % rng.randrange(2 * keys)
        for read in READS:
            read(store, table, clock, key, rng.getrandbits(49))
    end = rng.choice(ENDS)
    end(table, keys)
    return 4 * keys


Read = Callable[[ModuleType, Table, Clock, bytes, int], object]

READS: Final[tuple[Read, ...]] = (
    lambda store, table, clock, key, number: table.get(key),
    lambda store, table, clock, key, number: table.use(key, clock),
    lambda store, table, clock, key, number: (table.expire(key), table.stamp(key), table.position(key)),
    lambda store, table, clock, key, number: table.keys(number, 10),
    lambda store, table, clock, key, number: table.items(number, 10),
    lambda store, table, clock, key, number: table.expiring_keys(number, 10),
    lambda store, table, clock, key, number: table.sample(number << 15, 5, bool(number % 2)),
    lambda store, table, clock, key, number: table.random(number << 15),
    lambda store, table, clock, key, number: store.route([[b"GET", key], [key], key], [table] * 16, 10),
)


def remove_all(table: Table, keys: int) -> None:
    for number in range(keys):
        table.remove(b"%d" % number)


def drop_all(table: Table, keys: int) -> None:
    while table.drop(1000) or len(table):
        assert len(table) <= keys


def forget(table: Table, keys: int) -> None:
    table.put(b"last", b"v" * keys)


ENDS: Final[tuple[Callable[[Table, int], None], ...]] = (remove_all, drop_all, forget)


@dataclass
class Longest:
    """The longest processor time of a call so far, in nanoseconds."""

    put: int = 0
    remove: int = 0
    keys: int = 0
    drop: int = 0

    def milliseconds(self) -> str:
        return ", ".join(f"{name} {time / 1e6:.2f}" for name, time in vars(self).items())


def pauses(store: ModuleType, keys: int) -> Longest:
    """A table gets so many keys, loses half of them one by one and the other half as lazyfree takes them.

    What other programs do meanwhile is not counted, but what the kernel does for the calls is.
    """
    longest = Longest()
    table: Table = store.Table()
    cursor = 0
    collecting = gc.isenabled()
    gc.disable()
    try:
        for number in range(keys):
            key = b"key:%012d" % number
            start = thread_time_ns()
            table.put(key, b"a value of 16 b.")
            longest.put = max(longest.put, thread_time_ns() - start)
            if number % WALKED == 0:
                cursor, longest.keys = timed_walk(table, cursor, longest.keys)
        for number in range(0, keys, 2):
            key = b"key:%012d" % number
            start = thread_time_ns()
            table.remove(key)
            longest.remove = max(longest.remove, thread_time_ns() - start)
            if number % WALKED == 0:
                cursor, longest.keys = timed_walk(table, cursor, longest.keys)
        while len(table):
            start = thread_time_ns()
            table.drop(PIECE)
            longest.drop = max(longest.drop, thread_time_ns() - start)
    finally:
        if collecting:
            gc.enable()
    return longest


WALKED: Final = 16
"""After so many changes a walk goes on."""


def timed_walk(table: Table, cursor: int, longest: int) -> tuple[int, int]:
    start = thread_time_ns()
    cursor, _ = table.keys(cursor, 10)
    return cursor, max(longest, thread_time_ns() - start)


def main(operations: int, searched: int, keys: int) -> None:
    with TemporaryDirectory() as folder:
        store = load(compile_native(Path(folder)))
        agree(store, operations)
        print(f"{operations:,} random operations: as a dictionary")
        resident = leak(store, searched)
        print(f"{searched:,} operations: nothing is left in use; resident, MB:", *(size >> 20 for size in resident))
        print(f"{keys:,} keys: the longest calls, ms: {pauses(store, keys).milliseconds()}")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
