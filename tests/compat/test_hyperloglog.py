"""HyperLogLogs are the same bytes here and on a real server, and corrupted ones are refused alike."""

import random
import re
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair, Talk, Word
from tests.compat.replies import Answer
from tests.compat.test_strings import words

Program = list[tuple[Word, ...]]
Request = st.SearchStrategy[tuple[bytes, ...]]

KEYS = st.sampled_from([b"a", b"b", b"c", b"d"])
ELEMENTS = st.one_of(st.integers(0, 3000).map(lambda n: b"%d" % n), st.binary(max_size=20))
HEAD = b"HYLL\x01\0\0\0" + bytes(7) + b"\x80"
STRINGS = st.one_of(
    st.sampled_from([b"", b"17", b"HYLL", HEAD, HEAD + b"\x7f\xff", b"HYLL\0\0\0\0" + bytes(8 + 12288)]),
    st.binary(max_size=8).map(lambda body: HEAD + body),
    st.lists(st.sampled_from([b"\x7f\xff", b"\x7f\xf0", b"\x0e", b"\x83", b"\x88", b"\x80"]), max_size=6).map(
        lambda runs: HEAD + b"".join(runs)
    ),
    st.binary(min_size=16, max_size=20).map(lambda rest: b"HYLL" + rest),
)


def several(name: bytes, heads: st.SearchStrategy[bytes], rest: st.SearchStrategy[bytes], most: int = 8) -> Request:
    return st.tuples(heads, st.lists(rest, max_size=most)).map(lambda drawn: (name, drawn[0], *drawn[1]))


OTHERS: Request = st.one_of(
    several(b"PFCOUNT", KEYS, KEYS, 3),
    several(b"PFMERGE", KEYS, KEYS, 3),
    words(b"PFCOUNT", KEYS),
    words(b"PFDEBUG", st.sampled_from([b"ENCODING", b"decode", b"TODENSE", b"GETREG", b"none", b""]), KEYS),
    words(b"GET", KEYS),
    words(b"DEL", KEYS),
    words(b"TYPE", KEYS),
)
COMMANDS: Request = st.one_of(
    several(b"PFADD", KEYS, ELEMENTS, 40), several(b"PFADD", KEYS, ELEMENTS, 3), OTHERS, OTHERS, OTHERS
)
# One element at a time: Redis adds those before the one that it finds no register for, and replicas never hear of them.
SPOILING: Request = st.one_of(
    words(b"PFADD", KEYS, ELEMENTS),
    words(b"SET", KEYS, STRINGS),
    words(b"APPEND", KEYS, st.sampled_from([b"\x80", b"\0", b"\x40"])),
    words(b"SETRANGE", KEYS, st.sampled_from([b"4", b"8", b"15", b"16", b"20"]), st.binary(min_size=1, max_size=2)),
)


@SETTINGS
@given(program=st.lists(COMMANDS, max_size=40), protocol=st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, program: Program, protocol: Literal[2, 3]) -> None:
    pair.flush()
    talk = pair.in_protocol(protocol)
    talk.run(program)
    talk.same("MGET", b"a", b"b", b"c", b"d")


@SETTINGS
@given(program=st.lists(st.one_of(OTHERS, SPOILING), max_size=40))
def test_random_sequences_with_corrupted_values(pair: Pair, program: Program) -> None:
    pair.flush()
    pair.resp2.run(program)


@pytest.mark.parametrize("limit", [0, 15, 20, 100, 3000, 20000])
def test_thousands_of_elements(pair: Pair, limit: int) -> None:
    """Through the sparse form and, where there is a limit to it, into the dense one."""
    pair.flush()
    talk = pair.resp2
    talk.same("CONFIG", "SET", "hll-sparse-max-bytes", limit)
    rng = random.Random(limit)
    for _ in range(400):
        key = rng.choice("abc")
        talk.same("PFADD", key, *[rng.getrandbits(40) for _ in range(rng.randrange(12))])
        check(talk, rng, key)
    for _ in range(30):
        key = rng.choice("abcdef")
        talk.same("PFMERGE", key, *[rng.choice("abcdef") for _ in range(rng.randrange(4))])
        check(talk, rng, key)
    talk.same("CONFIG", "SET", "hll-sparse-max-bytes", 3000)


