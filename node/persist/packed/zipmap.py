"""Zipmaps (zipmap.c of Redis 2.4): a small hash, which nobody writes any more. They are only read.

A byte of count, then fields and values, then 0xFF. Each has its length before it; behind that of a value stands how
many unused bytes follow the value.
"""

from typing import Final

from gossamer.node.persist.codes import RdbError

END: Final = 0xFF
UNKNOWN_COUNT: Final = 0xFE
LONG: Final = 0xFE


def decode(data: bytes) -> list[bytes]:
    """Fields and values in turn; RdbError if it is damaged anywhere."""
    if len(data) < 2 or data[-1] != END:
        raise RdbError("a zipmap without an end")
    texts: list[bytes] = []
    at = 1
    while at < len(data) - 1:
        length, at = length_at(data, at)
        unused = 0
        if len(texts) % 2:
            unused, at = data[at], at + 1
        end = at + length + unused
        if end > len(data) - 1:
            raise RdbError("a zipmap is cut off")
        texts.append(data[at : at + length])
        at = end
    if len(texts) % 2 or (data[0] < UNKNOWN_COUNT and data[0] != len(texts) // 2):
        raise RdbError("a zipmap of another count than it says")
    return texts


def length_at(data: bytes, at: int) -> tuple[int, int]:
    """A length and where it ends; at least one byte follows."""
    if data[at] < LONG:
        return data[at], at + 1
    if data[at] == END or at + 5 >= len(data):
        raise RdbError("a zipmap is cut off")
    return int.from_bytes(data[at + 1 : at + 5], "little"), at + 5
