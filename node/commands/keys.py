"""Commands on keys of any type (redis.io, "Generic"), without those on their time to live and SCAN."""

from typing import Final

from gossamer.node.commands.databases import index_argument
from gossamer.node.engine.data.changes import COPY_TO, RENAME_FROM, RENAME_TO
from gossamer.node.engine.data.kinds import copy_of, kind_of
from gossamer.node.engine.data.traverse import any_key, any_persistent
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import (
    DANGEROUS,
    DENYOOM,
    FAST,
    KEYSPACE,
    LOADING,
    READONLY,
    STALE,
    WRITE,
    command,
)
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, INSERT, OW, RM, RO, RW, UPDATE, KeySpec, all_keys, first
from gossamer.node.glob import glob_match
from gossamer.node.resp.errors import (
    COPY_IN_CLUSTER,
    LFU_NOT_SELECTED,
    LFU_SELECTED,
    NO_SUCH_KEY,
    SAME_OBJECT,
    SYNTAX,
    Refusal,
)
from gossamer.node.resp.reply import OK, Reply, Status

REMOVED: Final = all_keys(RM, DELETE)
ASKED_FOR: Final = all_keys(RO)

# --- there or not


@command("DEL", arity=-2, flags=WRITE, keys=REMOVED, acl=KEYSPACE)
def del_(c: Call, argv: list[bytes]) -> Reply:
    return delete_all(c, argv)


@command("UNLINK", arity=-2, flags=WRITE | FAST, keys=REMOVED, acl=KEYSPACE)
def unlink(c: Call, argv: list[bytes]) -> Reply:
    return delete_all(c, argv)


def delete_all(c: Call, argv: list[bytes]) -> int:
    count = 0
    for key in argv[1:]:
        count += c.delete(key)
    return count


@command("EXISTS", arity=-2, flags=READONLY | FAST, keys=ASKED_FOR, acl=KEYSPACE)
def exists(c: Call, argv: list[bytes]) -> Reply:
    count = 0
    for key in argv[1:]:
        count += c.get_untouched(key) is not None
    return count


@command("TOUCH", arity=-2, flags=READONLY | FAST, keys=ASKED_FOR, acl=KEYSPACE)
def touch(c: Call, argv: list[bytes]) -> Reply:
    count = 0
    no_touch, c.client.no_touch = c.client.no_touch, False
    for key in argv[1:]:
        count += c.held(key) is not None
    c.client.no_touch = no_touch
    return count


@command("TYPE", arity=2, flags=READONLY | FAST, keys=first(RO), acl=KEYSPACE)
def type_(c: Call, key: bytes) -> Reply:
    value = c.get_untouched(key)
    return Status(b"none" if value is None else kind_of(value).name)


# --- other names, other places

NEW_NAME: Final = (KeySpec((RW, ACCESS, DELETE)), KeySpec((OW, UPDATE), index=2))
FREE_NAME: Final = (KeySpec((RW, ACCESS, DELETE)), KeySpec((OW, INSERT), index=2))
COPIED: Final = (KeySpec((RO, ACCESS)), KeySpec((OW, UPDATE), index=2))


@command("RENAME", arity=3, flags=WRITE, keys=NEW_NAME, acl=KEYSPACE)
def rename(c: Call, key: bytes, name: bytes) -> Reply:
    if c.held(key) is None:
        raise Refusal(NO_SUCH_KEY)
    if key != name:
        c.move(key, c, name, (RENAME_FROM, RENAME_TO))
    return OK


@command("RENAMENX", arity=3, flags=WRITE | FAST, keys=FREE_NAME, acl=KEYSPACE)
def renamenx(c: Call, key: bytes, name: bytes) -> Reply:
    if c.held(key) is None:
        raise Refusal(NO_SUCH_KEY)
    if c.exists(name):
        return 0
    c.move(key, c, name, (RENAME_FROM, RENAME_TO))
    return 1


@command("COPY", arity=-3, flags=WRITE | DENYOOM, keys=COPIED, acl=KEYSPACE)
def copy(c: Call, argv: list[bytes]) -> Reply:
    there, replace = read_copy_options(c, argv)
    key, name = argv[1], argv[2]
    if there.db is c.db and key == name:
        raise Refusal(SAME_OBJECT)
    c.counting = True
    value = c.held(key)
    c.counting = False
    if value is None or (there.exists(name) and not replace):
        return 0
    there.store_until(name, copy_of(value), c.expire_time(key), COPY_TO)
    return 1


