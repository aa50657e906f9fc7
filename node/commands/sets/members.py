"""Commands on the members of one set, and SMOVE."""

from typing import Final

from gossamer.node.commands.scan_options import ScanOptions, nothing_to_scan, read_cursor, scanned
from gossamer.node.engine.data.changes import SADD, SREM
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, FAST, READONLY, SET, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, INSERT, RO, RW, KeySpec, first
from gossamer.node.glob import glob_match
from gossamer.node.resp.errors import WRONGTYPE, Refusal
from gossamer.node.resp.reply import Reply, SetReply
from gossamer.node.types.sets.set import Set

MOVE: Final = (KeySpec((RW, ACCESS, DELETE)), KeySpec((RW, INSERT), index=2))


@command("SADD", arity=-3, flags=WRITE | DENYOOM | FAST, keys=first(RW, INSERT), acl=SET)
def sadd(c: Call, argv: list[bytes]) -> Reply:
    key = argv[1]
    value = c.change(key, Set)
    if value is None:
        value = Set()
        added = value.add_all(argv[2:], c.server.encodings)
        c.store(key, value, SADD, added)
        return added
    if len(argv) == 3:
        added = int(value.add(argv[2], c.server.encodings))
    else:
        added = value.add_all(argv[2:], c.server.encodings)
    if added:
        c.changed(key, value, SADD, added)
    return added


@command("SREM", arity=-3, flags=WRITE | FAST, keys=first(RW, DELETE), acl=SET)
def srem(c: Call, argv: list[bytes]) -> Reply:
    key = argv[1]
    value = c.change(key, Set)
    if value is None:
        return 0
    removed = 0
    for member in argv[2:]:
        removed += value.remove(member)
    if removed:
        c.changed(key, value, SREM, removed)
    return removed


@command("SMOVE", arity=4, flags=WRITE | FAST, keys=MOVE, acl=SET)
def smove(c: Call, source: bytes, destination: bytes, member: bytes) -> Reply:
    value = c.value(source)
    there = c.value(destination)
    if value is None:
        return 0
    if not isinstance(value, Set) or not (there is None or isinstance(there, Set)):
        raise Refusal(WRONGTYPE)
    if source == destination or not value.holds(member):
        return int(value.holds(member))
    db = c.db
    hidden, db.hidden = db.hidden, True  # what may be refused comes first, and is told of last
    try:
        added = sadd(c, [b"", destination, member])
    finally:
        db.hidden = hidden
    c.change(source, Set)
    value.remove(member)
    c.changed(source, value, SREM)
    if added and not hidden:
        c.also(destination, SADD)
    return 1


@command("SISMEMBER", arity=3, flags=READONLY | FAST, keys=first(RO), acl=SET)
def sismember(c: Call, key: bytes, member: bytes) -> Reply:
    value = c.read(key, Set)
    return 1 if value is not None and value.holds(member) else 0


@command("SMISMEMBER", arity=-3, flags=READONLY | FAST, keys=first(RO, ACCESS), acl=SET)
def smismember(c: Call, argv: list[bytes]) -> Reply:
    value = c.read(argv[1], Set)
    if value is None:
        return [0] * (len(argv) - 2)
    return [int(value.holds(member)) for member in argv[2:]]


@command("SCARD", arity=2, flags=READONLY | FAST, keys=first(RO), acl=SET)
def scard(c: Call, key: bytes) -> Reply:
    value = c.read(key, Set)
    return 0 if value is None else value.length


@command("SMEMBERS", arity=2, flags=READONLY, keys=first(RO, ACCESS), acl=SET)
def smembers(c: Call, key: bytes) -> Reply:
    value = c.read(key, Set)
    return SetReply([] if value is None else value.members())


@command("SSCAN", arity=-3, flags=READONLY, keys=first(RO, ACCESS), acl=SET)
def sscan(c: Call, argv: list[bytes]) -> Reply:
    cursor = read_cursor(argv[2])
    value = c.read(argv[1], Set)
    if value is None:
        return nothing_to_scan()
    options = ScanOptions(argv, 3)
    cursor, members = value.scan(cursor, options.count)
    pattern = options.pattern
    if pattern is not None:
        members = [member for member in members if glob_match(pattern, member)]
    return scanned(cursor, members)
