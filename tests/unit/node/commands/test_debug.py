"""DEBUG looks at values and data without changing them."""

import pytest

from tests.unit.node.commands.one import One

FILL = (
    "SET s text",
    "SET n 12345",
    "SET e x PX 100000",
    "SADD few a b 1",
    "SADD numbers 1 2 3",
    "GEOADD places 13.36 38.11 P 15.08 37.5 C",
    "PFADD hll a b c",
    "SELECT 3",
    "SET other x",
    "SELECT 0",
)


@pytest.fixture
def one() -> One:
    one = One()
    one.server.access.debug = "yes"
    for request in FILL:
        assert not one.say(*request.split()).startswith(b"-")
    return one


def test_data_are_the_same_after_a_reload(one: One) -> None:
    before = one.say("DEBUG", "DIGEST")
    encodings = [one.say("OBJECT", "ENCODING", key) for key in ("few", "numbers", "places")]
    changes = one.server.changes.dirty
    assert one.say("DEBUG", "RELOAD") == b"+OK\r\n"
    assert one.say("DEBUG", "DIGEST") == before
    assert one.say("PTTL", "e") == b":100000\r\n"
    assert [one.say("OBJECT", "ENCODING", key) for key in ("few", "numbers", "places")] == encodings
    assert one.server.changes.dirty == changes
    assert one.say("DEBUG", "RELOAD", "NOSAVE").startswith(b"-ERR Error trying to load the RDB dump")
    assert one.say("DEBUG", "DIGEST") == before


def test_serialized_lengths_are_those_of_an_rdb(one: One) -> None:
    """As redis-server 7.0.15 tells them."""
    assert b" serializedlength:5 " in one.say("DEBUG", "OBJECT", "s")
    assert b" serializedlength:3 " in one.say("DEBUG", "OBJECT", "n")
    assert b" encoding:intset serializedlength:15 " in one.say("DEBUG", "OBJECT", "numbers")


def test_a_table_has_room_for_its_elements(one: One) -> None:
    one.say("SADD", "many", *[f"member:{number}" for number in range(1000)])
    reply = one.say("DEBUG", "HTSTATS-KEY", "many")
    assert b"table size: 1024\n number of elements: 1000\n" in reply
    assert one.say("DEBUG", "HTSTATS-KEY", "numbers").startswith(b"-ERR The value stored at the specified key is not")


def test_a_checksum_may_be_anything_while_it_is_not_looked_at(one: One) -> None:
    payload = b"\0\1x\n\0" + bytes(8)
    assert one.say("RESTORE", "k", 0, payload).startswith(b"-ERR DUMP payload")
    one.say("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1)
    assert one.say("RESTORE", "k", 0, payload) == b"+OK\r\n"
    one.say("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 0)
    assert one.say("RESTORE", "k", 0, payload, "REPLACE").startswith(b"-ERR DUMP payload")


def test_keys_end_while_debug_sleeps() -> None:
    one = One()
    one.server.access.debug = "yes"
    one.say("SET", "k", "v", "PX", 100)
    assert one.say("DEBUG", "SLEEP", "0.06") == b"+OK\r\n"
    assert one.say("GET", "k") == b"$1\r\nv\r\n"
    assert one.say("DEBUG", "SLEEP", "0.06") == b"+OK\r\n"
    assert one.say("GET", "k") == b"$-1\r\n"
