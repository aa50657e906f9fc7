"""What strings promise beyond their replies: how they are kept, their limits, and what counts as a hit."""

import pytest

from tests.unit.node.commands.one import One

TOO_LONG = b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"


def test_a_string_grows_in_place() -> None:
    one = One()
    one.say("SET", "k", "x")
    one.say("APPEND", "k", "y")
    value = one.stored(b"k")
    assert value == bytearray(b"xy")
    for _ in range(100):
        one.say("APPEND", "k", "z")
        one.say("SETRANGE", "k", 0, "a")
        one.say("SETBIT", "k", 7, 1)
    assert one.stored(b"k") is value


def test_a_reply_is_not_changed_by_what_comes_after_it() -> None:
    one = One()
    for request in (["MULTI"], ["APPEND", "k", "a"], ["APPEND", "k", "b"], ["GET", "k"], ["APPEND", "k", "c"]):
        one.say(*request)
    assert one.say("EXEC") == b"*4\r\n:1\r\n:2\r\n$2\r\nab\r\n:3\r\n"


def test_a_refused_change_leaves_the_string_alone() -> None:
    one = One()
    one.server.limits.max_bulk = 8
    one.say("SET", "k", "12345678")
    assert one.say("APPEND", "k", "9") == TOO_LONG
    assert one.say("SETRANGE", "k", 8, "9") == TOO_LONG
    assert one.say("SETBIT", "k", 64, 1) == b"-ERR bit offset is not an integer or out of range\r\n"
    assert one.say("SETRANGE", "none", 9, "x") == TOO_LONG
    assert one.say("GET", "k") == b"$8\r\n12345678\r\n"
    assert one.say("EXISTS", "none") == b":0\r\n"


def test_a_time_to_live_survives_changes_but_not_replacement() -> None:
    one = One()
    for change in (["APPEND", "k", "1"], ["INCR", "k"], ["SETRANGE", "k", 0, "2"], ["SETBIT", "k", 0, 0]):
        one.say("SET", "k", "1", "PX", 500)
        one.say(*change)
        assert one.say("PTTL", "k") == b":500\r\n", change
    for change in (["SET", "k", "1"], ["GETSET", "k", "1"], ["MSET", "k", "1"], ["BITOP", "NOT", "k", "k"]):
        one.say("SET", "k", "1", "PX", 500)
        one.say(*change)
        assert one.say("PTTL", "k") == b":-1\r\n", change


def test_keepttl_does_not_revive_a_key_whose_time_is_over() -> None:
    one = One()
    one.say("SET", "k", "1", "PX", 500)
    one.server.begin_batch(1_000_600)
    one.say("SET", "k", "2", "KEEPTTL")
    assert one.say("PTTL", "k") == b":-1\r\n"


@pytest.mark.parametrize(
    "change", [["SET", "k", "v", "EX", "9"], ["APPEND", "k", "x"], ["INCR", "n"], ["SETBIT", "k", "9", "1"]]
)
def test_a_command_is_one_change(change: list[str]) -> None:
    one = One()
    before = one.server.changes.dirty
    one.say(*change)
    assert one.server.changes.dirty == before + 1
