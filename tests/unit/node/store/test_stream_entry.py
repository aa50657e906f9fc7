"""Ids and entries of streams in C and in Python: alike, and as Redis has them."""

from types import ModuleType
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.store import plain_listpack, plain_stream_entries
from tests.unit.node.store.test_texts import NUMBERS, ODD

WORD: Final = (1 << 64) - 1
LAST: Final = (1 << 128) - 1
WORDS: Final = st.one_of(
    st.integers(0, WORD),
    st.integers(0, 5000),
    st.builds(lambda bits, more: (1 << bits) + more & WORD, st.integers(6, 64), st.integers(-2, 2)),
)
IDS: Final = st.builds(lambda milliseconds, sequence: milliseconds << 64 | sequence, WORDS, WORDS)
TEXTS: Final = st.one_of(st.binary(max_size=80), NUMBERS, ODD, st.sampled_from([63 * b"x", 64 * b"x", 4096 * b"x"]))


@pytest.fixture(scope="session", params=["plain", "native"])
def entries(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "plain":
        return plain_stream_entries
    found: ModuleType = request.getfixturevalue("native")
    return found


@given(IDS, WORDS)
def test_the_next_id_is_of_now_or_behind_the_last_one(entries: ModuleType, last: int, now: int) -> None:
    if last < LAST:
        assert entries.id_after(last, now) == max(now << 64, last + 1)


def test_no_id_is_behind_the_largest(entries: ModuleType) -> None:
    assert entries.id_after(LAST - 1, 5) == LAST
    with pytest.raises(OverflowError):
        entries.id_after(LAST, 5)


@given(IDS)
def test_an_id_is_shown_as_two_numbers(entries: ModuleType, entry_id: int) -> None:
    assert entries.id_text(entry_id) == b"%d-%d" % (entry_id >> 64, entry_id & WORD)


@pytest.mark.parametrize("odd", [-1, LAST + 1])
def test_what_is_no_id_is_refused_by_the_one_in_c(native: ModuleType, odd: int) -> None:
    with pytest.raises(OverflowError):
        native.id_text(odd)
    with pytest.raises(OverflowError):
        native.pack_entry([], [b"f", b"v"], 0, odd)


def wrapped(difference: int) -> bytes:
    return b"%d" % ((difference + (1 << 63) & WORD) - (1 << 63))


@given(st.lists(TEXTS, min_size=1, max_size=6), st.booleans(), IDS, IDS)
def test_an_entry_is_the_elements_that_redis_makes_of_it(
    entries: ModuleType, words: list[bytes], same: bool, master: int, entry_id: int
) -> None:
    pairs = words + words[::-1]
    fields = pairs[::2] if same else [*pairs[::2], b"one more"]
    between = [wrapped((entry_id >> 64) - (master >> 64)), wrapped((entry_id & WORD) - (master & WORD))]
    count = len(words)
    if same:
        elements = [b"2", *between, *pairs[1::2], b"%d" % (count + 3)]
    else:
        elements = [b"0", *between, b"%d" % count, *pairs, b"%d" % (2 * count + 4)]
    packed = plain_listpack.to_listpack(elements)[plain_listpack.HEADER_SIZE : -1]
    assert entries.pack_entry(fields, pairs, master, entry_id) == packed


def test_as_many_fields_with_another_name_are_not_those_of_the_node(entries: ModuleType) -> None:
    packed = entries.pack_entry([b"f", b"g"], [b"f", b"1", b"h", b"2"], 0, 1)
    assert packed == plain_listpack.to_listpack([b"0", b"0", b"1", b"2", b"f", b"1", b"h", b"2", b"8"])[6:-1]
