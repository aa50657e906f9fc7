"""Elements and weights as numbers, as C's strtod reads them (sort.c): blanks may stand before one, nothing behind it.

No text at all is 0. Not a number, and what is too large or too small for a double, are no scores. A NUL ends a text.
"""

from typing import Final

from gossamer.cluster.text import text_of
from gossamer.node.commands.longdouble import DECIMAL, HEXADECIMAL, clamp, is_infinity
from gossamer.node.resp.errors import NOT_A_SCORE, Refusal, c_string

BLANKS: Final = b" \t\n\v\f\r"
PLAIN: Final = b"0123456789.+-"
SURELY: Final = 300
"""Characters of a plain number that is surely neither too large nor too small."""
LEAST: Final = 2.2250738585072014e-308
"""The smallest double of full precision. Below it only those are numbers that lose nothing."""
LOWEST: Final = -1074
"""The power of two of a double's lowest bit."""
INFINITY: Final = float("inf")


def scores_of(texts: list[bytes]) -> list[float]:
    """Refusal if one is no score."""
    if not b"".join(texts).translate(None, PLAIN) and max(map(len, texts), default=0) < SURELY:
        try:
            return [float(text) for text in texts]  # what nearly all are, without a look at each
        except ValueError:
            pass
    return [score_of(text) for text in texts]


def score_of(text: bytes) -> float:
    seen = c_string(text)
    if not seen:
        return 0.0
    number = read(seen.lstrip(BLANKS))
    if number is None:
        raise Refusal(NOT_A_SCORE)
    return number


def read(text: bytes) -> float | None:
    """None if ``text`` is no number, or one that a double cannot hold."""
    if is_infinity(text):
        return float(text)
    if DECIMAL.fullmatch(text) is not None:
        number = float(text)
        zero = not text.lower().partition(b"e")[0].translate(None, b"+-.0")
        return number if zero or LEAST <= abs(number) < INFINITY else None
    return read_hexadecimal(text)


def read_hexadecimal(text: bytes) -> float | None:
    match = HEXADECIMAL.fullmatch(text)
    if match is None:
        return None
    try:
        number = float.fromhex(text_of(text))
    except OverflowError:
        return None
    value = int(match.group(2) + match.group(3), 16)
    lowest = (value & -value).bit_length() - 1 + clamp(match.group(4)) - 4 * len(match.group(3))
    return number if value == 0 or abs(number) >= LEAST or lowest >= LOWEST else None
