"""What XINFO tells of a stream."""

from tests.unit.node.commands.one import One


def test_the_count_of_entries_ever_added_wraps_around_as_in_redis() -> None:
    one = One()
    one.say("XADD", "s", "1-1", "f", "v")
    one.say("XSETID", "s", "1-1", "ENTRIESADDED", 2**63 - 1)
    assert b"entries-added\r\n:9223372036854775807\r\n" in one.say("XINFO", "STREAM", "s")
    one.say("XADD", "s", "1-2", "f", "v")
    assert b"entries-added\r\n:-9223372036854775808\r\n" in one.say("XINFO", "STREAM", "s")
