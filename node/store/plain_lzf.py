"""LZF, the compression of strings in RDB files: a control byte, then literal bytes or a copy of what was there before.

A control byte below 32 is followed by that many literal bytes and one more. Else its upper three bits and, if all
three are set, a further byte tell the length of the copy, less 2; its lower five bits and the next byte how far back it
starts, less 1. A copy may overlap what it makes. Any valid coding will do for other servers, so ``compress`` is a
simple one.

``lzf.h`` is its twin in C, and ``lzf.py`` chooses.
"""

from typing import Final

MAX_LITERAL: Final = 32
MAX_DISTANCE: Final = 1 << 13
MAX_COPY: Final = 264
MIN_COPY: Final = 3
LONG: Final = 7
PATIENCE: Final = 5
"""After so many powers of two of bytes without a copy the search goes in longer steps: it is a waste on random data."""


def decompress(data: bytes, size: int) -> bytes:
    """What ``data`` stands for, which must be ``size`` bytes long; ValueError if it is not."""
    out = bytearray()
    at, end = 0, len(data)
    while at < end:
        control = data[at]
        at += 1
        if control < MAX_LITERAL:
            if at + control >= end:
                raise ValueError("literal bytes are missing")
            out += data[at : at + control + 1]
            at += control + 1
        else:
            length = control >> 5
            if at + (length == LONG) >= end:
                raise ValueError("a copy is cut off")
            if length == LONG:
                length += data[at]
                at += 1
            _copy(out, ((control & 31) << 8 | data[at]) + 1, length + 2)
            at += 1
        if len(out) > size:
            raise ValueError("longer than it says")
    if len(out) != size:
        raise ValueError("shorter than it says")
    return bytes(out)


def _copy(out: bytearray, distance: int, length: int) -> None:
    """Append ``length`` bytes, starting ``distance`` before the end; what is appended may be copied again."""
    start = len(out) - distance
    if start < 0:
        raise ValueError("a copy from before the beginning")
    piece = out[start : start + length]
    if len(piece) < length:
        piece = (piece * (length // len(piece) + 1))[:length]
    out += piece


def compress(data: bytes) -> bytes:
    """``data`` as LZF; may be longer than it."""
    out = bytearray()
    last_seen: dict[bytes, int] = {}
    at = literal = 0
    while at + MIN_COPY <= len(data):
        trio = data[at : at + MIN_COPY]
        seen = last_seen.get(trio, -1)
        last_seen[trio] = at
        if seen < 0 or at - seen > MAX_DISTANCE:
            at += 1 + (at - literal >> PATIENCE)
            continue
        length = _match(data, seen, at)
        _put_literals(out, data[literal:at])
        _put_copy(out, at - seen, length)
        at = literal = at + length
    _put_literals(out, data[literal:])
    return bytes(out)


def _match(data: bytes, seen: int, at: int) -> int:
    """How many bytes from ``at`` on are those from ``seen`` on; at least ``MIN_COPY`` are known to be."""
    length, limit = MIN_COPY, min(MAX_COPY, len(data) - at)
    while length < limit and data[seen + length] == data[at + length]:
        length += 1
    return length


def _put_literals(out: bytearray, data: bytes) -> None:
    for at in range(0, len(data), MAX_LITERAL):
        piece = data[at : at + MAX_LITERAL]
        out.append(len(piece) - 1)
        out += piece


def _put_copy(out: bytearray, distance: int, length: int) -> None:
    distance -= 1
    length -= 2
    out.append(min(length, LONG) << 5 | distance >> 8)
    if length >= LONG:
        out.append(length - LONG)
    out.append(distance & 255)
