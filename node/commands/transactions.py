"""Transactions (redis.io, "Transactions"): MULTI queues, EXEC runs all or nothing, WATCH makes it depend on keys.

Queueing is dispatch's work; a request that dispatch refuses while a transaction is open spoils it (EXECABORT), a
command that fails when EXEC runs it does not: its error is one element of the reply.
"""

from gossamer.node.engine.clients.client import IN_MULTI, TRACKS
from gossamer.node.engine.data.watch import Watcher, broken, watch
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.serving.invoke import run
from gossamer.node.engine.serving.tracked import ran_in_exec
from gossamer.node.engine.table.command import (
    ALLOW_BUSY,
    FAST,
    LOADING,
    NOSCRIPT,
    SKIP_SLOWLOG,
    STALE,
    TRANSACTION,
    UNQUEUED,
    command,
)
from gossamer.node.engine.table.keyspec import RO, all_keys
from gossamer.node.resp.errors import (
    DISCARD_WITHOUT_MULTI,
    EXEC_WITHOUT_MULTI,
    EXECABORT,
    NESTED_MULTI,
    WATCH_IN_MULTI,
    Refusal,
)
from gossamer.node.resp.reply import NULL_ARRAY, OK, Raw, Reply
from gossamer.node.resp.writer import encode

OPENING = NOSCRIPT | LOADING | STALE | FAST | ALLOW_BUSY


@command("MULTI", arity=1, flags=OPENING | UNQUEUED, acl=TRANSACTION)
def multi(c: Call) -> Reply:
    if c.client.modes & IN_MULTI:
        raise Refusal(NESTED_MULTI)
    c.client.set_mode(IN_MULTI, True)
    return OK


@command("DISCARD", arity=1, flags=OPENING | UNQUEUED, acl=TRANSACTION)
def discard(c: Call) -> Reply:
    if not c.client.modes & IN_MULTI:
        raise Refusal(DISCARD_WITHOUT_MULTI)
    c.client.forget_transaction()
    return OK


EXEC_FLAGS = NOSCRIPT | LOADING | STALE | SKIP_SLOWLOG


@command("EXEC", arity=1, flags=EXEC_FLAGS | UNQUEUED, acl=TRANSACTION)
def exec_(c: Call) -> Reply:
    client = c.client
    if not client.modes & IN_MULTI:
        raise Refusal(EXEC_WITHOUT_MULTI)
    if client.queue_broken:
        client.forget_transaction()
        raise Refusal(EXECABORT)
    watcher = client.watcher
    if watcher is not None and broken(watcher, c.now):
        client.forget_transaction()
        return NULL_ARRAY
    client.unwatch()
    reply = run_queue(c)
    client.forget_transaction()
    return reply


def run_queue(c: Call) -> Raw:
    """Run what was queued. Each reply is encoded at once, in the protocol that the client speaks at that moment."""
    client = c.client
    server = c.server
    out = [b"*%d\r\n" % len(client.queue)]
    for cmd, argv in client.queue:
        if server.slot_imports.all and c.privileged:
            c.db = server.slot_imports.place_of(cmd, argv, client.db)
        out.append(encode(run(c, cmd, argv, nested=True), client.resp3))
        if client.modes & TRACKS:
            ran_in_exec(server, client, cmd, argv)
    c.db = client.db
    return Raw(b"".join(out))


WATCHED = all_keys(RO)


@command("WATCH", arity=-2, flags=OPENING | UNQUEUED, keys=WATCHED, acl=TRANSACTION)
def watch_(c: Call, argv: list[bytes]) -> Reply:
    client = c.client
    if client.modes & IN_MULTI:
        raise Refusal(WATCH_IN_MULTI)
    watcher = client.watcher
    if watcher is None:
        watcher = client.watcher = Watcher()
    elif watcher.broken:
        return OK
    for key in argv[1:]:
        watch(watcher, c.db, key, c.now)
    return OK


@command("UNWATCH", arity=1, flags=OPENING, acl=TRANSACTION)
def unwatch(c: Call) -> Reply:
    c.client.unwatch()
    return OK
