"""Ids and intervals of ids as clients write them (streamGenericParseIDOrReply of Redis 7.2)."""

import re
from typing import Final

from gossamer.node.resp.errors import STREAM_END, STREAM_ID, STREAM_START, Refusal, c_string
from gossamer.node.types.streams.ids import LAST, SEQUENCE_BITS, WORD

LONGEST: Final = 127
"""Bytes of an id at most."""
SURELY: Final = 19
"""Fewer digits than this are surely a number of 64 bits."""
NO_ID: Final = -1
SMALLEST: Final = b"-"
LARGEST: Final = b"+"
EDGES: Final = (SMALLEST, LARGEST)
NUMBER: Final = re.compile(rb"[ \t-\r]*([-+]?)([0-9]+)")
PLAIN: Final = re.compile(rb"-(0|[1-9][0-9]*)")


def strict_id(text: bytes, sequence: int = 0) -> int:
    """An id; ``sequence`` stands in where it has milliseconds only. Refusal if it is none, also of ``-`` and ``+``."""
    found = id_or_none(text, sequence)
    if found == NO_ID:
        raise Refusal(STREAM_ID)
    return found


def id_or_none(text: bytes, sequence: int = 0) -> int:
    """As ``strict_id``; ``NO_ID`` if it is none."""
    if len(text) > LONGEST:
        return NO_ID
    milliseconds, dash, rest = c_string(text).partition(b"-")
    high = word(milliseconds)
    low = word(rest) if dash else sequence
    return NO_ID if high < 0 or low < 0 else high << SEQUENCE_BITS | low


def any_id(text: bytes, sequence: int = 0) -> int:
    """As ``strict_id``, but ``-`` and ``+`` are the smallest and the largest one."""
    if c_string(text) in EDGES and len(text) <= LONGEST:
        return 0 if text[:1] == SMALLEST else LAST
    return strict_id(text, sequence)


def word(text: bytes) -> int:
    """An unsigned number of 64 bits, as string2ull of Redis reads it; -1 if it is none."""
    if text.isdigit() and len(text) < SURELY:
        return int(text)
    found = NUMBER.fullmatch(text)
    if found is None:
        return -1
    value = int(found[2])
    if value > WORD:
        return -1
    if found[1] != b"-":
        return value
    if value <= 1 << 63 and PLAIN.fullmatch(text):
        return -1  # a number of 64 bits, and negative
    return -value & WORD  # strtoull takes the rest, and wraps around


def first_of(text: bytes) -> int:
    """The first id of an interval that begins at ``text``, or behind it: ``(``."""
    if not is_open(text):
        return any_id(text)
    found = strict_id(text[1:])
    if found == LAST:
        raise Refusal(STREAM_START)
    return found + 1


def last_of(text: bytes) -> int:
    """The last id of an interval that ends at ``text``, or before it: ``(``."""
    if not is_open(text):
        return any_id(text, WORD)
    found = strict_id(text[1:], WORD)
    if found == 0:
        raise Refusal(STREAM_END)
    return found - 1


def is_open(text: bytes) -> bool:
    return len(text) > 1 and text[:1] == b"("
