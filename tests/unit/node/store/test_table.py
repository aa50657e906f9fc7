"""What ``plain.py`` promises of a table, of each table."""

import gc
import sys
from collections import Counter
from random import Random
from types import ModuleType
from typing import Final

import pytest

from gossamer.cluster.slots import key_slot
from gossamer.node.store import plain
from gossamer.node.store.plain import NEVER, Table
from tests.unit.node.store.walks import contents, walk

SIZES: Final = (0, 1, 7, 8, 9, 44, 64, 254, 255, 256, 448, 449, 1024, 40_000, 65_536)


def filled(store: ModuleType, count: int) -> Table:
    table: Table = store.Table()
    for number in range(count):
        table.put(b"%d" % number, b"value")
    return table


# --- one key


@pytest.mark.parametrize("key_size", SIZES)
@pytest.mark.parametrize("value_size", SIZES)
def test_a_string_of_any_size_is_got_as_it_was_put(table: Table, key_size: int, value_size: int) -> None:
    key, value = Random(key_size).randbytes(key_size), Random(value_size).randbytes(value_size)
    for at in (NEVER, 0, 1 << 62):
        table.put(key, value, at)
        table.put(key + b"?", b"another")
        assert contents(table) == {key: (value, at), key + b"?": (b"another", NEVER)}
    assert table.remove(key) == value
    assert table.remove(key + b"?") == b"another"
    assert len(table) == 0


def test_what_is_not_there(table: Table) -> None:
    assert table.get(b"k") is None
    assert b"k" not in table
    assert table.expire(b"k") == NEVER
    assert table.remove(b"k") is None
    assert table.set_expire(b"k", 5) is False
    assert table.random(7) is None
    assert table.drop(10) == []
    assert table.keys(0, 10) == table.expiring_keys(0, 10) == (0, [])
    assert table.items(0, 10) == (0, [])
    assert (len(table), table.expiring) == (0, 0)


def test_put_tells_what_was_there(table: Table) -> None:
    assert table.put(b"k", b"four") is None
    assert table.put(b"k", b"v" * 5000) == 4
    value = [b"a"]
    assert table.put(b"k", value) == 5000
    assert table.put(b"k", b"") is value
    assert table.put(b"k", b"") == 0


def test_an_object_stays_the_same_object(table: Table) -> None:
    for value in ([b"a"], b"v" * 500, {b"f": b"v"}):
        table.put(b"k", value, 7)
        assert table.get(b"k") is value
        assert table.set_expire(b"k", NEVER)
        assert table.items(0, 10) == (0, [(b"k", value, NEVER)])
        assert table.remove(b"k") is value


def test_a_put_ends_the_expire_time_of_what_was_there(table: Table) -> None:
    table.put(b"k", b"v", 5)
    table.put(b"k", b"w")
    assert (table.expire(b"k"), table.expiring) == (NEVER, 0)
    table.put(b"k", b"v", 6)
    assert (table.expire(b"k"), table.expiring) == (6, 1)


def test_an_expire_time_comes_changes_and_goes(table: Table) -> None:
    for value in (b"", b"v", b"v" * 448, b"v" * 449, [b"a"]):
        table.put(b"k", value)
        for at in (0, 1, 1 << 62, NEVER, NEVER, 3):
            assert table.set_expire(b"k", at)
            assert contents(table) == {b"k": (value, at)}
    table.remove(b"k")
    assert table.expiring == 0


@pytest.mark.parametrize("value_size", [3, 500])
def test_used_follows_what_is_there(store: ModuleType, value_size: int) -> None:
    table: Table = store.Table()
    empty = table.used()
    for number in range(10_000):
        table.put(b"%06d" % number, b"v" * value_size)
    assert 10_000 * (6 + value_size) < table.used() - empty < 10_000 * (6 + value_size + 200)
    for number in range(10_000):
        table.remove(b"%06d" % number)
    assert table.used() == empty or store is plain, "a dictionary keeps its room"


