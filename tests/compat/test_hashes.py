"""Random sequences of hash commands over a few keys get the same replies from us and from a real server.

Small hashes have their fields in the same order there and here; large ones do not, so theirs are sorted.
"""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair, Word
from tests.compat.replies import Answer
from tests.compat.test_strings import FLOATS, NUMBERS, many, words

Program = list[tuple[Word, ...]]

KEYS = st.sampled_from([b"a", b"b", b"\r\n\x00\xff"])
FIELDS = st.one_of(
    st.sampled_from([b"f", b"g", b"h", b"1", b"-0", b"", b"\xff\x00", b"long" * 17]), st.binary(max_size=3)
)
LONG = b"x" * 65
VALUES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b"", b"7", b"-9223372036854775808", b"1.5", b"inf", b"3e", b"x" * 64, LONG, b"y" * 300]),
)
COUNTS = st.sampled_from(
    [b"0", b"1", b"9", b"x", b"-9223372036854775808", b"9223372036854775807", b"4611686018427387904"]
)
CURSORS = st.sampled_from([b"0", b"0", b"", b"x", b"-1", b"18446744073709551616", b" 1"])
SCAN_WORDS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([b"COUNT", b"count"]), st.sampled_from([b"1", b"100", b"0", b"-1", b"x"])),
        st.tuples(st.just(b"MATCH"), st.sampled_from([b"*", b"f*", b"[fg]", b"", b"?"])),
        st.tuples(st.sampled_from([b"TYPE", b"BAD", b"COUNT"])),
        st.tuples(st.just(b"TYPE"), st.just(b"hash")),
    ),
    max_size=2,
).map(lambda pairs: tuple(word for pair in pairs for word in pair))

COMMANDS = st.one_of(
    many(b"HSET", FIELDS, VALUES).flatmap(lambda tail: KEYS.map(lambda key: (tail[0], key, *tail[1:]))),
    many(b"hmset", FIELDS, VALUES).flatmap(lambda tail: KEYS.map(lambda key: (tail[0], key, *tail[1:]))),
    many(b"HSET", FIELDS).flatmap(lambda tail: KEYS.map(lambda key: (tail[0], key, *tail[1:]))),
    words(b"HSETNX", KEYS, FIELDS, VALUES),
    words(b"HGET", KEYS, FIELDS),
    many(b"HMGET", FIELDS).flatmap(lambda tail: KEYS.map(lambda key: (tail[0], key, *tail[1:]))),
    words(b"HGETALL", KEYS),
    words(b"HKEYS", KEYS),
    words(b"HVALS", KEYS),
    words(b"HLEN", KEYS),
    words(b"HSTRLEN", KEYS, FIELDS),
    words(b"HEXISTS", KEYS, FIELDS),
    many(b"HDEL", FIELDS).flatmap(lambda tail: KEYS.map(lambda key: (tail[0], key, *tail[1:]))),
    words(b"HINCRBY", KEYS, FIELDS, NUMBERS),
    words(b"HINCRBYFLOAT", KEYS, FIELDS, FLOATS),
    words(b"HRANDFIELD", KEYS, st.sampled_from([b"0", b"9", b"x", b"-9223372036854775808", b"9223372036854775807"])),
    words(
        b"HRANDFIELD", KEYS, COUNTS.filter(lambda count: count != b"1"), st.sampled_from([b"WITHVALUES", b"withvalue"])
    ),
    words(b"HRANDFIELD", KEYS, st.just(b"3"), st.just(b"WITHVALUES"), st.just(b"x")),
    st.tuples(KEYS, CURSORS, SCAN_WORDS).map(lambda drawn: (b"HSCAN", drawn[0], drawn[1], *drawn[2])),
    words(b"OBJECT", st.just(b"ENCODING"), KEYS),
    words(b"SET", KEYS, VALUES),
    words(b"DEL", KEYS),
    words(b"COPY", KEYS, KEYS),
    words(b"RENAME", KEYS, KEYS),
    words(b"HGETALL"),
    words(b"HSET", KEYS, FIELDS),
)


def in_order(answer: Answer) -> Answer:
    """The fields of a large hash come in any order."""
    if not isinstance(answer.content, tuple):
        return answer
    return Answer(answer.kind, tuple(sorted(map(in_order, answer.content), key=repr)))


@SETTINGS
@given(program=st.lists(COMMANDS, max_size=30), protocol=st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, program: Program, protocol: Literal[2, 3]) -> None:
    pair.flush()
    talk = pair.in_protocol(protocol)
    for request in program:
        talk.same(*request, normal=in_order)
    talk.same("DEBUG", "DIGEST")


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_small_hash_keeps_the_order_of_its_fields(pair: Pair, protocol: Literal[2, 3]) -> None:
    pair.flush()
    talk = pair.in_protocol(protocol)
    talk.same("HSET", "h", *[word for at in range(300) for word in (f"field{at}", at)])
    talk.run(
        [("HSET", "h", "field7", "seven", "new", ""), ("HDEL", "h", "field9", "field0"), ("HSETNX", "h", "field9", 9)]
    )
    talk.run([("HINCRBYFLOAT", "h", "field3", "0.5"), ("HINCRBY", "h", "field4", "-9")])
    talk.run([("HGETALL", "h"), ("HKEYS", "h"), ("HVALS", "h"), ("HSCAN", "h", 0), ("HSCAN", "h", 77, "COUNT", 3)])
    talk.run([("HRANDFIELD", "h", 400), ("HRANDFIELD", "h", 400, "WITHVALUES")])


def test_the_encoding_changes_where_redis_changes_it(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    for at in range(514):
        talk.same("HSET", "many", at, at)
        if at > 508:
            talk.same("OBJECT", "ENCODING", "many")
    for name, field, value in (("short", "f" * 64, "v" * 64), ("field", "f" * 65, ""), ("value", "", "v" * 65)):
        talk.run([("HSET", name, "a", "b"), ("HSET", name, field, value), ("OBJECT", "ENCODING", name)])
    talk.run([("HDEL", "field", "f" * 65), ("OBJECT", "ENCODING", "field"), ("DEBUG", "DIGEST")])


def test_a_large_hash_answers_as_redis_does(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp3
    for first in range(0, 3000, 500):
        talk.same("HSET", "h", *[word for at in range(first, first + 500) for word in (f"field{at}", f"value{at}")])
    talk.same("DEBUG", "DIGEST-VALUE", "h")
    for first in range(0, 2900, 100):
        talk.same("HDEL", "h", *[f"field{at}" for at in range(first, first + 100)])
    talk.run(
        [
            ("HLEN", "h"),
            ("HGET", "h", "field2950"),
            ("HMGET", "h", "field0", "field2999"),
            ("HSTRLEN", "h", "field2999"),
        ]
    )
    for words_ in (("HGETALL", "h"), ("HKEYS", "h"), ("HVALS", "h"), ("HRANDFIELD", "h", 200, "WITHVALUES")):
        talk.same(*words_, normal=in_order)
    talk.same("HDEL", "h", *[f"field{at}" for at in range(2900, 3000)])
    talk.run([("EXISTS", "h"), ("DEBUG", "DIGEST")])
