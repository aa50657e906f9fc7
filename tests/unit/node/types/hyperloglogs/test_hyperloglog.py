"""Registers against a plain list of 16384 numbers, in both forms. What Redis writes is compared in tests/compat."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gossamer.node.types.hyperloglogs.hashing import REGISTERS, place_of
from gossamer.node.types.hyperloglogs.hyperloglog import (
    DENSE,
    DENSE_SIZE,
    FORM,
    HEADER,
    NEW,
    SPARSE,
    add,
    cache,
    cached,
    count,
    make_dense,
    merge,
    outdate,
    raise_dense,
    registers,
    valid,
)
from gossamer.node.types.hyperloglogs.registers import NONE, histogram, larger, packed, unpacked
from gossamer.node.types.hyperloglogs.sparse import (
    EMPTY,
    HIGHEST,
    RAISED,
    TOO_LARGE,
    UNCHANGED,
    Corrupted,
    Runs,
    registers_of,
)

CROWDED = st.lists(st.tuples(st.integers(0, 40), st.integers(1, HIGHEST)), max_size=60)
"""Registers near each other, and what they are raised to."""
NO_LIMIT = 1 << 30


@pytest.mark.parametrize(
    ("element", "index", "rank"),
    [(b"", 5938, 2), (b"a", 12711, 2), (b"12345678", 10579, 3), (b"123456789abcdefgh", 1958, 3)],
)
def test_elements_are_hashed_as_other_servers_hash_them(element: bytes, index: int, rank: int) -> None:
    assert place_of(element) == (index, rank)


@given(st.binary(max_size=40))
def test_an_element_has_a_register_and_a_rank(element: bytes) -> None:
    index, rank = place_of(element)
    assert 0 <= index < REGISTERS
    assert 1 <= rank <= 51


def any_registers(seed: int) -> bytes:
    rng = Random(seed)
    return bytes([rng.getrandbits(6) for _ in range(REGISTERS)])


@pytest.mark.parametrize("seed", range(10))
def test_packing_and_unpacking_are_opposites(seed: int) -> None:
    held = any_registers(seed)
    assert unpacked(packed(held)) == held
    assert sum(histogram(held)) == REGISTERS


def test_the_first_register_is_in_the_lowest_bits() -> None:
    assert packed(bytes([1, 2, 3, 4]) + bytes(REGISTERS - 4))[:4] == (1 | 2 << 6 | 3 << 12 | 4 << 18).to_bytes(
        4, "little"
    )


@pytest.mark.parametrize("seed", range(10))
def test_the_larger_of_two_registers_is_kept(seed: int) -> None:
    one, other = any_registers(2 * seed), any_registers(2 * seed + 1)
    assert larger(one, other) == bytes(map(max, one, other))


@given(CROWDED)
def test_runs_hold_what_registers_were_raised_to(raised: list[tuple[int, int]]) -> None:
    runs, model = Runs(EMPTY, NO_LIMIT), bytearray(REGISTERS)
    for index, value in raised:
        runs.rewind()
        assert runs.raise_to(index, value) == (RAISED if value > model[index] else UNCHANGED)
        model[index] = max(model[index], value)
        assert registers_of(runs.data) == model


@given(CROWDED, CROWDED)
def test_in_ascending_order_the_search_goes_on_where_it_was(
    before: list[tuple[int, int]], raised: list[tuple[int, int]]
) -> None:
    """And the bytes are those of a search from the beginning."""
    start = Runs(EMPTY, NO_LIMIT)
    for index, value in before:
        start.rewind()
        start.raise_to(index, value)
    one, other = Runs(start.data, NO_LIMIT), Runs(start.data, NO_LIMIT)
    for index, value in sorted(raised):
        other.rewind()
        assert one.raise_to(index, value) == other.raise_to(index, value)
        assert one.data == other.data


def test_what_a_run_cannot_hold_is_too_large() -> None:
    assert Runs(EMPTY, NO_LIMIT).raise_to(5, HIGHEST + 1) == TOO_LARGE
    runs = Runs(EMPTY, 4)
    assert runs.raise_to(5, 1) == RAISED
    assert runs.raise_to(7, 1) == TOO_LARGE
    assert registers_of(runs.data)[7] == 0


@pytest.mark.parametrize(
    "body", [b"", b"\x7f", b"\x7f\xfe", b"\x7f\xff\0", b"\x7f\xff\x80", b"\x7f\xff" * 9, b"\x80" * 5]
)
def test_runs_that_do_not_add_up_are_corrupted(body: bytes) -> None:
    with pytest.raises(Corrupted):
        registers_of(body)


@pytest.mark.parametrize("body", [b"", b"\x7f", b"\x7f\xfe", b"\x80" * 5])
def test_a_register_that_is_missing_is_found_missing(body: bytes) -> None:
    with pytest.raises(Corrupted):
        Runs(body, NO_LIMIT).raise_to(REGISTERS - 1, 1)


@given(st.integers(0, REGISTERS - 1), st.integers(1, 51), st.integers(1, 51))
def test_a_dense_register_is_raised_and_no_other(index: int, first: int, second: int) -> None:
    value = bytearray(NEW)
    make_dense(value)
    assert raise_dense(value, index, first)
    assert raise_dense(value, index, second) == (second > first)
    expected = bytearray(REGISTERS)
    expected[index] = max(first, second)
    assert registers(value) == expected


@given(st.lists(st.integers(0, 500), max_size=300), st.sampled_from([0, 60, 400, 3000]))
@settings(max_examples=50)
def test_all_forms_count_alike(numbers: list[int], limit: int) -> None:
    elements = [b"%d" % number for number in numbers]
    value, dense = bytearray(NEW), bytearray(NEW)
    make_dense(dense)
    assert add(value, elements, limit) == add(dense, elements, limit)
    assert registers(value) == registers(dense)
    assert abs(count(registers(value)) - len(set(numbers))) <= 0.06 * len(set(numbers)) + 1
    assert value[FORM] == DENSE or len(value) <= max(limit, len(NEW))
    assert valid(value)


@given(st.lists(st.lists(st.integers(0, 500), max_size=100), min_size=1, max_size=3), st.sampled_from([0, 100, 3000]))
@settings(max_examples=50)
def test_a_merge_has_the_registers_of_all(lists: list[list[int]], limit: int) -> None:
    values = [bytearray(NEW) for _ in lists]
    for value, numbers in zip(values, lists, strict=True):
        add(value, [b"%d" % number for number in numbers], limit)
    union = NONE
    for value in values:
        union = larger(union, registers(value))
    dense = any(value[FORM] == DENSE for value in values)
    merge(values[0], union, dense, limit)
    assert registers(values[0]) == union
    assert cached(values[0]) == -1
    assert dense <= (values[0][FORM] == DENSE)


def test_a_count_is_kept_until_it_is_out_of_date() -> None:
    value = bytearray(NEW)
    assert cached(value) == 0
    cache(value, 12345)
    assert cached(value) == 12345
    outdate(value)
    assert cached(value) == -1
    assert value[8] == 12345 & 0xFF


def test_only_a_whole_header_is_valid() -> None:
    assert valid(NEW)
    assert not valid(NEW[:15])
    assert not valid(b"hyll" + NEW[4:])
    assert not valid(NEW[:4] + b"\2" + NEW[5:])
    assert not valid(NEW[:4] + bytes((DENSE,)) + NEW[5:])
    assert valid(NEW[:4] + bytes((DENSE,)) + NEW[5:HEADER] + bytes(DENSE_SIZE - HEADER))
    assert NEW[FORM] == SPARSE


def test_without_elements_there_is_nothing_to_count() -> None:
    assert registers(NEW) == NONE
    assert count(NONE) == 0
