"""What a sorted set has: scores, ranks, counts, and all of it a piece at a time (ZSCAN)."""

from typing import Final

from gossamer.node.commands.scan_options import ScanOptions, nothing_to_scan, read_cursor, scanned
from gossamer.node.commands.zsets.arguments import lex_range, score_range
from gossamer.node.engine.serving.call import Call
from gossamer.node.engine.table.command import FAST, READONLY, SORTED_SET, command
from gossamer.node.engine.table.keyspec import ACCESS, RO, first
from gossamer.node.glob import glob_match
from gossamer.node.resp.doubles import format_double
from gossamer.node.resp.errors import SYNTAX, Refusal, wrong_arity
from gossamer.node.resp.reply import NULL_ARRAY, Reply
from gossamer.node.types.zsets.zset import ZSet

READ: Final = first(RO, ACCESS)
FAST_READ: Final = READONLY | FAST


@command("ZCARD", arity=2, flags=FAST_READ, keys=first(RO), acl=SORTED_SET)
def zcard(c: Call, key: bytes) -> Reply:
    value = c.read(key, ZSet)
    return 0 if value is None else value.length()


@command("ZSCORE", arity=3, flags=FAST_READ, keys=READ, acl=SORTED_SET)
def zscore(c: Call, key: bytes, member: bytes) -> Reply:
    value = c.read(key, ZSet)
    return None if value is None else value.score(member)


@command("ZMSCORE", arity=-3, flags=FAST_READ, keys=READ, acl=SORTED_SET)
def zmscore(c: Call, argv: list[bytes]) -> Reply:
    value = c.read(argv[1], ZSet)
    return [None if value is None else value.score(member) for member in argv[2:]]


@command("ZRANK", arity=-3, flags=FAST_READ, keys=READ, acl=SORTED_SET)
def zrank(c: Call, argv: list[bytes]) -> Reply:
    return rank(c, argv, "zrank", False)


@command("ZREVRANK", arity=-3, flags=FAST_READ, keys=READ, acl=SORTED_SET)
def zrevrank(c: Call, argv: list[bytes]) -> Reply:
    return rank(c, argv, "zrevrank", True)


def rank(c: Call, argv: list[bytes], name: str, reverse: bool) -> Reply:
    if len(argv) > 4:
        raise Refusal(wrong_arity(name))
    with_score = len(argv) == 4
    if with_score and argv[3].upper() != b"WITHSCORE":
        raise Refusal(SYNTAX)
    value = c.read(argv[1], ZSet)
    found = -1 if value is None else value.rank(argv[2])
    if value is None or found < 0:
        return NULL_ARRAY if with_score else None
    if reverse:
        found = value.length() - 1 - found
    return [found, value.score(argv[2])] if with_score else found


@command("ZCOUNT", arity=4, flags=FAST_READ, keys=READ, acl=SORTED_SET)
def zcount(c: Call, key: bytes, low: bytes, high: bytes) -> Reply:
    wanted = score_range(low, high)
    value = c.read(key, ZSet)
    if value is None:
        return 0
    start, stop = value.slice_by_score(wanted)
    return stop - start


@command("ZLEXCOUNT", arity=4, flags=FAST_READ, keys=READ, acl=SORTED_SET)
def zlexcount(c: Call, key: bytes, low: bytes, high: bytes) -> Reply:
    wanted = lex_range(low, high)
    value = c.read(key, ZSet)
    if value is None:
        return 0
    start, stop = value.slice_by_lex(wanted)
    return stop - start


@command("ZSCAN", arity=-3, flags=READONLY, keys=READ, acl=SORTED_SET)
def zscan(c: Call, argv: list[bytes]) -> Reply:
    cursor = read_cursor(argv[2])
    value = c.read(argv[1], ZSet)
    if value is None:
        return nothing_to_scan()
    options = ScanOptions(argv, 3)
    members, cursor = value.scan(cursor)
    while cursor and len(members) < options.count:
        more, cursor = value.scan(cursor)
        members += more
    out: list[bytes] = []
    for member in members:
        if options.pattern is None or glob_match(options.pattern, member):
            out.append(member)
            out.append(shown(value, member))
    return scanned(cursor, out)


def shown(value: ZSet, member: bytes) -> bytes:
    """A score as ZSCAN shows it: in 17 digits if the set is large."""
    score = value.score(member)
    assert score is not None
    return format_double(score) if value.is_listpack() else b"%.17g" % score
