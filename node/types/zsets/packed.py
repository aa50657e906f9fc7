"""The small form of a sorted set: one immutable ``bytes``, so that a copy of it is the same object.

    u16 count, width of a score | a byte a member: its length | the members | the scores

in the order of the set, little-endian. All scores have one width, the least that holds each of them: integers of 1, 2
or 4 bytes, or doubles. Zero has no sign, as in a listpack of Redis. It is a form in memory only: in RDB such a set is
a listpack.
"""

from struct import Struct, unpack_from
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_extensions import i64

LONGEST: Final = 255
"""Bytes of a member that the form can hold."""
MOST: Final = 512
"""Members that it holds at most: a change copies them all."""

HEAD: Final = 3
EMPTY: Final = b"\0\0\1"
REAL: Final = 8
"""The width of doubles."""
DOUBLE: Final = Struct("<d")
REACH_4: Final = float(1 << 31)
"""Integers of 4 bytes stay below this, and not below its negative; of 2 and 1 bytes so as well."""
REACH_2: Final = float(1 << 15)
REACH_1: Final = float(1 << 7)


# --- reading


def count(data: bytes) -> int:
    return data[0] | data[1] << 8


def offset(data: bytes, index: int) -> int:
    """Where the member ``index`` begins; behind the last one, where the scores begin."""
    end: i64 = HEAD + index
    at: i64 = HEAD + count(data)
    place: i64 = HEAD
    while place < end:
        at += data[place]
        place += 1
    return at


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
    at: i64 = offset(data, start)
    place: i64 = HEAD + start
    while place < HEAD + stop:
        end = at + data[place]
        out.append(data[at:end])
        at = end
        place += 1
    return out


def score_at(data: bytes, index: int) -> float:
    width: i64 = data[2]
    length: i64 = data[0] | data[1] << 8
    at: i64 = len(data) - (length - index) * width
    if width == REAL:
        score: float = DOUBLE.unpack_from(data, at)[0]
        return score
    value: i64 = data[at]
    shift: i64 = 8
    while shift < 8 * width:
        at += 1
        here: i64 = data[at]
        value |= here << shift
        shift += 8
    half: i64 = 1
    half <<= shift - 1
    return float(value - 2 * half if value >= half else value)


def scores(data: bytes, start: int, stop: int) -> list[float]:
    """The scores from index ``start`` up to, not including, ``stop``."""
    if data[2] == REAL:
        return list(unpack_from(f"<{stop - start}d", data, len(data) - (count(data) - start) * REAL))
    return [score_at(data, index) for index in range(start, stop)]


def below(data: bytes, score: float, inclusive: bool) -> int:
    """How many members have a score less than ``score``, or equal to it if ``inclusive``."""
    low, high = 0, count(data)
    while low < high:
        middle = (low + high) >> 1
        here = score_at(data, middle)
        if here < score or (inclusive and here == score):
            low = middle + 1
        else:
            high = middle
    return low


# --- changing


def inserted(data: bytes, member: bytes, score: float) -> bytes:
    """``data`` with ``member``, which it does not hold, at its place."""
    assert len(member) <= LONGEST
    length = count(data)
    assert length < MOST
    width = max(data[2], width_of(score))
    if width != data[2]:
        data = pack(members(data, 0, length), scores(data, 0, length), width)
    index = place_of(data, member, score)
    at, numbers = offset(data, index), len(data) - length * width
    number = numbers + index * width
    return b"".join(
        (
            head(length + 1, width),
            data[HEAD : HEAD + index],
            bytes((len(member),)),
            data[HEAD + index : at],
            member,
            data[at:number],
            number_of(score, width),
            data[number:],
        )
    )


def place_of(data: bytes, member: bytes, score: float) -> int:
    """How many stand before ``member`` with ``score``."""
    index = below(data, score, False)
    length = count(data)
    if index < length and score_at(data, index) == score:
        for other in members(data, index, below(data, score, True)):
            if other > member:
                break
            index += 1
    return index


def without(data: bytes, start: int, stop: int) -> bytes:
    """``data`` without the members from index ``start`` up to, not including, ``stop``."""
    length, width = count(data), data[2]
    assert 0 <= start < stop <= length
    left = length - (stop - start)
    if left == 0:
        return EMPTY
    numbers = len(data) - length * width
    return b"".join(
        (
            head(left, width),
            data[HEAD : HEAD + start],
            data[HEAD + stop : offset(data, start)],
            data[offset(data, stop) : numbers + start * width],
            data[numbers + stop * width :],
        )
    )


def packed(found: list[bytes], numbers: list[float]) -> bytes:
    """The form of members and their scores, which are in order."""
    return pack(found, numbers, max([width_of(score) for score in numbers], default=1))


def pack(found: list[bytes], numbers: list[float], width: int) -> bytes:
    sizes = bytes([len(member) for member in found])
    return b"".join([head(len(found), width), sizes, *found, *[number_of(score, width) for score in numbers]])


def head(length: int, width: int) -> bytes:
    return bytes((length & 0xFF, length >> 8, width))


def width_of(score: float) -> int:
    """The fewest bytes that hold ``score``."""
    if not -REACH_4 <= score < REACH_4 or score != int(score):
        return REAL
    if -REACH_1 <= score < REACH_1:
        return 1
    return 2 if -REACH_2 <= score < REACH_2 else 4


def number_of(score: float, width: int) -> bytes:
    """``score`` in ``width`` bytes."""
    return DOUBLE.pack(score + 0.0) if width == REAL else int(score).to_bytes(width, "little", signed=True)
