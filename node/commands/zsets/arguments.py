"""How scores and the ends of ranges are written in requests (t_zset.c of Redis 7.2: zslParseRange, zslParseLexRange).

A score is stricter than the end of a range, which may be empty (0), begin with spaces, or end behind a NUL.
"""

from math import isnan
from typing import Final

from gossamer.node.resp.doubles import read_double, strtod
from gossamer.node.resp.errors import LEX_RANGE, NOT_A_FLOAT, SCORE_RANGE, Refusal, c_string
from gossamer.node.types.zsets.bounds import GREATEST, LEAST, MEMBER, LexBound, LexRange, ScoreRange

INCLUDED: Final = b"["
EXCLUDED: Final = b"("


def score_of(text: bytes, refusal: bytes = NOT_A_FLOAT) -> float:
    """The score that ``text`` is; Refusal if it is none."""
    score = read_double(text)
    if score is None:
        raise Refusal(refusal)
    return score


def score_range(low: bytes, high: bytes) -> ScoreRange:
    """The range between two ends, each excluded if a ``(`` stands before it; Refusal."""
    return ScoreRange(end(low), end(high), low[:1] == EXCLUDED, high[:1] == EXCLUDED)


def end(text: bytes) -> float:
    number = c_string(text[1:] if text[:1] == EXCLUDED else text)
    value = strtod(number) if number else 0.0
    if value is None or isnan(value):
        raise Refusal(SCORE_RANGE)
    return value


def lex_range(low: bytes, high: bytes) -> LexRange:
    """The range between two ends: ``-``, ``+``, ``[member`` or ``(member``; Refusal."""
    return LexRange(lex_end(low), lex_end(high))


def lex_end(text: bytes) -> LexBound:
    mark, member = text[:1], text[1:]
    if mark in (INCLUDED, EXCLUDED):
        return LexBound(MEMBER, member, mark == EXCLUDED)
    if mark in (b"-", b"+") and member[:1] in (b"", b"\0"):
        return LexBound(LEAST if mark == b"-" else GREATEST)
    raise Refusal(LEX_RANGE)


def slice_of(start: int, stop: int, length: int) -> tuple[int, int]:
    """The slice between two ranks, both included; negative ones count from the end."""
    low = max(start + length if start < 0 else start, 0)
    high = min(stop + length if stop < 0 else stop, length - 1) + 1
    return (low, high) if low < high else (0, 0)
