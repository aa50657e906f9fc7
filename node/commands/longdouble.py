"""The arithmetic of INCRBYFLOAT: x86 extended precision, as Redis on x86-64 has it in ``long double``.

A number is a pair ``(m, e)`` for m * 2**e with a significand of at most 64 bits; sums are exact and then rounded to
it, half to even. Texts are read as strtold reads them (decimal, hexadecimal, infinity) and written as ``%.17Lf``
without the zeros at the end (util.c: string2ld, ld2string). A sum may be infinite: ``None``.
"""

import re
from typing import Final

LongDouble = tuple[int, int]

DIGITS: Final = 64
LEAST_EXPONENT: Final = -16445
"""Of the smallest subnormal number."""
MOST_BITS: Final = 16384
LONGEST: Final = 5 * 1024 - 1
"""Characters Redis reads of a number."""
PLACES: Final = 17
CHUNK: Final = 4000
"""Decimal digits converted in one go: Python refuses more than 4300."""

DECIMAL: Final = re.compile(rb"([+-]?)(?=\.?[0-9])([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?")
HEXADECIMAL: Final = re.compile(rb"([+-]?)0[xX](?=\.?[0-9a-fA-F])([0-9a-fA-F]*)\.?([0-9a-fA-F]*)(?:[pP]([+-]?[0-9]+))?")
INFINITY: Final = re.compile(rb"[+-]?inf(?:inity)?", re.IGNORECASE)


def is_infinity(text: bytes) -> bool:
    return INFINITY.fullmatch(text) is not None


def parse(text: bytes) -> LongDouble | None:
    """The finite number that ``text`` is; None if it is none, or too large or too small to be told from zero."""
    if len(text) > LONGEST:
        return None
    match = DECIMAL.fullmatch(text)
    if match is not None:
        whole, fraction = match.group(2), match.group(3)
        value = from_decimal(whole + fraction)
        power = clamp(match.group(4)) - len(fraction)
        number = scaled_by_ten(value, power)
    else:
        match = HEXADECIMAL.fullmatch(text)
        if match is None:
            return None
        whole, fraction = match.group(2), match.group(3)
        value = int(whole + fraction, 16)
        number = nearest_binary(value, clamp(match.group(4)) - 4 * len(fraction))
    if number is None or (value and not number[0]):
        return None
    return (-number[0], number[1]) if match.group(1) == b"-" else number


def clamp(exponent: bytes | None) -> int:
    """A written exponent; beyond what could matter its size is of no importance."""
    if exponent is None:
        return 0
    digits = exponent.lstrip(b"+-").lstrip(b"0")
    size = 10**6 if len(digits) > 6 else int(digits or b"0")
    return -size if exponent[:1] == b"-" else size


def scaled_by_ten(value: int, power: int) -> LongDouble | None:
    """value * 10**power, rounded; None if that is too large."""
    if value == 0:
        return 0, 0
    size = value.bit_length() * 3 // 10 + power  # decimal digits before the point, more or less
    if size > 5100:
        return None
    if size < -5200:
        return 0, 0
    if power >= 0:
        return nearest(value * 10**power, 1)
    return nearest(value, 10**-power)


def nearest_binary(value: int, power: int) -> LongDouble | None:
    """value * 2**power, rounded; None if that is too large."""
    size = value.bit_length() + power
    if value == 0 or size < LEAST_EXPONENT - 1:
        return 0, 0
    if size > MOST_BITS:
        return None
    return nearest(value << power, 1) if power >= 0 else nearest(value, 1 << -power)


def nearest(above: int, below: int) -> LongDouble | None:
    """The number nearest to above / below (above >= 0, below > 0), half to even; None if that is too large."""
    exponent = max(above.bit_length() - below.bit_length() - DIGITS, LEAST_EXPONENT)
    while True:
        if exponent >= 0:
            quotient, rest = divmod(above, below << exponent)
            twice = (rest << 1) - (below << exponent)
        else:
            quotient, rest = divmod(above << -exponent, below)
            twice = (rest << 1) - below
        if quotient.bit_length() <= DIGITS:
            break
        exponent += 1
    if twice > 0 or (twice == 0 and quotient & 1):
        quotient += 1
    if quotient.bit_length() + exponent > MOST_BITS:
        return None
    return quotient, exponent


def add(a: LongDouble, b: LongDouble) -> LongDouble | None:
    """a + b, rounded; None if that is infinite."""
    exponent = min(a[1], b[1])
    total = (a[0] << (a[1] - exponent)) + (b[0] << (b[1] - exponent))
    number = nearest_binary(abs(total), exponent)
    return (-number[0], number[1]) if total < 0 and number is not None else number


def show(number: LongDouble) -> bytes:
    """``%.17Lf`` without trailing zeros; never ``-0``."""
    significand, exponent = number
    if exponent >= 0:
        return to_decimal(significand << exponent)
    scaled = abs(significand) * 10**PLACES
    shift = -exponent
    quotient = scaled >> shift
    twice = (scaled - (quotient << shift)) << 1
    if twice > 1 << shift or (twice == 1 << shift and quotient & 1):
        quotient += 1
    whole, fraction = divmod(quotient, 10**PLACES)
    text = to_decimal(whole)
    if fraction:
        text += (b".%017d" % fraction).rstrip(b"0")
    return b"-" + text if significand < 0 and quotient else text


def from_decimal(digits: bytes) -> int:
    if len(digits) <= CHUNK:
        return int(digits or b"0")
    rest = digits[CHUNK:]
    scale: int = 10 ** len(rest)
    return int(digits[:CHUNK]) * scale + from_decimal(rest)


def to_decimal(value: int) -> bytes:
    if value < 0:
        return b"-" + to_decimal(-value)
    if value.bit_length() < CHUNK * 3:
        return b"%d" % value
    high, low = divmod(value, 10**CHUNK)
    return b"%d%04000d" % (high, low) if high else b"%d" % low
