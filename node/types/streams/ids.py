"""Ids of entries: one integer of 128 bits, unix milliseconds above a sequence number."""

from typing import Final

SEQUENCE_BITS: Final = 64
WORD: Final = (1 << 64) - 1
LAST: Final = (1 << 128) - 1
"""The largest id there is."""

SEQUENCES: Final[list[bytes]] = [b"%d" % number for number in range(1024)]


class Prefix:
    """``<milliseconds>-`` as it was asked for last: entries are added and read many at a time."""

    def __init__(self) -> None:
        self.milliseconds: int = 0
        self.text: bytes = b"0-"


LATEST: Final = Prefix()


def id_text(entry_id: int) -> bytes:
    """As clients see it: ``<milliseconds>-<sequence>``."""
    milliseconds = entry_id >> SEQUENCE_BITS
    sequence = entry_id & WORD
    prefix = LATEST
    if prefix.milliseconds != milliseconds:
        prefix.milliseconds = milliseconds
        prefix.text = b"%d-" % milliseconds
    return prefix.text + (SEQUENCES[sequence] if sequence < 1024 else b"%d" % sequence)
