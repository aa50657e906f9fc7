"""The checksum is that of real servers, in one go and piece by piece."""

import json
from base64 import b64decode
from pathlib import Path

import pytest

from gossamer.node.persist.crc64 import crc64, footer

RECORDED = json.loads((Path(__file__).parents[3] / "vectors" / "crc" / "crc64.json").read_text())["vectors"]


@pytest.mark.parametrize("vector", RECORDED, ids=lambda vector: vector["input"][:20])
def test_a_recorded_checksum(vector: dict[str, str]) -> None:
    data = b64decode(vector["input_b64"])
    assert crc64(data) == int(vector["crc64_hex"], 16)
    assert crc64(data[7:], crc64(bytearray(data[:7]))) == int(vector["crc64_hex"], 16)


def test_a_file_ends_with_the_lowest_byte_first() -> None:
    assert footer(0x0102030405060708) == bytes([8, 7, 6, 5, 4, 3, 2, 1])
