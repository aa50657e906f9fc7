"""The checksum of RDB files and DUMP payloads: CRC-64 with the Jones polynomial, reflected, start 0, no final xor."""

from typing import Final

from gossamer.node.store import crc64 as store

counted: Final = store.crc64


def crc64(data: bytes | bytearray | memoryview, before: int = 0) -> int:
    """The checksum of what has the checksum ``before``, followed by ``data``."""
    return counted(data, before)


def footer(checksum: int) -> bytes:
    """As it stands at the end of a file or payload."""
    return checksum.to_bytes(8, "little")
