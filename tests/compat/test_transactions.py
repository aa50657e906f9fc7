"""MULTI, EXEC and WATCH with several clients: the same transactions run, and the same are refused."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair, Talk, Word
from tests.compat.stale import without_active_expiry

Step = tuple[int, tuple[Word, ...]]

KEYS = st.sampled_from([b"a", b"b", b"c"])


def words(name: bytes, *args: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.tuples(st.just(name), *args)


OPENING = st.one_of(
    words(b"MULTI"),
    words(b"EXEC"),
    words(b"EXEC"),
    words(b"DISCARD"),
    words(b"WATCH", KEYS),
    words(b"WATCH", KEYS, KEYS),
    words(b"UNWATCH"),
    st.sampled_from([(b"WATCH",), (b"EXEC", b"x"), (b"MULTI", b"x"), (b"DISCARD", b"x"), (b"NOPE", b"x"), (b"GET",)]),
)
DATA = st.one_of(
    words(b"SET", KEYS, st.sampled_from([b"1", b"v"])),
    words(b"SET", KEYS, st.just(b"v"), st.just(b"PXAT"), st.just(b"1")),
    words(b"GET", KEYS),
    words(b"INCR", KEYS),
    words(b"DEL", KEYS),
    words(b"RENAME", KEYS, KEYS),
    words(b"COPY", KEYS, KEYS, st.just(b"REPLACE")),
    words(b"MOVE", KEYS, st.just(b"1")),
    words(b"EXPIREAT", KEYS, st.sampled_from([b"1", b"4000000000"])),
    words(b"PERSIST", KEYS),
    words(b"SELECT", st.sampled_from([b"0", b"1", b"99"])),
    words(b"SWAPDB", st.just(b"0"), st.sampled_from([b"1", b"1", b"0"])),
    st.sampled_from([(b"FLUSHDB",), (b"FLUSHALL",), (b"DBSIZE",), (b"PING",)]),
)


@pytest.mark.parametrize("protocol", [2, 3])
@SETTINGS
@given(st.lists(st.tuples(st.integers(0, 1), st.one_of(OPENING, DATA)), max_size=40))
def test_two_clients_in_each_others_way(pair: Pair, protocol: Literal[2, 3], program: list[Step]) -> None:
    pair.flush()
    with without_active_expiry(pair):
        talks = [pair.talk(protocol), pair.talk(protocol)]
        for who, command in program:
            talks[who].same(*command)


CHANGES = st.lists(DATA, min_size=1, max_size=4)


@pytest.mark.parametrize("protocol", [2, 3])
@SETTINGS
@given(CHANGES, st.lists(KEYS, min_size=1, max_size=2), CHANGES)
def test_what_counts_as_a_change_of_a_watched_key(
    pair: Pair,
    protocol: Literal[2, 3],
    before: list[tuple[Word, ...]],
    keys: list[bytes],
    meanwhile: list[tuple[Word, ...]],
) -> None:
    """Above all: flushes, swaps and keys whose time was over already when they were watched."""
    pair.flush()
    with without_active_expiry(pair):
        other, watching = pair.talk(2), pair.talk(protocol)
        other.run(before)
        watching.same("WATCH", *keys)
        other.run(meanwhile)
        watching.run([("MULTI",), ("PING",), ("EXEC",)])


@pytest.mark.parametrize(
    "change",
    [
        "XGROUP CREATE s h 0", "XGROUP SETID s g 1-1", "XGROUP DESTROY s g", "XGROUP CREATECONSUMER s g bob",
        "XGROUP DELCONSUMER s g alice", "XREADGROUP GROUP g bob STREAMS s >", "XREADGROUP GROUP g alice STREAMS s >",
        "XACK s g 1-1", "XCLAIM s g bob 0 1-1", "XAUTOCLAIM s g bob 0 0", "XSETID s 9-9",
        "XADD s 3-1 f v", "XDEL s 1-1", "XTRIM s MAXLEN 1", "XGROUP CREATE other g 0 MKSTREAM",
    ],
)  # fmt: skip
def test_what_happens_to_the_groups_of_a_stream_is_no_change_of_a_watched_key(pair: Pair, change: str) -> None:
    pair.flush()
    talk, watching = pair.talk(2), pair.talk(2)
    talk.run(
        words.split()
        for words in (
            "XADD s 1-1 f v", "XADD s 2-1 f v", "XGROUP CREATE s g 0", "XREADGROUP GROUP g alice COUNT 1 STREAMS s >",
        )
    )  # fmt: skip
    watching.same("WATCH", "s", "other")
    talk.both(*change.split())
    watching.run([("MULTI",), ("PING",), ("EXEC",)])


def test_a_watched_key_whose_time_runs_out_is_a_change(pair: Pair) -> None:
    pair.flush()
    with without_active_expiry(pair):
        watching, clock = pair.resp2, pair.talk()
        end = watched_in_time(pair, watching)
        while milliseconds_of(pair) <= end:
            pass
        clock.same("DBSIZE")
        watching.run([("MULTI",), ("PING",), ("EXEC",), ("GET", "k")])


def watched_in_time(pair: Pair, watching: Talk) -> int:
    """The end of ``k``, which lives on both sides when it is watched, however long the machine holds one of them up."""
    for lives_ms in (100, 1000, 10_000):
        end = milliseconds_of(pair) + lives_ms
        watching.run([("UNWATCH",), ("SET", "k", "v", "PXAT", end), ("WATCH", "k")])
        if milliseconds_of(pair) < end:
            return end
    raise AssertionError("the machine is too slow for this")


def milliseconds_of(pair: Pair) -> int:
    seconds, microseconds = (int(item.text) for item in pair.tell_redis("TIME").items)
    return seconds * 1000 + microseconds // 1000


def test_replies_are_written_in_the_protocol_of_their_moment(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    talk.run([("MULTI",), ("GET", "none"), ("HELLO", 3, "SETNAME", "x"), ("GET", "none")])
    theirs, ours = talk.both("EXEC")
    assert [item.kind for item in ours.items] == [item.kind for item in theirs.items] == ["nullbulk", "map", "null"]
