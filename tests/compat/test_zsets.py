"""Random sequences of commands on sorted sets get the same replies from us and from a real server, in either form.

Redis 7.0 prints doubles in 17 digits and 7.2 in as few as it takes; we do as 7.2 does. So it is numbers that are
compared here, and ``tests/unit/node/resp/test_doubles.py`` has the digits of 7.2.
"""

import re
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.resp.doubles import format_double
from tests.compat.pair import SETTINGS, Pair, Word, encode
from tests.compat.replies import Answer, in_any_order
from tests.compat.test_strings import many, with_options, words

Program = list[tuple[Word, ...]]
Request = st.SearchStrategy[tuple[bytes, ...]]

FORMS = ["128", "3", "0"]
"""Of ``zset-max-listpack-entries``: all small, small at first, all large."""
KEYS = st.sampled_from([b"a", b"b", b"c", b"\r\n\x00\xff", b"text"])
MEMBERS = st.one_of(
    st.sampled_from([b"", b"a", b"b", b"c", b"ab", b"\x00\xff", b"12", b"-7", b"1.5", b"x" * 70]),
    st.binary(max_size=2),
)
NUMBERS = st.one_of(
    st.integers(-4, 4).map(lambda n: b"%d" % n),
    st.sampled_from([b"0.5", b"-0", b"1e3", b"inf", b"-inf", b"+inf", b"3.0000000000000004", b"12345678901234567"]),
    st.sampled_from([b"9007199254740993", b"0.1", b"1e-7", b"-1.5e300", b"1e308", b"0x10", b"128", b"-129", b"32768"]),
)
ODD = st.sampled_from([b"", b"nan", b"a", b"1 ", b" 1", b"1e400", b"1e-400", b"1_0", b"(1", b"1\x00", b"0x", b"--1"])
SCORES = st.one_of(NUMBERS, NUMBERS, NUMBERS, ODD)
ENDS = st.one_of(
    NUMBERS, NUMBERS.map(lambda n: b"(" + n), ODD, st.sampled_from([b"(", b"(nan", b"((1", b"-inf", b"+inf"])
)
LEX_ENDS = st.one_of(
    MEMBERS.map(lambda m: b"[" + m),
    MEMBERS.map(lambda m: b"(" + m),
    st.sampled_from([b"-", b"+", b"", b"a", b"-a", b"5"]),
)
RANKS = st.one_of(
    st.integers(-6, 6).map(lambda n: b"%d" % n),
    st.sampled_from([b"", b"a", b"1.0", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808"]),
)
COUNTS = st.one_of(st.integers(-1, 4).map(lambda n: b"%d" % n), RANKS)

CONDITIONS = st.sampled_from([(b"NX",), (b"xx",), (b"GT",), (b"lt",), (b"CH",), (b"INCR",)])
LIMIT = st.tuples(st.sampled_from([b"LIMIT", b"limit"]), RANKS, RANKS)
RANGE_OPTIONS = st.one_of(
    st.sampled_from([(b"WITHSCORES",), (b"rev",), (b"BYSCORE",), (b"bylex",), (b"LIMIT", b"1"), (b"no",)]), LIMIT
)
ALGEBRA_OPTIONS = st.one_of(
    st.tuples(st.just(b"AGGREGATE"), st.sampled_from([b"SUM", b"min", b"MAX", b"avg"])),
    st.tuples(st.sampled_from([b"WEIGHTS", b"weights"]), SCORES, SCORES),
    st.sampled_from([(b"WITHSCORES",), (b"WEIGHTS", b"2"), (b"LIMIT", b"1"), (b"limit", b"-1"), (b"AGGREGATE",)]),
)


def add(options: st.SearchStrategy[tuple[bytes, ...]]) -> Request:
    pairs = st.lists(st.tuples(SCORES, MEMBERS), min_size=1, max_size=4)
    head = with_options(words(b"ZADD", KEYS), options)
    return st.tuples(head, pairs).map(lambda drawn: (*drawn[0], *(word for pair in drawn[1] for word in pair)))


def of_keys(*head: st.SearchStrategy[bytes]) -> Request:
    """``head``, a number of keys that is mostly right, and the keys."""
    told = st.sampled_from([b"0", b"-1", b"1", b"3", b"a", b"9223372036854775807"])
    counted = st.lists(KEYS, min_size=1, max_size=3).map(lambda keys: (b"%d" % len(keys), *keys))
    wrong = st.tuples(told, KEYS, KEYS)
    return st.tuples(st.tuples(*head), st.one_of(counted, counted, wrong)).map(lambda drawn: drawn[0] + drawn[1])


def algebra(name: bytes, *head: st.SearchStrategy[bytes]) -> Request:
    return with_options(of_keys(st.just(name), *head), ALGEBRA_OPTIONS)


ADDING: Request = st.one_of(
    many(b"ZADD", SCORES, MEMBERS).flatmap(lambda request: KEYS.map(lambda key: (request[0], key, *request[1:]))),
    add(CONDITIONS),
    words(b"ZINCRBY", KEYS, SCORES, MEMBERS),
)
LOOKING: Request = st.one_of(
    words(b"ZCARD", KEYS),
    words(b"ZSCORE", KEYS, MEMBERS),
    words(b"ZMSCORE", KEYS, MEMBERS, MEMBERS),
    words(b"ZRANK", KEYS, MEMBERS),
    words(b"ZREVRANK", KEYS, MEMBERS),
    words(b"ZCOUNT", KEYS, ENDS, ENDS),
    with_options(words(b"ZRANGE", KEYS, RANKS, RANKS), RANGE_OPTIONS),
    with_options(words(b"ZRANGE", KEYS, ENDS, ENDS), RANGE_OPTIONS),
    with_options(words(b"ZREVRANGE", KEYS, RANKS, RANKS), RANGE_OPTIONS),
    with_options(words(b"ZRANGEBYSCORE", KEYS, ENDS, ENDS), RANGE_OPTIONS),
    with_options(words(b"ZREVRANGEBYSCORE", KEYS, ENDS, ENDS), RANGE_OPTIONS),
    with_options(words(b"ZRANGESTORE", KEYS, KEYS, RANKS, RANKS), RANGE_OPTIONS),
    with_options(words(b"ZRANGESTORE", KEYS, KEYS, ENDS, ENDS), RANGE_OPTIONS),
    words(b"TYPE", KEYS),
    words(b"EXISTS", KEYS),
    words(b"PTTL", KEYS),
    words(b"OBJECT", st.just(b"ENCODING"), KEYS),
)
TAKING: Request = st.one_of(
    many(b"ZREM", MEMBERS).flatmap(lambda request: KEYS.map(lambda key: (request[0], key, *request[1:]))),
    words(b"ZREMRANGEBYRANK", KEYS, RANKS, RANKS),
    words(b"ZREMRANGEBYSCORE", KEYS, ENDS, ENDS),
    with_options(words(b"ZPOPMIN", KEYS), COUNTS.map(lambda count: (count,))),
    with_options(words(b"ZPOPMAX", KEYS), COUNTS.map(lambda count: (count,))),
    with_options(
        of_keys(st.just(b"ZMPOP")),
        st.one_of(
            st.sampled_from([(b"MIN",), (b"max",), (b"COUNT",)]), st.tuples(st.just(b"MIN"), st.just(b"COUNT"), COUNTS)
        ),
    ),
    st.tuples(of_keys(st.just(b"ZMPOP")), st.sampled_from([b"MIN", b"max"])).map(lambda drawn: (*drawn[0], drawn[1])),
)
ALGEBRA: Request = st.one_of(
    *[algebra(name) for name in (b"ZUNION", b"ZINTER", b"ZDIFF", b"ZINTERCARD")],
    *[algebra(name, KEYS) for name in (b"ZUNIONSTORE", b"ZINTERSTORE", b"ZDIFFSTORE")],
)
OTHERS: Request = st.one_of(
    words(b"COPY", KEYS, KEYS),
    words(b"RENAME", KEYS, KEYS),
    words(b"DEL", KEYS),
    words(b"PEXPIRE", KEYS, st.sampled_from([b"0", b"1000000"])),
    words(b"ZADD", KEYS),
    words(b"ZRANK", KEYS),
    words(b"ZINTERCARD", KEYS),
    words(b"GET", KEYS),
)
COMMANDS: Request = st.one_of(ADDING, ADDING, LOOKING, TAKING, ALGEBRA, OTHERS)

REAL = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|inf)")


def in_short(answer: Answer) -> Answer:
    """Every double in the digits of 7.2: also one that stands in a bulk string. A ``normal``."""
    if isinstance(answer.content, tuple):
        return Answer(answer.kind, tuple(in_short(item) for item in answer.content))
    if answer.kind in ("double", "bulk") and REAL.fullmatch(answer.text):
        return Answer(answer.kind, format_double(float(answer.text)))
    return answer


def begin(pair: Pair, entries: str, protocol: Literal[2, 3] = 2) -> None:
    pair.flush()
    talk = pair.in_protocol(protocol)
    talk.same("CONFIG", "SET", "zset-max-listpack-entries", entries)
    talk.same("SET", "text", "x")


@SETTINGS
@given(program=st.lists(COMMANDS, max_size=40), protocol=st.sampled_from([2, 3]), entries=st.sampled_from(FORMS))
def test_random_sequences(pair: Pair, program: Program, protocol: Literal[2, 3], entries: str) -> None:
    begin(pair, entries, protocol)
    talk = pair.in_protocol(protocol)
    talk.run(program, normal=in_short)
    for key in (b"a", b"b", b"c", b"\r\n\x00\xff"):
        talk.same("ZRANGE", key, 0, -1, "WITHSCORES", normal=in_short)
        talk.same("OBJECT", "ENCODING", key)


PLAIN: Request = many(b"SADD", MEMBERS).flatmap(lambda request: KEYS.map(lambda key: (request[0], key, *request[1:])))


@SETTINGS
@given(program=st.lists(st.one_of(ADDING, PLAIN, ALGEBRA), max_size=30), entries=st.sampled_from(FORMS))
def test_plain_sets_are_operands(pair: Pair, program: Program, entries: str) -> None:
    begin(pair, entries)
    pair.resp2.run(program, normal=in_short)


@SETTINGS
@given(
    members=st.lists(MEMBERS, max_size=8),
    ends=st.lists(st.tuples(LEX_ENDS, LEX_ENDS, RANKS, RANKS), max_size=6),
    entries=st.sampled_from(FORMS),
)
def test_ranges_by_bytes(
    pair: Pair, members: list[bytes], ends: list[tuple[bytes, bytes, bytes, bytes]], entries: str
) -> None:
    begin(pair, entries)
    talk = pair.resp2
    for member in members:
        talk.same("ZADD", "a", 0, member)
    for low, high, offset, count in ends:
        talk.run([("ZLEXCOUNT", "a", low, high), ("ZLEXCOUNT", "text", low, high), ("ZRANGEBYLEX", "a", low, high)])
        talk.run([("ZREVRANGEBYLEX", "a", high, low), ("ZRANGE", "a", low, high, "BYLEX", "LIMIT", offset, count)])
        talk.run([("ZRANGE", "a", high, low, "BYLEX", "REV", "LIMIT", offset, count)])
        talk.run(
            [("ZRANGESTORE", "b", "a", low, high, "BYLEX"), ("ZRANGE", "b", 0, -1), ("ZRANGEBYLEX", "no", low, high)]
        )
    for low, high, _, _ in ends:
        talk.run([("ZREMRANGEBYLEX", "a", low, high), ("ZCARD", "a"), ("EXISTS", "a")])


@SETTINGS
@given(score=st.floats(allow_nan=False), other=st.floats(allow_nan=False), entries=st.sampled_from(FORMS))
def test_any_double_is_a_score(pair: Pair, score: float, other: float, entries: str) -> None:
    begin(pair, entries)
    talk = pair.resp2
    talk.run([("ZADD", "a", repr(score), "m"), ("ZADD", "b", repr(other), "m", 1, "n")], normal=in_short)
    talk.run([("ZSCORE", "a", "m"), ("ZRANGEBYSCORE", "a", repr(other), repr(score), "WITHSCORES")], normal=in_short)
    talk.run([("ZINCRBY", "a", repr(other), "m"), ("ZUNION", 2, "a", "b", "WITHSCORES")], normal=in_short)
    talk.run([("ZUNION", 2, "a", "b", "WEIGHTS", repr(other), 0, "WITHSCORES")], normal=in_short)


def test_large_sets(pair: Pair) -> None:
    """Thousands of members, with ranks and ranges at all places."""
    pair.flush()
    talk = pair.resp2
    for start in range(0, 6000, 100):
        pairs = [word for n in range(start, start + 100) for word in (n * 7919 % 6000 // 3, f"m{n}")]
        talk.same("ZADD", "z", *pairs)
    for at in range(0, 6000, 97):
        talk.run([("ZRANK", "z", f"m{at}"), ("ZREVRANK", "z", f"m{at}"), ("ZRANGE", "z", at, at + 5, "WITHSCORES")])
        talk.run(
            [("ZREVRANGE", "z", at, at + 5), ("ZCOUNT", "z", at // 3, f"({at}"), ("ZINCRBY", "z", at - 3000, f"m{at}")]
        )
        talk.run([("ZRANGEBYSCORE", "z", f"({at}", "+inf", "LIMIT", at // 2, 3), ("ZREM", "z", f"m{at + 1}", "no")])
    talk.run([("ZREMRANGEBYRANK", "z", 100, 4000), ("ZREMRANGEBYSCORE", "z", "-inf", 100), ("ZRANGE", "z", 0, -1)])
    talk.run([("ZPOPMIN", "z", 50), ("ZPOPMAX", "z", 50), ("ZUNIONSTORE", "y", 2, "z", "z", "WEIGHTS", 1, -1)])
    talk.run(
        [("ZRANGE", "y", 0, -1, "WITHSCORES"), ("OBJECT", "ENCODING", "y"), ("ZPOPMIN", "z", 5000), ("EXISTS", "z")]
    )


@pytest.mark.parametrize("entries", FORMS)
@pytest.mark.parametrize("protocol", [2, 3])
def test_members_drawn_by_chance(pair: Pair, protocol: Literal[2, 3], entries: str) -> None:
    """Which ones is up to chance, unless all are drawn."""
    begin(pair, entries, protocol)
    talk = pair.in_protocol(protocol)
    talk.same("ZADD", "a", 1, "x")
    for words_ in ((), (1,), (-3,), (5,), (0,), (5, "WITHSCORES"), (-2, "withscores"), (0, "WITHSCORES"), (1, "no")):
        talk.same("ZRANDMEMBER", "a", *words_)
        talk.same("ZRANDMEMBER", "none", *words_)
        talk.same("ZRANDMEMBER", "text", *words_)
    for count in ("a", "", "9223372036854775807", "-9223372036854775808", "9223372036854775808"):
        talk.same("ZRANDMEMBER", "a", count)
        talk.same("ZRANDMEMBER", "a", count, "WITHSCORES")
    talk.same("ZADD", "a", 2, "y", 3, "z")
    talk.same("ZRANDMEMBER", "a", 3, normal=in_any_order)
    talk.same("ZRANDMEMBER", "a", 4, normal=in_any_order)
    drawn = [answer for count in (2, -20) for answer in talk.both("ZRANDMEMBER", "a", count)]
    assert [len(answer.items) for answer in drawn] == [2, 2, 20, 20]
    assert len(set(drawn[1].items)) == 2
    assert {item.text for item in drawn[3].items} <= {b"x", b"y", b"z"}


@pytest.mark.parametrize("entries", FORMS)
def test_a_walk_shows_members_and_scores(pair: Pair, entries: str) -> None:
    begin(pair, entries)
    talk = pair.resp3
    talk.same("ZADD", "a", 1, "x", "0.5", "y", "inf", "z", -3, "xy")
    talk.same("ZSCAN", "a", 0, normal=elements)
    talk.same("ZSCAN", "a", 0, "MATCH", "x*", "COUNT", 100, normal=elements)
    for words_ in (
        ("none", 0),
        ("text", 0),
        ("a", "x"),
        ("a", 0, "COUNT", 0),
        ("a", 0, "TYPE", "zset"),
        ("a", 0, "MATCH"),
    ):
        talk.same("ZSCAN", *words_)


def elements(answer: Answer) -> Answer:
    """What a walk found, in pairs and in any order. A ``normal``."""
    if answer.kind != "array":
        return answer
    found = answer.items[1].items
    return in_any_order(Answer("map", found))


@pytest.mark.parametrize("entries", FORMS)
def test_sorted_sets_are_the_same_to_a_digest(pair: Pair, entries: str) -> None:
    """Of scores that 7.0 prints in as few digits as 7.2: it mixes the digits that it prints."""
    begin(pair, entries)
    talk = pair.resp2
    talk.same("ZADD", "a", 1, "x", "2.5", "y", "inf", "z", -3, "", 12345, "12")
    talk.same("DEBUG", "DIGEST-VALUE", "a")
    talk.same("EXPIRE", "a", 1000)
    talk.same("DEBUG", "DIGEST-VALUE", "a")
    talk.same("DEBUG", "DIGEST")


@pytest.mark.parametrize("entries", FORMS)
def test_a_payload_is_read_by_either(pair: Pair, entries: str) -> None:
    begin(pair, entries)
    talk = pair.resp2
    talk.same("ZADD", "a", 1, "x", "2.5", "y", "inf", "z", -3, "", "1e15", "12", "0.1", "x" * 50)
    theirs, ours = talk.both("DUMP", "a")
    for number, payload in enumerate((theirs, ours)):
        talk.same("RESTORE", f"b{number}", 0, payload.text)
        talk.same("ZRANGE", f"b{number}", 0, -1, "WITHSCORES", normal=in_short)
        talk.same("OBJECT", "ENCODING", f"b{number}")


WAITING: list[tuple[Word, ...]] = [
    ("BZPOPMIN", "a", "b", 10),
    ("BZPOPMAX", "b", 10),
    ("BZMPOP", 10, 2, "a", "b", "MIN", "COUNT", 2),
]


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("request_", WAITING, ids=lambda words_: words_[0])
def test_a_pop_waits_for_members(pair: Pair, protocol: Literal[2, 3], request_: tuple[Word, ...]) -> None:
    pair.flush()
    talk, other = pair.talk(protocol), pair.talk()
    talk._send(encode(request_))
    other.same("ZADD", "b", 1, "p", 2, "q", 3, "r")
    talk.next(*request_)
    other.same("ZRANGE", "b", 0, -1)


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_pop_that_need_not_wait(pair: Pair, protocol: Literal[2, 3]) -> None:
    pair.flush()
    talk = pair.talk(protocol)
    talk.run([("ZADD", "a", 1, "x", 2, "y", 3, "z"), ("SET", "s", "x"), ("BZPOPMIN", "none", "a", 0)])
    talk.run([("BZPOPMAX", "a", "0.5"), ("BZMPOP", 0, 2, "no", "a", "MAX", "COUNT", 5), ("EXISTS", "a")])
    talk.run([("BZPOPMIN", "a", "x"), ("BZPOPMIN", "a", -1), ("BZPOPMIN", "s", 0), ("BZMPOP", 0, 1, "s", "MIN")])
    talk.run([("BZMPOP", "x", 1, "a", "MIN"), ("BZMPOP", 0, 0, "a", "MIN"), ("BZMPOP", 0, 1, "a", "MIN", "COUNT", 0)])
    talk.run([("BZMPOP", 0, 1, "a", "MID"), ("BZMPOP", "x", 1, "a", "MID"), ("MULTI",), ("BZPOPMIN", "a", 0)])
    talk.run([("BZMPOP", 0, 1, "a", "MIN"), ("EXEC",)])
