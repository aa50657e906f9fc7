"""Places are looked for: GEORADIUS, GEOSEARCH and their kin."""

from typing import Final

from gossamer.node.commands.geo.found import as_zset, search, told
from gossamer.node.commands.geo.query import RADIUS, STORING, Query
from gossamer.node.engine.data.changes import GEORADIUSSTORE, GEOSEARCHSTORE
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, GEO, READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, OW, RO, UPDATE, KeySpec, first
from gossamer.node.resp.reply import Reply
from gossamer.node.types.zsets.zset import ZSet


def keys_with_stores(options: int) -> tuple[KeySpec, ...]:
    """The places, and the keys behind STORE and STOREDIST, which stand among the options from ``options`` on."""
    return (
        KeySpec((RO, ACCESS)),
        KeySpec((OW, UPDATE), index=options, keyword=b"STORE"),
        KeySpec((OW, UPDATE), index=options, keyword=b"STOREDIST"),
    )


READ: Final = first(RO, ACCESS)
STORE_KEYS: Final = (KeySpec((OW, UPDATE)), KeySpec((RO, ACCESS), index=2))


@command("GEORADIUS", arity=-6, flags=WRITE | DENYOOM, keys=keys_with_stores(6), acl=GEO)
def georadius(c: Call, argv: list[bytes]) -> Reply:
    return by_place(c, argv, RADIUS | STORING)


@command("GEORADIUS_RO", arity=-6, flags=READONLY, keys=READ, acl=GEO)
def georadius_ro(c: Call, argv: list[bytes]) -> Reply:
    return by_place(c, argv, RADIUS)


def by_place(c: Call, argv: list[bytes], kind: int) -> Reply:
    query = Query(kind, places(c, argv[1]))
    query.around_place(argv, 2)
    query.in_circle(argv, 4)
    query.read(argv, 6)
    return answer(c, query)


@command("GEORADIUSBYMEMBER", arity=-5, flags=WRITE | DENYOOM, keys=keys_with_stores(5), acl=GEO)
def georadiusbymember(c: Call, argv: list[bytes]) -> Reply:
    return by_member(c, argv, RADIUS | STORING)


@command("GEORADIUSBYMEMBER_RO", arity=-5, flags=READONLY, keys=READ, acl=GEO)
def georadiusbymember_ro(c: Call, argv: list[bytes]) -> Reply:
    return by_member(c, argv, RADIUS)


def by_member(c: Call, argv: list[bytes], kind: int) -> Reply:
    query = Query(kind, places(c, argv[1]))
    if query.zset is not None:  # else Redis looks at the options only
        query.around_member(argv[2])
        query.in_circle(argv, 3)
    query.read(argv, 5)
    return answer(c, query)


@command("GEOSEARCH", arity=-7, flags=READONLY, keys=READ, acl=GEO)
def geosearch(c: Call, argv: list[bytes]) -> Reply:
    query = Query(0, places(c, argv[1]))
    query.read(argv, 2)
    return answer(c, query)


@command("GEOSEARCHSTORE", arity=-8, flags=WRITE | DENYOOM, keys=STORE_KEYS, acl=GEO)
def geosearchstore(c: Call, argv: list[bytes]) -> Reply:
    query = Query(STORING, places(c, argv[2]), argv[1])
    query.read(argv, 3)
    return answer(c, query)


def places(c: Call, key: bytes) -> ZSet | None:
    """The sorted set that is searched: also where the command writes elsewhere, this is a read."""
    c.counting = True
    zset = c.read(key, ZSet)
    c.counting = False
    return zset


def answer(c: Call, query: Query) -> Reply:
    zset, target = query.zset, query.target
    if target is None:
        return [] if zset is None else told(search(zset, query), query)
    stored = ZSet() if zset is None else as_zset(search(zset, query), query, c.server.encodings)
    count = stored.length()
    if count:
        c.store(target, stored, GEORADIUSSTORE if query.kind & RADIUS else GEOSEARCHSTORE, count)
    else:
        c.delete(target)
    return count
