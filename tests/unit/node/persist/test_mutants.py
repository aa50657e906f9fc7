"""Damaged payloads and files whose checksum is right bring a refusal or a sound value (``tests/fuzz`` has more)."""

import tracemalloc
from random import Random

import pytest

from gossamer.node.persist.crc64 import crc64
from tests.fuzz.damage import damaged_file, damaged_payload, sealed
from tests.fuzz.restoring import Restoring
from tests.fuzz.seeds import all_files, all_payloads

PAYLOADS, FILES = all_payloads(1500), all_files(4000)
FEW_MEGABYTES = 8 << 20


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_payload_is_refused_or_makes_a_sound_value(seed: int) -> None:
    rng, restoring = Random(seed), Restoring()
    for _ in range(500):
        restoring.payload(damaged_payload(PAYLOADS, rng))
    assert restoring.counts.total() == 500
    assert len(restoring.counts) >= 6, "some of them were taken"


def test_a_damaged_file_is_refused_or_loaded() -> None:
    rng, restoring = Random(1), Restoring()
    for _ in range(150):
        restoring.file(damaged_file(FILES, rng))
    assert restoring.counts["file refused"] > 50
    assert restoring.counts["file loaded"] > 5


def test_no_length_is_believed_before_the_bytes_are_there() -> None:
    rng, restoring = Random(9), Restoring()
    tracemalloc.start()
    try:
        for _ in range(150):
            restoring.payload(damaged_payload(PAYLOADS, rng))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < FEW_MEGABYTES


def test_every_payload_is_taken_as_it_was() -> None:
    restoring = Restoring()
    for payload in PAYLOADS:
        assert crc64(payload[:-8]) == int.from_bytes(payload[-8:], "little")
        restoring.payload(payload)
    assert not [what for what in restoring.counts if what.startswith("ERR")]


@pytest.mark.parametrize("count", [1 << 63, (1 << 64) - 1])
def test_counters_of_streams_have_room_to_grow(count: int) -> None:
    """An empty stream of RDB 11 that says it had so many entries."""
    body = bytes([21, 0, 0, 0, 0, 0, 0, 0, 0, 0x81]) + count.to_bytes(8, "big") + b"\0"
    restoring = Restoring()
    restoring.payload(sealed(body + b"\x0b\0"))
    assert restoring.counts == {"ERR Bad data format": 1}
