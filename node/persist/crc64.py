"""The checksum of RDB files and DUMP payloads: CRC-64 with the Jones polynomial, reflected, start 0, no final xor."""

from collections.abc import Callable
from typing import Final

from crcmod import mkCrcFun

JONES: Final = 0x1AD93D23594C935A9
"""The polynomial 0xad93d23594c935a9 with its leading bit."""

_checksum: Final[Callable[[bytes, int], int]] = mkCrcFun(JONES, initCrc=0, rev=True, xorOut=0)


def crc64(data: bytes | bytearray | memoryview, before: int = 0) -> int:
    """The checksum of what has the checksum ``before``, followed by ``data``."""
    return _checksum(data, before)  # type: ignore[arg-type]  # any buffer will do


def footer(checksum: int) -> bytes:
    """As it stands at the end of a file or payload."""
    return checksum.to_bytes(8, "little")
