"""When keys end is set, told, and kept by other commands as Redis does it."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair, Word
from tests.compat.stale import without_active_expiry

Program = list[tuple[Word, ...]]

KEYS = st.sampled_from([b"a", b"b", b"{a}c"])
# Far apart, so that GT and LT decide the same although the two servers' clocks are read a little apart.
FAR = 4_000_000_000
AMOUNTS = st.sampled_from(
    [
        *(b"1000000", b"2000000", b"3000000", b"0", b"-1", b"-1000000", b"9223372036854775807"),
        *(b"-9223372036854775808", b"9223372036854775", b"-9223372036854775", b"9223372036854776"),
        *(b"a", b"", b"1.5", b" 1", b"9" * 20),
    ]
)
MOMENTS = st.one_of(st.sampled_from([b"%d" % (FAR + n) for n in (0, 5000, 9000)]), AMOUNTS)
CONDITIONS = st.lists(st.sampled_from([b"NX", b"xx", b"GT", b"lt", b"Lt", b"WAT", b"a\x00b\r\n"]), max_size=2)


def end(name: bytes, times: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.tuples(KEYS, times, st.one_of(st.just([]), CONDITIONS)).map(lambda d: (name, d[0], d[1], *d[2]))


def words(name: bytes, *args: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.tuples(st.just(name), *args)


NEAR: dict[Word, int] = {b"TTL": 5, b"EXPIRETIME": 5, b"PTTL": 5000, b"PEXPIRETIME": 5000}
"""How far the two servers' clocks may let the replies differ."""

COMMAND = st.one_of(
    words(b"SET", KEYS, st.just(b"v")),
    words(b"SET", KEYS, st.just(b"v"), st.sampled_from([b"KEEPTTL", b"XX"])),
    words(b"SET", KEYS, st.just(b"v"), st.just(b"PXAT"), st.just(b"1")),
    words(b"APPEND", KEYS, st.just(b"w")),
    end(b"EXPIRE", AMOUNTS),
    end(b"PEXPIRE", AMOUNTS),
    end(b"expireat", MOMENTS),
    end(b"PEXPIREAT", MOMENTS),
    words(b"TTL", KEYS),
    words(b"PTTL", KEYS),
    words(b"EXPIRETIME", KEYS),
    words(b"PEXPIRETIME", KEYS),
    words(b"PERSIST", KEYS),
    words(b"RENAME", KEYS, KEYS),
    words(b"COPY", KEYS, KEYS, st.just(b"REPLACE")),
    words(b"MOVE", KEYS, st.just(b"1")),
    words(b"SWAPDB", st.just(b"0"), st.just(b"1")),
    words(b"DEL", KEYS),
    words(b"GET", KEYS),
    st.just((b"DBSIZE",)),
)


@pytest.mark.parametrize("protocol", [2, 3])
@SETTINGS
@given(st.lists(COMMAND, max_size=30))
def test_any_sequence_gets_the_same_replies(pair: Pair, protocol: Literal[2, 3], program: Program) -> None:
    pair.flush()
    with without_active_expiry(pair):
        talk = pair.in_protocol(protocol)
        for command in program:
            talk.same(*command, within=NEAR.get(command[0], 0))


def test_a_key_lives_through_the_millisecond_it_ends_in(pair: Pair) -> None:
    """Only ours: a clock cannot be stopped in Redis; there keyIsExpired asks for *later than*."""
    pair.flush()
    server, session = pair.machine.server, pair.resp2.ours.session
    server.begin_batch(1000)
    session.feed(b"SET k v PXAT 2000\r\n")
    server.begin_batch(2000)
    session.feed(b"PTTL k\r\n")
    server.begin_batch(2001)
    session.feed(b"PTTL k\r\n")
    assert session.take_output() == b"+OK\r\n:0\r\n:-2\r\n"


def test_an_end_in_the_past_deletes_without_counting_as_expired(pair: Pair) -> None:
    pair.flush()
    pair.resp2.same("SET", "k", "v")
    pair.resp2.same("EXPIRE", "k", -1)
    pair.resp2.same("EXISTS", "k")
    assert b"expired_keys:0\r\n" in pair.tell_redis("INFO", "stats").text
    assert pair.machine.server.stats.expired_keys == 0
