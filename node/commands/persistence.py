"""SAVE, BGSAVE, LASTSAVE, BGREWRITEAOF: the data as files (redis.io, "Server management"; rdb.c of Redis 7.2)."""

from gossamer.node.engine.clients.client import IN_MULTI
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import (
    ADMIN,
    DANGEROUS,
    FAST,
    LOADING,
    NO_ASYNC_LOADING,
    NO_MULTI,
    NOSCRIPT,
    STALE,
    command,
)
from gossamer.node.resp.errors import (
    REWRITE_IN_THE_WAY,
    REWRITE_UNDER_WAY,
    SAVE_FAILED,
    SAVE_UNDER_WAY,
    SYNTAX,
    Refusal,
)
from gossamer.node.resp.reply import OK, Reply, Status
from gossamer.node.saving.saves import saves_of


@command("SAVE", arity=1, flags=ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI)
def save(c: Call) -> Reply:
    saves = saves_of(c.server)
    if saves.in_progress:
        raise Refusal(SAVE_UNDER_WAY)
    if not saves.save():
        raise Refusal(SAVE_FAILED)
    return OK


@command("BGSAVE", arity=-1, flags=ADMIN | NOSCRIPT | NO_ASYNC_LOADING)
def bgsave(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) > 2 or (len(argv) == 2 and argv[1].upper() != b"SCHEDULE"):
        raise Refusal(SYNTAX)
    saves = saves_of(c.server)
    if saves.in_progress:
        raise Refusal(SAVE_UNDER_WAY)
    in_multi = bool(c.client.modes & IN_MULTI)
    if saves.rewrites.in_progress and len(argv) == 1 and not in_multi:
        raise Refusal(REWRITE_IN_THE_WAY)
    scheduled = in_multi or saves.rewrites.in_progress
    saves.begin(at_once=not in_multi)
    return Status(b"Background saving scheduled" if scheduled else b"Background saving started")


@command("BGREWRITEAOF", arity=1, flags=ADMIN | NOSCRIPT | NO_ASYNC_LOADING)
def bgrewriteaof(c: Call) -> Reply:
    rewrites = saves_of(c.server).rewrites
    if rewrites.in_progress:
        raise Refusal(REWRITE_UNDER_WAY)
    in_multi = bool(c.client.modes & IN_MULTI)
    rewrites.schedule(at_once=not in_multi)
    if rewrites.is_scheduled or in_multi:
        rewrites.failures = 0  # as Redis: it is not held up any longer than it takes
        return Status(b"Background append only file rewriting scheduled")
    return Status(b"Background append only file rewriting started")


@command("LASTSAVE", arity=1, flags=LOADING | STALE | FAST, acl=("admin", DANGEROUS))
def lastsave(c: Call) -> Reply:
    return saves_of(c.server).last_save_s
