"""Random sequences of stream commands over a few keys get the same replies from us and from a real server."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair, Talk, Word
from tests.compat.replies import Answer
from tests.compat.test_strings import NUMBERS, many, words

Program = list[tuple[Word, ...]]
Request = st.SearchStrategy[tuple[bytes, ...]]

LATER = (b"active-time", b"inactive", b"radix-tree-nodes")
"""Fields that Redis 7.0 does not have, and one that tells of its trees."""
TIMES = (b"idle", b"seen-time")
MOMENT = 10**11


def timeless(answer: Answer) -> Answer:
    """Without what the clock has made of it."""
    if answer.kind == "error" and answer.text.startswith(b"ERR Unbalanced"):
        return Answer("error", b"ERR Unbalanced")  # 7.0 has the name of the command in upper case, without quotes
    if not isinstance(answer.content, tuple):
        return Answer("integer", 0) if answer.kind == "integer" and answer.number > MOMENT else answer
    items = [timeless(item) for item in answer.items]
    out: list[Answer] = []
    at = 0
    while at < len(items):
        name = items[at].content
        if name in LATER:
            at += 2
            continue
        out.append(items[at])
        at += 1
        if name in TIMES:
            out.append(Answer("integer", 0))
            at += 1
    if [item.kind for item in out] == ["bulk", "bulk", "integer", "integer"]:  # XPENDING
        out[2] = Answer("integer", 0)
    return Answer(answer.kind, tuple(out))


KEYS = st.sampled_from([b"a", b"a", b"a", b"b", b"none", b"text"])
GROUPS = st.sampled_from([b"g", b"g", b"h", b"\xff\0g"])
CONSUMERS = st.sampled_from([b"c", b"d", b"", b"e\r\n"])
FIELDS = st.sampled_from([b"f", b"g", b"1", b"-7", b"", b"x" * 70])
VALUES = st.one_of(
    st.binary(max_size=5),
    st.integers(-(2**63), 2**63 - 1).map(lambda n: b"%d" % n),
    st.sampled_from([b"0", b"-1", b"127", b"128", b"4095", b"-4096", b"32768", b"-8388608", b"v" * 64, b"01", b"-0"]),
)
PAIRS = st.one_of(
    st.tuples(st.just(b"f"), VALUES, st.just(b"g"), VALUES),
    st.lists(st.tuples(FIELDS, VALUES), min_size=1, max_size=4).map(lambda pairs: tuple(w for p in pairs for w in p)),
)
NEAR = st.integers(0, 40).map(lambda n: b"%d-%d" % (n // 4, n % 4))
IDS = st.one_of(
    NEAR,
    NEAR,
    NEAR,
    st.integers(0, 12).map(lambda n: b"%d" % n),
    st.sampled_from([b"0-0", b"0", b"-", b"+", b"$", b">", b"", b"-1", b"1-", b"1-1-1", b"x", b"(1", b"1-x", b"01-1"]),
    st.sampled_from(
        [b"18446744073709551615-18446744073709551615", b"18446744073709551616-0", b"9223372036854775808-1"]
    ),
    st.sampled_from([b" 3-1", b"+4", b"5--03", b"1-0\x00x", b"\t1-1", b"2--1"]),
)
NEW_IDS = st.one_of(IDS, NEAR, st.integers(0, 12).map(lambda n: b"%d-*" % n), st.sampled_from([b"*-*", b"0-*", b"-*"]))
ENDS = st.one_of(IDS, NEAR, st.sampled_from([b"-", b"+"]), NEAR.map(lambda text: b"(" + text), st.just(b"(-"))
COUNTS = st.one_of(st.integers(0, 8).map(lambda n: b"%d" % n), NUMBERS)
IDLE = st.sampled_from([b"0", b"0", b"1000000", b"-1", b"x"])

TRIMS: Request = st.one_of(
    st.just(()),
    st.tuples(st.sampled_from([b"MAXLEN", b"maxlen"]), st.sampled_from([b"=", b"~"]), COUNTS),
    words(b"MAXLEN", COUNTS),
    words(b"MINID", NEAR),
    st.tuples(st.just(b"MINID"), st.sampled_from([b"=", b"~"]), IDS),
    st.tuples(st.just(b"MAXLEN"), st.just(b"~"), COUNTS, st.just(b"LIMIT"), COUNTS),
    st.tuples(st.just(b"MINID"), st.sampled_from([b"=", b"~"]), NEAR, st.just(b"LIMIT"), COUNTS),
    words(b"LIMIT", COUNTS),
    words(b"NOMKSTREAM"),
    words(b"MAXLEN"),
    words(b"MAXLEN", st.just(b"2"), st.just(b"MINID"), NEAR),
)


def joined(*parts: Request) -> Request:
    return st.tuples(*parts).map(lambda drawn: tuple(word for part in drawn for word in part))


def optional(part: Request) -> Request:
    return st.one_of(st.just(()), part)


READS = joined(
    optional(words(b"COUNT", COUNTS)),
    st.one_of(
        st.tuples(st.just(b"STREAMS"), KEYS, st.one_of(IDS, st.just(b">"))),
        st.tuples(st.just(b"streams"), KEYS, KEYS, IDS, st.one_of(IDS, st.just(b">"))),
        words(b"STREAMS", KEYS),
        words(b"NOACK"),
    ),
)
CLAIM_OPTIONS: Request = st.one_of(
    st.just(()),
    words(b"JUSTID"),
    words(b"FORCE"),
    words(b"IDLE", NUMBERS),
    words(b"TIME", NUMBERS),
    words(b"RETRYCOUNT", COUNTS),
    words(b"LASTID", IDS),
    words(b"x"),
)
ADDS: Request = joined(words(b"XADD", KEYS), TRIMS, st.tuples(NEW_IDS), PAIRS)
COMMANDS: Request = st.one_of(
    ADDS,
    ADDS,
    joined(words(b"XADD", KEYS), st.tuples(NEAR), PAIRS),
    joined(words(b"XTRIM", KEYS), TRIMS),
    words(b"XLEN", KEYS),
    joined(words(b"XRANGE", KEYS, ENDS, ENDS), optional(words(b"COUNT", COUNTS))),
    joined(words(b"xrevrange", KEYS, ENDS, ENDS), optional(words(b"COUNT", COUNTS))),
    many(b"XDEL", KEYS, IDS),
    many(b"XDEL", st.just(b"a"), NEAR),
    joined(
        words(b"XSETID", KEYS, IDS),
        optional(words(b"ENTRIESADDED", COUNTS)),
        optional(words(b"MAXDELETEDID", st.one_of(NEAR, IDS))),
    ),
    joined(words(b"XREAD"), READS),
    joined(words(b"XREADGROUP", st.just(b"GROUP"), GROUPS, CONSUMERS), optional(words(b"NOACK")), READS),
    joined(
        words(b"XREADGROUP", st.just(b"GROUP"), GROUPS, CONSUMERS, st.just(b"STREAMS"), st.just(b"a"), st.just(b">"))
    ),
    joined(
        words(b"XGROUP", st.just(b"CREATE"), KEYS, GROUPS, IDS),
        optional(words(b"MKSTREAM")),
        optional(words(b"ENTRIESREAD", COUNTS)),
    ),
    words(b"XGROUP", st.just(b"CREATE"), st.just(b"a"), GROUPS, st.sampled_from([b"0", b"$"])),
    joined(words(b"XGROUP", st.just(b"SETID"), KEYS, GROUPS, IDS), optional(words(b"ENTRIESREAD", COUNTS))),
    words(b"XGROUP", st.sampled_from([b"CREATECONSUMER", b"DELCONSUMER"]), KEYS, GROUPS, CONSUMERS),
    words(b"XGROUP", st.just(b"DESTROY"), KEYS, GROUPS),
    many(b"XGROUP", st.sampled_from([b"x", b"CREATE", b"DESTROY", b"SETID"]), KEYS, GROUPS),
    many(b"XACK", KEYS, GROUPS, NEAR),
    many(b"XACK", KEYS, GROUPS, IDS),
    words(b"XPENDING", KEYS, GROUPS),
    joined(words(b"XPENDING", KEYS, GROUPS, ENDS, ENDS, COUNTS), optional(st.tuples(CONSUMERS))),
    words(b"XPENDING", KEYS, GROUPS, st.just(b"IDLE"), IDLE, ENDS, ENDS, COUNTS),
    joined(words(b"XCLAIM", KEYS, GROUPS, CONSUMERS, IDLE, IDS), st.tuples(NEAR), CLAIM_OPTIONS, CLAIM_OPTIONS),
    joined(words(b"XAUTOCLAIM", KEYS, GROUPS, CONSUMERS, IDLE, ENDS), optional(words(b"COUNT", COUNTS)), CLAIM_OPTIONS),
    words(b"XAUTOCLAIM", st.just(b"a"), GROUPS, CONSUMERS, st.just(b"0"), st.just(b"-")),
    words(b"XINFO", st.just(b"GROUPS"), KEYS),
    words(b"XINFO", st.just(b"CONSUMERS"), KEYS, GROUPS),
    words(b"XINFO", st.just(b"STREAM"), KEYS),
    joined(words(b"XINFO", st.just(b"STREAM"), KEYS, st.just(b"FULL")), optional(words(b"COUNT", COUNTS))),
    words(b"COPY", KEYS, st.just(b"b"), st.just(b"REPLACE")),
    words(b"DEL", KEYS),
)


def is_fair(request: tuple[bytes, ...]) -> bool:
    """Not one whose reply tells the time."""
    return request[0] != b"XADD" or b"*" not in request


def make_consumers(talk: Talk, request: tuple[Word, ...]) -> None:
    """From Redis 7.2 on a consumer is there as soon as it asks for something, in 7.0 when it gets something."""
    if request[0] in (b"XREADGROUP", b"XCLAIM", b"XAUTOCLAIM"):
        for key in (b"a", b"b"):
            talk.both("XGROUP", "CREATECONSUMER", key, *request[2:4])


@SETTINGS
@given(program=st.lists(COMMANDS.filter(is_fair), max_size=60), protocol=st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, program: Program, protocol: Literal[2, 3]) -> None:
    pair.flush()
    talk = pair.in_protocol(protocol)
    talk.same("SET", "text", "x")
    talk.run([("XGROUP", "CREATE", "a", "g", "0", "MKSTREAM")])
    for request in program:
        make_consumers(talk, request)
        talk.same(*request, normal=timeless)
    talk.same("XINFO", "STREAM", "a", "FULL", "COUNT", "0", normal=timeless)
    talk.same("DEBUG", "DIGEST-VALUE", "a", "b")


@SETTINGS
@given(
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=6),
    cuts=st.lists(
        st.one_of(
            st.tuples(st.just("XTRIM"), st.just("MAXLEN"), st.sampled_from(["~", "="]), st.integers(0, 700)),
            st.tuples(st.just("XTRIM"), st.just("MINID"), st.sampled_from(["~", "="]), st.integers(0, 700)),
            st.tuples(
                st.just("XTRIM"), st.just("MAXLEN"), st.just("~"), st.integers(0, 300), st.just("LIMIT"), NUMBERS
            ),
            st.tuples(st.just("XDEL"), st.integers(1, 700)),
        ),
        max_size=8,
    ),
    width=st.integers(0, 60),
)
def test_nodes_end_where_those_of_redis_end(
    pair: Pair, sizes: list[int], cuts: list[tuple[Word, ...]], width: int
) -> None:
    """So approximate trimming takes as much."""
    pair.flush()
    talk = pair.resp2
    number = 0
    for index, size in enumerate(sizes):
        for _ in range(size):
            number += 1
            field = f"f{number % 3 if index % 2 else 0}"
            talk.same("XADD", "s", f"{number}-0", field, "1" * (number % 19), "v", "x" * (number * width % 200))
        for cut in cuts:
            talk.same(cut[0], "s", *cut[1:])
        talk.same("XINFO", "STREAM", "s", normal=timeless)
    talk.same("XRANGE", "s", "-", "+")
    talk.same("XREVRANGE", "s", "+", "-")
    talk.same("DEBUG", "DIGEST-VALUE", "s")


@pytest.mark.parametrize("limits", [(0, 0), (1, 0), (100, 3), (0, 5), (1000, 0), (4096, 200)])
def test_nodes_have_the_size_that_is_set(pair: Pair, limits: tuple[int, int]) -> None:
    pair.flush()
    talk = pair.resp2
    for name, value in zip(("stream-node-max-bytes", "stream-node-max-entries"), limits, strict=True):
        talk.same("CONFIG", "SET", name, value)
    for number in range(500):
        talk.same("XADD", "s", f"{number + 1}-1", "field", number, "other", "x" * (number % 40))
        if number % 50 == 0:
            talk.same("XINFO", "STREAM", "s", normal=timeless)
    for count in (400, 350, 7, 3, 0):
        talk.same("XTRIM", "s", "MAXLEN", "~", count)
        talk.same("XINFO", "STREAM", "s", normal=timeless)
    pair.tell_redis("CONFIG", "SET", "stream-node-max-bytes", 4096, "stream-node-max-entries", 100)


def test_help_begins_and_ends_alike(pair: Pair) -> None:
    for name in ("XGROUP", "XINFO"):
        theirs, ours = pair.resp2.both(name, "HELP")
        assert (ours.items[0], ours.items[-2]) == (theirs.items[0], theirs.items[-2])
