"""Places are added and looked at: GEOADD, GEODIST, GEOHASH, GEOPOS."""

from typing import Final

from gossamer.node.commands.geo.arguments import degrees, distance_text, place, unit
from gossamer.node.engine.data.changes import ZADD
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import DENYOOM, GEO, READONLY, WRITE, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, RW, UPDATE, first
from gossamer.node.resp.errors import SYNTAX, Refusal
from gossamer.node.resp.reply import NULL_ARRAY, Reply
from gossamer.node.types.geo.cells import geohash_text, place_of, score_of
from gossamer.node.types.geo.distance import between
from gossamer.node.types.zsets.zset import ADDED, SAME, ZSet

READ: Final = first(RO, ACCESS)
OPTIONS: Final = (b"NX", b"XX", b"CH")


@command("GEOADD", arity=-5, flags=WRITE | DENYOOM, keys=first(RW, UPDATE), acl=GEO)
def geoadd(c: Call, argv: list[bytes]) -> Reply:
    options, at = read_options(argv)
    scores: list[int] = []
    for index in range(at, len(argv), 3):
        longitude, latitude = place(argv, index)
        scores.append(score_of(longitude, latitude))
    if not scores:
        raise Refusal(SYNTAX)
    members = argv[at + 2 :: 3]
    words = [b"ZADD", argv[1], *options]
    for score, member in zip(scores, members, strict=True):
        words += (b"%d" % score, member)
    added, updated = put(c, argv[1], scores, members, options)
    c.propagate(*words)
    return added + updated if b"CH" in options else added


def read_options(argv: list[bytes]) -> tuple[list[bytes], int]:
    """The options, and where the first place stands."""
    options: list[bytes] = []
    at = 2
    while at < len(argv) and argv[at].upper() in OPTIONS:
        options.append(argv[at].upper())
        at += 1
    if (len(argv) - at) % 3 or (b"NX" in options and b"XX" in options):
        raise Refusal(SYNTAX)
    return options, at


def put(c: Call, key: bytes, scores: list[int], members: list[bytes], options: list[bytes]) -> tuple[int, int]:
    """Add ``members`` to the sorted set at ``key``; how many were added, and how many have another score now."""
    limits = c.server.encodings
    old = c.change(key, ZSet)
    if old is None and b"XX" in options:
        return 0, 0
    zset = ZSet() if old is None else old
    zset.expect(len(members), max([len(member) for member in members]), limits)
    added = updated = 0
    for score, member in zip(scores, members, strict=True):
        if (b"NX" in options and zset.score(member) is not None) or (b"XX" in options and zset.score(member) is None):
            continue
        result = zset.add(member, float(score), limits)
        if result == ADDED:
            added += 1
        elif result != SAME:
            updated += 1
    if old is None:
        c.store(key, zset, ZADD, added + updated)
    elif added or updated:
        c.changed(key, zset, ZADD, added + updated)
    return added, updated


@command("GEODIST", arity=-4, flags=READONLY, keys=READ, acl=GEO)
def geodist(c: Call, argv: list[bytes]) -> Reply:
    if len(argv) > 5:
        raise Refusal(SYNTAX)
    metres = unit(argv[4]) if len(argv) == 5 else 1.0
    zset = c.read(argv[1], ZSet)
    if zset is None:
        return None
    one, other = zset.score(argv[2]), zset.score(argv[3])
    if one is None or other is None:
        return None
    longitude, latitude = place_of(one)
    to_longitude, to_latitude = place_of(other)
    return distance_text(between(longitude, latitude, to_longitude, to_latitude) / metres)


@command("GEOHASH", arity=-2, flags=READONLY, keys=READ, acl=GEO)
def geohash(c: Call, argv: list[bytes]) -> Reply:
    out: list[Reply] = []
    for score in scores_of(c, argv):
        if score is None:
            out.append(None)
        else:
            longitude, latitude = place_of(score)
            out.append(geohash_text(longitude, latitude))
    return out


@command("GEOPOS", arity=-2, flags=READONLY, keys=READ, acl=GEO)
def geopos(c: Call, argv: list[bytes]) -> Reply:
    out: list[Reply] = []
    for score in scores_of(c, argv):
        if score is None:
            out.append(NULL_ARRAY)
        else:
            longitude, latitude = place_of(score)
            out.append([degrees(longitude), degrees(latitude)])
    return out


def scores_of(c: Call, argv: list[bytes]) -> list[float | None]:
    """Of the members that a request names; None of one that is not there."""
    zset = c.read(argv[1], ZSet)
    if zset is None:
        return [None] * (len(argv) - 2)
    return [zset.score(member) for member in argv[2:]]
