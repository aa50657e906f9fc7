"""How digests are mixed (debug.c of Redis 7.0): 20 bytes as a number, and SHA-1."""

import hashlib
from typing import Final

SIZE: Final = 20
MASK: Final = (1 << 8 * SIZE) - 1


def hashed(data: bytes | bytearray) -> int:
    return int.from_bytes(hashlib.sha1(data).digest(), "big")


def mixed(digest: int, data: bytes | bytearray) -> int:
    """Unlike exclusive or alone, the order of mixing counts."""
    return hashed((digest ^ hashed(data)).to_bytes(SIZE, "big"))


def added(digest: int, element: int) -> int:
    """``digest`` with that of an element, in whatever order elements come."""
    return digest ^ hashed(element.to_bytes(SIZE, "big"))
