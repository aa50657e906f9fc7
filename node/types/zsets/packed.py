"""The small form of a sorted set: one immutable ``bytes``, so that a copy of it is the same object.

    u16 count, array code of the scores | a byte a member: its length | the members | the scores

in the order of the set. All scores have one width, the least that holds each of them: integers of 1, 2 or 4 bytes, or
doubles. It is a form in memory only: in RDB such a set is a listpack.
"""

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from mypy_extensions import i64

LONGEST: Final = 255
"""Bytes of a member that the form can hold."""
MOST: Final = 512
"""Members that it holds at most: a change copies them all."""

HEAD: Final = 3
CODES: Final = "bhid"
WIDTHS: Final = {code: array(code).itemsize for code in CODES}
REACH: Final = {"b": 1 << 7, "h": 1 << 15, "i": 1 << 31}
"""What the integers of a code stay below, and not below its negative."""
EMPTY: Final = b"\0\0b"

Scores: TypeAlias = "array[int] | array[float]"


def count(data: bytes) -> int:
    return data[0] | data[1] << 8


def scores(data: bytes) -> Scores:
    """The scores of all members, in a copy."""
    code = chr(data[2])
    return array(code, data[len(data) - count(data) * WIDTHS[code] :])


def score_at(data: bytes, index: int) -> float:
    code = chr(data[2])
    width = WIDTHS[code]
    at = len(data) - (count(data) - index) * width
    return float(array(code, data[at : at + width])[0])


def offset(data: bytes, index: int) -> int:
    """Where the member ``index`` begins; behind the last one, where the scores begin."""
    return HEAD + count(data) + sum(data[HEAD : HEAD + index])


def find(data: bytes, member: bytes) -> int:
    """The index of ``member``, -1 if it is not there."""
    if member not in data:
        return -1
    size: i64 = len(member)
    length: i64 = data[0] | data[1] << 8
    at: i64 = HEAD + length
    index: i64 = 0
    while index < length:
        here: i64 = data[HEAD + index]
        if here == size and data[at : at + size] == member:
            return index
        at += here
        index += 1
    return -1


def members(data: bytes, start: int, stop: int) -> list[bytes]:
    """The members from index ``start`` up to, not including, ``stop``."""
    out: list[bytes] = []
    at = offset(data, start)
    for size in data[HEAD + start : HEAD + stop]:
        out.append(data[at : at + size])
        at += size
    return out


def below(data: bytes, score: float, inclusive: bool) -> int:
    """How many members have a score less than ``score``, or equal to it if ``inclusive``."""
    found = scores(data)
    return bisect_right(found, score) if inclusive else bisect_left(found, score)


def inserted(data: bytes, member: bytes, score: float) -> bytes:
    """``data`` with ``member``, which it does not hold, at its place."""
    assert len(member) <= LONGEST
    length = count(data)
    assert length < MOST
    numbers = scores(data)
    index = bisect_left(numbers, score)
    after = bisect_right(numbers, score, index)
    if index < after:
        for other in members(data, index, after):
            if other > member:
                break
            index += 1
    code = chr(data[2])
    needed = code_for(score)
    if CODES.index(needed) > CODES.index(code):
        code = needed
        numbers = array(code, numbers)
    number = score + 0.0 if code == "d" else int(score)
    numbers.insert(index, number)  # type: ignore[arg-type]  # its type goes with the code
    at = offset(data, index)
    length += 1
    return b"".join(
        (
            bytes((length & 0xFF, length >> 8, ord(code))),
            data[HEAD : HEAD + index],
            bytes((len(member),)),
            data[HEAD + index : at],
            member,
            data[at : offset(data, length - 1)],
            numbers.tobytes(),
        )
    )


def packed(found: list[bytes], numbers: list[float]) -> bytes:
    """The form of members and their scores, which are in order."""
    code = "b"
    for score in numbers:
        needed = code_for(score)
        if CODES.index(needed) > CODES.index(code):
            code = needed
    if code == "d":
        held = array(code, [score + 0.0 for score in numbers])
    else:
        held = array(code, [int(score) for score in numbers])
    head = bytes((len(found) & 0xFF, len(found) >> 8, ord(code)))
    return b"".join((head, bytes([len(member) for member in found]), *found, held.tobytes()))


def code_for(score: float) -> str:
    """The narrowest array code that holds ``score``. Zero has no sign here, as in a listpack of Redis."""
    if -REACH["i"] <= score < REACH["i"] and score == int(score):
        for code, reach in REACH.items():
            if -reach <= score < reach:
                return code
    return "d"


def without(data: bytes, start: int, stop: int) -> bytes:
    """``data`` without the members from index ``start`` up to, not including, ``stop``."""
    length = count(data)
    assert 0 <= start < stop <= length
    left = length - (stop - start)
    if left == 0:
        return EMPTY
    numbers = scores(data)
    del numbers[start:stop]
    return b"".join(
        (
            bytes((left & 0xFF, left >> 8, data[2])),
            data[HEAD : HEAD + start],
            data[HEAD + stop : offset(data, start)],
            data[offset(data, stop) : offset(data, length)],
            numbers.tobytes(),
        )
    )
