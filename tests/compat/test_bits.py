"""Random sequences of bit commands over a few keys get the same replies from us and from a real server."""

import re
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair, Word
from tests.compat.replies import Answer
from tests.compat.test_strings import NUMBERS, many, words

Program = list[tuple[Word, ...]]
Request = st.SearchStrategy[tuple[bytes, ...]]

KEYS = st.sampled_from([b"a", b"b", b"c", b"\r\n\x00\xff"])
VALUES = st.one_of(st.binary(max_size=20), st.sampled_from([b"\xff" * 9, b"\0" * 9, b"\xff\xf0\0\0", b"\0\0\x01\xff"]))
OFFSETS = st.one_of(
    st.integers(0, 200).map(lambda n: b"%d" % n),
    st.sampled_from([b"-1", b"a", b"4294967296", b"9223372036854775808", b"70000", b"#1", b"01", b""]),
)
BIT = st.sampled_from([b"0", b"1", b"1", b"2", b"-1", b"x", b"01"])
UNIT = st.sampled_from([b"BIT", b"byte", b"BITS"])
INDEX = st.one_of(st.integers(-170, 170).map(lambda n: b"%d" % n), NUMBERS)

WIDTHS = st.one_of(
    st.integers(1, 64).map(lambda n: b"i%d" % n),
    st.integers(1, 63).map(lambda n: b"u%d" % n),
    st.sampled_from([b"u64", b"i65", b"i0", b"x8", b"u08", b"", b"U8", b"u-1"]),
)
FIELDS = st.one_of(
    OFFSETS,
    st.integers(0, 8).map(lambda n: b"#%d" % n),
    st.sampled_from([b"#-1", b"#", b"#1152921504606846976", b"#2305843009213693952", b"#9223372036854775807"]),
)
AMOUNTS = st.one_of(
    NUMBERS, st.integers(-(2**63), 2**63 - 1).map(lambda n: b"%d" % n), st.integers(-300, 300).map(lambda n: b"%d" % n)
)
OPERATIONS: Request = st.one_of(
    words(b"GET", WIDTHS, FIELDS),
    words(b"SET", WIDTHS, FIELDS, AMOUNTS),
    words(b"incrby", WIDTHS, FIELDS, AMOUNTS),
    words(b"OVERFLOW", st.sampled_from([b"WRAP", b"sat", b"FAIL", b"x"])),
)
GOOD_OPERATIONS: Request = st.one_of(
    words(b"GET", st.sampled_from([b"u8", b"i5", b"u63", b"i64"]), st.sampled_from([b"0", b"#1", b"13"])),
    words(b"SET", st.sampled_from([b"u8", b"i5", b"u63", b"i64"]), st.sampled_from([b"0", b"#1", b"13"]), AMOUNTS),
    words(b"INCRBY", st.sampled_from([b"u8", b"i5", b"u63", b"i64"]), st.sampled_from([b"0", b"#1", b"13"]), AMOUNTS),
    words(b"OVERFLOW", st.sampled_from([b"WRAP", b"SAT", b"FAIL"])),
)


def small(request: tuple[bytes, ...]) -> bool:
    """Not a request that would make both servers allocate hundreds of megabytes."""
    return not any(len(word) in (9, 10) and word.isdigit() and int(word) < 2**32 for word in request)


def bitfield(name: bytes, operations: Request) -> Request:
    return st.tuples(KEYS, st.lists(operations, max_size=4)).map(
        lambda drawn: (name, drawn[0], *(word for operation in drawn[1] for word in operation))
    )


COMMANDS: Request = st.one_of(
    words(b"SET", KEYS, VALUES),
    words(b"APPEND", KEYS, VALUES),
    words(b"GETBIT", KEYS, OFFSETS),
    words(b"SETBIT", KEYS, OFFSETS, BIT),
    words(b"BITCOUNT", KEYS),
    words(b"BITCOUNT", KEYS, INDEX),
    words(b"BITCOUNT", KEYS, INDEX, INDEX),
    words(b"BITCOUNT", KEYS, INDEX, INDEX, UNIT),
    words(b"BITPOS", KEYS, BIT),
    words(b"BITPOS", KEYS, BIT, INDEX),
    words(b"BITPOS", KEYS, BIT, INDEX, INDEX),
    words(b"BITPOS", KEYS, BIT, INDEX, INDEX, UNIT),
    words(b"BITPOS", KEYS, BIT, INDEX, INDEX, UNIT, UNIT),
    many(b"BITOP", st.sampled_from([b"AND", b"or", b"XOR", b"NOT", b"NAND"]), KEYS, KEYS),
    st.tuples(many(b"BITOP", st.sampled_from([b"AND", b"OR", b"XOR"])), st.lists(KEYS, min_size=2, max_size=5)).map(
        lambda drawn: (*drawn[0][:2], *drawn[1])
    ),
    bitfield(b"BITFIELD", OPERATIONS),
    bitfield(b"BITFIELD", GOOD_OPERATIONS),
    bitfield(b"BITFIELD_RO", OPERATIONS),
    bitfield(b"bitfield_ro", words(b"GET", WIDTHS, FIELDS)),
).filter(small)


@SETTINGS
@given(program=st.lists(COMMANDS, max_size=40), protocol=st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, program: Program, protocol: Literal[2, 3]) -> None:
    pair.flush()
    talk = pair.in_protocol(protocol)
    talk.run(program)
    talk.same("MGET", b"a", b"b", b"c", b"\r\n\x00\xff")


