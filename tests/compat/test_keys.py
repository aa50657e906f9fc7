"""Commands on keys and databases answer as Redis does, whatever came before."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair, Talk, Word, encode
from tests.compat.replies import Answer, in_any_order
from tests.compat.stale import without_active_expiry

Program = list[tuple[Word, ...]]

NEAR_S = 5
"""How far a clock may be along on one side when the machine has held up the other."""
KEYS = st.sampled_from([b"a", b"b", b"c", b"", b"{a}d", b"\r\n\x00\xff", b"[x]"])
VALUES = st.sampled_from([b"", b"0", b"12", b"-7", b"9999", b"10000", b"012", b"-0", b"x" * 44, b"x" * 45, b"9" * 19])
DATABASES = st.sampled_from([b"0", b"0", b"1", b"1", b"2", b"15", b"16", b"-1", b"a", b" 1", b"2147483648", b"9" * 30])
PATTERNS = st.sampled_from([b"*", b"?", b"a*", b"[ab]", b"[^a]", b"", b"{*", b"\\[*", b"*\xff"])


def words(name: bytes, *args: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.tuples(st.just(name), *args)


def several(name: bytes) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.lists(KEYS, min_size=1, max_size=4).map(lambda keys: (name, *keys))


def with_tail(
    head: st.SearchStrategy[tuple[bytes, ...]], tail: st.SearchStrategy[tuple[bytes, ...]], most: int
) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.tuples(head, st.lists(tail, max_size=most)).map(
        lambda drawn: drawn[0] + tuple(word for part in drawn[1] for word in part)
    )


COPY_OPTIONS = st.one_of(
    st.sampled_from([(b"REPLACE",), (b"replace",), (b"DB",), (b"x",)]), st.tuples(st.just(b"db"), DATABASES)
)
FLUSH_OPTIONS = st.sampled_from([(b"ASYNC",), (b"sync",), (b"x",)])

COMMAND = st.one_of(
    words(b"SET", KEYS, VALUES),
    words(b"SET", KEYS, VALUES),
    words(b"SET", KEYS, VALUES, st.just(b"PX"), st.just(b"100000")),
    words(b"SET", KEYS, VALUES, st.just(b"PXAT"), st.just(b"1")),
    words(b"APPEND", KEYS, VALUES),
    words(b"GET", KEYS),
    several(b"DEL"),
    several(b"UNLINK"),
    several(b"EXISTS"),
    several(b"TOUCH"),
    words(b"TYPE", KEYS),
    words(b"RENAME", KEYS, KEYS),
    words(b"RENAMENX", KEYS, KEYS),
    with_tail(words(b"COPY", KEYS, KEYS), COPY_OPTIONS, 3),
    words(b"MOVE", KEYS, DATABASES),
    words(b"SWAPDB", DATABASES, DATABASES),
    words(b"SELECT", DATABASES),
    words(b"OBJECT", st.sampled_from([b"ENCODING", b"freq", b"REFCOUNT", b"x"]), KEYS),
    words(b"TTL", KEYS),
    st.sampled_from([(b"DBSIZE",), (b"OBJECT",), (b"OBJECT", b"HELP"), (b"OBJECT", b"ENCODING")]),
    with_tail(words(b"FLUSHDB"), FLUSH_OPTIONS, 2),
    with_tail(words(b"FLUSHALL"), FLUSH_OPTIONS, 2),
)


@pytest.mark.parametrize("protocol", [2, 3])
@SETTINGS
@given(st.lists(st.one_of(COMMAND, words(b"KEYS", PATTERNS)), max_size=25))
def test_any_sequence_gets_the_same_replies(pair: Pair, protocol: Literal[2, 3], program: Program) -> None:
    pair.flush()
    with without_active_expiry(pair):
        talk = pair.in_protocol(protocol)
        for command in program:
            normal = in_any_order if command[0] == b"KEYS" else None
            talk.same(*command, within=NEAR_S if command[0] == b"TTL" else 0, normal=normal)
        for name in ("DBSIZE", "KEYS"):
            talk.same(name, *(["*"] if name == "KEYS" else []), normal=in_any_order)


def whole_scan(talk: Talk, options: tuple[Word, ...]) -> set[bytes]:
    """All keys of an iteration on our side, and the same on the other side, or AssertionError."""
    found: list[set[bytes]] = []
    for client in (talk.theirs, talk.ours):
        keys: set[bytes] = set()
        cursor = b"0"
        while True:
            client.send(encode(("SCAN", cursor, *options)))
            cursor, page = page_of(client.receive())
            keys |= page
            if cursor == b"0":
                break
        found.append(keys)
    assert found[0] == found[1], talk.pair.story()
    return found[1]


def page_of(answer: Answer) -> tuple[bytes, set[bytes]]:
    cursor, keys = answer.items
    return cursor.text, {key.text for key in keys.items}


SCAN_OPTIONS = st.one_of(
    st.tuples(st.sampled_from([b"MATCH", b"match"]), st.sampled_from([b"*", b"k1*", b"*[05]", b"none"])),
    st.tuples(st.just(b"COUNT"), st.sampled_from([b"1", b"7", b"1000", b"9223372036854775807"])),
    st.tuples(st.just(b"TYPE"), st.sampled_from([b"string", b"STRING", b"hash", b"x"])),
)


@SETTINGS
@given(st.integers(0, 300), st.integers(0, 40), st.booleans(), st.lists(SCAN_OPTIONS, max_size=3))
def test_a_scan_finds_the_same_keys(
    pair: Pair, count: int, over: int, tagged: bool, options: list[tuple[bytes, bytes]]
) -> None:
    pair.flush()
    with without_active_expiry(pair):
        talk = pair.resp2
        for n in range(count):
            talk.both("SET", f"k{'{tag}' if tagged else ''}{n}", n)
        for n in range(over):
            talk.both("SET", f"over{n}", n, "PXAT", 1)
        whole_scan(talk, tuple(word for option in options for word in option))


@pytest.mark.parametrize(
    "words",
    [
        ("SCAN", "abc"),
        ("SCAN", "-1"),
        ("SCAN", "18446744073709551615"),
        ("SCAN", "18446744073709551616"),
        ("SCAN", " 0"),
        ("SCAN", "+0"),
        ("SCAN", "-0"),
        ("SCAN", ""),
        ("SCAN", "-"),
        ("SCAN", "0x0"),
        ("SCAN", "0a"),
        ("SCAN", "0\x00"),
        ("SCAN", "00000"),
        ("SCAN", "0", "COUNT", "0"),
        ("SCAN", "0", "COUNT", "-5"),
        ("SCAN", "0", "COUNT", "x"),
        ("SCAN", "0", "COUNT", "x", "y"),
        ("SCAN", "x", "y"),
        ("SCAN", "0", "COUNT"),
        ("SCAN", "0", "COUNT", "5", "MATCH"),
        ("SCAN", "0", "x", "y"),
        ("SCAN",),
        ("RANDOMKEY",),
        ("RANDOMKEY", "x"),
        ("OBJECT", "IDLETIME", "nope"),
        ("OBJECT", "IDLETIME"),
        ("OBJECT", "HELP", "x"),
        ("DBSIZE", "x"),
    ],
)
def test_what_is_asked_badly_is_refused_alike(pair: Pair, words: tuple[str, ...]) -> None:
    pair.flush()
    pair.resp2.same(*words)
    pair.resp3.same(*words)


def test_idletime_and_randomkey_of_a_single_key(pair: Pair) -> None:
    pair.flush()
    pair.resp2.same("SET", "k", "v")
    pair.resp2.same("OBJECT", "IDLETIME", "k", within=NEAR_S)
    pair.resp2.same("RANDOMKEY")


def test_lookups_are_counted_alike(pair: Pair) -> None:
    """Hits and misses as INFO tells them, after each command that may look a key up."""
    pair.flush()
    talk = pair.resp2
    program: list[tuple[Word, ...]] = [
        ("SET", "k", "v"), ("EXISTS", "k", "k", "n"), ("TOUCH", "k", "n"), ("TYPE", "k"), ("TYPE", "n"),
        ("TTL", "k"), ("PTTL", "n"), ("EXPIRETIME", "k"), ("OBJECT", "ENCODING", "k"), ("OBJECT", "REFCOUNT", "n"),
        ("COPY", "k", "c"), ("COPY", "n", "c"), ("RENAME", "c", "d"), ("RENAMENX", "d", "e"), ("MOVE", "e", 1),
        ("DEL", "k", "n"), ("EXPIRE", "e", 5), ("PERSIST", "e"), ("RANDOMKEY",), ("KEYS", "*"), ("SCAN", 0),
    ]  # fmt: skip
    for words in program:
        before = hits_and_misses(pair)
        talk.both(*words)
        theirs, ours = (
            tuple(b - a for a, b in zip(x, y, strict=True)) for x, y in zip(before, hits_and_misses(pair), strict=True)
        )
        assert theirs == ours, words


def hits_and_misses(pair: Pair) -> tuple[tuple[int, int], tuple[int, int]]:
    info = pair.tell_redis("INFO", "stats").text.decode()
    fields = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    stats = pair.machine.server.stats
    theirs = (int(fields["keyspace_hits"]), int(fields["keyspace_misses"]))
    return theirs, (stats.keyspace_hits, stats.keyspace_misses)
