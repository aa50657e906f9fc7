"""Which CRC-64 (the Jones polynomial, reflected, no final xor) is counted: that in C (``crc64.h``) beside compiled
modules, else crcmod's, which goes from byte to byte.

``crc64(data, before)`` is the checksum of what has the checksum ``before``, 0 at the beginning, followed by ``data``.
"""

from typing import TYPE_CHECKING, Final

from crcmod import mkCrcFun

JONES: Final = 0x1AD93D23594C935A9
"""The polynomial 0xad93d23594c935a9 with its leading bit."""

bytewise = mkCrcFun(JONES, initCrc=0, rev=True, xorOut=0)

if TYPE_CHECKING:

    def crc64(data: bytes | bytearray | memoryview, before: int, /) -> int: ...

else:
    try:
        from gossamer.node.store.native import crc64
    except ImportError:
        crc64 = bytewise

__all__ = ["bytewise", "crc64"]
