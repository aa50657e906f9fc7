"""Names are looked up aside: whatever a name server does, nobody waits for it for long, and nobody else does."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence

import pytest
import trio
from trio.testing import MockClock

from gossamer.node.io import lookup
from gossamer.node.io.address import Unreachable
from gossamer.node.io.dial import dial
from gossamer.node.io.lookup import DIAL_THREADS, PATIENCE_S, PEER_THREADS, Lookup, Resolver


def test_what_is_an_address_already_stands_for_itself() -> None:
    assert trio.run(Lookup().addresses, "127.7.7.7") == ("127.7.7.7",)


@pytest.mark.parametrize("name", ["a..b", "x" * 300])
def test_what_cannot_be_a_name_stands_for_nothing(name: str) -> None:
    assert trio.run(Lookup().addresses, name) == ()


def test_a_silent_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its threads are busy until it answers; the answer is of no use any more."""
    answer = threading.Event()
    asked: list[str] = []
    found: list[tuple[str, ...]] = []

    def ask(name: str) -> tuple[str, ...]:
        asked.append(name)
        answer.wait(20)
        return ("127.0.0.9",)

    async def one(names: Lookup, number: int) -> None:
        found.append(await names.addresses(f"n{number}"))

    async def all_at_once() -> float:
        names, began = Lookup(), trio.current_time()
        async with trio.open_nursery() as nursery:
            for number in range(2 * PEER_THREADS):
                nursery.start_soon(one, names, number)
        answer.set()
        return trio.current_time() - began

    monkeypatch.setattr(lookup, "look_up", ask)
    assert trio.run(all_at_once, clock=MockClock(autojump_threshold=0)) == pytest.approx(PATIENCE_S)
    assert found == [()] * (2 * PEER_THREADS)
    assert len(asked) <= PEER_THREADS


class Silent:
    """A name server that answers when the test is over."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        """In IDNA, as trio asks."""
        self.begun = threading.Event()
        """It has been asked."""
        self.crowded = threading.Event()
        """All threads that there are for it wait."""
        self.answer = threading.Event()
        self._real = socket.getaddrinfo

    def ask(
        self, host: bytes, port: int, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Sequence[object]:
        if flags & socket.AI_NUMERICHOST:  # trio finds out whether anybody needs to be asked
            return self._real(host, port, family, type, proto, flags)
        self.asked.append(host)
        self.begun.set()
        if len(self.asked) == DIAL_THREADS:
            self.crowded.set()
        self.answer.wait(20)
        return []


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    server = Silent()
    monkeypatch.setattr(socket, "getaddrinfo", server.ask)
    yield server
    server.answer.set()


def test_who_cancels_a_dial_does_not_wait_for_its_lookup(silent: Silent) -> None:
    async def give_up() -> bool:
        trio.socket.set_custom_hostname_resolver(Resolver())
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(dial, "redis-0.svc", 6379)
                await trio.to_thread.run_sync(silent.begun.wait, 10, abandon_on_cancel=True)
                scope.cancel()
        return scope.cancelled_caught

    began = time.monotonic()
    assert trio.run(give_up)
    assert time.monotonic() - began < 10, "it has waited for the answer"
    assert silent.asked == [b"redis-0.svc"]


def test_a_dial_that_may_take_so_long_does_not_wait_for_its_lookup_either(silent: Silent) -> None:
    async def try_once() -> None:
        trio.socket.set_custom_hostname_resolver(Resolver())
        await dial("redis-0.svc", 6379, timeout_s=0.1)

    began = time.monotonic()
    with pytest.raises(Unreachable, match="took too long"):
        trio.run(try_once)
    assert time.monotonic() - began < 10, "it has waited for the answer"


def test_lookups_that_hang_do_not_hold_up_who_writes_to_the_disk(silent: Silent) -> None:
    """They are as many as may be, and none of trio's own threads is among them."""

    async def crowd() -> str:
        trio.socket.set_custom_hostname_resolver(Resolver())
        async with trio.open_nursery() as nursery:
            for number in range(3 * DIAL_THREADS):
                nursery.start_soon(dial, f"n{number}", 6379)
            with trio.fail_after(10):
                await trio.to_thread.run_sync(silent.crowded.wait, abandon_on_cancel=True)
                done = await trio.to_thread.run_sync(lambda: "written")
            nursery.cancel_scope.cancel()
        return done

    assert trio.run(crowd) == "written"
    assert len(silent.asked) == DIAL_THREADS