SMALL_FIELDS = st.sampled_from([b"u1", b"u2", b"i3", b"u8", b"i64"])
SMALL_AMOUNTS = st.sampled_from([b"0", b"1", b"-1", b"255", b"256"])
# Without OVERFLOW FAIL: a string that grows in spite of it is no change to Redis, and its replicas never hear of it.
CHANGES: Request = st.one_of(
    words(b"SETBIT", st.just(b"a"), st.sampled_from([b"0", b"1", b"7", b"8", b"70"]), st.sampled_from([b"0", b"1"])),
    st.lists(
        st.one_of(
            words(b"GET", SMALL_FIELDS, st.sampled_from([b"0", b"90"])),
            words(b"SET", SMALL_FIELDS, st.sampled_from([b"0", b"3", b"20"]), SMALL_AMOUNTS),
            words(b"INCRBY", SMALL_FIELDS, st.sampled_from([b"0", b"3", b"20"]), SMALL_AMOUNTS),
            words(b"OVERFLOW", st.sampled_from([b"WRAP", b"SAT"])),
        ),
        max_size=4,
    ).map(lambda drawn: (b"BITFIELD", b"a", *(word for operation in drawn for word in operation))),
)


def changes(info: Answer) -> int:
    found = re.search(rb"rdb_changes_since_last_save:(\d+)", info.text)
    assert found is not None
    return int(found[1])


@SETTINGS
@given(value=st.sampled_from([b"\0" * 9, b"\xff" * 9, b"\xf0"]), program=st.lists(CHANGES, min_size=1, max_size=6))
def test_what_changes_nothing_counts_as_no_change(pair: Pair, value: bytes, program: Program) -> None:
    """Neither for the number of changes nor for who watches the key."""
    pair.flush()
    talk, watching = pair.resp2, pair.talk()
    talk.same("SET", "a", value)
    talk.same("SETRANGE", "a", len(value) - 1, value[-1:])
    before = [changes(info) for info in talk.both("INFO", "persistence")]
    for request in program:
        watching.same("WATCH", "a")
        talk.same(*request)
        watching.same("MULTI")
        watching.same("EXEC")
    theirs, ours = (changes(info) - count for info, count in zip(talk.both("INFO", "persistence"), before, strict=True))
    assert ours == theirs


@SETTINGS
@given(value=VALUES, begin=INDEX, end=INDEX, bit=st.sampled_from([0, 1]))
def test_ranges_of_bits(pair: Pair, value: bytes, begin: bytes, end: bytes, bit: int) -> None:
    pair.flush()
    talk = pair.resp2
    talk.run([("SET", "k", value), ("BITPOS", "k", bit), ("BITPOS", "k", bit, begin), ("BITCOUNT", "k", begin, end)])
    talk.run([("BITPOS", "k", bit, begin, end), ("BITPOS", "k", bit, begin, end, "BIT")])
    talk.run([("BITCOUNT", "k", begin, end, "BIT"), ("BITCOUNT", "k", begin, end, "BYTE")])


@pytest.mark.parametrize("value", [b"", b"\x10", b"\xff\xff", b"\x7f\xff", b"\x00\x80"])
def test_every_range_of_a_short_string(pair: Pair, value: bytes) -> None:
    pair.flush()
    talk = pair.resp2
    talk.same("SET", "k", value)
    for begin in range(-18, 18):
        for end in range(-18, 18):
            talk.run([("BITPOS", "k", bit, begin, end, "BIT") for bit in (0, 1)])
            talk.same("BITCOUNT", "k", begin, end, "BIT")


@SETTINGS
@given(
    value=st.binary(min_size=20, max_size=20),
    sign=st.sampled_from(["i", "u"]),
    width=st.integers(1, 63),
    at=st.integers(0, 90),
    amount=st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-200, 200)),
)
def test_overflows(pair: Pair, value: bytes, sign: str, width: int, at: int, amount: int) -> None:
    pair.flush()
    talk = pair.resp2
    kind = f"{sign}{width}"
    for overflow in ("WRAP", "SAT", "FAIL"):
        talk.same("SET", "k", value)
        talk.same("BITFIELD", "k", "OVERFLOW", overflow, "INCRBY", kind, at, amount, "INCRBY", kind, at, amount)
        talk.same("BITFIELD", "k", "OVERFLOW", overflow, "SET", kind, at, amount, "GET", kind, at, "GET", "i64", at)
        talk.same("GET", "k")


def test_long_strings(pair: Pair) -> None:
    """Longer than one piece of work, with the only odd bits at both ends of pieces."""
    pair.flush()
    talk = pair.resp2
    size = 200_000
    talk.same("SET", "ones", b"\xff" * size)
    talk.same("SETBIT", "zeros", size * 8 - 1, 0)
    for at in (0, 65535 * 8 + 7, 65536 * 8, 131072 * 8 + 3, size * 8 - 1):
        talk.run([("SETBIT", "zeros", at, 1), ("SETBIT", "ones", at, 0)])
        for key, bit in (("zeros", 1), ("ones", 0)):
            talk.run([("BITPOS", key, bit), ("BITPOS", key, bit, 1), ("BITPOS", key, 1 - bit), ("BITCOUNT", key)])
            talk.run(
                [("BITCOUNT", key, 3, -5, "BIT"), ("BITPOS", key, bit, at, -1, "BIT"), ("BITCOUNT", key, 65535, 65536)]
            )
        talk.run([("SETBIT", "zeros", at, 0), ("SETBIT", "ones", at, 1)])
    talk.run([("SET", "short", b"\x55" * 70000), ("BITPOS", "ones", 0), ("BITPOS", "ones", 0, 0, -1)])
    for operation in ("AND", "OR", "XOR"):
        talk.run(
            [("BITOP", operation, "d", "ones", "short", "zeros"), ("BITCOUNT", "d"), ("GETRANGE", "d", 69990, 70010)]
        )
    talk.run([("BITOP", "NOT", "d", "short"), ("GET", "d"), ("BITOP", "AND", "d", "none"), ("GET", "d")])
