"""Integers as text, read as strictly as Redis does (util.c, string2ll).

An integer is the shortest decimal form of a 64-bit signed number: no sign ``+``, no leading zero, no space, no ``-0``.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_extensions import i64

LONG_MAX: Final = 2**63 - 1
LONG_MIN: Final = -(2**63)
LONGEST: Final = 20
"""Characters of ``LONG_MIN``."""
SURELY: Final = 19
"""Fewer digits than this are surely no more than ``LONG_MAX``."""
ZERO: Final = 48
NINE: Final = 57


def plain_integer(text: bytes) -> "i64":
    """The integer that ``text`` is, written in a few digits, as nearly all are; -1 if it is not plain to see."""
    size: i64 = len(text)
    if size == 0 or size >= SURELY or (size > 1 and text[0] == ZERO):
        return -1
    value: i64 = 0
    at: i64 = 0
    while at < size:
        digit: i64 = text[at]
        if digit < ZERO or digit > NINE:
            return -1
        value = value * 10 + (digit - ZERO)
        at += 1
    return value


COMPILED: Final = not hasattr(plain_integer, "__code__")
"""Only then a loop over the digits is faster than ``int``."""


def integer_or_none(text: bytes | bytearray) -> int | None:
    """The integer that ``text`` is, None if it is none."""
    if COMPILED and isinstance(text, bytes):
        plain = plain_integer(text)
        if plain >= 0:
            return plain
    elif text.isdigit() and len(text) < SURELY and (text[0] != ZERO or len(text) == 1):
        return int(text)  # what nearly all are; the rest is checked by writing it again
    if len(text) > LONGEST or not (text[1:] if text[:1] == b"-" else text).isdigit():
        return None
    value = int(text)
    if value > LONG_MAX or value < LONG_MIN or b"%d" % value != text:
        return None
    return value
