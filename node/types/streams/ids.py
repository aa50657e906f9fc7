"""Ids of entries: one integer of 128 bits, unix milliseconds above a sequence number."""

from typing import Final

from gossamer.cluster.text import bytes_of

SEQUENCE_BITS: Final = 64
WORD: Final = (1 << 64) - 1
LAST: Final = (1 << 128) - 1
"""The largest id there is."""


def id_text(entry_id: int) -> bytes:
    """As clients see it: ``<milliseconds>-<sequence>``."""
    return bytes_of(f"{entry_id >> SEQUENCE_BITS}-{entry_id & WORD}")
