"""Fields of a hash set, read and deleted. Checks stand in the order in which Redis 7.2 makes them (t_hash.c)."""

from typing import Final

from gossamer.node.commands.hashes.present import drop_if_over, seen_at
from gossamer.node.engine.data.changes import HDEL, HSET
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, FAST, HASH, READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, DELETE, INSERT, RO, RW, UPDATE, first
from gossamer.node.resp.errors import Refusal, wrong_arity
from gossamer.node.resp.reply import OK, Reply
from gossamer.node.types.hashes.hash import Hash

READ: Final = first(RO, ACCESS)
ASKED: Final = first(RO)


# --- setting


@command("HSET", arity=-4, flags=WRITE | DENYOOM | FAST, keys=first(RW, UPDATE), acl=HASH)
def hset(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) % 2:
        raise Refusal(wrong_arity("hset"))
    return set_pairs(c, argv)


@command("HMSET", arity=-4, flags=WRITE | DENYOOM | FAST, keys=first(RW, UPDATE), acl=HASH)
def hmset(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) % 2:
        raise Refusal(wrong_arity("hmset"))
    set_pairs(c, argv)
    return OK


def set_pairs(c: Call, argv: list[bytes]) -> int:
    """The fields and values behind the key; how many fields are new."""
    key = argv[1]
    present = c.change(key, Hash)
    value = Hash() if present is None else present
    limits = c.server.encodings
    count = 0
    for at in range(2, len(argv), 2):
        if value.expires:
            drop_if_over(c, key, value, argv[at])
            value.persist(argv[at])
        if value.put(argv[at], argv[at + 1], limits):
            count += 1
    if present is None:
        c.replace(key, value, HSET, len(argv) // 2 - 1)
    else:
        c.changed(key, value, HSET, len(argv) // 2 - 1)
    return count


@command("HSETNX", arity=4, flags=WRITE | DENYOOM | FAST, keys=first(RW, INSERT), acl=HASH)
def hsetnx(c: Call, key: bytes, field: bytes, text: bytes) -> Reply:
    value = c.change(key, Hash)
    if value is None:
        value = Hash()
    elif value.get(field, seen_at(c)) is not None:
        return 0
    elif drop_if_over(c, key, value, field):
        c.propagate(b"HSET", key, field, text)  # where it is not known to be over, it is still there
    value.put(field, text, c.server.encodings)
    c.replace(key, value, HSET)
    return 1


# --- reading


@command("HGET", arity=3, flags=READONLY | FAST, keys=READ, acl=HASH)
def hget(c: Call, key: bytes, field: bytes) -> Reply:
    value = c.read(key, Hash)
    return None if value is None else value.get(field, seen_at(c))


@command("HMGET", arity=-3, flags=READONLY | FAST, keys=READ, acl=HASH)
def hmget(c: Call, argv: list[bytes]) -> Reply:
    value = c.read(argv[1], Hash)
    now = seen_at(c)
    return [None if value is None else value.get(field, now) for field in argv[2:]]


@command("HSTRLEN", arity=3, flags=READONLY | FAST, keys=ASKED, acl=HASH)
def hstrlen(c: Call, key: bytes, field: bytes) -> Reply:
    value = c.read(key, Hash)
    text = None if value is None else value.get(field, seen_at(c))
    return 0 if text is None else len(text)


@command("HEXISTS", arity=3, flags=READONLY | FAST, keys=ASKED, acl=HASH)
def hexists(c: Call, key: bytes, field: bytes) -> Reply:
    value = c.read(key, Hash)
    return 1 if value is not None and value.get(field, seen_at(c)) is not None else 0


@command("HLEN", arity=2, flags=READONLY | FAST, keys=ASKED, acl=HASH)
def hlen(c: Call, key: bytes) -> Reply:
    value = c.read(key, Hash)
    return 0 if value is None else value.length


# --- deleting


@command("HDEL", arity=-3, flags=WRITE | FAST, keys=first(RW, DELETE), acl=HASH)
def hdel(c: Call, argv: list[bytes]) -> Reply:
    value = c.change(argv[1], Hash)
    if value is None:
        return 0
    now = seen_at(c)
    count = 0
    for at in range(2, len(argv)):
        if not value.is_over(argv[at], now) and value.remove(argv[at]):
            count += 1
    if count:
        c.changed(argv[1], value, HDEL, count)
    return count
