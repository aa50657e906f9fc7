"""Doubles as text: read as strtod reads them, and written as Redis 7.2 does (util.c: string2d, d2string).

Integers up to 2^62 are written in all their digits. Any other number is written by Grisu2 (F. Loitsch, "Printing
Floating-Point Numbers Quickly and Accurately with Integers", 2010): mostly in the fewest digits that read back as the
same double, but once in a thousand times in one digit more. Clients and digests see these digits, so they are made in
the same way and with the same precision here.
"""

import re
from math import copysign, frexp, isinf, isnan
from typing import Final

from gossamer.cluster.text import text_of
from gossamer.node.resp.requests import plain_double, whole_text

PLAIN_DOUBLE: Final = plain_double
WHOLE_TEXT: Final = whole_text
"""Under these names compiled code has them at hand."""
SPACES: Final = b" \t\n\v\f\r"
DECIMAL: Final = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
HEXADECIMAL: Final = re.compile(rb"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?[0-9]+)?")
SPECIAL: Final = re.compile(rb"[+-]?(?:inf(?:inity)?|nan(?:\([0-9a-zA-Z_]*\))?)", re.IGNORECASE)
PLAIN: Final = 300
"""Characters of a number that is not too large, nor too small, for a double as long as it has no exponent."""
NOT_ZERO: Final = re.compile(rb"[1-9a-fA-F]")

INTEGERS: Final = float(2**62)
"""Integers up to here are written in all their digits."""
HIDDEN: Final = 1 << 52
"""The bit of a significand that a double does not hold."""
LEAST_EXPONENT: Final = -1074
HALF: Final = 1 << 63

# Powers of ten as 64-bit numbers times a power of two: one for each eighth exponent.
FIRST: Final = -348
STEP: Final = 8
POWERS: Final = 87
LOG10_2: Final = 0.30102999566398114
EXPONENTS: Final = (-60, -32)
"""Between these is the exponent of a product with the right one."""

TENS: Final = [10**kappa for kappa in range(10)]
"""The digits before the point of a product."""
PLACES_AT_MOST: Final = 20
"""More digits behind its point are never needed."""

ZEROS: Final = 7
"""An integer has fewer zeros than this behind its digits; with more it gets an exponent."""
PLACES: Final = 7
"""So many digits behind the point, or more, are an exponent's business, but for numbers around one."""
AROUND_ONE: Final = 4


def read_double(text: bytes) -> float | None:
    """The number that the whole of ``text`` is; None if it is none, or NaN, or too large or too small for a double."""
    found = PLAIN_DOUBLE(text)  # nearly all are like that
    if found is not None:
        return found
    plain = text[1:] if text[:1] == b"-" else text
    if len(text) < PLAIN and plain.replace(b".", b"", 1).isdigit():
        return float(text)
    value = strtod(text) if text[:1] not in SPACES or not text else None
    if value is None or isnan(value):
        return None
    if isinf(value) and SPECIAL.fullmatch(text) is None:
        return None
    if value == 0 and is_not_zero(text):
        return None
    return value


def is_not_zero(text: bytes) -> bool:
    """Is a number with the value zero only too small for a double?"""
    digits = text.lower()
    if b"x" in digits:
        return NOT_ZERO.search(digits.partition(b"x")[2].partition(b"p")[0]) is not None
    return NOT_ZERO.search(digits.partition(b"e")[0]) is not None


def strtod(text: bytes) -> float | None:
    """What C's strtod makes of ``text``, up to infinity and down to zero; None if it does not read all of it."""
    text = text.lstrip(SPACES)
    if DECIMAL.fullmatch(text) or SPECIAL.fullmatch(text):
        return float(text.partition(b"(")[0])
    if HEXADECIMAL.fullmatch(text):
        try:
            return float.fromhex(text_of(text))
        except OverflowError:
            return float("-inf") if text[:1] == b"-" else float("inf")
    return None


def format_double(value: float) -> bytes:
    """``value`` as the score of a sorted set, or as a double in a reply."""
    text = WHOLE_TEXT(value)
    if text is not None:
        return text
    if -INTEGERS <= value <= INTEGERS and value == int(value):
        return b"%d" % int(value) if value or copysign(1.0, value) > 0 else b"-0"
    return digits_of(value)


def digits_of(value: float) -> bytes:
    """As ``format_double``, but integers are no exception: as DEBUG DIGEST takes it."""
    if isnan(value):
        return b"nan"
    sign = b"-" if copysign(1.0, value) < 0 else b""
    if value == 0:
        return sign + b"0"
    if isinf(value):
        return sign + b"inf"
    digits, power = grisu2(abs(value))
    return sign + placed(b"%d" % digits, power)


