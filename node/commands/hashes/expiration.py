"""When fields of a hash end: HEXPIRE and its family set it (Valkey 9.1).

Options are checked first, then the number of fields, then the time, then the key. A field whose end is past already is
deleted; a replica leaves that to its primary.
"""

from typing import Final

from gossamer.node.commands.expiration import allowed, read_conditions
from gossamer.node.commands.hashes.arguments import fields_at, place_of_fields
from gossamer.node.commands.hashes.ends import end_at
from gossamer.node.commands.hashes.present import seen_at
from gossamer.node.commands.hashes.times import NO_FIELD
from gossamer.node.engine.data.changes import HEXPIRE, HEXPIRED
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import FAST, HASH, WRITE, command
from gossamer.node.engine.table.keyspec import RW, UPDATE, first
from gossamer.node.resp.reply import Reply
from gossamer.node.types.hashes.hash import Hash

KEYS: Final = first(RW, UPDATE)
FLAGS: Final = WRITE | FAST

# What is told of a field.
REFUSED: Final = 0
SET: Final = 1
DELETED: Final = 2


@command("HEXPIRE", arity=-6, flags=FLAGS, keys=KEYS, acl=HASH)
def hexpire(c: Call, argv: list[bytes]) -> Reply:
    return set_ends(c, argv, "hexpire", 1000, c.now)


@command("HPEXPIRE", arity=-6, flags=FLAGS, keys=KEYS, acl=HASH)
def hpexpire(c: Call, argv: list[bytes]) -> Reply:
    return set_ends(c, argv, "hpexpire", 1, c.now)


@command("HEXPIREAT", arity=-6, flags=FLAGS, keys=KEYS, acl=HASH)
def hexpireat(c: Call, argv: list[bytes]) -> Reply:
    return set_ends(c, argv, "hexpireat", 1000, 0)


@command("HPEXPIREAT", arity=-6, flags=FLAGS, keys=KEYS, acl=HASH)
def hpexpireat(c: Call, argv: list[bytes]) -> Reply:
    return set_ends(c, argv, "hpexpireat", 1, 0)


def set_ends(c: Call, argv: list[bytes], name: str, unit: int, origin: int) -> list[int]:
    """The fields of ``argv`` end ``argv[2]`` times ``unit`` milliseconds after ``origin``; what became of each."""
    place = place_of_fields(argv, 3)
    conditions = read_conditions(argv[3:place])
    fields = fields_at(argv, place)
    at = end_at(argv[2], name, unit, origin)
    key = argv[1]
    value = c.change(key, Hash)
    if value is None:
        return [NO_FIELD] * len(fields)
    over = at <= c.now and c.server.lazy_expire_deletes
    gone: list[bytes] = []
    out: list[int] = []
    for field in fields:
        what = set_end(c, value, field, at, conditions, over)
        out.append(what)
        if what == DELETED:
            gone.append(field)
    if gone:
        c.server.stats.expired_fields += len(gone)
        c.propagate(b"HDEL", key, *gone)
        c.changed(key, value, HEXPIRED, len(gone))
    elif SET in out:
        # The conditions stay: they hold wherever the fields are the same.
        c.propagate(b"HPEXPIREAT", key, b"%d" % at, *argv[3:])
        c.expires_within(key, value)
        c.changed(key, value, HEXPIRE, out.count(SET))
    return out


def set_end(c: Call, value: Hash, field: bytes, at: int, conditions: int, over: bool) -> int:
    if value.get(field, seen_at(c)) is None:
        return NO_FIELD
    if conditions and not allowed(conditions, value.end(field), at):
        return REFUSED
    if over:
        value.remove(field)
        return DELETED
    value.set_end(field, at)
    return SET
