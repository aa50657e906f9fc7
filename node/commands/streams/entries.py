"""Entries of a stream: XADD, XDEL, XLEN, XSETID. Checks stand in the order in which Redis 7.2 makes them."""

from typing import Final

from gossamer.node.commands.numbers import integer
from gossamer.node.commands.streams.ids import NO_ID, strict_id
from gossamer.node.commands.streams.trim_options import TrimOptions, read_options
from gossamer.node.engine.data.changes import XADD, XDEL, XSETID, XTRIM
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, FAST, READONLY, STREAM, WRITE, command
from gossamer.node.engine.table.keyspec import DELETE, RO, RW, UPDATE, KeySpec, first
from gossamer.node.resp.errors import (
    ENTRIES_ADDED_NEGATIVE,
    ENTRIES_ADDED_TOO_SMALL,
    ENTRY_TOO_LARGE,
    NO_SUCH_KEY,
    STREAM_EXHAUSTED,
    SYNTAX,
    XADD_ID_TOO_SMALL,
    XADD_ZERO,
    XSETID_BELOW_DELETED,
    XSETID_BELOW_GIVEN,
    XSETID_BELOW_TOP,
    Refusal,
    wrong_arity,
)
from gossamer.node.resp.reply import OK, Reply
from gossamer.node.types.streams.ids import LAST, SEQUENCE_BITS, WORD, id_after, id_text
from gossamer.node.types.streams.stream import MAX_NODE, Stream, bytes_in

XADD_KEYS: Final = (KeySpec((RW, UPDATE), note="It trims too if `MAXLEN` or `MINID` is given."),)


@command("XADD", arity=-5, flags=WRITE | DENYOOM | FAST, keys=XADD_KEYS, acl=STREAM)
def xadd(c: Call, argv: list[bytes]) -> Reply:
    options = read_options(c, argv, True)
    pairs = argv[options.at + 1 :]
    if len(pairs) < 2 or len(pairs) % 2:
        raise Refusal(wrong_arity("xadd"))
    if options.entry_id == 0 and not options.automatic_sequence:
        raise Refusal(XADD_ZERO)
    key = argv[1]
    stream = c.change(key, Stream)
    if stream is None and not options.create:
        return None
    there = stream is not None
    if stream is None:
        stream = Stream()
    entry_id = new_id(c, stream, options)
    if bytes_in(pairs) > MAX_NODE:
        raise Refusal(ENTRY_TOO_LARGE)
    stream.append(entry_id, pairs, c.server.encodings)
    trimmed = options.trim(stream) if options.strategy else 0
    if there:
        c.changed(key, stream, XADD)
    else:
        c.store(key, stream, XADD)
    if trimmed:
        c.also(key, XTRIM)
    name = id_text(entry_id)
    if c.server.journal.open and (options.approximate or entry_id != options.entry_id):
        c.propagate_list([b"XADD", key, *options.words(stream), name, *pairs])
    return name


def new_id(c: Call, stream: Stream, options: TrimOptions) -> int:
    """The id of the next entry; Refusal if it cannot be as ``options`` say."""
    last = stream.last_id
    if last == LAST:
        raise Refusal(STREAM_EXHAUSTED)
    entry_id = options.entry_id
    if entry_id == NO_ID:
        return id_after(last, c.now)
    if options.automatic_sequence and entry_id >> SEQUENCE_BITS == last >> SEQUENCE_BITS and last & WORD < WORD:
        return last + 1
    if entry_id <= last:
        raise Refusal(XADD_ID_TOO_SMALL)
    return entry_id


@command("XLEN", arity=2, flags=READONLY | FAST, keys=first(RO), acl=STREAM)
def xlen(c: Call, key: bytes) -> Reply:
    stream = c.read(key, Stream)
    return 0 if stream is None else stream.length


@command("XDEL", arity=-3, flags=WRITE | FAST, keys=first(RW, DELETE), acl=STREAM)
def xdel(c: Call, argv: list[bytes]) -> Reply:
    key = argv[1]
    stream = c.change(key, Stream)
    if stream is None:
        return 0
    ids = [strict_id(word) for word in argv[2:]]
    deleted = 0
    for entry_id in ids:
        deleted += stream.delete(entry_id)
    if deleted:
        c.changed(key, stream, XDEL, deleted)
    return deleted


@command("XSETID", arity=-3, flags=WRITE | DENYOOM | FAST, keys=first(RW, UPDATE), acl=STREAM)
def xsetid(c: Call, argv: list[bytes]) -> Reply:
    last_id = strict_id(argv[2])
    added, deleted_id = read_xsetid_options(argv, last_id)
    stream = c.change(argv[1], Stream)
    if stream is None:
        raise Refusal(NO_SUCH_KEY)
    if last_id < stream.max_deleted_id:
        raise Refusal(XSETID_BELOW_DELETED)
    if stream.length:
        if last_id < stream.top():
            raise Refusal(XSETID_BELOW_TOP)
        if 0 <= added < stream.length:
            raise Refusal(ENTRIES_ADDED_TOO_SMALL)
    stream.last_id = last_id
    stream.forget_behind(last_id)
    if added >= 0:
        stream.entries_added = added
    if deleted_id:
        stream.max_deleted_id = deleted_id
    c.changed_unwatched(argv[1], stream, XSETID)
    return OK


def read_xsetid_options(argv: list[bytes], last_id: int) -> tuple[int, int]:
    """How many entries were added (-1: not said), and the largest deleted id (0: not said)."""
    added, deleted_id = -1, 0
    for at in range(3, len(argv), 2):
        option = argv[at].upper()
        if option == b"ENTRIESADDED" and at + 1 < len(argv):
            added = integer(argv[at + 1])
            if added < 0:
                raise Refusal(ENTRIES_ADDED_NEGATIVE)
        elif option == b"MAXDELETEDID" and at + 1 < len(argv):
            deleted_id = strict_id(argv[at + 1])
            if last_id < deleted_id:
                raise Refusal(XSETID_BELOW_GIVEN)
        else:
            raise Refusal(SYNTAX)
    return added, deleted_id
