"""Clients that wait for keys are served as soon as the request that has changed them is done (blocked.c of Redis 7.2).

Not within a transaction or a script: what waits is served when all of it is done. A request that is served so may
change keys itself (BLMOVE), and who waits for those is served in the same turn. Changes that no request of a client has
made (expiry, the stream of a primary, slots that come) are looked at when the batch ends. A pause holds back
those whose commands it does, and the others are served.
"""

from gossamer.node.engine.clients.pause import EVERYTHING
from gossamer.node.engine.clients.waiting import Key, Wait
from gossamer.node.engine.server import Server
from gossamer.node.engine.state import PAUSED
from gossamer.node.types.kind import Value


def serve_changed_keys(server: Server) -> None:
    """Go through ``changed_keys`` until nothing more follows from them. Who may not run in a pause is served later."""
    waiting = server.waiting
    if waiting.serving:
        return
    if waiting.held_keys and not server.conditions & PAUSED:
        waiting.let_go()
    waiting.serving = True
    try:
        while waiting.changed_keys:
            for key in waiting.take_changed_keys():
                serve_key(server, key)
    finally:
        waiting.serving = False


def serve_key(server: Server, key: Key) -> None:
    """Ask those who wait for ``key`` anew, in the order of arrival, if it holds what they wait for."""
    value = present(server, key)
    waits: list[Wait] = server.waiting.in_line(key)
    for wait in waits:
        if wait.finished or wait.client.closing or not wait.wants(value):
            continue
        if held_back(server, wait):
            server.waiting.held_keys[key] = True
            continue
        server.waiting.rerun(wait)
        value = present(server, key)


def held_back(server: Server, wait: Wait) -> bool:
    """A pause of writes holds back who would pop, and not who reads a stream."""
    if not server.conditions & PAUSED:
        return False
    flags = server.pause.flags
    command = wait.client.last_command
    return flags == EVERYTHING or command is None or command.flags & flags != 0


def present(server: Server, key: Key) -> Value | None:
    """What ``key`` holds; None if there is nothing, or nothing any more."""
    index, name = key
    db = server.keyspace.database(index)
    part = db.part_of(name)
    value = db.get(part, name)
    if value is not None and db.volatile and 0 <= db.expire_time(part, name) < server.now:
        return None
    return value
