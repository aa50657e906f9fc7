"""Names are looked up aside: whatever a name server does, nobody waits for it for long, and nobody else does."""

import threading

import pytest
import trio
from trio.testing import MockClock

from gossamer.node.io import lookup
from gossamer.node.io.lookup import PATIENCE_S, PEER_THREADS, Lookup


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
