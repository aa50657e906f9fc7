"""RESTORE of a large value: it is read in steps, and what others do meanwhile counts."""

import pytest

from gossamer.node.engine.serving.session import Session
from gossamer.node.persist.crc64 import crc64, footer
from gossamer.node.resp.requests import encoded
from tests.unit.node.commands.one import One

MEMBERS = 20_000


def dumped(one: One) -> bytes:
    for first in range(0, MEMBERS, 1000):
        one.say("ZADD", "z", *(word for n in range(first, first + 1000) for word in (n, f"member:{n}")))
    payload = one.say("DUMP", "z").partition(b"\r\n")[2][:-2]
    assert len(payload) > MEMBERS * 10
    return payload


class Restorer:
    """A client that wants ``payload`` at ``k``."""

    def __init__(self, one: One, payload: bytes) -> None:
        self.one = one
        self.session: Session = one.machine.accept("127.0.0.1:3", "127.0.0.1:2")
        self.session.feed(encoded([b"RESTORE", b"k", b"0", payload]))

    def wait(self) -> bytes:
        """The reply, after all steps."""
        steps = 0
        while self.one.server.long_replies.pending():
            self.one.machine.work()
            self.one.machine.drain()
            steps += 1
        assert steps > MEMBERS / 2000, "it was read at once"
        return self.session.take_output()


def test_others_are_served_and_the_key_is_there_when_it_is_whole() -> None:
    one = One()
    restorer = Restorer(one, dumped(one))
    assert restorer.session.blocked
    one.session.feed(encoded([b"EXISTS", b"k"]))
    assert one.session.take_output() == b":0\r\n"
    assert restorer.wait() == b"+OK\r\n"
    assert one.say("ZCARD", "k") == b":%d\r\n" % MEMBERS
    assert one.say("DEBUG", "DIGEST-VALUE", "k") == one.say("DEBUG", "DIGEST-VALUE", "z")
    assert one.say("INFO", "commandstats").count(b"cmdstat_restore:calls=1,") == 1


def test_a_key_that_has_come_meanwhile_stays() -> None:
    one = One()
    restorer = Restorer(one, dumped(one))
    one.session.feed(encoded([b"SET", b"k", b"v"]))
    assert restorer.wait() == b"-BUSYKEY Target key name already exists.\r\n"
    one.session.take_output()
    assert one.say("GET", "k") == b"$1\r\nv\r\n"


def test_a_pause_of_writes_that_begins_meanwhile_keeps_the_key_out_until_it_ends() -> None:
    one = One()
    restorer = Restorer(one, dumped(one))
    one.session.feed(encoded([b"CLIENT", b"PAUSE", b"100000", b"WRITE"]))
    assert restorer.wait() == b""
    one.session.take_output()
    assert one.say("EXISTS", "k") == b":0\r\n"
    one.say("CLIENT", "UNPAUSE")
    one.machine.drain()
    assert restorer.wait() == b"+OK\r\n"
    assert one.say("EXISTS", "k") == b":1\r\n"


@pytest.mark.parametrize(
    ("cut", "sealed", "error"),
    [
        (100, True, b"-ERR Bad data format\r\n"),
        (100, False, b"-ERR DUMP payload version or checksum are wrong\r\n"),
    ],
)
def test_what_turns_out_to_be_damaged_leaves_nothing(cut: int, sealed: bool, error: bytes) -> None:
    one = One()
    whole = dumped(one)
    payload = whole[:-10][:-cut] + whole[-10:-8]
    payload += footer(crc64(payload)) if sealed else whole[-8:]
    restorer = Restorer(one, payload)
    while one.server.long_replies.pending():
        one.machine.work()
        one.machine.drain()
    assert restorer.session.take_output() == error
    assert one.say("EXISTS", "k") == b":0\r\n"
    assert bool(one.server.lazyfree.garbage) is sealed, "what was read of it is freed in pieces"


def test_what_nobody_waits_for_any_more_is_freed_in_pieces() -> None:
    one = One()
    restorer = Restorer(one, dumped(one))
    for _ in range(5):
        one.machine.work()
    one.machine.leave(restorer.session)
    assert not one.server.long_replies.pending()
    assert one.server.lazyfree.garbage
    assert one.say("EXISTS", "k") == b":0\r\n"


def test_a_transaction_does_not_wait() -> None:
    one = One()
    payload = dumped(one)
    one.say("MULTI")
    one.say("RESTORE", "k", 0, payload)
    one.say("ZCARD", "k")
    assert one.say("EXEC") == b"*2\r\n+OK\r\n:%d\r\n" % MEMBERS
