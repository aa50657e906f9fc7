"""Long proofs of the table in C. ``python -m tests.unit.node.store.prove 10000000 20000000``: how many operations each.

The first number is of random operations against a dictionary, the second of a search for leaks. CI runs fewer.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Final

import psutil

from gossamer.node.store.plain import NEVER, Table, Value
from tests.unit.node.store.native import compile_native, load
from tests.unit.node.store.walks import contents

SIZES: Final = (0, 1, 5, 16, 44, 64, 254, 255, 448, 449, 600)
SPACES: Final = (10, 300, 5000, 100_000)
"""How many different keys there are for a while, so that the table grows and shrinks."""
SPELL: Final = 100_000
"""Operations with one space of keys, after which the whole table is compared."""


def agree(store: ModuleType, count: int, chances: int = 1) -> None:
    """AssertionError if ``count`` random operations find a table that is not what a dictionary is."""
    rng = Random(chances)
    table: Table = store.Table()
    model: dict[bytes, tuple[Value, int]] = {}
    for number in range(count):
        if number % SPELL == 0:
            assert contents(table) == model
            space = rng.choice(SPACES)
        operate(rng, table, model, b"key:%d" % rng.randrange(space))
        assert len(table) == len(model)
    assert contents(table) == model


def operate(rng: Random, table: Table, model: dict[bytes, tuple[Value, int]], key: bytes) -> None:
    """One operation on both."""
    value, at = model.get(key, (None, NEVER))
    chance = rng.random()
    if chance < 0.4:
        new: Value = b"v" * rng.choice(SIZES) if rng.random() < 0.9 else [key]
        told = table.put(key, new, expire := rng.choice((NEVER, NEVER, 5, 1 << 50)))
        assert told == (len(value) if isinstance(value, bytes) else value)
        model[key] = new, expire
    elif chance < 0.6:
        assert (table.get(key), table.expire(key)) == (value, at)
    elif chance < 0.85:
        assert table.remove(key) == value
        model.pop(key, None)
    elif chance < 0.95:
        expire = rng.choice((NEVER, 7))
        assert table.set_expire(key, expire) == (key in model)
        if key in model:
            model[key] = value, expire
    else:
        drawn = table.random(rng.getrandbits(64))
        assert drawn in model if model else drawn is None


def leak(store: ModuleType, count: int, chances: int = 2) -> list[int]:
    """Tables are filled and emptied in all ways with ``count`` operations. The resident set after each tenth of them.

    AssertionError if a table leaves memory in use. ``store`` must be used by nobody else.
    """
    rng = Random(chances)
    resident = []
    for _ in range(10):
        done = 0
        while done < count // 10:
            done += live(store.Table(), rng, min(200_000, count // 10))
            assert store.in_use() == 0
        resident.append(psutil.Process().memory_info().rss)
    return resident


def live(table: Table, rng: Random, count: int) -> int:
    """A table's life of about ``count`` operations; how many they were."""
    keys = count // 3
    for number in range(keys):
        value: Value = b"v" * rng.choice(SIZES) if number % 50 else [b"a"]
        table.put(b"%d" % number, value, rng.choice((NEVER, 5)))
    for _ in range(keys):
        table.set_expire(b"%d" % rng.randrange(keys), rng.choice((NEVER, 5)))
    end = rng.choice(ENDS)
    end(table, keys)
    return 3 * keys


def remove_all(table: Table, keys: int) -> None:
    for number in range(keys):
        table.remove(b"%d" % number)


def drop_all(table: Table, keys: int) -> None:
    while table.drop(1000) or len(table):
        assert len(table) <= keys


def forget(table: Table, keys: int) -> None:
    table.put(b"last", b"v" * keys)


ENDS: Final[tuple[Callable[[Table, int], None], ...]] = (remove_all, drop_all, forget)


def main(operations: int, searched: int) -> None:
    with TemporaryDirectory() as folder:
        store = load(compile_native(Path(folder)))
        agree(store, operations)
        print(f"{operations:,} random operations: as a dictionary")
        resident = leak(store, searched)
        print(f"{searched:,} operations: nothing is left in use; resident, MB:", *(size >> 20 for size in resident))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
