"""Streams as commands: the entries, what is known beside them, the groups (aof.c of Redis 7.2, rewriteStreamObject).

What is pending and has been deleted is left out, as in Redis: XCLAIM would not take it. A position is the number of a
node, or, behind the nodes, a group (from 1) and a chunk of what is pending in it.
"""

from typing import Final

from gossamer.node.resp.requests import encoded
from gossamer.node.types.kind import DONE, STEP, Value
from gossamer.node.types.streams.cursor import Cursor
from gossamer.node.types.streams.group import Group
from gossamer.node.types.streams.ids import LAST, id_text
from gossamer.node.types.streams.stream import Stream

GROUP: Final = 64
CHUNK: Final = (1 << GROUP) - 1


def words(key: bytes, value: Value, expire: int, at: int) -> tuple[bytes, int]:
    assert isinstance(value, Stream)
    out: list[bytes] = []
    room = STEP
    while at < 1 << GROUP and at < len(value.nodes) and room > 0:
        room -= put_entries(out, key, Cursor(value.nodes[at : at + 1], 0, 0, LAST))
        at += 1
    if at < 1 << GROUP and room > 0:
        put_facts(out, key, value)
        at = 1 << GROUP if value.groups else DONE
    names = sorted(value.groups) if at >= 1 << GROUP else []
    while at != DONE and at >= 1 << GROUP and room > 0:
        index = (at >> GROUP) - 1
        group = value.groups[names[index]]
        chunk = at & CHUNK
        room -= put_pending(out, key, value, group, chunk)
        if chunk < len(group.pending.chunks):
            at += 1
        else:
            at = index + 2 << GROUP if index + 1 < len(names) else DONE
    if at == DONE and expire >= 0:
        out.append(encoded([b"PEXPIREAT", key, b"%d" % expire]))
    return b"".join(out), at


def put_entries(out: list[bytes], key: bytes, cursor: Cursor) -> int:
    """How many there were, at least 1."""
    count = 0
    while cursor.next():
        out.append(encoded([b"XADD", key, id_text(cursor.id), *cursor.pairs()]))
        count += 1
    return max(count, 1)


def put_facts(out: list[bytes], key: bytes, stream: Stream) -> None:
    if not stream.length:  # a stream begins with an entry, which need not stay
        out.append(encoded([b"XADD", key, b"MAXLEN", b"0", b"0-1", b"x", b"y"]))
    added, deleted = b"%d" % stream.entries_added, id_text(stream.max_deleted_id)
    last = id_text(stream.last_id)
    out.append(encoded([b"XSETID", key, last, b"ENTRIESADDED", added, b"MAXDELETEDID", deleted]))


def put_pending(out: list[bytes], key: bytes, stream: Stream, group: Group, at: int) -> int:
    """A chunk of what is pending in ``group``, or, behind the last one, its consumers; how much that was."""
    if at == 0:
        read = b"%d" % group.entries_read
        out.append(encoded([b"XGROUP", b"CREATE", key, group.name, id_text(group.last_id), b"ENTRIESREAD", read]))
    if at == len(group.pending.chunks):
        names = sorted(group.consumers)
        out += [encoded([b"XGROUP", b"CREATECONSUMER", key, group.name, name]) for name in names]
        return len(group.consumers) + 1
    nacks = group.pending.chunks[at].nacks
    for entry_id, nack in nacks.items():
        if stream.find(entry_id) is not None:
            what = [b"XCLAIM", key, group.name, nack.owner, b"0", id_text(entry_id), b"TIME"]
            how = [b"%d" % nack.delivered_ms, b"RETRYCOUNT", b"%d" % nack.deliveries, b"JUSTID", b"FORCE"]
            out.append(encoded(what + how))
    return len(nacks)
