"""XINFO: what is known of a stream, its groups and their consumers."""

from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.commands.numbers import integer
from gossamer.node.commands.streams.shown import ALL, shown, taken
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import LOADING, READONLY, STALE, STREAM, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, KeySpec
from gossamer.node.resp.errors import NO_SUCH_KEY, Refusal, no_group_of_key, subcommand_syntax
from gossamer.node.resp.reply import Reply, Status
from gossamer.node.store.plain_stream_entries import signed
from gossamer.node.types.streams.cursor import Cursor
from gossamer.node.types.streams.group import NEVER, UNKNOWN, Group
from gossamer.node.types.streams.ids import id_text
from gossamer.node.types.streams.pending import PendingCursor
from gossamer.node.types.streams.progress import lag
from gossamer.node.types.streams.stream import Stream

READ: Final = (KeySpec((RO, ACCESS), index=2),)
DEFAULT_COUNT: Final = 10


@command("XINFO", arity=-2)
def xinfo(c: Call, argv: list[bytes]) -> Reply:
    raise AssertionError("dispatch answers a container itself")


def stream_at(c: Call, key: bytes) -> Stream:
    """The stream at ``key``; Refusal if there is none."""
    stream = c.read(key, Stream)
    if stream is None:
        raise Refusal(NO_SUCH_KEY)
    return stream


@command("XINFO|CONSUMERS", arity=4, flags=READONLY, keys=READ, acl=STREAM)
def xinfo_consumers(c: Call, _: bytes, key: bytes, name: bytes) -> Reply:
    group = stream_at(c, key).groups.get(name)
    if group is None:
        raise Refusal(no_group_of_key(name, key))
    out: list[Reply] = []
    for consumer_name in sorted(group.consumers):
        consumer = group.consumers[consumer_name]
        inactive = c.now - consumer.active_ms if consumer.active_ms != NEVER else NEVER
        idle = max(c.now - consumer.seen_ms, 0)
        out.append(
            {b"name": consumer.name, b"pending": consumer.pending, b"idle": idle, b"inactive": inactive},
        )
    return out


@command("XINFO|GROUPS", arity=3, flags=READONLY, keys=READ, acl=STREAM)
def xinfo_groups(c: Call, _: bytes, key: bytes) -> Reply:
    stream = stream_at(c, key)
    out: list[Reply] = []
    for name in sorted(stream.groups):
        group = stream.groups[name]
        out.append(
            {
                b"name": name,
                b"consumers": len(group.consumers),
                b"pending": group.pending.count,
                b"last-delivered-id": id_text(group.last_id),
                b"entries-read": entries_read(group),
                b"lag": lag(stream, group),
            }
        )
    return out


def entries_read(group: Group) -> int | None:
    return None if group.entries_read == UNKNOWN else group.entries_read


@command("XINFO|STREAM", arity=-3, flags=READONLY, keys=READ, acl=STREAM)
def xinfo_stream(c: Call, argv: list[bytes]) -> Reply:
    stream = stream_at(c, argv[2])
    if len(argv) == 3:
        return facts(stream) | {
            b"groups": len(stream.groups),
            b"first-entry": edge(stream.cursor()),
            b"last-entry": edge(stream.backward()),
        }
    count = read_full_count(argv)
    return facts(stream) | {
        b"entries": taken(stream.cursor(), count),
        b"groups": [group_in_full(stream, stream.groups[name], count) for name in sorted(stream.groups)],
    }


def read_full_count(argv: list[bytes]) -> int:
    """Of ``FULL [COUNT <count>]``: how much of each list is wanted."""
    if len(argv) not in (4, 6) or argv[3].upper() != b"FULL" or (len(argv) == 6 and argv[4].upper() != b"COUNT"):
        raise Refusal(subcommand_syntax(argv))
    count = integer(argv[5]) if len(argv) == 6 else DEFAULT_COUNT
    if count < 0:
        count = DEFAULT_COUNT
    return count or ALL


def facts(stream: Stream) -> dict[bytes, Reply]:
    return {
        b"length": stream.length,
        b"radix-tree-keys": len(stream.nodes),
        b"radix-tree-nodes": len(stream.nodes) + 1,
        b"last-generated-id": id_text(stream.last_id),
        b"max-deleted-entry-id": id_text(stream.max_deleted_id),
        b"entries-added": signed(stream.entries_added),
        b"recorded-first-entry-id": id_text(stream.first_id),
    }


def edge(cursor: Cursor) -> Reply:
    """The first entry that ``cursor`` comes to."""
    return shown(cursor) if cursor.next() else None


def group_in_full(stream: Stream, group: Group, count: int) -> Reply:
    pending: list[Reply] = []
    cursor = PendingCursor(group.pending, 0)
    while len(pending) != count and cursor.next():
        nack = cursor.nack
        pending.append([id_text(cursor.id), nack.owner, nack.delivered_ms, nack.deliveries])
    found: dict[bytes, Reply] = {
        b"name": group.name,
        b"last-delivered-id": id_text(group.last_id),
        b"entries-read": entries_read(group),
        b"lag": lag(stream, group),
        b"pel-count": group.pending.count,
        b"pending": pending,
        b"consumers": [consumer_in_full(group, name, count) for name in sorted(group.consumers)],
    }
    return found


def consumer_in_full(group: Group, name: bytes, count: int) -> dict[bytes, Reply]:
    consumer = group.consumers[name]
    pending: list[Reply] = []
    cursor = PendingCursor(group.pending, 0, name)
    while len(pending) != count and cursor.next():
        pending.append([id_text(cursor.id), cursor.nack.delivered_ms, cursor.nack.deliveries])
    return {
        b"name": name,
        b"seen-time": consumer.seen_ms,
        b"active-time": consumer.active_ms,
        b"pel-count": consumer.pending,
        b"pending": pending,
    }


HELP: Final = """\
XINFO <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CONSUMERS <key> <groupname>
    What is known of the consumers of a group.
GROUPS <key>
    What is known of the groups of a stream.
STREAM <key> [FULL [COUNT <count>]]
    What is known of a stream, with FULL also of all that it has.
HELP
    Print this help."""


@command("XINFO|HELP", arity=2, flags=LOADING | STALE, acl=STREAM)
def xinfo_help(c: Call, _: bytes) -> Reply:
    return [Status(bytes_of(line)) for line in HELP.splitlines()]
