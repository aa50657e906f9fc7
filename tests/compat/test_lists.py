"""Random sequences of commands on lists get the same replies from us and from a real server."""

import time
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair, Word
from tests.compat.replies import Answer
from tests.compat.test_strings import NUMBERS, many, words

Program = list[tuple[Word, ...]]

KEYS = st.sampled_from([b"a", b"b", b"c", b"\r\n\x00\xff"])
ELEMENTS = st.one_of(
    st.sampled_from([b"a", b"b", b"", b"1", b"-1", b"127", b"$1\r\na\r\n", b"x" * 70, b"y" * 5000, b"9" * 19]),
    st.binary(max_size=4),
)
SMALL = st.integers(-6, 6).map(lambda n: b"%d" % n)
INDEX = st.one_of(SMALL, SMALL, st.sampled_from([b"100", b"-200"]), NUMBERS)
COUNT = st.one_of(SMALL, SMALL, NUMBERS)
END = st.sampled_from([b"LEFT", b"right", b"Left", b"RIGHT", b"up"])
TIMEOUT = st.sampled_from([b"0.001", b"0.001", b"-1", b"x", b"1e-400", b"nan", b"", b"0x.000001"])
"""Timeouts that are over at once: our node in memory waits for nobody."""
POSITION_OPTIONS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from([b"RANK", b"count", b"MAXLEN"]), COUNT),
        st.tuples(st.sampled_from([b"RANK", b"COUNT", b"x"])),
    ),
    max_size=3,
).map(lambda options: [word for option in options for word in option])


def long_push(name: bytes, key: bytes, element: bytes, count: int) -> tuple[bytes, ...]:
    return (name, key, *[b"%b%d" % (element, number % 7) for number in range(count)])


BLOCKING = (b"BLPOP", b"BRPOP", b"BLMOVE", b"BRPOPLPUSH", b"BLMPOP")
COMMANDS = st.one_of(
    many(b"RPUSH", KEYS, ELEMENTS),
    many(b"LPUSH", KEYS, ELEMENTS),
    st.builds(long_push, st.sampled_from([b"RPUSH", b"LPUSH"]), KEYS, ELEMENTS, st.sampled_from([70, 150, 400])),
    many(b"RPUSHX", KEYS, ELEMENTS),
    many(b"lpushx", KEYS, ELEMENTS),
    words(b"LPOP", KEYS),
    words(b"RPOP", KEYS),
    words(b"LPOP", KEYS, COUNT),
    words(b"RPOP", KEYS, COUNT),
    words(b"RPOP", KEYS, COUNT, COUNT),
    words(b"LLEN", KEYS),
    words(b"LINDEX", KEYS, INDEX),
    words(b"LSET", KEYS, INDEX, ELEMENTS),
    words(b"LINSERT", KEYS, st.sampled_from([b"BEFORE", b"after", b"at"]), ELEMENTS, ELEMENTS),
    words(b"LREM", KEYS, COUNT, ELEMENTS),
    words(b"LRANGE", KEYS, INDEX, INDEX),
    words(b"LRANGE", KEYS, st.just(b"0"), st.just(b"-1")),
    words(b"LTRIM", KEYS, INDEX, INDEX),
    st.tuples(KEYS, ELEMENTS, POSITION_OPTIONS).map(lambda drawn: (b"LPOS", drawn[0], drawn[1], *drawn[2])),
    words(b"LMOVE", KEYS, KEYS, END, END),
    words(b"RPOPLPUSH", KEYS, KEYS),
    words(b"LMPOP", st.sampled_from([b"1", b"1", b"0", b"x"]), KEYS, END),
    words(b"LMPOP", st.sampled_from([b"2", b"2", b"1", b"3"]), KEYS, KEYS, END, st.just(b"COUNT"), COUNT),
    words(b"BLPOP", KEYS, KEYS, TIMEOUT),
    words(b"BRPOP", KEYS, TIMEOUT),
    words(b"BLMOVE", KEYS, KEYS, END, END, TIMEOUT),
    words(b"BRPOPLPUSH", KEYS, KEYS, TIMEOUT),
    words(b"BLMPOP", TIMEOUT, st.just(b"2"), KEYS, KEYS, END, st.just(b"COUNT"), COUNT),
    words(b"SET", KEYS, ELEMENTS),
    words(b"DEL", KEYS),
    words(b"TYPE", KEYS),
    words(b"RENAME", KEYS, KEYS),
    words(b"COPY", KEYS, KEYS),
    words(b"DEBUG", st.just(b"DIGEST-VALUE"), KEYS, KEYS),
)


@given(st.lists(COMMANDS, min_size=1, max_size=30))
@SETTINGS
def run_anything(pair: Pair, protocol: Literal[2, 3], program: Program) -> None:
    """What might wait is run within a transaction."""
    pair.flush()
    talk = pair.in_protocol(protocol)
    for request in program:
        if request[0] in BLOCKING:
            talk.same("MULTI")
            talk.same(*request)
            talk.same("EXEC")
        else:
            talk.same(*request)
    talk.same("DEBUG", "DIGEST")


