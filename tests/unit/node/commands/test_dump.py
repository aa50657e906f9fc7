"""DUMP and RESTORE: what comes back, what is refused, and in which order that is looked at."""

import pytest

from tests.unit.node.commands.one import One
from tests.unit.node.persist.recorded import refusals

NOW = 1_000_000
"""What One's clock says."""
V = b"\x00\x01v\n\x00\x91\x08\xce\xb2\x198\x8a\xce"
"""What Redis 7.0.15 answers to DUMP of a key that holds ``v``."""


def test_dump_is_what_redis_says() -> None:
    one = One()
    one.say("SET", "k", "v")
    assert one.say("DUMP", "k") == b"$13\r\n%s\r\n" % V
    assert one.say("DUMP", "missing") == b"$-1\r\n"


def test_a_string_comes_back() -> None:
    one = One()
    one.say("APPEND", "k", b"\x00" * 50)
    payload = one.say("DUMP", "k").partition(b"\r\n")[2][:-2]
    assert one.say("RESTORE", "copy", 0, payload) == b"+OK\r\n"
    assert one.stored(b"copy") == b"\x00" * 50
    assert one.say("PTTL", "copy") == b":-1\r\n"


@pytest.mark.parametrize(("server", "case", "payload", "reply"), refusals())
def test_a_recorded_refusal(server: str, case: str, payload: bytes, reply: str) -> None:
    one = One()
    one.say("SET", "there", "v")
    key = "there" if case == "busykey" else "k"
    assert one.say("RESTORE", key, -1 if case == "negative-ttl" else 0, payload) == reply.encode() + b"\r\n"
    assert one.say("GET", "there") == b"$1\r\nv\r\n"


def test_only_what_is_whole_replaces_a_key() -> None:
    one = One()
    one.say("SET", "k", "old", "PX", 5000)
    assert one.say("RESTORE", "k", 0, V[:-1] + b"x", "REPLACE").startswith(b"-ERR DUMP payload")
    assert one.say("GET", "k") == b"$3\r\nold\r\n"
    assert one.say("RESTORE", "k", 0, V, "REPLACE") == b"+OK\r\n"
    assert one.say("GET", "k") == b"$1\r\nv\r\n"
    assert one.say("PTTL", "k") == b":-1\r\n"


def test_the_time_to_live_is_left_or_absolute() -> None:
    one = One()
    assert one.say("RESTORE", "k", 700, V) == b"+OK\r\n"
    assert one.say("PEXPIRETIME", "k") == b":%d\r\n" % (NOW + 700)
    assert one.say("RESTORE", "k", NOW + 1, V, "REPLACE", "ABSTTL") == b"+OK\r\n"
    assert one.say("PEXPIRETIME", "k") == b":%d\r\n" % (NOW + 1)


def test_what_is_over_already_does_not_come_back() -> None:
    one = One()
    one.say("SET", "k", "old")
    assert one.say("RESTORE", "k", NOW, V, "REPLACE", "ABSTTL") == b"+OK\r\n"
    assert one.stored(b"k") is None


@pytest.mark.parametrize("name", ["restore", "restore-asking"])
def test_a_time_to_live_beyond_all_times_is_refused_and_the_key_stays(name: str) -> None:
    one = One()
    one.say("SET", "k", "old", "PX", 5000)
    refused = b"-ERR invalid expire time in '%s' command\r\n" % name.encode()
    for ttl in (2**63 - 1, 2**63 - NOW):
        assert one.say(name, "k", ttl, V, "REPLACE") == refused
        assert one.stored(b"k") == b"old"
    assert one.say("PTTL", "k") == b":5000\r\n"
    assert one.say(name, "k", 2**63 - 1 - NOW, V, "REPLACE") == b"+OK\r\n"
    assert one.say("PEXPIRETIME", "k") == b":%d\r\n" % (2**63 - 1)
    assert one.say(name, "k", 2**63 - 1, V, "REPLACE", "ABSTTL") == b"+OK\r\n"
    assert one.say("GET", "k") == b"$1\r\nv\r\n"


def test_a_replica_keeps_what_is_over() -> None:
    one = One()
    one.server.lazy_expire_deletes = False
    assert one.say("RESTORE", "k", NOW - 1, V, "ABSTTL") == b"+OK\r\n"
    assert one.server.keyspace.database(0).size == 1


def test_idle_time_counts_from_what_was_said() -> None:
    one = One()
    one.server.begin_batch(NOW + 900_000)
    assert one.say("RESTORE", "k", 0, V, "IDLETIME", 100) == b"+OK\r\n"
    assert one.say("OBJECT", "IDLETIME", "k") == b":100\r\n"


REFUSED = [
    (("there", 0, "bad", "NONSENSE"), b"ERR syntax error"),
    (("k", 0, "bad", "IDLETIME"), b"ERR syntax error"),
    (("k", 0, "bad", "IDLETIME", -1), b"ERR Invalid IDLETIME value, must be >= 0"),
    (("k", 0, "bad", "IDLETIME", "x"), b"ERR value is not an integer or out of range"),
    (("k", 0, "bad", "FREQ", 256), b"ERR Invalid FREQ value, must be >= 0 and <= 255"),
    (("k", 0, "bad", "FREQ", 1, "IDLETIME", 1), b"ERR syntax error"),
    (("k", 0, "bad", "IDLETIME", 1, "FREQ", 1), b"ERR syntax error"),
    (("k", 0, "bad", "FREQ", 3, "FREQ", 4), b"ERR DUMP payload version or checksum are wrong"),
    (("there", "x", "bad"), b"BUSYKEY Target key name already exists."),
    (("k", "x", "bad"), b"ERR value is not an integer or out of range"),
    (("k", -1, "bad"), b"ERR Invalid TTL value, must be >= 0"),
    (("k", 0, b"\x08\x01a\n\x00$\x85N\x1e\x80<\x037"), b"ERR Bad data format"),
]


@pytest.mark.parametrize(("words", "reply"), REFUSED)
def test_refusals_come_in_the_order_of_redis(words: tuple[bytes | str | int, ...], reply: bytes) -> None:
    one = One()
    one.say("SET", "there", "v")
    assert one.say("RESTORE", *words) == b"-%s\r\n" % reply
