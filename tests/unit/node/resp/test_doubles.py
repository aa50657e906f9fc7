"""Doubles are read as strtod reads them, and written digit for digit as Redis 7.2 and Valkey do."""

import struct
from math import isinf, isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.resp.doubles import digits_of, format_double, read_double, strtod


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, b"3"),
        (-0.0, b"-0"),
        (0.1, b"0.1"),
        (1e-5, b"0.00001"),
        (3e-7, b"3e-7"),
        (1.5e-6, b"1.5e-6"),
        (1.25e-3, b"0.00125"),
        (float("inf"), b"inf"),
        (float("-inf"), b"-inf"),
        (1e300, b"1e+300"),
        (1.2345678e34, b"1.2345678e+34"),
        (1e17, b"100000000000000000"),
        (1e20, b"1e+20"),
        (4611686018427387904.0, b"4611686018427387904"),
        (9223372036854775807.0, b"9223372036854776000"),
        (12345678901234567890123.0, b"12345678901234568000000"),
        (5e-324, b"5e-324"),
        (2.2250738585072014e-308, b"2.2250738585072014e-308"),
    ],
)
def test_a_double_as_valkey_prints_it(value: float, text: bytes) -> None:
    assert format_double(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (641662.5049, b"6.416625049000001e+5"),
        (1626983080611305.8, b"1626983080611305.7"),
        (0.513449741285465, b"0.5134497412854649"),
        (-1.547182503134182e-78, b"-1.5471825031341819e-78"),
    ],
)
def test_what_grisu_prints_in_more_digits_than_needed(value: float, text: bytes) -> None:
    assert format_double(value) == text


def test_a_digest_takes_all_numbers_in_few_digits() -> None:
    assert digits_of(4611686018427387904.0) == b"4611686018427388000"
    assert digits_of(-0.0) == b"-0"
    assert digits_of(float("-inf")) == b"-inf"


@given(st.integers(0, 2**64 - 1))
def test_what_is_written_is_read_as_the_same_double(bits: int) -> None:
    value = struct.unpack("<d", bits.to_bytes(8, "little"))[0]
    text = format_double(value)
    assert text == b"nan" if isnan(value) else read_double(text) == value


@pytest.mark.parametrize("text", [b"1.5", b"+1.5", b".15e1", b"15E-1", b"0x1.8", b"0X3p-1", b"1.50000000000000000"])
def test_one_number_in_many_forms(text: bytes) -> None:
    assert read_double(text) == 1.5


@pytest.mark.parametrize("text", [b"inf", b"+INF", b"Infinity", b"-inf"])
def test_infinity_is_a_number(text: bytes) -> None:
    value = read_double(text)
    assert value is not None
    assert isinf(value)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" 1",
        b"1 ",
        b"1_0",
        b"nan",
        b"-nan(1)",
        b"1e",
        b".",
        b"0x",
        b"1\0",
        b"1e400",
        b"-1e-400",
        b"0x1p-2000",
        b"x",
    ],
)
def test_what_is_no_score(text: bytes) -> None:
    assert read_double(text) is None


@pytest.mark.parametrize(
    ("text", "value"), [(b" 1", 1.0), (b"1e400", float("inf")), (b"1e-400", 0.0), (b"-0x9p9999", -float("inf"))]
)
def test_strtod_takes_spaces_and_rounds_to_the_ends(text: bytes, value: float) -> None:
    assert strtod(text) == value


@pytest.mark.parametrize("text", [b"", b"1 ", b"1_0", b"0x", b"nan(", b"-"])
def test_strtod_reads_the_whole_text_or_nothing(text: bytes) -> None:
    assert strtod(text) is None
