"""SORT of random keys with random options is answered alike by us and by a real server.

The order of what is equal by the text of its weight is nobody's promise, nor is that of an unsorted set: there the
replies are compared without it.
"""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair
from tests.compat.test_sets import unordered
from tests.compat.test_strings import FLOATS, NUMBERS, words

Request = tuple[bytes, ...]

ELEMENTS = st.one_of(
    st.integers(-20, 20).map(lambda number: b"%d" % number),
    st.sampled_from([b"1.0", b"1", b"01", b"1e0", b"0x1", b"-0", b"0", b"", b"inf", b"-inf", b" 1", b"1\0x", b"0.5"]),
)
ODD = st.one_of(
    FLOATS, st.sampled_from([b"1e400", b"1e-400", b"-1e-310", b"0x1p-1074", b"0x1p2000", b"1 ", b"\t2", b"a"])
)
KEYS = st.sampled_from([b"list", b"set", b"zset", b"string", b"none"])
PATTERNS = st.sampled_from(
    [b"weight_*", b"hash_*->field", b"hash_*->", b"*", b"none_*", b"weight_*\0", b"x", b"x\0*", b"#"]
)
GETS = st.one_of(PATTERNS, st.sampled_from([b"#", b"#\0", b"#*"]))
OPTIONS = st.one_of(
    st.sampled_from([(b"ASC",), (b"desc",), (b"ALPHA",), (b"alpha",), (b"BY",), (b"GET",), (b"STORE",), (b"x",)]),
    words(b"LIMIT", NUMBERS, NUMBERS),
    words(b"limit", st.sampled_from([b"0", b"1", b"2"]), st.sampled_from([b"-1", b"0", b"1", b"3"])),
    words(b"BY", PATTERNS),
    words(b"GET", GETS),
    words(b"get", GETS),
)
STORE = words(b"STORE", st.sampled_from([b"there", b"string", b"list"]))


def requests(name: bytes, options: st.SearchStrategy[Request]) -> st.SearchStrategy[Request]:
    return st.tuples(KEYS, st.lists(options, max_size=5)).map(
        lambda drawn: (name, drawn[0], *(word for option in drawn[1] for word in option))
    )


def fill(pair: Pair, elements: list[bytes], weights: list[bytes]) -> None:
    pair.flush()
    talk = pair.resp2
    talk.same("SET", "string", "x")
    if elements:
        talk.same("SADD", "set", *elements)
        talk.same("ZADD", "zset", *(word for place, element in enumerate(elements) for word in (place % 3, element)))
        talk.same("RPUSH", "list", *elements)
    for element, weight in zip(elements, weights, strict=False):
        talk.same("SET", b"weight_" + element, weight)
        talk.same("HSET", b"hash_" + element, "field", weight)


@SETTINGS
@given(
    elements=st.lists(ELEMENTS, max_size=12),
    weights=st.lists(st.one_of(ELEMENTS, ODD), max_size=12),
    program=st.lists(st.one_of(requests(b"SORT", OPTIONS | STORE), requests(b"sort_ro", OPTIONS | STORE)), max_size=20),
    protocol=st.sampled_from([2, 3]),
)
def test_random_sorts(
    pair: Pair, elements: list[bytes], weights: list[bytes], program: list[Request], protocol: Literal[2, 3]
) -> None:
    fill(pair, elements, weights)
    talk = pair.in_protocol(protocol)
    for request in program:
        upper = tuple(word.upper() for word in request)
        by_nothing = upper[1] == b"SET" and b"BY" in upper
        if b"BY" in upper and (b"LIMIT" in upper or by_nothing) and (b"ALPHA" in upper or by_nothing):
            continue
        normal = unordered if b"BY" in upper and b"ALPHA" in upper else None
        talk.same(*request, normal=normal)
        for stored in (b"there", b"string") if b"STORE" in upper else ():
            talk.same("LRANGE", stored, 0, -1, normal=normal)


@SETTINGS
@given(elements=st.lists(st.one_of(ELEMENTS, ODD), max_size=3), key=KEYS)
def test_what_is_a_score(pair: Pair, elements: list[bytes], key: bytes) -> None:
    fill(pair, elements, [])
    pair.resp2.same("SORT", key)
    pair.resp2.same("SORT", key, "DESC", "LIMIT", 0, 2)
