"""Does eviction keep what is used? The hit rate of a cache on a trace by Zipf's law, beside that of a real server.

A miss puts the key in, as caches do. Both have room for the same number of keys. The clock by which uses are noted
counts seconds, and minutes, so the trace comes in pieces, a second each, or more where the machine is busy: of the real
server's clock there, and the same ones of our virtual clock here, step by step. The real servers of all policies run
side by side, since most of the time is waiting for that second.
"""

import re
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import accumulate
from random import Random
from typing import Final

import pytest

from gossamer.node.engine.server import Server
from gossamer.node.machine import Machine
from tests.compat.pair import RealServer, encode

POLICIES: Final = (
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
)
KEYS: Final = 3000
ROOM: Final = 500
"""Keys that there is room for, about. A real server takes some of it for itself, so ours gets what that has at last."""
VALUE: Final = b"v" * 3000
SECONDS: Final = 12
WARM_UP: Final = 2
PIECE: Final = 900
"""Keys that are asked for in a second."""
STEP: Final = 50
"""Keys after which the clock is looked at."""
POINTS: Final = 2.0
"""By so much the hit rates may differ, in percent."""


class Cache:
    """``ask`` a server for the next keys of the trace."""

    def __init__(self) -> None:
        self.hits = 0

    def send(self, *words: bytes | str | int) -> bytes:
        raise NotImplementedError

    def used(self) -> int:
        found = re.search(rb"used_memory:(\d+)", self.send("INFO", "memory"))
        assert found is not None
        return int(found.group(1))

    def prepare(self, policy: str, room: int) -> None:
        """Make room for about so many keys."""
        self.send("CONFIG", "SET", "maxmemory-policy", policy)
        self.send("CONFIG", "SET", "maxmemory-samples", 5)
        before = self.used()
        for number in range(room):
            self.put(number)
        self.send("CONFIG", "SET", "maxmemory", self.used())
        assert self.used() > before + room * len(VALUE)
        self.send("FLUSHALL")

    def put(self, number: int) -> None:
        assert self.send("SET", f"key:{number:05}", VALUE, "EX", 10_000 + number * 7919 % 5000) == b"+OK\r\n"

    def ask(self, numbers: Sequence[int], counted: bool) -> None:
        for number in numbers:
            if self.send("GET", f"key:{number:05}") == b"$-1\r\n":
                self.put(number)
            else:
                self.hits += counted

    def rate(self) -> float:
        """In percent."""
        return self.hits * 100 / ((SECONDS - WARM_UP) * PIECE)

    def size(self) -> int:
        return int(self.send("DBSIZE")[1:-2])


class Real(Cache):
    def __init__(self, server: RealServer) -> None:
        super().__init__()
        self.socket = socket.create_connection(server.address, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, *words: bytes | str | int) -> bytes:
        self.socket.sendall(encode(words))
        data = b""
        while not is_whole(data):
            more = self.socket.recv(1 << 16)
            assert more
            data += more
        return data

    def second(self) -> int:
        found = re.search(rb"lru_clock:(\d+)", self.send("INFO", "server"))
        assert found is not None
        return int(found.group(1))

    def await_second(self, other: int) -> int:
        """The server's clock as soon as it is another."""
        deadline = time.monotonic() + 10
        while (second := self.second()) == other:
            assert time.monotonic() < deadline
        return second


def is_whole(data: bytes) -> bool:
    if not data:
        return False
    if not data.startswith(b"$"):
        return data.endswith(b"\r\n")
    head, _, rest = data.partition(b"\r\n")
    return data == b"$-1\r\n" or len(rest) == int(head[1:]) + 2


class Ours(Cache):
    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.client = Machine(self.server).accept("127.0.0.1:1", "127.0.0.1:2")
        self.set_clock(1_700_000_000)

    def send(self, *words: bytes | str | int) -> bytes:
        self.client.feed(encode(words))
        return self.client.take_output()

    def set_clock(self, second: int) -> None:
        self.server.begin_batch(second * 1000)


def trace() -> Iterator[list[int]]:
    """A piece for each second: numbers of keys, the first ones often."""
    rng = Random(11)
    weights = list(accumulate(1 / (rank + 1) ** 0.9 for rank in range(KEYS)))
    names = rng.sample(range(KEYS), KEYS)
    for _ in range(SECONDS):
        yield [names[rank] for rank in rng.choices(range(KEYS), cum_weights=weights, k=PIECE)]


@contextmanager
def real_caches(executable: str) -> Iterator[list[Real]]:
    with ExitStack() as stack:
        caches = []
        for _ in POLICIES:
            server = RealServer(executable)
            stack.callback(server.stop)
            cache = Real(server)
            stack.callback(cache.socket.close)
            caches.append(cache)
        yield caches


@pytest.mark.once
def test_hit_rates_are_those_of_redis() -> None:
    executable, why_not = RealServer.find()
    if executable is None:
        pytest.skip(why_not)
    seconds: list[list[int]] = [[] for _ in POLICIES]
    theirs = ask_redis(executable, seconds)
    ours = [ask_us(policy, room, clock) for policy, (_, room), clock in zip(POLICIES, theirs, seconds, strict=True)]
    rates = {policy: (real[0], our[0]) for policy, real, our in zip(POLICIES, theirs, ours, strict=True)}
    assert all(abs(real[1] - our[1]) <= ROOM // 50 for real, our in zip(theirs, ours, strict=True)), (theirs, ours)
    assert all(abs(real - our) <= POINTS for real, our in rates.values()), rates
    print(rates)


def steps(piece: list[int]) -> Iterator[list[int]]:
    for at in range(0, PIECE, STEP):
        yield piece[at : at + STEP]


def ask_redis(executable: str, seconds: list[list[int]]) -> list[tuple[float, int]]:
    """The hit rate of each policy, and how many keys there was room for at the end. ``seconds`` gets those of the
    steps, of each policy."""
    with real_caches(executable) as caches:
        for policy, cache in zip(POLICIES, caches, strict=True):
            cache.prepare(policy, ROOM)
        second = 0
        for number, piece in enumerate(trace()):
            second = caches[0].await_second(second)
            for cache, clock in zip(caches, seconds, strict=True):
                for step in steps(piece):
                    clock.append(int(time.time()))
                    cache.ask(step, number >= WARM_UP)
        return [(cache.rate(), cache.size()) for cache in caches]


def ask_us(policy: str, room: int, seconds: Sequence[int]) -> tuple[float, int]:
    cache = Ours()
    cache.prepare(policy, room)
    clock = iter(seconds)
    for number, piece in enumerate(trace()):
        for step in steps(piece):
            cache.set_clock(next(clock))
            cache.ask(step, number >= WARM_UP)
    return cache.rate(), cache.size()
