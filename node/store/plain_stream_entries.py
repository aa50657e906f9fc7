"""Ids of streams, and entries as they stand in their nodes: the twin of ``stream_entry.h``.

An id is one integer of 128 bits, unix milliseconds above a sequence number.
"""

from typing import Final

from gossamer.node.store.plain_listpack import put, put_number

SEQUENCE_BITS: Final = 64
WORD: Final = (1 << 64) - 1
LAST: Final = (1 << 128) - 1
SIGN: Final = 1 << 63
SMALL: Final = 1 << 60
SAME: Final = 2
"""Flag of an entry with the fields of its node, which are not repeated."""
SEQUENCES: Final[list[bytes]] = [b"%d" % number for number in range(1024)]


class Prefix:
    """``<milliseconds>-`` as it was asked for last: entries are added and read many at a time."""

    def __init__(self) -> None:
        self.milliseconds: int = 0
        self.text: bytes = b"0-"


LATEST: Final = Prefix()


def id_after(last: int, now: int) -> int:
    """The id of an entry that is added ``now`` (milliseconds) behind ``last``. OverflowError if that is the largest."""
    if last == LAST:
        raise OverflowError("there is no id behind the last one")
    return max(now << SEQUENCE_BITS, last + 1)


def id_text(entry_id: int) -> bytes:
    """As clients see it: ``<milliseconds>-<sequence>``."""
    milliseconds = entry_id >> SEQUENCE_BITS
    sequence = entry_id & WORD
    prefix = LATEST
    if prefix.milliseconds != milliseconds:
        prefix.milliseconds = milliseconds
        prefix.text = b"%d-" % milliseconds
    return prefix.text + (SEQUENCES[sequence] if sequence < 1024 else b"%d" % sequence)


def pack_entry(fields: list[bytes], pairs: list[bytes], master: int, entry_id: int) -> bytes:
    """The entry with fields and values in turn, in a node with these ``fields`` and this ``master`` id.

    Flags, milliseconds and sequence number less those of ``master``, fields (unless they are those of the node) and
    values, and the number of these elements, all as elements of a listpack.
    """
    count = len(pairs) // 2
    same = len(pairs) == 2 * len(fields) and pairs[::2] == fields
    out = bytearray()
    put_number(out, SAME if same else 0)
    put_number(out, signed((entry_id >> SEQUENCE_BITS) - (master >> SEQUENCE_BITS)))
    put_number(out, signed((entry_id & WORD) - (master & WORD)))
    if not same:
        put_number(out, count)
    for word in pairs[1::2] if same else pairs:
        put(out, word)
    put_number(out, count + 3 if same else 2 * count + 4)
    return bytes(out)


def signed(difference: int) -> int:
    """A difference of two unsigned numbers of 64 bits as C would hold it in a signed one."""
    if -SMALL <= difference <= SMALL:
        return difference
    return ((difference + SIGN) & WORD) - SIGN
