"""Random places are found, measured and stored here as on a real server; polygons, which only Valkey has, by hand."""

import random
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from tests.compat.pair import SETTINGS, Pair, Word
from tests.compat.test_strings import words

Program = list[tuple[Word, ...]]
Request = st.SearchStrategy[tuple[bytes, ...]]

KEYS = st.sampled_from([b"a", b"a", b"b", b"none", b"text"])
MEMBERS = st.one_of(st.integers(0, 30).map(lambda n: b"m%d" % n), st.sampled_from([b"", b"\r\n\0", b"x" * 70]))
ODD = st.sampled_from([b"181", b"-91", b"nan", b"inf", b"", b"x", b" 1", b"1e1", b"0x1p3", b"-0", b"1e-320"])
LONGITUDES = st.one_of(
    st.floats(-180, 180).map(lambda x: repr(x).encode()),
    st.floats(13, 16).map(lambda x: b"%.6f" % x),
    st.sampled_from([b"180", b"-180", b"0", b"179.9999"]),
)
LATITUDES = st.one_of(
    st.floats(-85.05112878, 85.05112878).map(lambda x: repr(x).encode()),
    st.floats(37, 39).map(lambda x: b"%.6f" % x),
    st.sampled_from([b"85.05112878", b"-85.05112878", b"0", b"85"]),
)
SIZES = st.one_of(
    st.floats(0, 500).map(lambda x: b"%.3f" % x),
    st.floats(0, 2.2e7).map(lambda x: b"%.1f" % x),
    st.sampled_from([b"0", b"-1", b"1e300", b"inf", b"x", b"", b"1e-300"]),
)
UNITS = st.sampled_from([b"m", b"KM", b"km", b"ft", b"Mi", b"mi", b"yd", b""])
PLACE = st.one_of(*[st.tuples(LONGITUDES, LATITUDES)] * 9, st.tuples(st.one_of(ODD, LONGITUDES), ODD))

OPTIONS: Request = st.one_of(
    words(b"WITHDIST"),
    words(b"withhash"),
    words(b"WITHCOORD"),
    st.tuples(st.sampled_from([b"ASC", b"desc"])),
    words(b"COUNT", st.sampled_from([b"1", b"3", b"100"])),
    words(b"COUNT", st.sampled_from([b"1", b"2", b"5"]), st.just(b"ANY")),
)
STORES: Request = st.one_of(
    words(b"STORE", KEYS), words(b"STOREDIST", KEYS), words(b"STOREDIST"), words(b"ANY"), words(b"COUNT", ODD)
)
AREAS: Request = st.one_of(
    words(b"FROMMEMBER", MEMBERS),
    PLACE.map(lambda at: (b"FROMLONLAT", *at)),
    words(b"BYRADIUS", SIZES, UNITS),
    words(b"bybox", SIZES, SIZES, UNITS),
)
FROM: Request = st.one_of(words(b"FROMMEMBER", MEMBERS), PLACE.map(lambda at: (b"FromLonLat", *at)))
BY: Request = st.one_of(words(b"BYRADIUS", SIZES, UNITS), words(b"BYBOX", SIZES, SIZES, UNITS))


def joined(*parts: "Request | st.SearchStrategy[list[tuple[bytes, ...]]]") -> Request:
    """A request from parts: each is some words, or a list of such."""

    def flat(drawn: tuple[object, ...]) -> tuple[bytes, ...]:
        out: list[bytes] = []
        for part in drawn:
            if isinstance(part, list):
                for some in part:
                    out += some
            else:
                assert isinstance(part, tuple)
                out += part
        return tuple(out)

    return st.tuples(*parts).map(flat)


FEW = st.lists(OPTIONS, max_size=4)
MORE = st.lists(st.one_of(OPTIONS, OPTIONS, STORES, AREAS), max_size=3)