def check(talk: Talk, rng: random.Random, key: str) -> None:
    if rng.random() < 0.3:
        talk.same("PFCOUNT", key)
    if rng.random() < 0.1:
        talk.same("PFCOUNT", *"abc")
    talk.same("GET", key)


@pytest.mark.once
def test_merging_many_sparse_ones(pair: Pair) -> None:
    """Registers that neighbour each other are joined as they are raised one after the other."""
    pair.flush()
    talk = pair.resp2
    talk.same("CONFIG", "SET", "hll-sparse-max-bytes", 12000)
    rng = random.Random(5)
    for size in (10, 100, 1000, 3000):
        for _ in range(4):
            talk.same("PFADD", "a", *[rng.getrandbits(30) for _ in range(size)])
            talk.same("PFADD", "b", *[rng.getrandbits(30) for _ in range(size)])
            talk.run([("PFMERGE", "c", "a"), ("GET", "c"), ("PFMERGE", "c", "b"), ("GET", "c")])
            talk.run([("PFMERGE", "b", "c"), ("GET", "b"), ("PFCOUNT", "a", "b"), ("DEL", "a")])
    talk.same("CONFIG", "SET", "hll-sparse-max-bytes", 3000)


def test_registers_that_no_hash_gives(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    rng = random.Random(1)
    for body in (b"\xff" * 12288, b"\0" * 12288, rng.randbytes(12288), b"\x33\x33\x33" * 4096, b"\xf3\x3c\xcf" * 4096):
        talk.same("SET", "k", b"HYLL" + bytes(11) + b"\x80" + body)
        talk.run([("PFCOUNT", "k", "k"), ("PFCOUNT", "k"), ("GET", "k"), ("PFDEBUG", "GETREG", "k")])
        talk.run([("PFADD", "k", "x"), ("PFADD", "k", *range(50)), ("GET", "k")])


def test_what_is_refused(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    talk.run(
        [("PFADD",), ("PFADD", "a"), ("PFADD", "a"), ("GET", "a"), ("PFCOUNT",), ("PFCOUNT", "none"), ("PFMERGE",)]
    )
    talk.run([("PFMERGE", "new"), ("GET", "new"), ("PFDEBUG", "GETREG"), ("PFDEBUG", "GETREG", "none")])
    talk.run([("PFDEBUG", "DECODE", "a"), ("PFDEBUG", "TODENSE", "a"), ("PFDEBUG", "DECODE", "a")])
    talk.run([("OBJECT", "ENCODING", "a"), ("OBJECT", "ENCODING", "new"), ("DEBUG", "DIGEST-VALUE", "a", "new")])


def changes(info: Answer) -> int:
    found = re.search(rb"rdb_changes_since_last_save:(\d+)", info.text)
    assert found is not None
    return int(found[1])


def test_what_counts_as_a_change(pair: Pair) -> None:
    """For the number of changes and for who watches the key."""
    pair.flush()
    talk, watching = pair.resp2, pair.talk()
    requests: Program = [("PFADD", "a"), ("PFADD", "a", 1, 2, 3), ("PFADD", "a", 1), ("PFCOUNT", "a"), ("PFCOUNT", "a")]
    requests += [("PFMERGE", "b", "a"), ("PFCOUNT", "a", "b"), ("PFDEBUG", "GETREG", "b"), ("PFDEBUG", "TODENSE", "b")]
    before = [changes(info) for info in talk.both("INFO", "persistence")]
    for request in requests:
        watching.same("WATCH", "a")
        talk.same(*request)
        watching.run([("MULTI",), ("EXEC",)])
        theirs, ours = (changes(info) for info in talk.both("INFO", "persistence"))
        assert (request, ours - before[1]) == (request, theirs - before[0])