@pytest.mark.parametrize("protocol", [2, 3])
def test_any_program_of_list_commands(pair: Pair, protocol: Literal[2, 3]) -> None:
    run_anything(pair, protocol)


@pytest.mark.parametrize("protocol", [2, 3])
def test_the_options_of_lpos_are_checked_alike(pair: Pair, protocol: Literal[2, 3]) -> None:
    pair.flush()
    talk = pair.in_protocol(protocol)
    talk.same("RPUSH", "k", *"abcabcabc")
    for option in ("RANK", "COUNT", "MAXLEN"):
        for number in ("0", "1", "-1", "3", "x", "9223372036854775807", "9223372036854775808"):
            talk.same("LPOS", "k", "b", option, number)
            talk.same("LPOS", "k", "b", option, number, "COUNT", "2", "RANK", "-1")
            talk.same("LPOS", "none", "b", "COUNT", "0", option, number)
    talk.same("LPOS", "k", "b", "RANK")
    talk.same("LPOS", "k", "b", "AT", "1")
    talk.same("LPOS", "k", "b", "COUNT", "0", "MAXLEN", "5", "RANK", "-2")


WRONG: Program = [
    ("LPUSH", "s", "a"),
    ("LPUSHX", "s", "a"),
    ("LPOP", "s"),
    ("LPOP", "s", "x"),
    ("LPOP", "s", "0"),
    ("LLEN", "s"),
    ("LINDEX", "s", "x"),
    ("LSET", "s", "x", "a"),
    ("LSET", "none", "x", "a"),
    ("LINDEX", "none", "x"),
    ("LINSERT", "s", "BEFORE", "a", "b"),
    ("LINSERT", "s", "AT", "a", "b"),
    ("LREM", "s", "0", "a"),
    ("LREM", "s", "x", "a"),
    ("LRANGE", "s", "0", "1"),
    ("LRANGE", "s", "x", "1"),
    ("LTRIM", "s", "0", "1"),
    ("LPOS", "s", "a"),
    ("LMOVE", "s", "l", "LEFT", "LEFT"),
    ("LMOVE", "l", "s", "LEFT", "LEFT"),
    ("LMOVE", "none", "s", "LEFT", "LEFT"),
    ("LMOVE", "none", "s", "LEFT", "UP"),
    ("RPOPLPUSH", "l", "s"),
    ("LMPOP", "2", "none", "s", "LEFT"),
    ("LMPOP", "9223372036854775807", "s", "LEFT"),
    ("LMPOP", "1", "s", "LEFT", "COUNT", "1", "COUNT", "1"),
    ("BLPOP", "none", "s", "0"),
    ("BLPOP", "none", "s", "-1"),
    ("BLMOVE", "l", "s", "LEFT", "LEFT", "0"),
    ("BLMOVE", "s", "l", "LEFT", "UP", "x"),
    ("BRPOPLPUSH", "s", "l", "0"),
    ("BLMPOP", "0", "2", "none", "s", "LEFT"),
    ("BLMPOP", "x", "1", "s", "UP"),
]


def test_what_is_no_list_is_refused_alike(pair: Pair) -> None:
    pair.flush()
    pair.resp2.same("SET", "s", "v")
    pair.resp2.same("RPUSH", "l", "a", "b")
    pair.resp2.run(WRONG)
    pair.resp2.same("DEBUG", "DIGEST")


WAIT_S = 20.0


def bytes_of(answer: Answer) -> bytes:
    assert isinstance(answer.content, bytes)
    return answer.content


def wait_for_blocked(pair: Pair, count: int) -> None:
    """Until so many clients of the real server wait: it reads its connections in an order of its own."""
    deadline = time.monotonic() + WAIT_S
    while f"blocked_clients:{count}\r".encode() not in bytes_of(pair.tell_redis("INFO", "clients")):
        assert time.monotonic() < deadline, f"there are never {count} who wait"


def test_who_waits_is_answered_alike(pair: Pair) -> None:
    pair.flush()
    first, second, other = pair.talk(), pair.talk(3), pair.talk()
    both = (first, second)
    for count, talk in enumerate(both):
        talk.send("BLPOP", "a", "b", "0")
        wait_for_blocked(pair, count + 1)
    other.same("RPUSH", "b", "1", "2", "3")
    for talk in both:
        talk.next("BLPOP")
    other.same("LRANGE", "b", "0", "-1")
    first.send("BLMOVE", "x", "y", "LEFT", "RIGHT", "0")
    second.send("BLMPOP", "0", "2", "z", "y", "LEFT", "COUNT", "5")
    wait_for_blocked(pair, 2)
    other.same("RPUSH", "x", "1", "2")
    for talk in both:
        talk.next("BLMOVE, BLMPOP")
    other.same("LRANGE", "x", "0", "-1")
    other.same("EXISTS", "y")