def placed(digits: bytes, power: int) -> bytes:
    """``digits`` times ten to the ``power``, with a point or an exponent where one is needed."""
    size = len(digits)
    first = size + power - 1
    if power >= 0 and first < size + ZEROS:
        return digits + b"0" * power
    if power < 0 and (power > -PLACES or abs(first) < AROUND_ONE):
        if first < 0:
            return b"0." + b"0" * (-first - 1) + digits
        return digits[: first + 1] + b"." + digits[first + 1 :]
    return digits[:1] + (b"." if size > 1 else b"") + digits[1:] + b"e%+d" % first


def rounded_power(exponent: int) -> tuple[int, int]:
    """Ten to ``exponent``: m and e with m * 2**e nearest to it, m of 64 bits."""
    if exponent >= 0:
        exact: int = 10**exponent
        shift = exact.bit_length() - 64
        return (exact << -shift, shift) if shift <= 0 else ((exact + (1 << shift - 1)) >> shift, shift)
    below: int = 10**-exponent
    shift = below.bit_length() + 63
    above = 1 << shift
    quotient = (above + (below >> 1)) // below
    if quotient >> 64:
        shift -= 1
        quotient = ((1 << shift) + (below >> 1)) // below
    return quotient, -shift


CACHED: Final = [rounded_power(FIRST + STEP * index) for index in range(POWERS)]


def power_for(exponent: int) -> int:
    """The index of the power of ten that brings a number of that ``exponent`` between ``EXPONENTS``."""
    index = (int(-(exponent + POWERS) * LOG10_2) - FIRST) // STEP
    low, high = EXPONENTS
    while True:
        reached = exponent + CACHED[index][1] + 64
        if reached < low:
            index += 1
        elif reached > high:
            index -= 1
        else:
            return index


def grisu2(value: float) -> tuple[int, int]:
    """Digits and the power of ten that they are to be multiplied with; of a finite number greater than zero."""
    fraction, exponent = frexp(value)
    exponent = max(exponent - 53, LEAST_EXPONENT)
    significand = int(fraction * 2.0**53) if exponent > LEAST_EXPONENT else int(value * 2.0**537 * 2.0**537)
    # The upper boundary has the form in which all three are compared: 64 bits, the highest of them set.
    upper = (significand << 1) + 1
    shift = 64 - upper.bit_length()
    upper <<= shift
    middle = significand << shift + 1
    lower = ((significand << 2) - 1) << shift - 1 if significand == HIDDEN else ((significand << 1) - 1) << shift
    index = power_for(exponent - 1 - shift)
    factor, factor_exponent = CACHED[index]
    scaled = times(middle, factor)
    top = times(upper, factor) - 1
    bottom = times(lower, factor) + 1
    digits, kappa = shortest_between(bottom, scaled, top, -(exponent - 1 - shift + factor_exponent + 64))
    return digits, kappa - (FIRST + STEP * index)


def times(one: int, other: int) -> int:
    """The upper 64 bits of a product, rounded."""
    return (one * other + HALF) >> 64


def shortest_between(bottom: int, middle: int, top: int, point: int) -> tuple[int, int]:
    """Few digits between ``bottom`` and ``top``, near ``middle``: numbers with ``point`` bits behind their point.

    The digits of ``top`` are cut off as early as what is left stays in the interval; then the last one goes down
    towards ``middle``. More digits leave less, so the place to cut is found by halving: before the point or behind it.
    """
    room, wanted = top - bottom, top - middle
    if top & ((1 << point) - 1) <= room:
        low, high = 0, len(TENS) - 1
        while low < high:
            kappa = (low + high + 1) >> 1
            if top % (TENS[kappa] << point) <= room:
                low = kappa
            else:
                high = kappa - 1
        unit = TENS[low] << point
        return nearer(top // unit, room, top % unit, unit, wanted), low
    one = 1 << point
    low, high = 1, PLACES_AT_MOST
    while low < high:
        places = (low + high) >> 1
        if top * 10**places & (one - 1) < room * 10**places:
            high = places
        else:
            low = places + 1
    scale: int = 10**low
    top *= scale
    return nearer(top >> point, room * scale, top & (one - 1), one, wanted * scale), -low


def nearer(digits: int, room: int, rest: int, unit: int, wanted: int) -> int:
    """``digits``, which are ``rest`` below the top, taken down while that is nearer to ``wanted`` below it."""
    while rest < wanted and room - rest >= unit and (rest + unit < wanted or wanted - rest > rest + unit - wanted):
        digits -= 1
        rest += unit
    return digits
