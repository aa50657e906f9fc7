"""Which of the 16384 hash slots a key lives in.

Source: Redis cluster specification, "Key distribution model" and "Hash tags". CRC16 is the XMODEM variant (polynomial
0x1021, start 0, nothing reflected); the standard library has it in C, and a property test holds it equal to crcmod's.
"""

from binascii import crc_hqx
from typing import Final

SLOTS: Final = 16384
OPEN_BRACE: Final = 123

crc16: Final = crc_hqx
"""Compiled, what is ``Final`` here is at hand; what is imported is looked up by its name each time."""


def hash_tag(key: bytes) -> bytes:
    """What of ``key`` is hashed: what stands between the first ``{`` and the next ``}`` if anything, else all of it."""
    start = key.find(b"{")
    if start < 0:
        return key
    end = key.find(b"}", start + 1)
    return key if end <= start + 1 else key[start + 1 : end]


def key_slot(key: bytes) -> int:
    """Hash slot of ``key``, 0 to 16383."""
    if OPEN_BRACE in key:
        key = hash_tag(key)
    return crc16(key, 0) & 16383