def test_objects_are_not_used_memory(table: Table) -> None:
    table.put(b"k", [b"v" * 10_000])
    assert table.used() < 2000


class Refusing(dict[bytes, int]):
    """A dictionary that has no memory for one key more."""

    def __setitem__(self, key: bytes, value: int) -> None:
        if key not in self:
            raise MemoryError
        super().__setitem__(key, value)


@pytest.mark.parametrize("name", ["_values", "_expires", "_stamps"])
def test_without_memory_the_twin_stays_as_it_was(name: str) -> None:
    """``test_native.py`` does so with the table in C."""
    table = plain.Table()
    table.put(b"k", b"v")
    setattr(table, name, Refusing(getattr(table, name)))
    for key in (b"k", b"new") if name == "_expires" else (b"new",):
        with pytest.raises(MemoryError):
            table.put(key, b"another", 5)
    assert contents(table) == {b"k": (b"v", NEVER)}
    assert table.stamp(b"new") == -1


# --- references


def test_the_table_holds_one_reference(table: Table) -> None:
    value = [b"a"]
    alone = sys.getrefcount(value)
    table.put(b"k", value)
    table.put(b"k", value, 5)
    table.set_expire(b"k", NEVER)
    table.items(0, 10)
    assert sys.getrefcount(value) == alone + 1
    table.remove(b"k")
    assert sys.getrefcount(value) == alone


@pytest.mark.parametrize("how", ["put", "remove", "drop", "end"])
def test_the_reference_ends_with_the_entry(store: ModuleType, how: str) -> None:
    table: Table = store.Table()
    value, text = [b"a"], b"v" * 500
    alone = sys.getrefcount(value), sys.getrefcount(text)
    for number in range(20):
        table.put(b"o%d" % number, value)
        table.put(b"t%d" % number, text)
    for key in list(walk(table.keys, 10)):
        if how == "put":
            table.put(key, b"short")
        elif how == "remove":
            table.remove(key)
        elif how == "drop":
            table.drop(1)
    if how == "end":
        del table
    assert (sys.getrefcount(value), sys.getrefcount(text)) == alone


