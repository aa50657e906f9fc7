"""MEMORY, and what is told of the uses of keys."""

import re
from itertools import pairwise

from tests.unit.node.commands.one import One


def field(one: One, name: str) -> int:
    found = re.search(rb"^%s:(\d+)" % name.encode(), one.say("INFO"), re.MULTILINE)
    assert found is not None, name
    return int(found.group(1))


def stats(one: One) -> dict[bytes, bytes]:
    words = one.say("MEMORY", "STATS").split(b"\r\n")
    flat = [word for word in words if word and not word.startswith((b"$", b"*"))]
    return dict(pairwise(flat))


def test_stats_tell_where_the_memory_goes() -> None:
    one = One()
    one.say("SELECT", 3)
    one.say("SET", "k", "v" * 5000, "EX", 100)
    told = stats(one)
    assert told[b"keys.count"] == b":1"
    assert told[b"db.3"] == b"overhead.hashtable.main"
    used = int(told[b"total.allocated"][1:])
    assert used == field(one, "used_memory")
    assert int(told[b"dataset.bytes"][1:]) == 5001
    assert int(told[b"overhead.total"][1:]) == used - 5001
    assert int(told[b"clients.normal"][1:]) == field(one, "mem_clients_normal") > 0
    assert list(told).index(b"peak.allocated") < list(told).index(b"db.3") < list(told).index(b"fragmentation.bytes")


def test_what_a_client_has_not_read_is_used_memory() -> None:
    one = One()
    one.say("SET", "k", "v" * 100_000)
    slow = one.machine.accept("127.0.0.1:7", "127.0.0.1:2")
    before = field(one, "used_memory")
    slow.feed(b"GET k\r\n" * 9)
    assert field(one, "used_memory") - before >= 900_000
    assert b"tot-mem=90" in one.say("CLIENT", "LIST")
    slow.take_output()
    assert field(one, "used_memory") == before


def test_what_is_queued_counts_too() -> None:
    one = One()
    slow = one.machine.accept("127.0.0.1:7", "127.0.0.1:2")
    before = field(one, "mem_clients_normal")
    slow.feed(b"MULTI\r\n*2\r\n$4\r\nECHO\r\n$9000\r\n%s\r\n" % (b"v" * 9000))
    slow.take_output()
    assert 9000 <= field(one, "mem_clients_normal") - before < 9100


def test_the_doctor_names_what_is_wrong() -> None:
    one = One()
    assert b"nothing to diagnose" in one.say("MEMORY", "DOCTOR")
    one.say("SET", "k", "v" * 6_000_000)
    assert b"No memory problem" in one.say("MEMORY", "DOCTOR")
    slow = one.machine.accept("127.0.0.1:7", "127.0.0.1:2")
    slow.feed(b"GET k\r\n")
    one.say("MEMORY", "STATS")
    assert b"Clients: " in one.say("MEMORY", "DOCTOR")
    slow.take_output()
    assert b"Peak: " in one.say("MEMORY", "DOCTOR")


def test_restored_keys_bring_what_is_told_of_their_uses() -> None:
    one = One()
    payload = one_payload(one)
    one.say("RESTORE", "idle", 0, payload, "IDLETIME", 77)
    one.say("RESTORE", "old", 0, payload, "IDLETIME", 1 << 23)
    assert one.say("OBJECT", "IDLETIME", "idle") == b":77\r\n"
    assert one.say("OBJECT", "IDLETIME", "old") == b":%d\r\n" % (1 << 23)
    one.say("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
    one.say("RESTORE", "often", 0, payload, "FREQ", 200)
    one.say("RESTORE", "new", 0, payload, "IDLETIME", 77)
    assert one.say("OBJECT", "FREQ", "often") == b":200\r\n"
    assert one.say("OBJECT", "FREQ", "new") == b":5\r\n"
    one.server.begin_batch(1_000_000 + 60_000 * 7)
    assert one.say("OBJECT", "FREQ", "often") == b":193\r\n"
    one.say("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
    assert one.say("OBJECT", "FREQ", "often").startswith(b"-ERR An LFU maxmemory policy is not selected")


def one_payload(one: One) -> bytes:
    one.say("SET", "source", "v")
    return one.say("DUMP", "source").split(b"\r\n", 1)[1][:-2]


def test_a_reload_keeps_what_is_known_of_uses() -> None:
    one = One()
    one.say("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    one.say("SET", "k", "v")
    one.server.begin_batch(1_050_000)
    assert one.say("DEBUG", "RELOAD").startswith((b"+OK", b"-ERR DEBUG"))
    one.server.access.debug = "yes"
    assert one.say("DEBUG", "RELOAD") == b"+OK\r\n"
    assert one.say("OBJECT", "IDLETIME", "k") == b":50\r\n"


def test_a_command_counts_as_one_use() -> None:
    one = One()
    one.say("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu", "lfu-log-factor", 0)
    for words in (
        ("SET", "n", "1"),
        ("INCR", "n"),
        ("APPEND", "n", "1"),
        ("GET", "n"),
        ("LPUSH", "l", "a"),
        ("LPUSH", "l", "a"),
        ("LRANGE", "l", 0, 5),
        ("HSET", "h", "f", "v"),
        ("HGET", "h", "f"),
        ("HSET", "h", "f", "w"),
    ):
        one.say(*words)
        one.say("TTL", words[1])
        one.say("TYPE", words[1])
        one.say("EXISTS", words[1])
        one.say("OBJECT", "ENCODING", words[1])
        one.say("MEMORY", "USAGE", words[1])
    assert [one.say("OBJECT", "FREQ", key) for key in ("n", "l", "h")] == [b":8\r\n", b":7\r\n", b":7\r\n"]


def test_integers_are_not_shared_by_keys_whose_uses_are_noted() -> None:
    one = One()
    one.say("SET", "n", "1")
    assert one.say("OBJECT", "REFCOUNT", "n") == b":2147483647\r\n"
    one.say("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "1gb")
    assert one.say("OBJECT", "REFCOUNT", "n") == b":1\r\n"
