"""XGROUP: consumer groups of a stream and their consumers."""

from typing import Final

from gossamer.cluster.text import bytes_of
from gossamer.node.commands.numbers import integer
from gossamer.node.commands.streams.ids import any_id, strict_id
from gossamer.node.engine.data.changes import (
    XGROUP_CREATE,
    XGROUP_CREATECONSUMER,
    XGROUP_DELCONSUMER,
    XGROUP_DESTROY,
    XGROUP_SETID,
)
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, LOADING, STALE, STREAM, WRITE, command
from gossamer.node.engine.table.keyspec import DELETE, INSERT, RW, UPDATE, KeySpec
from gossamer.node.resp.errors import (
    BUSYGROUP,
    ENTRIES_READ,
    STREAM_REQUIRED,
    Refusal,
    no_group_of_key,
    subcommand_syntax,
)
from gossamer.node.resp.reply import OK, Reply, Status
from gossamer.node.types.streams.group import UNKNOWN, Group
from gossamer.node.types.streams.stream import Stream

NEWEST: Final = b"$"
INSERTS: Final = (KeySpec((RW, INSERT), index=2),)
UPDATES: Final = (KeySpec((RW, UPDATE), index=2),)
DELETES: Final = (KeySpec((RW, DELETE), index=2),)


@command("XGROUP", arity=-2)
def xgroup(c: Call, argv: list[bytes]) -> Reply:
    raise AssertionError("dispatch answers a container itself")


class GroupOptions:
    def __init__(self, argv: list[bytes], creating: bool) -> None:
        self.create_stream: bool = False
        self.entries_read: int = UNKNOWN
        at = 5
        while at < len(argv):
            option = argv[at].upper()
            if creating and option == b"MKSTREAM":
                self.create_stream = True
                at += 1
            elif option == b"ENTRIESREAD" and at + 1 < len(argv):
                self.entries_read = integer(argv[at + 1])
                if self.entries_read < 0 and self.entries_read != UNKNOWN:
                    raise Refusal(ENTRIES_READ)
                at += 2
            else:
                raise Refusal(subcommand_syntax(argv))


@command("XGROUP|CREATE", arity=-5, flags=WRITE | DENYOOM, keys=INSERTS, acl=STREAM)
def xgroup_create(c: Call, argv: list[bytes]) -> Reply:
    options = GroupOptions(argv, True)
    key, name = argv[2], argv[3]
    stream = c.change(key, Stream)
    if stream is None and not options.create_stream:
        raise Refusal(STREAM_REQUIRED)
    if len(argv) > 8:
        raise Refusal(subcommand_syntax(argv))
    if argv[4] == NEWEST:
        last_id = 0 if stream is None else stream.last_id
    else:
        last_id = strict_id(argv[4])
    if stream is None:
        stream = Stream()
        stream.add_group(name, last_id, options.entries_read)
        c.store(key, stream, XGROUP_CREATE)
        return OK
    if name in stream.groups:
        raise Refusal(BUSYGROUP)
    stream.add_group(name, last_id, options.entries_read)
    c.changed_unwatched(key, stream, XGROUP_CREATE)
    return OK


def stream_at(c: Call, key: bytes) -> Stream:
    """The stream at ``key``, to be changed; Refusal if there is none."""
    stream = c.change(key, Stream)
    if stream is None:
        raise Refusal(STREAM_REQUIRED)
    return stream


def group_of(stream: Stream, key: bytes, name: bytes) -> Group:
    """A group of the stream at ``key``, to be changed; Refusal if there is none."""
    group = stream.group(name)
    if group is None:
        raise Refusal(no_group_of_key(name, key))
    return group


@command("XGROUP|SETID", arity=-5, flags=WRITE, keys=UPDATES, acl=STREAM)
def xgroup_setid(c: Call, argv: list[bytes]) -> Reply:
    options = GroupOptions(argv, False)
    stream = stream_at(c, argv[2])
    group = group_of(stream, argv[2], argv[3])
    if len(argv) > 7:
        raise Refusal(subcommand_syntax(argv))
    group.last_id = stream.last_id if argv[4] == NEWEST else any_id(argv[4])
    group.entries_read = options.entries_read
    c.changed_unwatched(argv[2], stream, XGROUP_SETID)
    return OK


@command("XGROUP|DESTROY", arity=4, flags=WRITE, keys=DELETES, acl=STREAM)
def xgroup_destroy(c: Call, _: bytes, key: bytes, name: bytes) -> Reply:
    stream = stream_at(c, key)
    if name not in stream.groups:
        return 0
    remains = stream.remove_group(name)
    c.changed_unwatched(key, stream, XGROUP_DESTROY)
    c.discard(remains)
    return 1


@command("XGROUP|CREATECONSUMER", arity=5, flags=WRITE | DENYOOM, keys=INSERTS, acl=STREAM)
def xgroup_createconsumer(c: Call, _: bytes, key: bytes, name: bytes, consumer: bytes) -> Reply:
    stream = stream_at(c, key)
    group = group_of(stream, key, name)
    if consumer in group.consumers:
        return 0
    group.add_consumer(consumer, c.now)
    c.changed_unwatched(key, stream, XGROUP_CREATECONSUMER)
    return 1


@command("XGROUP|DELCONSUMER", arity=5, flags=WRITE, keys=DELETES, acl=STREAM)
def xgroup_delconsumer(c: Call, _: bytes, key: bytes, name: bytes, consumer: bytes) -> Reply:
    stream = stream_at(c, key)
    group = group_of(stream, key, name)
    if consumer not in group.consumers:
        return 0
    pending = group.remove_consumer(consumer)
    c.changed_unwatched(key, stream, XGROUP_DELCONSUMER)
    return pending


HELP: Final = """\
XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CREATE <key> <groupname> <id|$> [option]
    Make a group that has read up to <id>. Options:
    * MKSTREAM
      make an empty stream where there is none
    * ENTRIESREAD <entries-read>
      how many entries the group counts as read (for internal use)
CREATECONSUMER <key> <groupname> <consumer>
    Make a consumer of a group.
DELCONSUMER <key> <groupname> <consumer>
    Remove a consumer with all that is pending for it.
DESTROY <key> <groupname>
    Remove a group.
SETID <key> <groupname> <id|$> [ENTRIESREAD <entries-read>]
    Have a group go on behind <id>.
HELP
    Print this help."""


@command("XGROUP|HELP", arity=2, flags=LOADING | STALE, acl=STREAM)
def xgroup_help(c: Call, _: bytes) -> Reply:
    return [Status(bytes_of(line)) for line in HELP.splitlines()]
