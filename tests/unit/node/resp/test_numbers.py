"""Plain doubles, in C and in Python: the very double that reading the text makes, or none."""

from math import copysign
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gossamer.node.resp import plain

DIGITS = st.text("0123456789", max_size=10)
LIKE_NUMBERS = st.text("0123456789.-+e x", max_size=18).map(str.encode)


@given(st.sampled_from(["", "-"]), DIGITS, st.sampled_from(["", "."]), DIGITS)
@example("-", "0", "", "")
@example("", "", ".", "")
@example("", "999999999999999", "", "")
@example("", "9999999999999999", "", "")
@example("", "", ".", "000000000000001")
def test_it_is_the_double_that_python_reads(means: ModuleType, sign: str, whole: str, point: str, part: str) -> None:
    found = means.plain_double(f"{sign}{whole}{point}{part}".encode())
    if not 1 <= len(whole + part) <= plain.EXACT_DIGITS:
        assert found is None
    else:
        expected = float(f"{sign}{whole}{point}{part}")
        assert (found, copysign(1.0, found)) == (expected, copysign(1.0, expected))


@given(LIKE_NUMBERS)
@example(b"1.2.3")
@example(b"--1")
@example(b"1 ")
@example(b"0" * 400)
def test_both_take_the_same(native: ModuleType, text: bytes) -> None:
    assert native.plain_double(text) == plain.plain_double(text)


@pytest.mark.parametrize("text", [b"", b"-", b".", b"-.", b"inf", b"nan", b"1e3", b"+1", b" 1", b"1\0", b"0x1"])
def test_what_is_not_plain_is_left_to_others(means: ModuleType, text: bytes) -> None:
    assert means.plain_double(text) is None


def test_in_c_a_number_is_bytes(native: ModuleType) -> None:
    with pytest.raises(TypeError):
        native.plain_double("1")


@given(st.integers(-(10**16), 10**16).map(float) | st.floats())
@example(-0.0)
@example(0.0)
@example(999_999_999_999_999.0)
@example(1e15)
@example(-1e15)
@example(0.5)
@example(float("nan"))
@example(float("-inf"))
def test_a_whole_number_is_its_digits(means: ModuleType, number: float) -> None:
    found = means.whole_text(number)
    if -plain.WHOLE < number < plain.WHOLE and number == int(number) and str(number) != "-0.0":
        assert found == b"%d" % int(number)
    else:
        assert found is None


def test_in_c_what_is_whole_is_a_float(native: ModuleType) -> None:
    with pytest.raises(TypeError):
        native.whole_text(1)