class Meddler:
    """A value whose end changes a table."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.itself = self

    def __del__(self) -> None:
        for number in range(50):
            self.table.put(b"late%d" % number, b"x" * number)
            self.table.remove(b"early%d" % number)


def test_the_end_of_a_value_may_change_the_table(table: Table) -> None:
    for number in range(50):
        table.put(b"early%d" % number, b"x")
    table.put(b"k", Meddler(table))
    table.put(b"k", b"over")
    gc.collect()
    assert contents(table).keys() == {b"k", *(b"late%d" % number for number in range(50))}


def test_the_end_of_a_table_may_change_another(store: ModuleType) -> None:
    table, other = store.Table(), store.Table()
    for number in range(30):
        value = Meddler(other)
        del value.itself
        table.put(b"%d" % number, value)
    del table, value
    assert len(other) == 50


def test_the_collector_may_change_the_table_around_a_walk(store: ModuleType) -> None:
    table = filled(store, 500)
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(20):
            Meddler(table)
            assert len(list(walk(table.items, 30))) >= 500
    finally:
        gc.set_threshold(*before)


# --- many keys


def test_drop_takes_out_so_many_keys(store: ModuleType) -> None:
    table = filled(store, 5000)
    value = [b"a"]
    table.put(b"object", value, 5)
    table.put(b"long", b"v" * 5000)
    dropped = []
    for left in range(4902, 0, -100):
        dropped += table.drop(100)
        assert len(table) == len(list(walk(table.keys, 500))) == left
    dropped += table.drop(100)
    assert dropped == [value]
    assert (len(table), table.expiring) == (0, 0)


def test_a_walk_returns_each_key_once(store: ModuleType) -> None:
    table = filled(store, 20_000)
    for count in (1, 10, 1000, 100_000):
        assert sorted(walk(table.keys, count)) == sorted(b"%d" % number for number in range(20_000))


def test_a_walk_takes_small_steps(store: ModuleType) -> None:
    table = filled(store, 2000)
    cursor, keys = table.keys(0, 10)
    assert cursor > 0
    assert 10 <= len(keys) < 10 + 2000 // 16 * 2


def test_a_cursor_is_the_least_position_that_was_not_seen(store: ModuleType) -> None:
    table = filled(store, 2000)
    cursor = 0
    while True:
        following, keys = table.keys(cursor, 7)
        for key in keys:
            assert cursor <= table.position(key) < (following or 1 << 49)
        if following == 0:
            break
        cursor = following


@pytest.mark.parametrize("grows", [True, False])
@pytest.mark.parametrize("chances", range(4))
def test_a_key_that_is_there_all_the_time_is_returned_once(store: ModuleType, chances: int, grows: bool) -> None:
    rng = Random(chances)
    table = filled(store, 50 if grows else 9000)
    stay = {b"%d" % number for number in range(50)}
    seen: Counter[bytes] = Counter()
    cursor = turn = 0
    while turn == 0 or cursor:
        cursor, keys = table.keys(cursor, rng.randrange(1, 30))
        seen.update(keys)
        for number in range(200 if turn < 30 else 0):
            if grows:
                table.put(b"new%d.%d" % (turn, number), b"v")
            else:
                table.remove(b"%d" % rng.randrange(50, 9000))
        turn += 1
    assert {key: seen[key] for key in stay} == dict.fromkeys(stay, 1)


def test_expiring_keys_are_found_among_many(store: ModuleType) -> None:
    table = filled(store, 20_000)
    table.set_expire(b"77", 5)
    table.put(b"new", [b"a"], 6)
    assert sorted(walk(table.expiring_keys, 10)) == [b"77", b"new"]


@pytest.mark.parametrize(("keys", "kept"), [(6, 6), (500, 500), (8000, 300), (5000, 5000)])
def test_every_key_has_the_same_chance(store: ModuleType, keys: int, kept: int) -> None:
    """Chi-square within five standard deviations, with fixed numbers."""
    if store is plain and keys > 1000:
        pytest.skip("it walks to the key: even by construction, and slow")
    table = filled(store, keys)
    for number in range(kept, keys):
        table.remove(b"%d" % number)
    rng = Random(5)
    draws = 40 * kept
    drawn = Counter(table.random(rng.getrandbits(64)) for _ in range(draws))
    assert len(drawn) == kept
    square = sum((count - 40) ** 2 / 40 for count in drawn.values())
    assert abs(square - (kept - 1)) < 5 * (2 * kept) ** 0.5


def test_an_edge_number_draws_a_key(store: ModuleType) -> None:
    table = filled(store, 10)
    for number in (0, 1, (1 << 64) - 1):
        key = table.random(number)
        assert key is not None
        assert key in table


# --- a batch


KEYS: Final = (
    b"",
    b"k",
    b"{a}b",
    b"a{b}c",
    b"{}a",
    b"a{",
    b"}{a}",
    b"{a",
    b"a{b{c}d}",
    b"k" * 300,
    b"1234567",
    b"12345678",
)


@pytest.mark.parametrize("shift", [0, 3, 14])
def test_route_tells_the_slot_of_each_request(store: ModuleType, shift: int) -> None:
    rng = Random(3)
    keys = [*KEYS, *(rng.randbytes(rng.randrange(60)) for _ in range(200))]
    requests = [[b"GET", key, b"more"] for key in keys]
    tables = [filled(store, number % 5) for number in range(-(-16384 >> shift))] if shift else [store.Table()] * 16384
    for key in keys[:100]:
        tables[key_slot(key) >> shift].put(key, rng.choice([b"v", b"v" * 400, b"v" * 4000, [b"a"]]))
    assert store.route([[b"PING"], *requests], tables, shift) == [-1, *map(key_slot, keys)]
    assert store.route([], tables, shift) == []
    assert store.route(keys, tables, shift) == [*map(key_slot, keys)], "keys by themselves"
