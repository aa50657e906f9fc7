"""Random sequences of string commands over a few keys get the same replies from us and from a real server."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossamer.node.engine.data.changes import RESTORE
from tests.compat.pair import SETTINGS, Pair, Word
from tests.unit.node.engine.data.bag import Bag, registered

Program = list[tuple[Word, ...]]

KEYS = st.sampled_from([b"a", b"b", b"\r\n\x00\xff", b"", b"{a}c"])
VALUES = st.one_of(
    st.sampled_from([b"", b"0", b"10", b"-7", b"3.5", b"9223372036854775807", b"-9223372036854775808", b"\x00\xff"]),
    st.binary(max_size=12),
    st.text("abc", max_size=12).map(str.encode),
)
ODD_NUMBERS = [b"", b"a", b"+1", b"01", b"-0", b" 1", b"1 ", b"1.0", b"1_0", b"0x10", b"9223372036854775807", b"1\x00"]
ODD_NUMBERS += [b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809", b"1" * 40]
NUMBERS = st.one_of(st.integers(-20, 20).map(lambda n: b"%d" % n), st.sampled_from(ODD_NUMBERS))
FLOATS = st.one_of(
    NUMBERS,
    st.floats(width=64).map(lambda x: repr(x).encode()),
    st.decimals(-1000, 1000, places=6).map(lambda x: str(x).encode()),
    st.sampled_from([b"inf", b"-Infinity", b"nan", b"nan(1)", b"0x1.8p3", b"0x.p1", b".5", b"5.", b".", b"1e5", b"1e"]),
    st.sampled_from([b"1e4932", b"2e4932", b"1e-4951", b"1e-4960", b"0e99999999999", b"1e-99999999999", b"-1e-20"]),
    st.sampled_from([b"1" * 5119, b"0" * 5120, b"123456789012345678901", b"0.12345678901234567890123", b"1e-18"]),
)
TIMES = st.one_of(
    st.integers(1000, 100_000).map(lambda n: b"%d" % n),
    st.sampled_from([b"0", b"-1", b"a", b"9223372036854775", b"9223372036854775807", b"9223372036854775808", b"1e3"]),
)
OPTIONS = st.one_of(
    st.sampled_from([(b"NX",), (b"xx",), (b"Get",), (b"KEEPTTL",), (b"PERSIST",), (b"EX",), (b"WAT",)]),
    st.tuples(st.sampled_from([b"EX", b"px", b"EXAT", b"PXAT"]), TIMES),
)
LCS_OPTIONS = st.one_of(
    st.sampled_from([(b"LEN",), (b"idx",), (b"WITHMATCHLEN",), (b"MINMATCHLEN",), (b"x",)]),
    st.tuples(st.just(b"MinMatchLen"), NUMBERS),
)


def with_options(
    head: st.SearchStrategy[tuple[bytes, ...]], options: st.SearchStrategy[tuple[bytes, ...]]
) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.tuples(head, st.lists(options, max_size=3)).map(
        lambda drawn: drawn[0] + tuple(word for option in drawn[1] for word in option)
    )


def words(name: bytes, *args: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.tuples(st.just(name), *args)


def many(name: bytes, *each: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[bytes, ...]]:
    groups = st.lists(st.tuples(*each), min_size=1, max_size=4)
    return groups.map(lambda drawn: (name, *(word for group in drawn for word in group)))


COMMANDS = st.one_of(
    words(b"GET", KEYS),
    words(b"SET", KEYS, VALUES),
    with_options(words(b"set", KEYS, VALUES), OPTIONS),
    words(b"SETNX", KEYS, VALUES),
    words(b"SETEX", KEYS, TIMES, VALUES),
    words(b"PSETEX", KEYS, TIMES, VALUES),
    many(b"MGET", KEYS),
    many(b"MSET", KEYS, VALUES),
    many(b"MSET", VALUES),
    many(b"MSETNX", KEYS, VALUES),
    many(b"MSETNX", VALUES),
    words(b"GETSET", KEYS, VALUES),
    words(b"GETDEL", KEYS),
    with_options(words(b"GETEX", KEYS), OPTIONS),
    words(b"APPEND", KEYS, VALUES),
    words(b"STRLEN", KEYS),
    words(b"SETRANGE", KEYS, NUMBERS, VALUES),
    words(
        b"SETRANGE", KEYS, st.sampled_from([b"536870911", b"536870912", b"70000"]), VALUES.filter(lambda v: len(v) != 1)
    ),
    words(b"GETRANGE", KEYS, NUMBERS, NUMBERS),
    words(b"SUBSTR", KEYS, NUMBERS, NUMBERS),
    words(b"INCR", KEYS),
    words(b"DECR", KEYS),
    words(b"INCRBY", KEYS, NUMBERS),
    words(b"DECRBY", KEYS, NUMBERS),
    words(b"INCRBYFLOAT", KEYS, FLOATS),
    with_options(words(b"LCS", KEYS, KEYS), LCS_OPTIONS),
    words(b"GET"),
    words(b"GETRANGE", KEYS),
)


@SETTINGS
@given(program=st.lists(COMMANDS, max_size=30), protocol=st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, program: Program, protocol: Literal[2, 3]) -> None:
    pair.flush()
    talk = pair.in_protocol(protocol)
    talk.run(program)
    talk.same("MGET", b"a", b"b", b"\r\n\x00\xff", b"", b"{a}c")


@SETTINGS
@given(numbers=st.lists(FLOATS, min_size=2, max_size=6))
def test_sums_of_decimal_numbers(pair: Pair, numbers: list[bytes]) -> None:
    pair.flush()
    pair.resp2.same("SET", "n", numbers[0])
    pair.resp2.run([("INCRBYFLOAT", "n", number) for number in numbers[1:]])


@SETTINGS
@given(a=st.text("ab", max_size=60), b=st.text("abc", max_size=60), least=st.integers(-1, 4))
def test_common_subsequences(pair: Pair, a: str, b: str, least: int) -> None:
    pair.flush()
    talk = pair.resp3
    talk.same("MSET", "a", a, "b", b)
    talk.run([("LCS", "a", "b"), ("LCS", "b", "a", "LEN"), ("LCS", "a", "b", "IDX", "MINMATCHLEN", least)])
    talk.same("LCS", "b", "a", "IDX", "WITHMATCHLEN", "MINMATCHLEN", least)


def test_long_subsequences(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    talk.same("SET", "a", bytes(i * i % 251 for i in range(3000)))
    talk.same("SET", "b", bytes(i * 7 % 13 for i in range(20000)))
    talk.run([("LCS", "a", "b"), ("LCS", "b", "a", "IDX", "WITHMATCHLEN"), ("LCS", "b", "b", "LEN")])


@pytest.mark.parametrize("how", ["EX 100", "PX 100000", "EX 9223372036", "PXAT 9223372036854775807", "KEEPTTL", ""])
def test_options_set_keep_and_remove_the_time_to_live(pair: Pair, how: str) -> None:
    pair.flush()
    talk = pair.resp2
    talk.same("SET", "k", "v", "EX", 50)
    talk.same("SET", "k", "w", *how.split())
    talk.same("PTTL", "k", within=5000)
    talk.same("APPEND", "k", "x")
    talk.same("PTTL", "k", within=5000)
    talk.same("GETEX", "k", *(how.split() if how != "KEEPTTL" else ["PERSIST"]))
    talk.same("PTTL", "k", within=5000)


@pytest.mark.parametrize("past", ["EXAT 1", "PXAT 1"])
def test_a_time_in_the_past_ends_the_key(pair: Pair, past: str) -> None:
    pair.flush()
    talk = pair.resp2
    talk.run([("SET", "k", "v", *past.split()), ("GET", "k"), ("SET", "k", "v"), ("GETEX", "k", *past.split())])
    talk.run([("DBSIZE",), ("GET", "k"), ("SET", "k", "v", *past.split()), ("SET", "k", "w", "KEEPTTL"), ("GET", "k")])
    talk.run([("SET", "k", "5", *past.split()), ("INCR", "k"), ("TTL", "k")])


def test_encodings(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    program: Program = [("SET", "int", 5), ("APPEND", "new", "x"), ("SETRANGE", "range", 0, "x"), ("INCR", "int")]
    program += [("SET", "raw", "x"), ("APPEND", "raw", ""), ("INCRBYFLOAT", "float", "1.5"), ("SETBIT", "bit", 1, 1)]
    program += [("SET", "back", 1), ("APPEND", "back", 0), ("SET", "kept", "x"), ("SETRANGE", "kept", 5, "")]
    program += [("INCR", "back"), ("SET", "long", "x" * 45), ("SET", "emb", "x" * 44), ("BITOP", "NOT", "not", "emb")]
    talk.run(program)
    for key in ("int", "new", "range", "raw", "float", "bit", "back", "kept", "long", "emb", "not"):
        talk.same("OBJECT", "ENCODING", key)


def test_wrong_types(pair: Pair) -> None:
    """Our side has no other type yet that this could be asked of: a value no command knows stands in for the list."""
    with registered():
        compare_wrong_types(pair)


def compare_wrong_types(pair: Pair) -> None:
    pair.flush()
    talk = pair.resp2
    pair.tell_redis("RPUSH", "l", "x")
    talk.ours.session.call.store(b"l", Bag(), RESTORE)
    for program in ["GET l", "SET l v GET", "SETNX l v", "GETSET l v", "GETDEL l", "GETEX l", "GETEX l EX 0", "MGET l"]:
        talk.same(*program.split())
    for program in ["APPEND l x", "STRLEN l", "SETRANGE l 0 x", "SETRANGE l -1 x", "GETRANGE l 0 1", "GETRANGE l x 1"]:
        talk.same(*program.split())
    talk.run(
        [("SETRANGE", "l", 0, ""), ("SETRANGE", "l", 536870912, "x"), ("MSETNX", "l", "v"), ("LCS", "l", "l", "x")]
    )
    for program in [
        "INCR l",
        "INCRBY l x",
        "INCRBYFLOAT l x",
        "GETBIT l x",
        "GETBIT l 0",
        "SETBIT l 0 2",
        "SETBIT l 0 1",
    ]:
        talk.same(*program.split())
    for program in ["BITCOUNT l", "BITCOUNT l x y", "BITPOS l 2", "BITPOS l 1 x", "BITOP AND d n l", "BITOP NOT d l"]:
        talk.same(*program.split())
    for program in ["BITFIELD l", "BITFIELD l GET u8 0", "BITFIELD l SET u8 0 1", "BITFIELD_RO l GET u8 0"]:
        talk.same(*program.split())
    talk.run([("SET", "l", "v"), ("GET", "l")])


@pytest.mark.parametrize("missing", [False, True])
def test_hits_and_misses_are_counted_alike(pair: Pair, missing: bool) -> None:
    pair.flush()
    talk = pair.resp2
    programs = ["GET k", "SET k 1", "SET k 1 GET", "SET k 1 XX", "SETNX k 1", "MGET k k", "GETSET k 1", "GETEX k"]
    programs += ["APPEND k 1", "STRLEN k", "SETRANGE k 0 1", "SETRANGE k 0", "GETRANGE k 0 1", "INCR k", "LCS k k"]
    programs += ["GETBIT k 1", "SETBIT k 1 1", "BITCOUNT k", "BITPOS k 1", "BITOP OR k k k", "BITFIELD k GET u8 0"]
    programs += ["BITFIELD k INCRBY u2 0 1", "BITFIELD_RO k GET u8 0", "INCRBYFLOAT k 1", "GETDEL k"]
    for program in programs:
        talk.run([("DEL", "k")] if missing else [("SET", "k", "7")])
        talk.same(*program.split())
        theirs, ours = (
            [line for line in info.text.split() if b"keyspace_" in line] for info in talk.both("INFO", "stats")
        )
        assert theirs == ours, program
