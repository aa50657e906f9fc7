"""Glob patterns as KEYS, SCAN, PSUBSCRIBE, ACL and CONFIG GET know them (redis.io, KEYS; observed on Redis 7.0.15).

``*`` any run of bytes, ``?`` one byte, ``[abc] [a-z] [^a]`` one byte of a class, ``\\`` takes the next byte literally.
Four details differ from a shell:

- a class that is never closed ends with the pattern, ``]`` right after ``[`` closes it, a range may be backwards;
- a lone ``\\`` at the end is itself;
- a non-empty pattern never matches the empty text, not even ``*``;
- what stands behind the 1000th run of stars never matches, unless that is all there is (Redis bounds its recursion so).

A mismatch returns to the *last* star only: everything between two stars matches one byte at a time, so what an earlier
star could win by taking more, the later one can take too. The work is bounded by pattern × text, whatever the pattern.
"""

from typing import Final

_STAR: Final = 0x2A
_QUESTION: Final = 0x3F
_OPEN: Final = 0x5B
_BACKSLASH: Final = 0x5C
_CLOSE: Final = 0x5D
_CARET: Final = 0x5E
_DASH: Final = 0x2D
_MAX_STARS: Final = 1000


def glob_match(pattern: bytes, text: bytes, nocase: bool = False) -> bool:
    """Whether the whole of ``text`` fits ``pattern``; ``nocase`` folds ASCII letters only."""
    if not text:
        return not pattern
    if nocase:
        # Folding a range afterwards is not the same when it spans the cases, so classes fold their own ends.
        text = text.lower()
    p_end = len(pattern)
    t_end = len(text)
    p = 0
    t = 0
    star_p = -1
    star_t = 0
    stars = 0
    while t < t_end:
        if p < p_end:
            ch = pattern[p]
            if ch == _STAR:
                while p < p_end and pattern[p] == _STAR:
                    p += 1
                if p == p_end:
                    return True
                stars += 1
                if stars > _MAX_STARS:
                    return False
                star_p = p
                star_t = t
                continue
            if ch == _OPEN:
                after = _match_class(pattern, p + 1, text[t], nocase)
            elif ch == _QUESTION:
                after = p + 1
            else:
                if ch == _BACKSLASH and p + 1 < p_end:
                    p += 1
                    ch = pattern[p]
                after = p + 1 if (_lower(ch) if nocase else ch) == text[t] else -1
            if after >= 0:
                p = after
                t += 1
                continue
        if star_p < 0:
            return False
        star_t += 1
        t = star_t
        p = star_p
    while p < p_end and pattern[p] == _STAR:
        p += 1
    return p == p_end


def _lower(ch: int) -> int:
    return ch + 32 if 0x41 <= ch <= 0x5A else ch


def _match_class(pattern: bytes, p: int, ch: int, nocase: bool) -> int:
    """Match ``ch`` with the class whose body begins at ``p``: the position behind it, -1 if ``ch`` is not in it."""
    end = len(pattern)
    negated = p < end and pattern[p] == _CARET
    if negated:
        p += 1
    found = False
    while p < end and pattern[p] != _CLOSE:
        low = pattern[p]
        high = low
        if low == _BACKSLASH and p + 1 < end:
            p += 1
            low = high = pattern[p]
        elif p + 2 < end and pattern[p + 1] == _DASH:
            high = pattern[p + 2]
            p += 2
            if low > high:
                low, high = high, low
        if nocase:
            low = _lower(low)
            high = _lower(high)
        if low <= ch <= high:
            found = True
        p += 1
    if found == negated:
        return -1
    return p + 1 if p < end else end
