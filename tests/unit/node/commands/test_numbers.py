"""Integers are read as strictly as Redis reads them, and decimal numbers as x86's extended precision has them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.commands import longdouble
from gossamer.node.commands.numbers import LONG_MAX, LONG_MIN, integer, integer_or_none, wrap64
from gossamer.node.resp.errors import Refusal

EPSILON = Fraction(1, 2**64)
"""Half of the last place of a 64-bit significand, relative."""


@given(st.integers(LONG_MIN, LONG_MAX))
def test_an_integer_is_read_in_its_shortest_form_only(value: int) -> None:
    assert integer_or_none(b"%d" % value) == value
    assert integer_or_none(bytearray(b"%d" % value)) == value
    assert integer_or_none(b"0%d" % value) is None
    assert integer_or_none(b"%d " % value) is None


@pytest.mark.parametrize(
    "text", [b"", b"+1", b"-0", b"00", b"1_0", b"\xd9\xa1", b"1.0", b"9223372036854775808", b"1" * 5000, b"-", b"0x1"]
)
def test_anything_else_is_no_integer(text: bytes) -> None:
    assert integer_or_none(text) is None
    with pytest.raises(Refusal):
        integer(text)


@given(st.integers(-(2**80), 2**80))
def test_wrapping_keeps_the_low_64_bits(value: int) -> None:
    assert LONG_MIN <= wrap64(value) <= LONG_MAX
    assert (wrap64(value) - value) % 2**64 == 0


def exact(number: longdouble.LongDouble) -> Fraction:
    return Fraction(number[0]) * Fraction(2) ** number[1]


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40))
def test_a_decimal_is_rounded_to_the_nearest(value: object) -> None:
    wanted = Fraction(str(value))
    number = longdouble.parse(str(value).encode())
    if number is None:
        assert abs(wanted) < Fraction(1, 10**4940)
        return
    assert abs(number[0]) <= 2**64
    smallest = Fraction(1, 2**16446)
    assert abs(exact(number) - wanted) <= max(abs(wanted) * EPSILON, smallest)


@given(st.integers(-(2**63), 2**63), st.integers(-(2**63), 2**63))
def test_sums_within_64_bits_are_exact(a: int, b: int) -> None:
    first, second = longdouble.parse(b"%d" % a), longdouble.parse(b"%d" % b)
    assert first is not None
    assert second is not None
    total = longdouble.add(first, second)
    assert total is not None
    assert longdouble.show(total) == b"%d" % (a + b)


def test_halves_are_rounded_to_even() -> None:
    big = longdouble.parse(b"18446744073709551616")  # 2**64: the next numbers are 2 apart
    assert big is not None
    for added, total in ((b"1", b"18446744073709551616"), (b"3", b"18446744073709551620")):
        number = longdouble.parse(added)
        assert number is not None
        result = longdouble.add(big, number)
        assert result is not None
        assert longdouble.show(result) == total


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (b"5.0e3", b"5000"),
        (b"-.5", b"-0.5"),
        (b"-1e-20", b"-0"),
        (b"0x1.8p1", b"3"),
        (b"3.14", b"3.14"),
        (b"1e-17", b"0.00000000000000001"),
        (b"4.9e-18", b"0"),
    ],
)
def test_numbers_are_shown_without_trailing_zeros(text: bytes, shown: bytes) -> None:
    number = longdouble.parse(text)
    assert number is not None
    assert longdouble.show(number) == (b"0" if shown == b"-0" else shown)


@pytest.mark.parametrize("text", [b"", b".", b"1e", b"e1", b"0x", b" 1", b"1 ", b"1\0", b"nan", b"1e4933", b"1e-5000"])
def test_what_is_no_finite_number_is_refused(text: bytes) -> None:
    assert longdouble.parse(text) is None


def test_an_enormous_exponent_costs_nothing() -> None:
    assert longdouble.parse(b"1e" + b"9" * 4000) is None
    assert longdouble.parse(b"1e-" + b"9" * 4000) is None
    assert longdouble.parse(b"0x1p" + b"9" * 4000) is None
    assert longdouble.parse(b"0e" + b"9" * 4000) == (0, 0)
