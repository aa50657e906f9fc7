"""Listpacks (listpack.c of Redis 7.0): what small values and the nodes of large ones are in RDB.

``store/plain_listpack.py`` says how they are made.
"""

from typing import Final

from gossamer.node.persist.codes import RdbError
from gossamer.node.store import texts

HEADER_SIZE: Final = 6
END: Final = 0xFF
UNKNOWN_COUNT: Final = 0xFFFF

from_listpack: Final = texts.from_listpack
listpack_length: Final = texts.listpack_length
encode: Final = texts.to_listpack
made_pack: Final = texts.repack
made_scored: Final = texts.to_scored


def decode(data: bytes) -> list[bytes]:
    """The elements of a whole listpack, integers as their decimal text; RdbError if it is damaged anywhere."""
    try:
        return from_listpack(data)
    except ValueError as error:
        raise RdbError(str(error)) from None


def check(data: bytes) -> None:
    """RdbError if a listpack is damaged anywhere."""
    try:
        listpack_length(data)
    except ValueError as error:
        raise RdbError(str(error)) from None


def pack(data: bytes, step: int) -> tuple[bytes, int] | None:
    """``repack`` of ``store/plain_texts.py``; RdbError."""
    try:
        return made_pack(data, step)
    except ValueError as error:
        raise RdbError(str(error)) from None


def scored(data: bytes) -> bytes | None:
    """``to_scored`` of ``store/plain_texts.py``; RdbError."""
    try:
        return made_scored(data)
    except ValueError as error:
        raise RdbError(str(error)) from None
