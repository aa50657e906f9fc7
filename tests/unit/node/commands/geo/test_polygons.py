"""GEOSEARCH BYPOLYGON, as valkey-server 9.1.2 answers it: Redis has none."""

import pytest

from tests.unit.node.commands.one import One

CORNERS = "3 12 37 16 37 14 39"
FOUND = b"*2\r\n$1\r\nP\r\n$1\r\nC\r\n"
TOO_FEW = b"-ERR GEOSEARCH BYPOLYGON must have at least 3 vertices\r\n"
NO_COUNT = b"-ERR invalid number of vertices\r\n"
SYNTAX = b"-ERR syntax error\r\n"


@pytest.fixture
def one() -> One:
    one = One()
    one.say("GEOADD", "g", "13.361389", "38.115556", "P", "15.087269", "37.502669", "C", "2", "41", "B")
    return one


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        (f"BYPOLYGON {CORNERS} DESC ASC", FOUND),
        (f"BYPOLYGON {CORNERS} BYPOLYGON {CORNERS}", FOUND),
        (f"BYPOLYGON {CORNERS} ASC COUNT 1 WITHDIST", b"*1\r\n*2\r\n$1\r\nP\r\n$10\r\n74231.3029\r\n"),
        (f"BYPOLYGON {CORNERS} DESC COUNT 1 WITHDIST", b"*1\r\n*2\r\n$1\r\nC\r\n$10\r\n97789.7329\r\n"),
        ("BYPOLYGON 2 12 37 16 37", TOO_FEW),
        ("BYPOLYGON 3 12 37 16 37 14", TOO_FEW),
        ("BYPOLYGON 4 12 37 16 37 14 39", TOO_FEW),
        ("BYPOLYGON -1 12 37 16 37 14 39", TOO_FEW),
        ("BYPOLYGON x 12 37 16 37 14 39", NO_COUNT),
        ("BYPOLYGON 99999999999 12 37 16 37 14 39", NO_COUNT),
        ("BYPOLYGON 3 12 37 16 97 14 39", b"-ERR invalid longitude,latitude pair 16.000000,97.000000\r\n"),
        ("BYPOLYGON 3 12 37 16 x 14 39", b"-ERR value is not a valid float\r\n"),
        (f"FROMMEMBER P BYPOLYGON {CORNERS}", SYNTAX),
        (f"BYPOLYGON {CORNERS} FROMLONLAT 1 1", SYNTAX),
        (f"BYRADIUS 1 m BYPOLYGON {CORNERS}", SYNTAX),
        (f"BYPOLYGON {CORNERS} BYBOX 1 1 m", SYNTAX),
        ("ASC DESC ASC DESC BYPOLYGON", SYNTAX),
    ],
)
def test_a_search_by_polygon(one: One, words: str, reply: bytes) -> None:
    assert one.say("GEOSEARCH", "g", *words.split()) == reply


def test_what_is_found_is_stored(one: One) -> None:
    assert one.say("GEOSEARCHSTORE", "d", "g", "BYPOLYGON", *CORNERS.split()) == b":2\r\n"
    assert one.say("GEOHASH", "d", "P", "B") == b"*2\r\n$11\r\nsqc8b49rny0\r\n$-1\r\n"
    assert one.say("GEOSEARCHSTORE", "d", "none", "BYPOLYGON", *CORNERS.split()) == b":0\r\n"
    assert one.stored(b"d") is None
