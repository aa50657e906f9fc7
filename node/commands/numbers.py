"""Integers in arguments and values, read as strictly as Redis does: ``types/integers.py`` says what is one."""

from typing import Final

from gossamer.node.resp.errors import NOT_AN_INTEGER, Refusal
from gossamer.node.types.integers import LONG_MAX, LONG_MIN, integer_or_none

__all__ = ["LONG_MAX", "LONG_MIN", "integer", "integer_or_none", "wrap64"]

WORD: Final = 2**64 - 1


def integer(text: bytes | bytearray, refusal: bytes = NOT_AN_INTEGER) -> int:
    """The integer that ``text`` is; Refusal if it is none."""
    value = integer_or_none(text)
    if value is None:
        raise Refusal(refusal)
    return value


def wrap64(value: int) -> int:
    """``value`` as C's signed 64-bit arithmetic would leave it."""
    value &= WORD
    return value - 2**64 if value > LONG_MAX else value
