"""The small form of a hash: fields and values in one ``bytes``, each behind one byte that is its length.

It is never changed but replaced, so a copy of it costs nothing. Fields stand in the order in which they came, as in a
listpack of Redis. All functions take time by the length of the whole.
"""

from typing import TYPE_CHECKING, Final

from gossamer.node.store import texts as native

if TYPE_CHECKING:
    from mypy_extensions import i64

LONGEST: Final = 255
"""Bytes of the longest field or value that the one byte can tell of."""
MOST: Final = 512
"""Fields above which going through all of them takes too long, whatever the limits of listpacks are."""
LENGTHS: Final[list[bytes]] = [bytes((size,)) for size in range(LONGEST + 1)]


def find_walking(packed: bytes, field: bytes) -> "i64":
    """Where ``field`` stands, -1 if it does not. For the compiled build: from entry to entry."""
    size: i64 = len(packed)
    length: i64 = len(field)
    at: i64 = 0
    while at < size:
        here: i64 = packed[at]
        at += 1
        if here == length:
            back: i64 = length
            while back > 0 and packed[at + back - 1] == field[back - 1]:  # most differ at the end
                back -= 1
            if back == 0:
                return at - 1
        at += here
        over: i64 = packed[at]
        at += over + 1
    return -1


def find_searching(packed: bytes, field: bytes) -> int:
    """As ``find_walking``, for the interpreter: it searches all bytes, then sees whether a field begins there."""
    wanted = LENGTHS[len(field)] + field
    at = 0
    hit = packed.find(wanted)
    while hit >= 0:
        while at < hit:
            at += packed[at] + 1
            at += packed[at] + 1
        if at == hit:
            return at
        hit = packed.find(wanted, at)
    return -1


COMPILED: Final = not hasattr(find_walking, "__code__")


def find(packed: bytes, field: bytes) -> int:
    """Where ``field``, of at most ``LONGEST`` bytes, stands; -1 if it does not."""
    return find_walking(packed, field) if COMPILED else find_searching(packed, field)


def value_at(packed: bytes, at: int) -> bytes:
    """The value of the field that ``find`` has found at ``at``."""
    start = at + packed[at] + 2
    return packed[start : start + packed[start - 1]]


def put(packed: bytes, at: int, field: bytes, value: bytes) -> bytes:
    """``packed`` with ``value`` for ``field``, which ``find`` has found at ``at``, or not (-1)."""
    if at < 0:
        return b"".join((packed, LENGTHS[len(field)], field, LENGTHS[len(value)], value))
    start = at + len(field) + 1
    return b"".join((packed[:start], LENGTHS[len(value)], value, packed[start + 1 + packed[start] :]))


def remove(packed: bytes, at: int) -> bytes:
    """``packed`` without the field that ``find`` has found at ``at``."""
    end = at + packed[at] + 1
    end += packed[end] + 1
    return packed[:at] + packed[end:]


pairs: Final = native.from_pack
"""Fields and values in turn."""

pack: Final = native.to_pack
"""The small form of fields and values in turn, of at most ``LONGEST`` bytes each, no field twice."""
