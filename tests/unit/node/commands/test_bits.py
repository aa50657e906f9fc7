"""Bits against the obvious slow way: a list of zeros and ones."""

from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.commands.bits import PIECE, bit_range, count_ones, find_bit, skip_bytes

VALUES = st.one_of(st.binary(max_size=6), st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\xff\xfe", b"\0\x01"]))


def bits_of(value: bytes) -> list[int]:
    return [byte >> (7 - at) & 1 for byte in value for at in range(8)]


@given(VALUES, st.integers(0, 48), st.integers(0, 48))
def test_counting(value: bytes, begin: int, end: int) -> None:
    end = min(end, len(value) * 8)
    assert count_ones(value, begin, end) == sum(bits_of(value)[begin:end])


@given(VALUES, st.integers(0, 48), st.integers(0, 48), st.sampled_from([0, 1]))
def test_finding(value: bytes, begin: int, end: int, bit: int) -> None:
    end = min(end, len(value) * 8)
    wanted = next((at for at in range(begin, end) if bits_of(value)[at] == bit), -1)
    assert find_bit(value, bit, begin, end) == wanted


@given(st.integers(0, 9), st.integers(-12, 12), st.one_of(st.none(), st.integers(-12, 12)))
def test_a_range_stays_inside_the_string(size: int, start: int, end: int | None) -> None:
    part = bit_range(size, start, end, False)
    assert part.begin >= 0
    assert part.end <= size * 8
    inside = range(size)[max(start + size, 0) if start < 0 else start :]
    last = size if end is None else max(end + size, 0) if end < 0 else end
    assert [at for at in inside if at <= last] == list(range(part.begin // 8, max(part.end, part.begin) // 8))


def test_long_runs_are_skipped_a_piece_at_a_time() -> None:
    for at in (0, PIECE - 1, PIECE, 3 * PIECE + 5):
        value = bytearray(4 * PIECE)
        value[at] = 1
        assert skip_bytes(value, b"\0", 0, len(value)) == at
        assert skip_bytes(value, b"\0", at + 1, len(value)) == len(value)
