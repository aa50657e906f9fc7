"""When fields of a hash end: HTTL and its family tell it, HPERSIST takes it away (Valkey 9.1)."""

from typing import Final

from gossamer.node.commands.expiration import NEVER, NO_KEY, seconds
from gossamer.node.commands.hashes.arguments import fields_at
from gossamer.node.commands.hashes.present import seen_at
from gossamer.node.engine.data.changes import HPERSIST
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import FAST, HASH, READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, RW, UPDATE, first
from gossamer.node.resp.errors import SYNTAX
from gossamer.node.resp.reply import Reply
from gossamer.node.types.hashes.hash import Hash

TELL: Final = READONLY | FAST
TOLD: Final = first(RO, ACCESS)

NO_FIELD: Final = NO_KEY


@command("HTTL", arity=-5, flags=TELL, keys=TOLD, acl=HASH)
def httl(c: Call, argv: list[bytes]) -> Reply:
    return [seconds(left(c, at)) for at in ends(c, argv)]


@command("HPTTL", arity=-5, flags=TELL, keys=TOLD, acl=HASH)
def hpttl(c: Call, argv: list[bytes]) -> Reply:
    return [left(c, at) for at in ends(c, argv)]


@command("HEXPIRETIME", arity=-5, flags=TELL, keys=TOLD, acl=HASH)
def hexpiretime(c: Call, argv: list[bytes]) -> Reply:
    return [seconds(at) for at in ends(c, argv)]


@command("HPEXPIRETIME", arity=-5, flags=TELL, keys=TOLD, acl=HASH)
def hpexpiretime(c: Call, argv: list[bytes]) -> Reply:
    return ends(c, argv)


def ends(c: Call, argv: list[bytes]) -> list[int]:
    """When each field ends, in unix milliseconds; ``NEVER``, or ``NO_FIELD``."""
    fields = fields_at(argv, 2, SYNTAX)
    value = c.read(argv[1], Hash)
    now = seen_at(c)
    return [NO_FIELD if value is None or value.get(field, now) is None else value.end(field) for field in fields]


def left(c: Call, at: int) -> int:
    return at if at < 0 else max(at - c.now, 0)


@command("HPERSIST", arity=-5, flags=WRITE | FAST, keys=first(RW, UPDATE), acl=HASH)
def hpersist(c: Call, argv: list[bytes]) -> Reply:
    fields = fields_at(argv, 2)
    value = c.change(argv[1], Hash)
    if value is None:
        return [NO_FIELD] * len(fields)
    now = seen_at(c)
    done = 0
    out: list[int] = []
    for field in fields:
        if value.get(field, now) is None:
            out.append(NO_FIELD)
        elif value.persist(field):
            out.append(1)
            done += 1
        else:
            out.append(NEVER)
    if done:
        c.changed(argv[1], value, HPERSIST, done)
    return out
