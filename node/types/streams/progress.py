"""How far a group has come: the number of entries read, and how many are still to come (its lag).

Both count entries ever added, which can be told only where nothing has been deleted between (t_stream.c of Redis 7.2,
streamEstimateDistanceFromFirstEverEntry and streamReplyWithCGLag).
"""

from gossamer.node.types.streams.group import UNKNOWN, Group
from gossamer.node.types.streams.stream import Stream


def has_gaps(stream: Stream, first: int) -> bool:
    """Has an entry been deleted at ``first`` or behind it?"""
    if not stream.length or not stream.max_deleted_id or stream.first_id > stream.max_deleted_id:
        return False
    return first <= stream.max_deleted_id


def entries_up_to(stream: Stream, entry_id: int) -> int:
    """How many entries were ever added up to ``entry_id``, or ``UNKNOWN``."""
    added = stream.entries_added
    if not added:
        return 0
    if entry_id == stream.last_id or (not stream.length and entry_id < stream.last_id):
        return added
    if entry_id > stream.last_id:
        return UNKNOWN
    if not stream.max_deleted_id or stream.max_deleted_id < stream.first_id:
        if entry_id < stream.first_id:
            return added - stream.length
        if entry_id == stream.first_id:
            return added - stream.length + 1
    return UNKNOWN


def lag(stream: Stream, group: Group) -> int | None:
    """How many entries the group has still to read; None where that cannot be told."""
    if not stream.entries_added:
        return 0
    read = group.entries_read
    if read == UNKNOWN or has_gaps(stream, group.last_id):
        read = entries_up_to(stream, group.last_id)
    return None if read == UNKNOWN else stream.entries_added - read


def note_read(stream: Stream, group: Group, entry_id: int) -> None:
    """The group has read the entry ``entry_id``, which is the next one for it."""
    assert entry_id > group.last_id
    if group.entries_read != UNKNOWN and not has_gaps(stream, entry_id):
        group.entries_read += 1
    elif stream.entries_added:
        group.entries_read = entries_up_to(stream, entry_id)
    group.last_id = entry_id