ADDING: Request = joined(
    words(b"GEOADD", KEYS),
    st.lists(st.tuples(st.sampled_from([b"NX", b"xx", b"CH"])), max_size=2),
    st.lists(st.tuples(PLACE, MEMBERS).map(lambda drawn: (*drawn[0], drawn[1])), min_size=1, max_size=6),
)
COMMANDS: Request = st.one_of(
    ADDING,
    words(b"GEODIST", KEYS, MEMBERS, MEMBERS),
    words(b"GEODIST", KEYS, MEMBERS, MEMBERS, UNITS),
    words(b"GEOHASH", KEYS, MEMBERS, MEMBERS),
    words(b"GEOPOS", KEYS, MEMBERS, MEMBERS),
    joined(words(b"GEORADIUS", KEYS), PLACE, st.tuples(SIZES, UNITS), FEW),
    joined(words(b"GEORADIUS", KEYS), PLACE, st.tuples(SIZES, UNITS), FEW, STORES),
    joined(words(b"GEORADIUS_RO", KEYS), PLACE, st.tuples(SIZES, UNITS), MORE),
    joined(words(b"GEORADIUSBYMEMBER", KEYS, MEMBERS, SIZES, UNITS), MORE),
    joined(words(b"GEORADIUSBYMEMBER_RO", KEYS, MEMBERS, SIZES, UNITS), MORE),
    joined(words(b"GeoSearch", KEYS), FROM, BY, FEW),
    joined(words(b"GEOSEARCH", KEYS), MORE, BY, FROM, MORE),
    joined(words(b"GEOSEARCHSTORE", KEYS, KEYS), FROM, BY, st.lists(words(b"STOREDIST"), max_size=1)),
    joined(words(b"GEOSEARCHSTORE", KEYS, KEYS), FROM, BY, MORE),
    words(b"OBJECT", st.just(b"ENCODING"), KEYS),
)


@SETTINGS
@given(begin=st.lists(ADDING, max_size=5), program=st.lists(COMMANDS, max_size=25), protocol=st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, begin: Program, program: Program, protocol: Literal[2, 3]) -> None:
    pair.flush()
    talk = pair.in_protocol(protocol)
    talk.same("SET", "text", "x")
    talk.run(begin)
    talk.run(program)


def search(rng: random.Random) -> list[Word]:
    """Where GEOSEARCH looks for places, and how far."""
    longitude, latitude = rng.uniform(-180, 180), rng.uniform(-85, 85)
    if rng.random() < 0.5:
        longitude, latitude = rng.uniform(2, 3), rng.uniform(48, 49)
    size = 10 ** rng.uniform(0, 4.5)
    out: list[Word] = ["FROMMEMBER", f"{rng.randrange(20)}:{rng.randrange(30)}"]
    if rng.random() < 0.5:
        out = ["FROMLONLAT", str(longitude), str(latitude)]
    if rng.random() < 0.5:
        return [*out, "BYRADIUS", str(size), "km"]
    return [*out, "BYBOX", str(size), str(10 ** rng.uniform(0, 4.5)), "km"]


def test_many_places_are_found_in_the_same_order(pair: Pair) -> None:
    """Those of one distance included, as long as all are told."""
    pair.flush()
    talk = pair.resp2
    rng = random.Random(4)
    for step in range(20):
        places: list[Word] = []
        for number in range(30):
            wide = number % 3 == 0
            longitude = rng.uniform(-180, 180) if wide else rng.uniform(2, 3)
            latitude = rng.uniform(-85, 85) if wide else rng.choice([48.0, rng.uniform(48, 49)])
            places += [f"{longitude:.7f}", f"{latitude:.7f}", f"{step}:{number}"]
        talk.same("GEOADD", "k", *places)
    for _ in range(200):
        asked: list[Word] = rng.choice([[], ["ASC"], ["DESC"], ["COUNT", "7", "ANY"]])
        talk.same("GEOSEARCH", "k", *search(rng), *asked, "WITHDIST", "WITHHASH", "WITHCOORD")
        talk.same("GEOSEARCHSTORE", "d", "k", *search(rng))
        talk.run([("DEBUG", "DIGEST-VALUE", "d"), ("OBJECT", "ENCODING", "d")])
        talk.same("GEOSEARCHSTORE", "d", "k", *search(rng), "STOREDIST")


def test_what_counts_as_a_change(pair: Pair) -> None:
    pair.flush()
    talk, watching = pair.resp2, pair.talk()
    for request in (
        ("GEOADD", "a", "1", "1", "x"),
        ("GEOADD", "a", "1", "1", "x"),
        ("GEOADD", "a", "CH", "1", "2", "x", "3", "4", "y"),
        ("GEOADD", "a", "XX", "CH", "1", "3", "x", "3", "4", "z"),
        ("GEOADD", "a", "NX", "1", "4", "x", "3", "4", "z"),
        ("GEOADD", "a", "XX", "3", "4", "w"),
        ("GEORADIUS", "a", "1", "1", "9999", "km", "STORE", "a"),
        ("GEOSEARCHSTORE", "a", "none", "FROMMEMBER", "x", "BYRADIUS", "1", "m"),
        ("GEOSEARCHSTORE", "a", "none", "FROMMEMBER", "x", "BYRADIUS", "1", "m"),
    ):
        watching.same("WATCH", "a")
        talk.same(*request)
        watching.run([("MULTI",), ("PING",), ("EXEC",)])
