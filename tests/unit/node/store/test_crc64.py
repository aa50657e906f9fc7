"""The CRC-64 in C is crcmod's, whatever the pieces."""

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.store.crc64 import bytewise


@given(pieces=st.lists(st.binary(max_size=40), max_size=6), before=st.integers(0, 2**64 - 1))
def test_the_checksum_is_that_of_the_bytes_one_by_one(native: ModuleType, pieces: list[bytes], before: int) -> None:
    found = before
    for piece in pieces:
        found = native.crc64(memoryview(piece), found)
    assert found == bytewise(b"".join(pieces), before)


@pytest.mark.parametrize("wrong", [("text", 0), (b"", -1), (b"", 1 << 64), (b"",)])
def test_what_has_no_checksum_is_refused(native: ModuleType, wrong: tuple[object, ...]) -> None:
    with pytest.raises((TypeError, OverflowError)):
        native.crc64(*wrong)
