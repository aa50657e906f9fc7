"""Requests in Python: encoded, and parsed in one go. ``native.c`` does the same.

Parsed are those that are whole and written as clients write them. What is not plain to see is left to ``Parser``, which
reads argument by argument and knows all the limits. Like Redis nobody looks at the two bytes behind an argument, nor at
the second of those that end a line.
"""

from math import copysign
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_extensions import i64

CR: Final = 13
DIGIT_0: Final = 48
DIGIT_9: Final = 57
STAR: Final = 42
DOLLAR: Final = 36
MOST_DIGITS: Final = 16
"""Of a number that is plain to see: it is far from any limit of the machine's numbers."""

EXACT_DIGITS: Final = 15
"""So many digits make a double exactly, or with the one division that a point among them takes."""
WHOLE: Final = 1e15
"""Numbers below have no more digits."""

SMALL: Final = 1024
HEADS: Final[list[bytes]] = [b"\r\n$%d\r\n" % size for size in range(SMALL)]
"""What stands between two arguments in a request: the end of one, the size of the next."""
COUNTS: Final[list[bytes]] = [b"*%d" % count for count in range(SMALL)]


def plain_number(buf: bytes, start: "i64") -> tuple["i64", "i64"]:
    """The number of the line that begins at ``start``, and where the next line begins; -1 if it is not plain to see."""
    end: i64 = len(buf) - 1
    if end > start + MOST_DIGITS + 1:
        end = start + MOST_DIGITS + 1
    pos: i64 = start
    value: i64 = 0
    while pos < end:
        ch: i64 = buf[pos]
        if ch < DIGIT_0 or ch > DIGIT_9:
            break
        value = value * 10 + (ch - DIGIT_0)
        pos += 1
    digits: i64 = pos - start
    if pos >= end or buf[pos] != CR or digits == 0 or (digits > 1 and buf[start] == DIGIT_0):
        return -1, start
    return value, pos + 2


def parse_request(buf: bytes, start: int) -> tuple[list[bytes], int] | None:
    """The arguments of the request that begins at ``start``, and where it ends; None if it is not plain and whole."""
    end: i64 = len(buf)
    pos: i64 = start
    if pos >= end or buf[pos] != STAR:
        return None
    left, pos = plain_number(buf, pos + 1)
    if left < 1:
        return None
    args: list[bytes] = []
    while left > 0:
        if pos >= end or buf[pos] != DOLLAR:
            return None
        size, pos = plain_number(buf, pos + 1)
        if size < 0 or pos + size + 2 > end:
            return None
        args.append(buf[pos : pos + size])
        pos += size + 2
        left -= 1
    return args, pos


def parse_requests(buf: bytes, start: int, most: int, size: int) -> tuple[list[list[bytes]], int]:
    """As ``parse_request``, of all that follow each other; ``most`` at most, no more once they take ``size`` bytes."""
    requests: list[list[bytes]] = []
    pos = start
    while len(requests) < most and pos - start < size:
        found = parse_request(buf, pos)
        if found is None:
            break
        requests.append(found[0])
        pos = found[1]
    return requests, pos


def encoded(argv: list[bytes]) -> bytes:
    """A request as RESP array of bulk strings: so replicas, append-only files and other servers are told of writes."""
    count = len(argv)
    if count == 3 and len(argv[0]) < SMALL and len(argv[1]) < SMALL and len(argv[2]) < SMALL:  # half the time
        name, key, value = argv
        heads = HEADS
        return b"".join([b"*3", heads[len(name)], name, heads[len(key)], key, heads[len(value)], value, b"\r\n"])
    pieces = [COUNTS[count] if count < SMALL else b"*%d" % count]
    for arg in argv:
        size = len(arg)
        pieces.append(HEADS[size] if size < SMALL else b"\r\n$%d\r\n" % size)
        pieces.append(arg)
    pieces.append(b"\r\n")
    return b"".join(pieces)


def append_encoded(array: bytearray, argv: list[bytes]) -> None:
    """The same, to the end of ``array``."""
    array += encoded(argv)


def plain_double(text: bytes) -> float | None:
    """The number of up to ``EXACT_DIGITS`` digits, with a point or a minus perhaps, that ``text`` is; else None."""
    digits = (text[1:] if text[:1] == b"-" else text).replace(b".", b"", 1)
    return float(text) if len(digits) <= EXACT_DIGITS and digits.isdigit() else None


def whole_text(number: float) -> bytes | None:
    """The digits of ``number``, if it is a whole one below ``WHOLE`` and not the negative zero; else None."""
    if not -WHOLE < number < WHOLE or number != int(number) or (number == 0 and copysign(1.0, number) < 0):
        return None
    return b"%d" % int(number)
