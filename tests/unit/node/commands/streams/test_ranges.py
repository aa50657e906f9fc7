"""A long range is told in steps, as it was when it was asked for."""

import pytest

from gossamer.node.types.kind import STEP
from tests.unit.node.commands.one import One
from tests.unit.node.commands.streams.test_reading import Reader


def ids(reply: bytes) -> list[bytes]:
    return [line for line in reply.split(b"\r\n") if line.endswith(b"-0")]


@pytest.mark.parametrize("count", [1, STEP, STEP + 1, 2 * STEP, 2 * STEP + 5])
def test_all_entries_are_there(count: int) -> None:
    one = One()
    for number in range(1, count + 1):
        one.say("XADD", "s", f"{number}-0", "f", "v")
    expected = [b"%d-0" % number for number in range(1, count + 1)]
    reply = one.say("XRANGE", "s", "-", "+")
    assert reply.startswith(b"*%d\r\n" % count)
    assert ids(reply) == expected
    assert ids(one.say("XREVRANGE", "s", "+", "-")) == expected[::-1]
    assert ids(one.say("XRANGE", "s", "-", "+", "COUNT", count - 1)) == expected[:-1]


def test_who_reads_a_long_range_does_not_wait_for_the_end_of_a_pause_of_writes() -> None:
    one = One()
    for number in range(1, 2 * STEP + 1):
        one.say("XADD", "s", f"{number}-0", "f", "v")
    one.say("CLIENT", "PAUSE", 100_000, "WRITE")
    assert one.say("XRANGE", "s", "-", "+").startswith(b"*%d\r\n" % (2 * STEP))


def test_what_changes_meanwhile_is_not_seen() -> None:
    one = One()
    for number in range(1, 3 * STEP + 1):
        one.say("XADD", "s", f"{number}-0", "f", "v")
    reader = Reader(one)
    assert reader.say("XREVRANGE", "s", "+", "-") == b""
    one.session.feed(b"XTRIM s MAXLEN 10\r\nXADD s 9999-0 f v\r\nXDEL s 2995-0\r\n")
    while one.server.long_replies.pending():
        one.machine.work()
        one.machine.drain()
    assert ids(reader.hear()) == [b"%d-0" % number for number in range(3 * STEP, 0, -1)]
    assert one.say("XLEN", "s").endswith(b":10\r\n")
