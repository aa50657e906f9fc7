"""What is refused where the memory is full: maxmemory with noeviction."""

from collections.abc import Iterator

import pytest

from tests.compat.pair import Pair


@pytest.fixture(autouse=True)
def _unlimited(pair: Pair) -> Iterator[None]:
    pair.flush()
    yield
    pair.tell_redis("CONFIG", "SET", "maxmemory", 0)


def test_commands_that_take_memory_are_refused(pair: Pair) -> None:
    talk = pair.resp2
    talk.run([("SET", "k", "v"), ("SET", "big", "v" * 2_000_000), ("CONFIG", "SET", "maxmemory", "2mb")])
    for line in (
        "SET k v",
        "SET k",
        "APPEND k v",
        "INCR n",
        "SETRANGE k 0 v",
        "SETBIT k 0 1",
        "BITFIELD k GET u8 0",
        "BITFIELD_RO k GET u8 0",
        "MSET a b",
        "GETSET k v",
        "GETDEL nokey",
        "GET k",
        "COPY k l",
        "RENAME k l",
        "EXPIRE l 100",
        "PERSIST l",
        "RESTORE x 0 y",
        "EXISTS l",
        "TYPE l",
        "INFO nosuch",
        "DEL nokey",
    ):
        talk.same(*line.split())
    talk.same("DEL", "big")


def test_transactions_queue_nothing_and_are_not_run(pair: Pair) -> None:
    talk, other = pair.talk(), pair.talk()
    talk.run([("SET", "big", "v" * 2_000_000), ("MULTI",), ("SET", "k", "v"), ("GET", "k")])
    other.run([("MULTI",), ("GET", "k")])
    pair.resp3.same("CONFIG", "SET", "maxmemory", "2mb")
    talk.same("EXEC")
    other.same("EXEC")
    talk.run([("GET", "k"), ("MULTI",), ("GET", "k"), ("PING",), ("MULTI",), ("WATCH", "k"), ("EXEC",)])
    talk.run([("MULTI",), ("GET", "k"), ("DISCARD",), ("WATCH", "k"), ("UNWATCH",), ("MULTI",), ("EXEC",)])
    pair.resp3.same("CONFIG", "SET", "maxmemory", 0)
    talk.run([("MULTI",), ("SET", "k", "v"), ("EXEC",)])
