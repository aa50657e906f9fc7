"""The form of a sealed file: what stands at which byte. docs/encryption.md tells it to users.

    file  = run { run }
    run   = magic 16, version 1, kind 1, key's name 8, salt 32, at 8, before 16, CRC-32 4, tag 16; { chunk }
    chunk = mark 1, number 8, length 4, CRC-32 4; ciphertext, tag 16

Rules kept here:
- Each run has a key of its own, derived from the operator's key and a random salt. Within it chunks are numbered, and
  mark and number make the nonce. So none is ever used twice, not even after a torn chunk was cut off: whoever goes on
  behind a cut begins a new run.
- A tag vouches for all that stands before it in its head or chunk. A run names its place in the file and the 16 bytes
  before it, so runs cannot be moved either.
- A file that was written at once (WHOLE) ends with a chunk marked LAST. One that is appended to (GROWING) may end
  anywhere after a crash.
- The CRC-32 tells a damaged length from a file that ends too early before the tag can: cutting off a torn end must not
  take what is behind a flipped byte.
Numbers are big-endian.
"""

import struct
from typing import Final
from zlib import crc32

MAGIC: Final = b"gossamer sealed\n"
VERSION: Final = b"1"

WHOLE: Final = b"w"
"""A file that was written at once, and has an end."""
GROWING: Final = b"g"
"""A file that is appended to."""

CHUNK: Final = b"C"
LAST: Final = b"L"
RUN: Final = b"R"
"""The mark in the nonce of a run's head."""

LARGEST: Final = 1 << 22
"""Bytes of data in a chunk: sealing or opening it takes about a millisecond."""

SALT_SIZE: Final = 32
NAME_SIZE: Final = 8
TAG_SIZE: Final = 16
NONE_BEFORE: Final = bytes(TAG_SIZE)

RUN_FIELDS: Final = struct.Struct(">16s1s1s8s32sQ16s")
CHUNK_FIELDS: Final = struct.Struct(">1sQI")
CRC: Final = struct.Struct(">I")
RUN_SIZE: Final = RUN_FIELDS.size + CRC.size + TAG_SIZE
CHUNK_HEAD_SIZE: Final = CHUNK_FIELDS.size + CRC.size
MARK_AND_NUMBER: Final = 9
PADDING: Final = bytes(3)

ALIKE: Final = 12
"""Bytes of a magic that are right: less is another kind of file, more is damage."""


class SealError(Exception):
    """The file is damaged, foreign, or sealed with another key: at byte ``offset``, for this ``reason``."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"byte {offset}: {reason}")
        self.offset: int = offset
        self.reason: str = reason


def nonce_of(mark: bytes, number: int) -> bytes:
    return PADDING + mark + number.to_bytes(8, "big")


def with_crc(fields: bytes) -> bytes:
    return fields + CRC.pack(crc32(fields))


def has_crc(head: bytes) -> bool:
    return crc32(head[: -CRC.size]) == int.from_bytes(head[-CRC.size :], "big")


def is_sealed(beginning: bytes) -> bool:
    """By the first 16 bytes of a file, or all of them if it has less: a damaged magic is one still."""
    found = beginning[: len(MAGIC)]
    if len(found) < len(MAGIC):
        return bool(found) and MAGIC.startswith(found)
    right = 0
    for index in range(len(MAGIC)):
        right += found[index] == MAGIC[index]
    return right >= ALIKE
