"""What sockets are waited for, read and written with: the same from the module in C as from Python."""

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from types import FrameType, ModuleType
from typing import Final

import pytest
from attrs import frozen

from gossamer.cluster import build
from gossamer.node.io import sockets
from gossamer.node.io.readiness import READ, WRITE, Ready, sort_out
from tests.tidy.floors import TOP
from tests.unit.node.store.native import compile_native, load

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="epoll is Linux'")

NAME: Final = "gossamer.node.io.native"
SHORT: Final = 64 * 1024
"""Up to so many bytes the module keeps the interpreter's lock."""


@frozen
class Means:
    wait: Callable[[int, int, float], Ready]
    read: Callable[[int, int], bytes]
    write: Callable[[int, bytes], int]


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    if build.name() == "compiled":
        return import_module(NAME)
    return load(compile_native(tmp_path_factory.mktemp("io"), source=TOP / "node" / "io" / "native.c"), NAME)


@pytest.fixture
def epoll() -> Iterator[select.epoll]:
    with select.epoll() as epoll:
        yield epoll


@pytest.fixture(params=["plain", "native"])
def means(request: pytest.FixtureRequest, epoll: select.epoll) -> Means:
    if request.param == "plain":
        return Means(lambda fd, most, wait_s: sort_out(epoll.poll(wait_s, most)), os.read, os.write)
    module: ModuleType = request.getfixturevalue("native")
    return Means(module.wait, module.read, module.write)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        here.setblocking(False)
        there.setblocking(False)
        yield here, there


def test_the_build_has_its_module() -> None:
    compiled = build.name() == "compiled" and sys.platform == "linux"
    assert (sockets.wait is not None) == compiled
    assert sockets.read.__module__ == (NAME if compiled else "posix")


@pytest.mark.parametrize("size", [0, 1, 40, 471, SHORT, SHORT + 1, 100_000])
def test_what_is_written_is_read(means: Means, pair: tuple[socket.socket, socket.socket], size: int) -> None:
    here, there = pair
    data = os.urandom(size)
    assert means.write(here.fileno(), data) == size
    for piece in (size // 2, size - size // 2):
        got = means.read(there.fileno(), piece)
        assert type(got) is bytes
        assert (len(got), data.startswith(got)) == (piece, True)
        data = data[piece:]


@pytest.mark.parametrize("room", [16, SHORT, SHORT * 2])
def test_a_read_brings_what_is_there(means: Means, pair: tuple[socket.socket, socket.socket], room: int) -> None:
    here, there = pair
    with pytest.raises(BlockingIOError):
        means.read(here.fileno(), room)
    there.send(b"\0abc")
    assert means.read(here.fileno(), room) == b"\0abc"
    there.close()
    assert means.read(here.fileno(), room) == b""
    with pytest.raises(OSError, match="Bad file descriptor"):
        means.read(1 << 20, room)


@pytest.mark.parametrize("size", [100, SHORT, SHORT * 4])
def test_a_write_says_how_much_was_taken(means: Means, pair: tuple[socket.socket, socket.socket], size: int) -> None:
    here, there = pair
    data = bytes(range(256)) * (size // 256 + 1)
    taken = 0
    for _ in range(1 << 20):
        try:
            taken += means.write(here.fileno(), data)
        except BlockingIOError:
            break
    else:
        pytest.fail("a socket that nobody reads takes everything")
    arrived = 0
    while arrived < taken:
        arrived += len(there.recv(1 << 20))
    assert arrived == taken
    there.close()
    with pytest.raises(BrokenPipeError):
        means.write(here.fileno(), data)


def test_waiting_tells_apart_what_is_only_readable(
    means: Means, epoll: select.epoll, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair
    epoll.register(here, READ)
    epoll.register(there, READ | WRITE)
    assert means.wait(epoll.fileno(), 10, 0.0) == ([], [(there.fileno(), WRITE)])
    here.send(b"x")
    there.send(b"y")
    assert means.wait(epoll.fileno(), 10, 1.0) == ([here.fileno()], [(there.fileno(), READ | WRITE)])
    there.close()
    readable, others = means.wait(epoll.fileno(), 10, 1.0)
    assert (readable, [fd for fd, _ in others]) == ([], [here.fileno()])
    assert others[0][1] & (READ | select.EPOLLHUP) == READ | select.EPOLLHUP


def test_no_more_is_told_than_asked_for(means: Means, epoll: select.epoll) -> None:
    pairs = [socket.socketpair() for _ in range(5)]
    for here, there in pairs:
        epoll.register(here, READ)
        there.send(b"x")
    told = [means.wait(epoll.fileno(), 3, 0.0)[0] for _ in range(2)]
    assert [len(readable) for readable in told] == [3, 3]
    assert set(told[0]) | set(told[1]) == {here.fileno() for here, _ in pairs}, "who was not told is told next"
    for both in pairs:
        for end in both:
            end.close()


@pytest.mark.parametrize("wait_s", [0.0001, 0.02])
def test_waiting_ends_in_time(means: Means, epoll: select.epoll, wait_s: float) -> None:
    began = time.monotonic()
    assert means.wait(epoll.fileno(), 10, wait_s) == ([], [])
    assert time.monotonic() - began >= wait_s, "a wait that ends early is made again at once, and again"


def test_others_run_while_it_waits(
    means: Means, epoll: select.epoll, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair
    epoll.register(here, READ)
    other = threading.Thread(target=there.send, args=(b"x",))
    began = time.monotonic()
    other.start()
    assert means.wait(epoll.fileno(), 10, 30.0) == ([here.fileno()], [])
    other.join()
    assert time.monotonic() - began < 30


class Interrupted(Exception):
    """Raised by the handler of a signal."""


@pytest.mark.parametrize("raises", [False, True])
def test_a_signal_ends_no_wait_but_by_an_exception(means: Means, epoll: select.epoll, raises: bool) -> None:
    came: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        if raises:
            raise Interrupted

    before = signal.signal(signal.SIGALRM, handle)
    began = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        if raises:
            with pytest.raises(Interrupted):
                means.wait(epoll.fileno(), 10, 30.0)
        else:
            assert means.wait(epoll.fileno(), 10, 0.1) == ([], [])
            assert time.monotonic() - began >= 0.1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert came == [signal.SIGALRM]


@pytest.mark.parametrize(
    ("function", "arguments", "error"),
    [
        ("read", (), TypeError), ("read", (0,), TypeError), ("read", (0, "1"), TypeError),
        ("read", (-1, 1), ValueError),
        ("read", (1 << 40, 1), ValueError), ("read", (1 << 70, 1), OverflowError), ("read", (0, -1), ValueError),
        ("read", (0, (1 << 63) - 1), OverflowError), ("write", (0,), TypeError), ("write", (0, "text"), TypeError),
        ("write", (0, bytearray(1)), TypeError), ("write", (None, b""), TypeError), ("wait", (0, 1), TypeError),
        ("wait", (0, 0, 1.0), ValueError), ("wait", (0, 257, 1.0), ValueError), ("wait", (0, 1, None), TypeError),
        ("wait", (0, 1, 0.0), OSError),
    ],
)  # fmt: skip
def test_other_arguments_are_refused(
    native: ModuleType, function: str, arguments: tuple[object, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        getattr(native, function)(*arguments)
