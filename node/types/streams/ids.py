"""Ids of entries: one integer of 128 bits, unix milliseconds above a sequence number."""

from typing import Final

from gossamer.node.store import stream_entries

SEQUENCE_BITS: Final = 64
WORD: Final = (1 << 64) - 1
LAST: Final = (1 << 128) - 1
"""The largest id there is."""

id_after: Final = stream_entries.id_after
id_text: Final = stream_entries.id_text