def read_copy_options(c: Call, argv: list[bytes]) -> tuple[Call, bool]:
    """Where COPY writes to, and whether it may replace a key there."""
    index = c.db.index
    replace = False
    at = 3
    while at < len(argv):
        word = argv[at].upper()
        if word == b"REPLACE":
            replace = True
        elif word == b"DB" and at + 1 < len(argv):
            at += 1
            index = index_argument(c, argv[at])
        else:
            raise Refusal(SYNTAX)
        at += 1
    if c.server.clustered and index != 0:
        raise Refusal(COPY_IN_CLUSTER)
    return (c if index == c.db.index else c.on(index)), replace


# --- many

EVERYTHING: Final = b"*"


@command("KEYS", arity=2, flags=READONLY, acl=(KEYSPACE, DANGEROUS))
def keys(c: Call, pattern: bytes) -> Reply:
    db = c.db
    found: list[Reply] = []
    names = list(db.keys())
    if pattern != EVERYTHING:
        names = [key for key in names if glob_match(pattern, key)]
    found += [key for key in names if not db.is_expired(key, c.now)] if db.volatile else names
    return found


STALE_TRIES: Final = 100
"""So many keys that are over, and may not be deleted, RANDOMKEY comes upon before it looks otherwise."""


@command("RANDOMKEY", arity=1, flags=READONLY, acl=KEYSPACE)
def randomkey(c: Call) -> Reply:
    db = c.db
    in_vain = 0
    while True:
        size = db.size
        key = any_key(db, c.server.rng)
        if key is None or c.get_raw(key) is not None:
            return key
        # Its time is over. Unless it is deleted now it will be drawn again, whatever it is that forbids to delete it.
        if db.size == size:
            in_vain += 1
            if in_vain == STALE_TRIES:
                # As in Redis: where all keys have an end, one that is over is named.
                persistent = any_persistent(db, c.server.rng)
                return key if persistent is None else persistent


# --- OBJECT

OBJECT_KEY: Final = (KeySpec((RO,), index=2),)


@command("OBJECT", arity=-2)
def object_(c: Call, argv: list[bytes]) -> Reply:
    raise AssertionError("dispatch answers for a container")


@command("OBJECT|ENCODING", arity=3, flags=READONLY, keys=OBJECT_KEY, acl=KEYSPACE)
def object_encoding(c: Call, _: bytes, key: bytes) -> Reply:
    value = c.get_untouched(key)
    return None if value is None else kind_of(value).encoding(value)


@command("OBJECT|REFCOUNT", arity=3, flags=READONLY, keys=OBJECT_KEY, acl=KEYSPACE)
def object_refcount(c: Call, _: bytes, key: bytes) -> Reply:
    value = c.get_untouched(key)
    if value is None:
        return None
    shared = not c.server.memory.unshares()
    return kind_of(value).references(value) if shared else 1


@command("OBJECT|IDLETIME", arity=3, flags=READONLY, keys=OBJECT_KEY, acl=KEYSPACE)
def object_idletime(c: Call, _: bytes, key: bytes) -> Reply:
    if c.get_untouched(key) is None:
        return None
    clock = c.server.changes.clock
    if clock.lfu:
        raise Refusal(LFU_SELECTED)
    return clock.idle(c.db.stamp(c.part_of(key), key))


@command("OBJECT|FREQ", arity=3, flags=READONLY, keys=OBJECT_KEY, acl=KEYSPACE)
def object_freq(c: Call, _: bytes, key: bytes) -> Reply:
    if c.get_untouched(key) is None:
        return None
    clock = c.server.changes.clock
    if not clock.lfu:
        raise Refusal(LFU_NOT_SELECTED)
    return clock.frequency(c.db.stamp(c.part_of(key), key))


@command("OBJECT|HELP", arity=2, flags=LOADING | STALE, acl=KEYSPACE)
def object_help(c: Call, _: bytes) -> Reply:
    return list(OBJECT_HELP)


OBJECT_HELP: Final = tuple(
    Status(line)
    for line in (
        b"OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        b"ENCODING <key>",
        b"    Return the kind of internal representation used in order to store the value",
        b"    associated with a <key>.",
        b"FREQ <key>",
        b"    Return the access frequency index of the <key>. The returned integer is",
        b"    proportional to the logarithm of the recent access frequency of the key.",
        b"IDLETIME <key>",
        b"    Return the idle time of the <key>, that is the approximated number of",
        b"    seconds elapsed since the last access to the key.",
        b"REFCOUNT <key>",
        b"    Return the number of references of the value associated with the specified",
        b"    <key>.",
        b"HELP",
        b"    Print this help.",
    )
)
