"""LZF in C and in Python: what is compressed comes back, and damaged data neither passes nor takes memory."""

import random
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.store import plain_lzf


@pytest.fixture(scope="session", params=["plain", "native"])
def lzf(request: pytest.FixtureRequest) -> ModuleType:
    return plain_lzf if request.param == "plain" else request.getfixturevalue("native")


PIECES = st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"a" * 300, b"abc" * 50])), max_size=12)


@given(PIECES)
def test_what_is_compressed_comes_back(lzf: ModuleType, pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    assert lzf.decompress(lzf.compress(data), len(data)) == data
    assert plain_lzf.decompress(lzf.compress(data), len(data)) == data


@pytest.mark.parametrize("size", [9_000, 20_000])
def test_copies_reach_no_further_back_than_they_may(lzf: ModuleType, size: int) -> None:
    noise = random.Random(1).randbytes(size)
    data = b"a word of some length" + noise + b"a word of some length"
    assert lzf.decompress(lzf.compress(data), len(data)) == data


def test_what_repeats_gets_short(lzf: ModuleType) -> None:
    assert len(lzf.compress(b"x" * 10_000)) < 200


def test_a_copy_may_overlap_what_it_makes(lzf: ModuleType) -> None:
    assert lzf.decompress(bytes([0, ord("a"), 7 << 5, 0, 0]), 10) == b"a" * 10
    assert lzf.decompress(bytes([1]) + b"ab" + bytes([3 << 5, 1]), 7) == b"abababa"


@pytest.mark.parametrize(
    "data",
    [
        bytes([5]) + b"abc",
        bytes([5]) + b"abcde",
        bytes([0]) + b"a" + bytes([1 << 5]),
        bytes([0]) + b"a" + bytes([7 << 5, 1]),
        bytes([0]) + b"a" + bytes([1 << 5, 1]),
        bytes([1 << 5, 0]),
        bytes([0]) + b"a" + bytes([7 << 5, 200, 0]),
        bytes([2]) + b"abc",
        b"",
    ],
)
def test_damaged_data_is_refused(lzf: ModuleType, data: bytes) -> None:
    with pytest.raises(ValueError):
        lzf.decompress(data, 6)


def test_a_bomb_is_given_up_early(lzf: ModuleType) -> None:
    bomb = bytes([0]) + b"a" + bytes([7 << 5, 255, 0]) * 1_000_000
    with pytest.raises(ValueError, match="longer"):
        lzf.decompress(bomb, 100)
